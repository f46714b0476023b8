"""
Due times after definitions were applied.
"""

from __future__ import annotations

import asyncio

from datetime import datetime

import pytest

from clientela.domain.context import Definitions
from clientela.domain.definitions.versions import ApplyDefinitions
from clientela.domain.ids import ClientId, client_journal
from clientela.domain.record import Record
from clientela.domain.rulebook import Rulebook
from clientela.services.due_times import DONE, WALK, DueTimes
from clientela.services.ports import PAGE_MAX
from clientela.services.scheduler import Scheduler
from clientela.services.store_errors import StoreUnavailableError
from tests.domain.register import Register
from tests.domain.spec import AT
from tests.services.alarms import ALARMS, SetAlarm, Sound
from tests.services.firm import (
    DAY,
    JOURNAL,
    LAPSE,
    MARTA,
    OLGA,
    DisturbedStore,
    Firm,
    approach,
    lost,
    nothing,
)


OLGAS = client_journal(OLGA)
LONGER = ApplyDefinitions.of("[ownership]\nlapses_after_days = 60", AT + 5 * DAY)


def due_times(firm: Firm) -> DueTimes:
    """Those of a company in which nothing is broken."""

    def report(journal_id: object, error: Exception) -> None:
        raise AssertionError(journal_id) from error

    return DueTimes(firm.path, firm.store, report)


@pytest.fixture
async def firm():
    """A company with a seller and two clients, both hers, who look after themselves for ever."""
    firm = await Firm().open(MARTA)
    await firm.run(approach(MARTA))
    await firm.run(approach(MARTA, OLGA), at=AT + 10 * DAY)
    return firm


async def test_journals_become_due_by_a_term_that_is_new(firm):
    """
    A term that was not there before gives every journal a due moment, and the scheduler finds it.
    """
    await firm.run(LAPSE)
    assert None is await firm.store.due_at(JOURNAL)

    await due_times(firm).catch_up()

    dues = {j: await firm.store.due_at(j) for j in (JOURNAL, OLGAS)}
    assert {JOURNAL: AT + 30 * DAY, OLGAS: AT + 40 * DAY} == dues
    scheduler = Scheduler(firm.path, firm.store, firm.clock, lambda *_: None)
    assert 2 == await scheduler.advance(AT + 40 * DAY)


async def test_term_that_is_longer_moves_due_moments_on(firm):
    """
    So does one that takes the place of another, for what it is in force for; nothing is appended.
    """
    await firm.run(LAPSE)
    await due_times(firm).catch_up()
    await firm.run(LONGER)
    before = await firm.count()

    await due_times(firm).catch_up()

    dues = {j: await firm.store.due_at(j) for j in (JOURNAL, OLGAS)}
    assert {JOURNAL: AT + 30 * DAY, OLGAS: AT + 70 * DAY} == dues
    assert before == await firm.count()


async def test_journals_are_gone_through_once_for_each_version(firm):
    """
    As long as nothing is applied there is nothing to do, after a restart either.
    """
    assert 0 == await due_times(firm).catch_up()
    await firm.run(LAPSE)

    assert (
        len({row.journal for row in await firm.store.read_all()})
        == await due_times(firm).catch_up()
    )
    assert 0 == await due_times(firm.other()).catch_up()
    assert "1" == await firm.store.note(DONE)


async def test_walk_goes_on_where_it_was_after_a_crash(firm):
    """
    Killed after a page, the next process goes through the rest; for other definitions it begins
    anew.
    """
    await firm.run(LAPSE)
    await firm.store.note(WALK, f"1 {OLGAS}")
    await due_times(firm).catch_up()
    assert [None, AT + 30 * DAY] == [await firm.store.due_at(j) for j in (OLGAS, JOURNAL)]

    await firm.run(LONGER)
    await due_times(firm).catch_up()
    assert AT + 70 * DAY == await firm.store.due_at(OLGAS)


