"""
How much waits, as it is told.
"""

from __future__ import annotations

import contextlib

from typing import Any

import attrs
import pytest

from clientela.adapters.memory import MemoryStore
from clientela.domain.ids import ClientId, client_journal
from clientela.services.append_watch import AppendWatch
from clientela.services.backlogs import Backlogs, Lag
from clientela.services.bus_watch import BusWatch
from clientela.services.clocks import VirtualClock
from clientela.services.health import BUS, Health
from clientela.services.metrics import Count, Level, Measure, NoMetrics
from clientela.services.ports import PAGE_MAX
from clientela.services.rows import Append
from clientela.services.store_errors import StoreUnavailableError, VersionConflictError
from tests.adapters.appends import AT, MARTA, rows


@attrs.define
class Kept(NoMetrics):
    """Keeps the last value of everything."""

    levels: dict[tuple[Level, str], float] = attrs.field(factory=dict)
    told: list[tuple[object, object]] = attrs.field(factory=list)

    def level(self, what, value, label=""):
        self.levels[what, label] = value

    def count(self, what, label="", times=1):
        self.told.append((what, label))

    def measure(self, what, value):
        self.told.append((what, value))


@attrs.define
class Leaving:
    """What events leave by."""

    trouble: str = ""
    position: int | None = None


@attrs.define
class Parked:
    """What is put aside."""

    parked_: tuple[int, ...] = ()

    async def parked(self):
        return self.parked_


class Standing:
    """A scheduler with two parked journals."""

    parked = (MARTA, client_journal(ClientId("ivo")))


class Hot:
    """Records that keep three journals."""

    cached = 3


def backlogs(store, metrics, leaving=None):
    """Over what stands still."""
    scheduler: Any = Standing()
    follow_ups: Any = Parked((7,))
    records: Any = Hot()
    return Backlogs(
        store,
        VirtualClock(AT),
        scheduler=scheduler,
        follow_ups=follow_ups,
        records=records,
        leaving=leaving,
        metrics=metrics,
    )


async def test_everything_that_waits_is_told():
    """
    Issue 3, 8: due, followed up, gone out, parked and cached, each by its name.
    """
    store, metrics = MemoryStore(), Kept()
    await store.append(Append(expected={MARTA: 0}, events=rows(MARTA, count=5), due={MARTA: AT}))
    await store.note("follow-ups", "2")

    assert 0 == await backlogs(store, metrics, Leaving(position=1)).step()
    assert {
        (Level.DUE_BACKLOG, ""): 1,
        (Level.FOLLOW_UP_BACKLOG, ""): 3,
        (Level.OUTBOX_BACKLOG, ""): 4,
        (Level.PARKED_NOW, "journals"): 2,
        (Level.PARKED_NOW, "follow-ups"): 1,
        (Level.CACHED, "journals"): 3,
    } == {key: value for key, value in metrics.levels.items() if "lag" not in key[0].value.name}


@pytest.mark.parametrize("leaving", [None, Leaving(position=None)])
async def test_who_sends_nothing_out_tells_nothing_of_it(leaving):
    """
    Of many processes one relays; the others do not know how far it is.
    """
    metrics = Kept()
    await backlogs(MemoryStore(), metrics, leaving).step()

    assert (Level.OUTBOX_BACKLOG, "") not in metrics.levels


async def test_a_backlog_is_counted_up_to_a_page():
    """
    S11: looking costs no more for a million events than for a thousand.
    """
    store, metrics = MemoryStore(), Kept()
    events = rows(MARTA, count=PAGE_MAX + 5)
    await store.append(Append(expected={MARTA: 0}, events=events))
    await backlogs(store, metrics).step()

    assert PAGE_MAX == metrics.levels[Level.FOLLOW_UP_BACKLOG, ""]


def test_lag_is_what_has_waited_at_least():
    """
    Nothing waits: none. What was the end ten seconds ago and is not done has waited ten seconds,
    however old or virtual its moment is; when it is done, the next end counts from its look.
    """
    ticks = iter((0.0, 10.0, 20.0, 30.0, 40.0))
    lag = Lag(lambda: next(ticks))
    seconds = [lag.seconds(5, 5), lag.seconds(5, 9), lag.seconds(7, 12), lag.seconds(12, 12)]

    assert [0.0, 0.0, 10.0, 0.0] == seconds


async def test_the_bus_is_told_of_by_health():
    """
    F8: away while events do not leave, back when they do; served either way.
    """
    leaving, health = Leaving(), Health([])
    watch = BusWatch(leaving, health)
    told = []
    for leaving.trouble in ("", "the broker cannot be reached", ""):
        await watch.step()
        told.append((health.is_served(BUS), health.is_serving))

    assert [(True, True), (False, True), (True, True)] == told


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, []),
        (VersionConflictError(MARTA), [(Count.CONFLICTS, "VersionConflictError")]),
        (StoreUnavailableError("away"), []),
    ],
)
def test_appends_are_watched(error, expected):
    """
    Issue 3, 8: how long each took, and whether somebody was faster.
    """
    metrics, ticks = Kept(), iter((1.0, 1.5))
    watch = AppendWatch(metrics=metrics, monotonic=lambda: next(ticks))
    with contextlib.suppress(VersionConflictError, StoreUnavailableError), watch.append(2):
        if error is not None:
            raise error

    assert [*expected, (Measure.COMMIT_SECONDS, 0.5)] == metrics.told
