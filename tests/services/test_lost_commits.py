"""
Commits whose outcome is lost, and callers who go away in the middle.
"""

from __future__ import annotations

import asyncio

import pytest

from clientela.domain.errors import (
    RefusedError,
)
from clientela.domain.facts import ApproachMade
from clientela.domain.ids import (
    Code,
)
from clientela.domain.interaction.rules import Contacts
from clientela.domain.interaction.signals import RecordSignal
from clientela.domain.ownership.claim import ClientClaimed
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.policy import CONFLICT
from clientela.domain.ownership.refusals import ClientTakenError
from clientela.domain.ownership.replacement import ReplaceOwner
from clientela.services.store_errors import StoreUnavailableError
from tests.domain.register import Register
from tests.domain.spec import AT
from tests.services.firm import (
    DAY,
    IVO,
    JOURNAL,
    MARTA,
    PETRA,
    Firm,
    approach,
    lost,
)


@pytest.fixture
async def firm():
    """A company with two sellers and two clients."""
    return await Firm().open(MARTA, IVO)


@pytest.mark.parametrize("request_id", ["r1", ""])
async def test_commit_whose_outcome_was_lost_is_looked_up(firm, request_id):
    """
    The connection breaks after the commit: the command is known by its own events, answered as
    carried out, and what is kept in memory goes on from there.
    """
    firm.store.after.append(lost)

    outcome = await firm.run(approach(MARTA), request_id)

    assert [ApproachMade, ClientClaimed] == [r.event_class for r in outcome.events]
    assert 2 == len(await firm.events()) - 1
    await firm.run(approach(MARTA))
    assert MARTA == await firm.owner()


async def test_lost_commit_of_an_answer_alone_is_looked_up(firm):
    """
    So is one that stored nothing but an answer.
    """
    firm.store.after.append(lost)
    assert () == (await firm.run(Register(client_id=PETRA), "r1")).events

    firm.store.after.append(lost)
    with pytest.raises(RefusedError):
        await firm.run(ReplaceOwner(client_id=PETRA, employee_id=IVO, reason=CONFLICT), "r2")


async def test_commit_that_did_not_take_place_is_told_and_can_be_repeated(firm):
    """
    The connection breaks before the commit: the caller learns that the store cannot be reached, and
    the repeat with the same request id carries the command out, once.
    """
    before = await firm.count()
    firm.store.before.append(lost)
    with pytest.raises(StoreUnavailableError):
        await firm.run(approach(MARTA), "r1")
    assert before == await firm.count()

    assert not (await firm.run(approach(MARTA), "r1")).replayed
    assert (await firm.run(approach(MARTA), "r1")).replayed


async def test_lost_commit_beside_another_process_with_the_same_request(firm):
    """
    The connection breaks before the commit, and the same request has won in another process: its
    answer is given, and nothing that was never committed stays in memory.
    """
    other = firm.other()

    async def overtaken() -> None:
        await other.run(RecordSignal(client_id=PETRA, signal=Code("s")))
        await other.run(approach(MARTA), "r1")
        raise StoreUnavailableError

    firm.store.before.append(overtaken)
    outcome = await firm.run(approach(MARTA), "r1")

    assert outcome.replayed
    await firm.run(approach(MARTA))
    stored = await firm.other().path.read(JOURNAL)
    here = await firm.path.read(JOURNAL)
    assert stored.record.of(Ownership) == here.record.of(Ownership)
    assert stored.record.of(Contacts) == here.record.of(Contacts)
    assert outcome.versions[JOURNAL] == 4


async def test_lost_commit_that_somebody_overtook_is_decided_again(firm):
    """
    The connection breaks and somebody else's event stands where ours would: ours cannot land any
    more, so it is decided again.
    """

    async def overtaken() -> None:
        await firm.other().run(approach(IVO))
        raise StoreUnavailableError

    firm.store.before.append(overtaken)

    with pytest.raises(ClientTakenError):
        await firm.run(approach(MARTA))


async def test_lost_answer_that_another_process_has_given_is_given_again(firm):
    """
    The connection breaks before an answer without events is stored, and another process has
    answered the same request at another moment: that answer is the one.
    """
    other = firm.other()

    async def overtaken() -> None:
        other.clock.move(AT + DAY)
        await other.run(Register(client_id=PETRA), "r1")
        raise StoreUnavailableError

    firm.store.before.append(overtaken)

    assert (await firm.run(Register(client_id=PETRA), "r1")).replayed


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_caller_who_goes_away_leaves_all_or_nothing(firm, moment):
    """
    A call that is cancelled in the middle of the commit lands whole: events, answer, audit; the
    repeat finds it, the next command is not held up and builds on it.
    """
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await go_on.wait()

    getattr(firm.store, moment).append(wait)
    call = asyncio.create_task(firm.run(approach(MARTA), "r1"))
    await begun.wait()
    call.cancel()
    await asyncio.sleep(0)
    assert not call.done()
    following = asyncio.create_task(firm.run(approach(IVO)))
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await call
    with pytest.raises(ClientTakenError):
        await following
    repeat = await firm.run(approach(MARTA), "r1")
    assert repeat.replayed
    assert [ApproachMade, ClientClaimed] == [r.event_class for r in repeat.events]
    assert 1 == (await firm.events()).count(ClientClaimed)


async def test_caller_who_goes_away_while_the_commit_fails_leaves_nothing(firm):
    """
    If the commit fails after the caller has gone, nothing has happened and nobody is told.
    """
    begun, go_on = asyncio.Event(), asyncio.Event()
    before = await firm.count()

    async def wait() -> None:
        begun.set()
        await go_on.wait()
        raise StoreUnavailableError

    firm.store.before.append(wait)
    call = asyncio.create_task(firm.run(approach(MARTA), "r1"))
    await begun.wait()
    call.cancel()
    await asyncio.sleep(0)
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await call
    assert before == await firm.count()
    assert not (await firm.run(approach(IVO), "r1")).replayed


async def test_caller_who_goes_away_before_the_commit_leaves_nothing(firm):
    """
    A call that is cancelled while it loads has done nothing, and lets go of the record.
    """
    begun = asyncio.Event()
    fresh = firm.other()
    before = await firm.count()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    firm.store.loading.append(wait)
    call = asyncio.create_task(fresh.run(approach(MARTA), "r1"))
    await begun.wait()
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    assert before == await firm.count()
    assert 2 == len((await fresh.run(approach(IVO), "r1")).events)
