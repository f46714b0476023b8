"""
Time on the command path.
"""

from __future__ import annotations

import pytest

from clientela.domain.errors import (
    RefusedError,
)
from clientela.domain.facts import ApproachMade
from clientela.domain.organisation.staff import RecordLeaving
from clientela.domain.ownership.claim import ClientClaimed
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.lapse import OwnershipLapsed
from tests.domain.spec import AT
from tests.services.firm import (
    DAY,
    IVO,
    JOURNAL,
    LAPSE,
    MARTA,
    Firm,
    approach,
)


@pytest.fixture
async def firm():
    """A company with two sellers and two clients."""
    return await Firm().open(MARTA, IVO)


async def test_time_elapses_before_a_command_and_in_a_read(firm):
    """
    Nothing that has lapsed is shown or refused by; only a command writes it down.
    """
    await firm.run(LAPSE)
    await firm.run(approach(MARTA))
    before = await firm.count()
    firm.clock.move(AT + 31 * DAY)

    assert None is (await firm.path.read(JOURNAL)).record.of(Ownership).owner_id
    assert before == await firm.count()

    outcome = await firm.run(approach(IVO))
    assert [OwnershipLapsed, ApproachMade, ClientClaimed] == [r.event_class for r in outcome.events]
    assert AT + 30 * DAY == outcome.events[0].occurred_at


async def test_due_moments_are_kept_with_the_journal(firm):
    """
    The scheduler finds what is due; time that has done its work is due no more.
    """
    await firm.run(LAPSE)
    await firm.run(approach(MARTA))
    assert [] == await firm.store.due(AT + 29 * DAY)
    assert [JOURNAL] == await firm.store.due(AT + 30 * DAY)

    outcome = await firm.path.elapse(JOURNAL, at=AT + 30 * DAY)
    again = await firm.path.elapse(JOURNAL, at=AT + 30 * DAY)

    assert ([OwnershipLapsed], ()) == ([r.event_class for r in outcome.events], again.events)
    assert [] == await firm.store.due(AT + 999 * DAY)


async def test_record_is_never_written_to_before_its_last_event(firm):
    """
    A clock that goes back, or an import that is behind, does not turn a journal's time round.
    """
    await firm.run(approach(MARTA), at=AT + DAY)

    outcome = await firm.run(approach(MARTA), at=AT - 400 * DAY)

    assert AT + DAY == outcome.events[0].recorded_at


async def test_command_is_decided_at_the_moment_the_caller_gives(firm):
    """
    Imports of old history run on the journal's own clock.
    """
    firm.clock.move(AT + 999 * DAY)

    outcome = await firm.run(approach(MARTA), at=AT + DAY)

    assert {AT + DAY} == {recorded.recorded_at for recorded in outcome.events}


async def test_leaver_is_known_as_soon_as_it_is_committed(firm):
    """
    OWN-3: staff facts are those committed, in another process as well.
    """
    other = firm.other()
    await other.run(approach(MARTA))
    await firm.run(RecordLeaving(employee_id=MARTA, left_at=AT))

    with pytest.raises(RefusedError) as refused:
        await other.run(approach(MARTA))

    assert "EMPLOYEE_LEFT" == refused.value.reason
