"""
Follow-up commands.
"""

from __future__ import annotations

import asyncio

from typing import Any

import pytest

from clientela.domain.errors import RefusedError
from clientela.domain.ids import ClientId
from clientela.domain.organisation.staff import RecordLeaving
from clientela.domain.ownership.claim import ClientClaimed
from clientela.domain.ownership.orphaning import ClientOrphaned, OrphanClient
from clientela.domain.run import RulebookError
from clientela.services.calls import Call, ContendedError
from clientela.services.command_path import ATTEMPTS_MAX
from clientela.services.follow_ups import DONE, FAILURES_MAX, PARKED, PARKED_MAX, FollowUps
from clientela.services.store_errors import StoreUnavailableError, VersionConflictError
from tests.domain.register import Register
from tests.domain.spec import AT
from tests.services.firm import DAY, IVO, JOURNAL, MARTA, OLGA, PETRA, Firm, approach, lost


OWNED = {MARTA: (PETRA,), IVO: (OLGA,)}
MARTA_LEAVES = RecordLeaving(employee_id=MARTA, left_at=AT)
IVO_LEAVES = RecordLeaving(employee_id=IVO, left_at=AT)


def surprised(command: object, error: Exception) -> None:
    """Nothing must be refused."""
    raise AssertionError(command) from error


def follow_ups(firm: Firm, path: Any = None, report: Any = surprised) -> FollowUps:
    """Those of a company in which nothing is refused, unless said otherwise."""

    async def owned_by(employee_id):
        return OWNED[employee_id]

    return FollowUps(path or firm.path, firm.store, owned_by, report)


@pytest.fixture
async def firm():
    """A company with two sellers and a client of each; nothing is left to be followed up."""
    firm = await Firm().open(MARTA, IVO)
    await firm.run(approach(MARTA))
    await firm.run(approach(IVO, OLGA))
    assert 0 == await follow_ups(firm).catch_up()
    return firm


async def conflict() -> None:
    """Somebody else was faster."""
    raise VersionConflictError(JOURNAL)


async def test_clients_of_a_leaver_are_orphaned_once(firm):
    """
    OWN-3: what an event asks of other journals is carried out, and not again by a process that has
    lost its position.
    """
    await firm.run(MARTA_LEAVES)

    assert 1 == await follow_ups(firm).catch_up()
    assert 0 == await follow_ups(firm).catch_up()
    await firm.store.note(DONE, "0")
    await follow_ups(firm).catch_up()

    assert [ClientClaimed, ClientOrphaned] == (await firm.events())[-2:]


async def test_follow_up_is_decided_at_the_moment_of_its_cause(firm):
    """
    However late it is carried out, it stands where its cause does.
    """
    await firm.run(MARTA_LEAVES, at=AT + 2 * DAY)
    firm.clock.move(AT + 99 * DAY)

    await follow_ups(firm).catch_up()

    orphaned = (await firm.records.history(JOURNAL))[-1]
    assert (ClientOrphaned, AT + 2 * DAY) == (orphaned.event_class, orphaned.recorded_at)


async def test_contended_follow_up_is_tried_again(firm):
    """
    It is told, and the next call carries it out.
    """
    await firm.run(MARTA_LEAVES)
    firm.store.before.extend([conflict] * ATTEMPTS_MAX)
    following = follow_ups(firm)

    with pytest.raises(ContendedError):
        await following.catch_up()
    assert 1 == await following.catch_up()

    assert ClientOrphaned is (await firm.events())[-1]


class Unruly:
    """A command path on which the rules run away whenever Petra's journal is concerned."""

    def __init__(self, firm: Firm) -> None:
        self.records = firm.records
        self._path = firm.path

    async def execute(self, command, call: Call):
        """Carry out a command."""
        if JOURNAL in command.journals():
            raise RulebookError
        return await self._path.execute(command, call)


async def test_follow_up_that_fails_too_often_is_parked_and_the_rest_goes_on(firm, caplog):
    """
    A rule that runs away for one event holds up the others for a while only; the next process tries
    again, with success once the rule is mended.
    """
    await firm.run(MARTA_LEAVES)
    leaving = await firm.count()
    await firm.run(IVO_LEAVES)
    following = follow_ups(firm, Unruly(firm))

    for _ in range(FAILURES_MAX - 1):
        with pytest.raises(RulebookError):
            await following.catch_up()
    assert 1 == await following.catch_up()

    assert (leaving,) == await following.parked()
    assert [f"follow-ups of event {leaving} (employee-left.v1) are parked: RulebookError"] == (
        caplog.messages
    )
    assert 0 == await follow_ups(firm, Unruly(firm)).catch_up()
    assert (leaving,) == await following.parked()
    mended = follow_ups(firm)
    assert 1 == await mended.catch_up()
    assert () == await mended.parked()
    assert ClientOrphaned is (await firm.events())[-1]


