"""
Why somebody looks after a client, and why an approach is allowed or refused.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from clientela.domain.identity.profile import IDENTITY
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import ClientId, Code, EmployeeId, client_journal, employee_journal
from clientela.domain.interaction.conflict import RecordConflict
from clientela.domain.interaction.rules import INTERACTION
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.staff import STAFF, RecordLeaving
from clientela.domain.organisation.units import UNITS, RegisterUnit, UnitKind
from clientela.domain.ownership.claim import Approach
from clientela.domain.ownership.explanation import Explanation, explain
from clientela.domain.ownership.orphaning import OrphanClient
from clientela.domain.ownership.policy import CONFLICT, EMPLOYEE_LEFT, OwnershipPolicy
from clientela.domain.ownership.refusals import ClientTakenError, SellerLeftError
from clientela.domain.ownership.replacement import ReplaceOwner
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.ownership.spells import CLAIM, Spell
from clientela.domain.personal import Personal
from tests.domain.spec import AT, CLERK, IVO, MARTA, NORTH, Scenario


PETRA = ClientId("petra")
JOURNAL = client_journal(PETRA)
PHONE = Code("phone")
DAY = timedelta(days=1)


@pytest.fixture
def company():
    """A company that knows its staff, where ownership lapses after ten days."""
    policy = OwnershipPolicy(lapses_after_days=10)
    scenario = Scenario(IDENTITY, UNITS, STAFF, INTERACTION, OWNERSHIP, sections=[policy])
    scenario.staff = scenario
    scenario.when(
        RegisterClient(client_id=PETRA),
        RegisterUnit(unit_id=NORTH, kind=UnitKind.BRANCH, label=Code("north")),
        RegisterEmployee(employee_id=MARTA, unit_id=NORTH, name=Personal("Marta")),
        RegisterEmployee(employee_id=IVO, unit_id=NORTH, name=Personal("Ivo")),
    )
    return scenario


def approach(seller: EmployeeId) -> Approach:
    """An approach to Petra with an offer."""
    return Approach(client_id=PETRA, employee_id=seller, channel=PHONE)


def told(company: Scenario) -> Explanation:
    """Why Petra has her owner."""
    return explain(company.record(JOURNAL), company.history(JOURNAL), company.definitions)


def named(company: Scenario, facts) -> list[str]:
    """Names of the events that are named."""
    return [company.recorded(ref).type.name for ref in facts]


def test_a_claim_is_explained_by_the_approach(company):
    """
    OWN-1: the owner is whoever made the first approach with an offer, and ownership lasts so long.
    """
    company.when(approach(MARTA))
    made, claimed = company.events[-2:]

    assert Explanation(
        spell=Spell(
            owner_id=MARTA,
            unit_id=NORTH,
            began_at=AT,
            ended_at=None,
            reason=CLAIM,
            by=CLERK,
            claim=claimed.ref,
        ),
        until=AT + 10 * DAY,
        rule=Code("OWN-1"),
        facts=(made.ref,),
    ) == told(company)


def test_a_replacement_is_explained_by_its_ground(company):
    """
    OWN-4, OWN-9: the new owner is explained by the replacement, the conflict, and the claim of the
    owner before.
    """
    company.when(approach(MARTA))
    company.when(RecordConflict(client_id=PETRA, employee_id=MARTA, cause=Code("error")))
    company.when(ReplaceOwner(client_id=PETRA, employee_id=IVO, reason=CONFLICT))

    why = told(company)

    assert why.spell is not None
    assert why.previous is not None
    assert (IVO, MARTA) == (why.spell.owner_id, why.previous.owner_id)
    assert ("OWN-4", "ownership@1") == (why.rule, why.definition)
    assert ["approach-made", "conflict-recorded", "owner-replaced"] == named(company, why.facts)


def test_a_leaving_is_named_wherever_it_decides(company):
    """
    OWN-3: who has left is refused, orphaned and replaced because of the recorded leaving.
    """
    company.when(approach(MARTA), RecordLeaving(employee_id=MARTA, left_at=AT))
    left = company.history(employee_journal(MARTA))[-1].ref
    with pytest.raises(SellerLeftError) as refused:
        company.when(approach(MARTA))
    company.when(OrphanClient(client_id=PETRA, employee_id=MARTA))
    orphaned = company.events[-1]
    orphan = told(company)
    company.when(ReplaceOwner(client_id=PETRA, employee_id=IVO, reason=EMPLOYEE_LEFT))

    assert (left,) == refused.value.because
    assert left in orphaned.because
    assert orphan.is_orphaned
    assert {left, orphaned.ref} < set(orphan.facts)
    assert left in told(company).facts


def test_a_lapse_is_explained_by_the_last_approach(company):
    """
    OWN-9: a client whose owner went quiet has none, because of the owner's last approach.
    """
    company.when(approach(MARTA))
    company.advance(AT + 5 * DAY)
    company.when(approach(MARTA))
    company.advance(AT + 30 * DAY)

    why = told(company)

    assert why.previous is not None
    assert (None, AT + 15 * DAY) == (why.spell, why.previous.ended_at)
    assert [AT, AT + 5 * DAY] == [company.recorded(ref).occurred_at for ref in why.facts]


def test_without_any_approach_there_is_nothing_to_explain(company):
    """
    OWN-1: nobody looks after a client whom nobody approached.
    """
    assert Explanation() == told(company)


def test_an_allowed_approach_names_only_what_allowed_it(company):
    """
    OWN-2: the owner's own approach, like the first one, would be allowed whatever had happened; a
    successor's rests on the owner's leaving.
    """
    company.when(approach(MARTA))
    first = company.events[-2]
    company.when(approach(MARTA))
    again = company.events[-1]
    company.when(RecordLeaving(employee_id=MARTA, left_at=AT))
    company.when(OrphanClient(client_id=PETRA, employee_id=MARTA))
    orphaned = company.events[-1]
    company.when(approach(IVO))

    assert ((), ()) == (first.because, again.because)
    assert (orphaned.ref,) == company.events[-2].because


def test_a_refusal_that_ends_names_what_sets_its_end(company):
    """
    OWN-2: a refusal says until when it holds, and names the owner's last approach, which sets that.
    """
    company.when(approach(MARTA))
    claimed = company.events[-1]
    company.advance(AT + 5 * DAY)
    company.when(approach(MARTA))
    again = company.events[-1]

    with pytest.raises(ClientTakenError) as refused:
        company.when(approach(IVO))

    assert AT + 15 * DAY == refused.value.until
    assert (claimed.ref, again.ref) == refused.value.because
