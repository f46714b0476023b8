"""
Everything at once: commands while the relay and a projection are at work; and, with nothing else
going on, how long an event takes from its append to a consumer.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import Any

import attrs
import nats

from nats.aio.msg import Msg

from benchmarks.broker import BareBroker, broker
from benchmarks.caller import Traffic
from benchmarks.drain import drained, prepared, way
from benchmarks.inner import opened, seeded
from benchmarks.postgres_limit import postgres_limit
from benchmarks.processes import READY, RESULT, child, cpu_seconds, told
from benchmarks.rounds import MICROSECONDS, Figures, percentile, ratio
from benchmarks.run import Part, Round, Run
from benchmarks.seeding import copies, mould
from benchmarks.service import service
from benchmarks.sqlite_limit import sqlite_limit
from benchmarks.stream_limit import stream_limit
from benchmarks.wire import Line
from benchmarks.workload import client_name
from clientela.adapters.event_loop import run as on_loop
from clientela.adapters.settings import Settings
from clientela.services.core import Core
from clientela.services.partitions import SUBJECT
from clientela.services.rows import Append


EVENTS = 20
CLIENTS = 500
CLIENTS_QUICKLY = 60

MANY = 64
"""Commands in flight."""

COMMAND = "purchase"

EVENTS_MAX = 10_000_000
"""More than there are."""

SINGLES = 60
"""Events that go one at a time."""

SINGLES_QUICKLY = 15

PAUSE_SECONDS = 0.04
"""Between two of them: the relay rests for less."""

ARRIVAL_SECONDS = 30.0

NEW_CLIENTS = 5_000_000
"""Number from which on clients are registered one at a time."""


@attrs.frozen(kw_only=True)
class Place:
    """
    A company that commands come to, and the bare limit of its database.

    Attributes:
        store: Name of the database.

        settings: Of the company.

        append_p50: Measures a bare append, in microseconds.
    """

    store: str
    settings: Settings
    append_p50: Callable[[float], float]

    @property
    def log(self) -> Path:
        """Where errors of callers go."""
        return self.settings.data_dir / "caller.log"

    def more(self, *others: str) -> list[str]:
        """Further settings of the service."""
        url = self.settings.database_url
        return [*([f"database_url={url}"] if url else []), *others]


def _alone(place: Place, run: Run, clients: int) -> Traffic:
    with service(place.settings.data_dir, *place.more()) as started:
        line = Line(run=run, service=started, log=place.log)
        line.calls(COMMAND, MANY, clients)
        return line.calls(COMMAND, MANY, clients)


async def _published(settings: Settings, url: str) -> None:
    async with opened(settings) as core:
        await drained(core, url, EVENTS_MAX)


def _accompanied(place: Place, run: Run, clients: int, to: BareBroker) -> tuple[Traffic, Figures]:
    """Commands while relay and projection are at work, and how far behind these were."""
    on_loop(_published(place.settings, to.url))
    folder, name = place.settings.data_dir, f"flow.{place.store}"
    with (
        service(folder, *place.more(f"bus={to.url}")) as started,
        child("benchmarks.projection", to.url, folder, log=place.log) as process,
    ):
        line = Line(run=run, service=started, log=place.log)
        told(process, READY)
        line.calls(COMMAND, MANY, clients)
        begin, before = time.perf_counter(), (to.cpu_seconds(), cpu_seconds(process.pid))
        taken = line.calls(COMMAND, MANY, clients)
        lasted, after = time.perf_counter() - begin, (to.cpu_seconds(), cpu_seconds(process.pid))
        spent = {
            f"{name}.{what}, share of a core": (end - start) / lasted
            for what, start, end in zip(("broker", "projection"), before, after, strict=True)
        }
        process.send_signal(signal.SIGTERM)
        ages = told(process, RESULT)
    return taken, {**spent, **{f"{name}.{what}": figure for what, figure in ages.items()}}


def _under_load(place: Place, run: Run, clients: int, to: BareBroker) -> Figures:
    before = _alone(place, run, clients)
    taken, figures = _accompanied(place, run, clients, to)
    after = _alone(place, run, clients)
    name = f"flow.{place.store}"
    alone = mean((before.rate, after.rate))
    return {
        f"12 {place.store}": ratio(taken.rate, alone),
        f"{name}.commands alone, rate": alone,
        f"{name}.commands alone, service us": mean((before.server, after.server)),
        f"{name}.commands, relay and projection, rate": taken.rate,
        f"{name}.commands, relay and projection, service us": taken.server,
        **figures,
    }


def _registrations(core: Core, first: int, count: int) -> list[Append]:
    """An append of one event for each of so many new clients."""
    shape = mould(core, 1)
    shape = attrs.evolve(shape, rows=shape.rows[:1])
    return [copies(core, shape, [client_name(first + number)]) for number in range(count)]


async def _arrivals(core: Core, url: str, appends: Sequence[Append]) -> list[float]:
    """Seconds from the append of an event to a consumer, one event after the other."""
    took: list[float] = []
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    listener = await nats.connect(url)
    using = way(core, url)
    working = asyncio.create_task(using.relay.run())
    try:
        untyped: Any = listener
        await untyped.subscribe(f"{SUBJECT}.>", cb=arrived.put)
        await listener.flush()
        for append in appends:
            await asyncio.sleep(PAUSE_SECONDS)
            begin = time.perf_counter()
            await core.store.append(append)
            using.relay.wake()
            async with asyncio.timeout(ARRIVAL_SECONDS):
                await arrived.get()
            took.append(time.perf_counter() - begin)
    finally:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        await using.bus.close()
        await listener.close()
    return took


async def _idle(place: Place, run: Run, url: str) -> Figures:
    """An event at a time from its append to a consumer, beside a bare append and publish."""
    count = SINGLES_QUICKLY if run.is_quick else SINGLES
    async with opened(place.settings) as core, stream_limit(url) as bare:
        await drained(core, url, EVENTS_MAX)
        messages = await prepared(core, count)
        before = await bare.one_by_one(messages, run.seconds)
        first = NEW_CLIENTS + run.seed() * SINGLES
        took = await _arrivals(core, url, _registrations(core, first, count))
        after = await bare.one_by_one(messages, run.seconds)
    published = mean((before.p50, after.p50))
    appended = await asyncio.to_thread(place.append_p50, run.seconds)
    arrival = percentile(took, 0.5) * MICROSECONDS
    name = f"flow.{place.store}.idle"
    return {
        f"13 {place.store}": ratio(arrival, appended + published),
        f"{name}, append to consumer, p50 us": arrival,
        f"{name}, append to consumer, p99 us": percentile(took, 0.99) * MICROSECONDS,
        f"{name}, raw append, p50 us": appended,
        f"{name}, raw publish, p50 us": published,
    }


def _taking_turns(place: Place, run: Run) -> Iterator[Round]:
    clients = CLIENTS_QUICKLY if run.is_quick else CLIENTS
    asyncio.run(seeded(place.settings, {EVENTS: clients}))
    with broker(place.settings.data_dir / "broker") as to:

        def measured() -> Figures:
            return {
                **_under_load(place, run, clients, to),
                **on_loop(_idle(place, run, to.url)),
            }

        yield measured


@contextmanager
def _sqlite(run: Run) -> Iterator[Round]:
    folder = run.place("flow-sqlite")

    def append_p50(seconds: float) -> float:
        with sqlite_limit(folder) as limit:
            return limit.append(seconds).p50

    yield from _taking_turns(
        Place(store="sqlite", settings=Settings(data_dir=folder), append_p50=append_p50), run
    )


@contextmanager
def _postgres(run: Run) -> Iterator[Round]:
    folder = run.place("flow-postgres")
    with postgres_limit(folder) as server:
        place = Place(
            store="postgres",
            settings=Settings(
                data_dir=run.place("flow-postgres/company"), database_url=server.database("company")
            ),
            append_p50=lambda seconds: server.append(seconds, 1).p50,
        )
        yield from _taking_turns(place, run)


FLOW_SQLITE = Part(
    name="flow-sqlite",
    about="SQLite with relay and projection at work: goals 12, 13",
    open=_sqlite,
)
FLOW_POSTGRES = Part(
    name="flow-postgres",
    about="PostgreSQL with relay and projection at work: goals 12, 13",
    open=_postgres,
)