class Strict(Unruly):
    """A command path on which a rule forbids whatever concerns Petra's journal."""

    async def execute(self, command, call: Call):
        """Carry out a command."""
        if JOURNAL in command.journals():
            raise RefusedError("not now", rule="X-1")
        return await self._path.execute(command, call)


async def test_follow_up_that_is_refused_is_parked_at_once(firm):
    """
    Design 2: what a rule forbids is told of, parked and shown; the rest goes on, and the next
    process tries again, with success once the ground is gone.
    """
    refused = []
    await firm.run(MARTA_LEAVES)
    leaving = await firm.count()
    await firm.run(IVO_LEAVES)

    def strict() -> FollowUps:
        return follow_ups(firm, Strict(firm), lambda command, _error: refused.append(command))

    following = strict()
    assert 1 == await following.catch_up()
    assert (leaving,) == await following.parked()
    assert 0 == await strict().catch_up()
    assert (leaving,) == await following.parked()
    orphaning = OrphanClient(client_id=PETRA, employee_id=MARTA, occurred_at=AT)
    assert [orphaning] * 2 == refused

    again = follow_ups(firm)
    assert 1 == await again.catch_up()
    assert () == await again.parked()
    assert ClientOrphaned is (await firm.events())[-1]


async def test_refusal_of_a_follow_up_is_not_its_answer(firm):
    """
    A follow-up that the rules themselves refuse is decided anew when it is tried again.
    """
    refused = []
    ghost = ClientId("ghost")

    async def owned_by(_employee_id):
        return (ghost,)

    def following() -> FollowUps:
        return FollowUps(
            firm.path, firm.store, owned_by, lambda _command, error: refused.append(error.reason)
        )

    await firm.run(MARTA_LEAVES)
    assert 0 == await following().catch_up()
    await firm.run(Register(client_id=ghost))

    assert (["NOT_FOUND"], 1) == (refused, await following().catch_up())
    assert () == await following().parked()


async def test_refusals_beyond_what_may_be_parked_hold_nothing_up(firm):
    """
    With as many parked as there may be, what is refused is passed by and what fails is not.
    """
    full = " ".join(map(str, range(10_001, 10_001 + PARKED_MAX)))
    await firm.store.note(PARKED, full)
    await firm.run(MARTA_LEAVES)

    strict = follow_ups(firm, Strict(firm), lambda _command, _error: None)
    assert 0 == await strict.catch_up()
    assert PARKED_MAX == len(await strict.parked())

    await firm.store.note(DONE, "0")
    unruly = follow_ups(firm, Unruly(firm))
    for _ in range(FAILURES_MAX + 1):
        with pytest.raises(RulebookError):
            await unruly.catch_up()


async def test_two_processes_that_park_lose_nothing(firm, monkeypatch):
    """
    Design 4: of two processes that park, or let go of what is parked, at the same time neither
    undoes what the other noted, though both have read the same note.
    """
    await firm.store.note(PARKED, "7")
    await firm.run(MARTA_LEAVES)
    first = await firm.count()
    await firm.run(IVO_LEAVES)
    second = await firm.count()
    [one] = await firm.store.read_all(first - 1, 1)
    [other] = await firm.store.read_all(second - 1, 1)
    note = firm.store.note

    async def slow(name, value=None):
        said = await note(name, value)
        await asyncio.sleep(0)
        return said

    monkeypatch.setattr(firm.store, "note", slow)
    mine, theirs, third = (follow_ups(firm) for _ in range(3))
    let_go = third._note_parked(frozenset(), frozenset({7}))
    assert all(await asyncio.gather(mine._park(one), theirs._park(other), let_go))

    assert (first, second) == await mine.parked()


async def test_outage_of_the_store_parks_nothing(firm):
    """
    However long it lasts, what is asked for is carried out afterwards.
    """
    await firm.run(MARTA_LEAVES)
    firm.store.before.extend([lost] * 2 * FAILURES_MAX)
    following = follow_ups(firm)

    for _ in range(2 * FAILURES_MAX):
        with pytest.raises(StoreUnavailableError):
            await following.catch_up()

    assert 1 == await following.catch_up()
    assert () == await following.parked()


async def test_follow_ups_survive_an_error(firm, caplog):
    """
    What fails does not end them.
    """
    await firm.run(MARTA_LEAVES)
    running = asyncio.create_task(follow_ups(firm, Unruly(firm)).run())
    for _ in range(100):
        await asyncio.sleep(0)

    assert not running.done()
    assert ["following up failed and goes on: RulebookError"] == caplog.messages
    running.cancel()
