"""
The scheduler.
"""

from __future__ import annotations

import asyncio

from datetime import datetime, timedelta

import attrs
import pytest

from clientela.domain.definitions.versions import ApplyDefinitions
from clientela.domain.ids import ClientId, client_journal
from clientela.domain.ownership.lapse import OwnershipLapsed
from clientela.domain.run import RulebookError
from clientela.services.calls import ContendedError
from clientela.services.ports import PAGE_MAX
from clientela.services.rows import Append
from clientela.services.scheduler import (
    FAILURES_MAX,
    HISTORY,
    HISTORY_S,
    TOLD_S,
    Scheduler,
    StandstillError,
)
from clientela.services.store_errors import StoreUnavailableError, VersionConflictError
from tests.domain.register import Register
from tests.domain.spec import AT
from tests.services.alarms import ALARMS, AlarmRung, SetAlarm, Sound
from tests.services.firm import (
    DAY,
    JOURNAL,
    LAPSE,
    MARTA,
    OLGA,
    PETRA,
    DisturbedStore,
    Firm,
    approach,
    lost,
)


OLGAS = client_journal(OLGA)
HOUR_S = 3_600
SECONDS_MAX = 60.0


class Watched:
    """A company, its scheduler, and the seconds of its pauses."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.seconds = 0.0
        self.reports: list[tuple[object, type]] = []
        self.scheduler = Scheduler(
            firm.path,
            firm.store,
            firm.clock,
            lambda journal_id, error: self.reports.append((journal_id, type(error))),
            monotonic=lambda: self.seconds,
            wall=self.wall,
        )

    def wall(self) -> datetime:
        """The clock on the wall, which goes on as the seconds do."""
        return AT + timedelta(seconds=self.seconds)

    async def wind(self, sound: Sound = Sound.RINGS, client: ClientId = PETRA, at=AT + DAY):
        """Set an alarm."""
        await self.firm.run(SetAlarm(at=at, client_id=client, sound=sound))

    async def exhaust(self) -> None:
        """Let the scheduler try by itself until what is broken must be parked."""
        for _ in range(FAILURES_MAX):
            await self.scheduler.step()
            self.seconds += HOUR_S


class StuckStore(DisturbedStore):
    """A store that cannot let go of Petra's due moment."""

    async def append(self, append: Append) -> int:
        """Append everything else."""
        due = {j: at for j, at in append.due.items() if j != JOURNAL or at is not None}
        return await super().append(attrs.evolve(append, due=due))


@pytest.fixture
async def watched():
    """A company with a seller, two clients, and alarms."""
    return Watched(await Firm(more=(ALARMS,)).open(MARTA))


async def test_what_is_due_happens_and_is_counted(watched):
    """
    Each journal that was moved counts once, however often it was due.
    """
    await watched.firm.run(LAPSE)
    await watched.firm.run(approach(MARTA))
    await watched.wind()
    await watched.wind(client=OLGA, at=AT + 40 * DAY)

    assert 1 == await watched.scheduler.advance(AT + 39 * DAY)
    assert 1 == await watched.scheduler.advance(AT + 40 * DAY)
    assert 0 == await watched.scheduler.advance(AT + 99 * DAY)
    assert [AlarmRung, OwnershipLapsed] == (await watched.firm.events())[-2:]


async def test_due_moment_that_is_out_of_date_moves_nothing_and_is_put_right(watched):
    """
    A term was made longer: the journal is looked at, is not due, is not counted, and its due moment
    is what the definitions say from then on.
    """
    firm = watched.firm
    await firm.run(LAPSE)
    await firm.run(approach(MARTA), at=AT + 10 * DAY)
    longer = ApplyDefinitions.of("[ownership]\nlapses_after_days = 60", AT + 5 * DAY)
    await firm.run(longer)
    assert AT + 40 * DAY == await firm.store.due_at(JOURNAL)
    before = await firm.count()

    async with asyncio.timeout(SECONDS_MAX):
        assert 0 == await watched.scheduler.advance(AT + 50 * DAY)

    assert (AT + 70 * DAY, before) == (await firm.store.due_at(JOURNAL), await firm.count())
    assert 1 == await watched.scheduler.advance(AT + 70 * DAY)


async def test_journal_that_is_due_no_more_is_forgotten(watched):
    """
    A due moment without any ground is dropped by letting time pass.
    """
    await watched.firm.store.append(Append(expected={}, due={JOURNAL: AT}))

    assert 0 == await watched.scheduler.advance(AT)
    assert None is await watched.firm.store.due_at(JOURNAL)


async def test_journal_that_stands_still_is_told_and_does_not_hold_up_the_rest():
    """
    Whose due moment stays whatever is done neither changes nor goes away: it is tried once an
    advance, and the others move.
    """
    watched = Watched(await Firm(StuckStore(), more=(ALARMS,)).open(MARTA))
    await watched.firm.store.append(Append(expected={}, due={JOURNAL: AT}))
    await watched.wind(client=OLGA)

    async with asyncio.timeout(SECONDS_MAX):
        assert 1 == await watched.scheduler.advance(AT + 2 * DAY)

    assert [(JOURNAL, StandstillError)] == watched.reports
    assert [JOURNAL] == await watched.firm.store.due(AT + 2 * DAY)