async def test_walk_takes_more_than_a_page():
    """
    All journals are reached, however many, and how far it came is noted page by page.
    """
    firm = await Firm().open(MARTA)
    clients = [ClientId(f"c{number:04}") for number in range(PAGE_MAX + 5)]
    for client in clients:
        await firm.run(Register(client_id=client))
        await firm.run(approach(MARTA, client))
    await firm.run(LAPSE)

    await due_times(firm).catch_up()

    due = [
        *await firm.store.due(AT + 30 * DAY),
        *await firm.store.due(AT + 30 * DAY, offset=PAGE_MAX),
    ]
    assert [client_journal(client) for client in clients] == due


async def test_definitions_applied_on_the_way_are_followed_as_well(firm):
    """
    Whatever was applied until it returns, due moments follow it.
    """
    await firm.run(LAPSE)
    firm.store.before.extend([nothing, lambda: firm.other().run(LONGER)])

    await due_times(firm).catch_up()

    assert (AT + 70 * DAY, "2") == (await firm.store.due_at(OLGAS), await firm.store.note(DONE))


async def test_outage_leaves_the_rest_for_another_time(firm):
    """
    It is told, and the next call goes on.
    """
    await firm.run(LAPSE)
    firm.store.before.extend([nothing, lost])
    times = due_times(firm)

    with pytest.raises(StoreUnavailableError):
        await times.catch_up()
    await times.catch_up()

    assert AT + 30 * DAY == await firm.store.due_at(JOURNAL)


async def test_broken_journal_does_not_hold_up_the_others():
    """
    A journal whose due moment cannot be told is reported, and the others get theirs.
    """
    firm = await Firm(more=(ALARMS,)).open(MARTA)
    await firm.run(approach(MARTA))
    await firm.run(SetAlarm(at=AT + DAY, client_id=OLGA, sound=Sound.BROKEN))
    await firm.run(LAPSE)
    reported = []
    firm.records.rulebook = Unsound(firm.rulebook.rule_sets)

    times = DueTimes(firm.path, firm.store, lambda j, error: reported.append((j, type(error))))
    await times.catch_up()

    assert [(OLGAS, ArithmeticError)] == reported
    assert AT + 30 * DAY == await firm.store.due_at(JOURNAL)


class Unsound(Rulebook):
    """A rulebook that cannot tell when Olga's journal is due."""

    def due(self, record: Record, definitions: Definitions) -> datetime | None:
        """When a record is due."""
        if record.journals[0].id == OLGAS:
            raise ArithmeticError
        return super().due(record, definitions)


async def test_command_on_its_way_does_not_bring_back_the_old_due_moment(firm):
    """
    A command decided by the old definitions lands before its journal's due moment is renewed, not
    after it.
    """
    begun, may_land = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await may_land.wait()

    firm.store.before.append(wait)
    command = asyncio.create_task(firm.run(approach(MARTA)))
    await begun.wait()
    await firm.run(LAPSE)
    renewal = asyncio.create_task(due_times(firm).catch_up())
    for _ in range(100):
        await asyncio.sleep(0)
    may_land.set()
    await asyncio.gather(command, renewal)

    assert AT + 30 * DAY == await firm.store.due_at(JOURNAL)


async def test_due_moment_of_a_journal_that_has_moved_on_is_worked_out_again(firm):
    """
    Another process writes to the journal meanwhile: its due moment stands.
    """
    await firm.run(LAPSE)
    other = firm.other()
    firm.store.before.append(lambda: other.run(approach(MARTA), at=AT + 20 * DAY))

    await firm.path.renew_due(JOURNAL)

    assert AT + 50 * DAY == await firm.store.due_at(JOURNAL)


async def test_renewing_what_is_right_writes_nothing(firm):
    """
    A due moment that is as it should be is left alone.
    """
    assert isinstance(firm.store, DisturbedStore)
    before = len(firm.store.appends)

    await firm.path.renew_due(JOURNAL)

    assert before == len(firm.store.appends)