async def test_broken_journal_backs_off_and_is_parked(watched):
    """
    It is tried again later and later, then no more; the scheduler goes on.
    """
    watched.firm.clock.move(AT + DAY)
    await watched.wind(Sound.BROKEN)

    for seconds in (0, 0.9, 1, 2.9, 3, 6.9):
        watched.seconds = seconds
        await watched.scheduler.step()
    assert [(JOURNAL, RulebookError)] * 3 == watched.reports

    watched.seconds = 7
    await watched.exhaust()

    assert FAILURES_MAX == len(watched.reports)
    assert (JOURNAL,) == watched.scheduler.parked
    assert 0 == await watched.scheduler.advance(AT + 9 * DAY)
    assert FAILURES_MAX == len(watched.reports)


async def test_outage_of_the_store_parks_nothing(watched):
    """
    That the store cannot be reached tells nothing of the journal that was tried: it moves as soon
    as the store is back.
    """
    watched.firm.clock.move(AT + 2 * DAY)
    await watched.wind()
    watched.firm.store.before.extend([lost] * 2 * FAILURES_MAX)

    for _ in range(2 * FAILURES_MAX):
        with pytest.raises(StoreUnavailableError):
            await watched.scheduler.step()
        watched.seconds += 2 * HOUR_S
    assert () == watched.scheduler.parked

    assert 1 == await watched.scheduler.step()
    assert [] == watched.reports


async def test_advance_after_an_outage_moves_what_the_first_one_left(watched):
    """
    Who advances learns of the outage, and may do it again at once.
    """
    await watched.wind()
    watched.firm.store.before.append(lost)

    with pytest.raises(StoreUnavailableError):
        await watched.scheduler.advance(AT + DAY)

    assert 1 == await watched.scheduler.advance(AT + DAY)


async def test_contention_parks_nothing(watched):
    """
    A journal that others write to all the time is left in peace for a while and never parked.
    """
    watched.firm.clock.move(AT + 2 * DAY)
    await watched.wind()

    async def conflict() -> None:
        raise VersionConflictError(JOURNAL)

    watched.firm.store.before.extend([conflict] * 12 * (FAILURES_MAX + 1))
    await watched.exhaust()
    await watched.scheduler.step()

    assert [(JOURNAL, ContendedError)] * (FAILURES_MAX + 1) == watched.reports
    assert () == watched.scheduler.parked
    watched.seconds += HOUR_S
    assert 1 == await watched.scheduler.step()


async def test_many_broken_journals_do_not_starve_the_others(watched):
    """
    More than a page of journals that must wait stand before one that is due, and it moves.
    """
    firm = watched.firm
    for number in range(PAGE_MAX + 1):
        client = ClientId(f"c{number}")
        await firm.run(Register(client_id=client))
        await watched.wind(Sound.BROKEN, client)
    await watched.wind(at=AT + 2 * DAY)
    firm.clock.move(AT + 2 * DAY)

    assert 1 == await watched.scheduler.step()
    assert PAGE_MAX + 1 == len(watched.reports)
    assert AlarmRung is (await firm.events())[-1]

    await watched.wind(client=OLGA)
    assert 1 == await watched.scheduler.step()
    assert PAGE_MAX + 1 == len(watched.reports)


async def test_nothing_becomes_due_while_history_is_told(watched):
    """
    By itself time goes on only when history has not been told for a while; who advances means it.
    """
    watched.firm.clock.move(AT + 2 * DAY)
    await watched.wind()
    await watched.scheduler.pause()

    assert 0 == await watched.scheduler.step()
    watched.seconds = TOLD_S
    assert 1 == await watched.scheduler.step()

    await watched.wind()
    await watched.scheduler.pause()
    assert 1 == await watched.scheduler.advance(AT + 2 * DAY)


async def test_history_told_to_one_process_stops_time_in_all(watched):
    """
    Several processes of one store: while any of them tells history nothing becomes due by itself in
    the others, whose clocks may be wrong; a moment told long ago stops nobody.
    """
    other = Watched(watched.firm)
    watched.firm.clock.move(AT + 2 * DAY)
    await watched.wind()
    await other.scheduler.pause()

    for seconds, moved in ((0.0, 0), (HISTORY_S, 0), (-3 * HISTORY_S, 1)):
        watched.seconds = seconds
        assert moved == await watched.scheduler.step()

    await watched.wind()
    watched.seconds = TOLD_S
    assert 1 == await watched.scheduler.step()


async def test_history_is_told_others_now_and_then(watched):
    """
    A thousand rows of history are not a thousand notes.
    """
    noted = []
    note = watched.firm.store.note

    async def counted(name, value=None):
        if value is not None:
            noted.append(name)
        return await note(name, value)

    watched.firm.store.note = counted
    for row in range(1_000):
        watched.seconds = row * HISTORY_S / 1_000
        await watched.scheduler.pause()

    assert [HISTORY, HISTORY] == noted


async def test_scheduler_survives_that_it_cannot_tell_what_is_due(watched, caplog):
    """
    An error outside any journal does not end it.
    """
    asked = asyncio.Event()

    async def broken(*_: object) -> list[object]:
        asked.set()
        raise StoreUnavailableError

    watched.firm.store.due = broken
    running = asyncio.create_task(watched.scheduler.run())
    await asked.wait()
    await asyncio.sleep(0)

    assert not running.done()
    assert ["the scheduler failed and goes on: StoreUnavailableError"] == caplog.messages
    running.cancel()
