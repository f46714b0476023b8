"""
Who looks after a client and who may approach them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest

from clientela.domain.context import Definitions, DefinitionVersion
from clientela.domain.draft import State, state
from clientela.domain.errors import UnknownError
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.facts import ApproachMade, ConflictRecorded
from clientela.domain.ids import ClientId, Code, EmployeeId, JournalKind, client_journal
from clientela.domain.ownership.claim import Approach, ApproachRefused, ClientClaimed
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.lapse import OwnershipLapsed
from clientela.domain.ownership.orphaning import ClientOrphaned, OrphanClient
from clientela.domain.ownership.policy import CONFLICT, EMPLOYEE_LEFT, OwnershipPolicy
from clientela.domain.ownership.refusals import (
    ClientTakenError,
    NoGroundError,
    ReasonUnlistedError,
    SellerLeftError,
)
from clientela.domain.ownership.replacement import OwnerReplaced, ReplaceOwner
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.ownership.spells import owner_at, spells
from clientela.domain.ruleset import RuleSet
from tests.domain.spec import AT, IVO, MARTA, NORA, NORTH, SOUTH, Scenario


PETRA = ClientId("petra")
PHONE = Code("phone")


@event("test-registered", origin=Origin.RECORDED)
class Registered:
    client_id: ClientId


@state(JournalKind.CLIENT)
class Nothing(State):
    pass


@attrs.frozen
class Write:
    """A command that records any event, so that a history can be given."""

    fact: object
    occurred_at: datetime | None = None

    def journals(self):
        return (client_journal(PETRA),)


WRITER = RuleSet(
    name="writer",
    state=Nothing,
    commands=(Write,),
    events=(Registered, ConflictRecorded),
    decide=lambda _record, command, _context: (PendingEvent(command.fact, rule="REC-3"),),
    evolve=lambda _draft, _recorded: None,
)


@pytest.fixture
def company():
    """A company that runs ownership, with one registered client."""
    scenario = Scenario(WRITER, OWNERSHIP)
    scenario.when(Write(Registered(client_id=PETRA)))
    return scenario


def approach(seller: EmployeeId, **changes: object) -> Approach:
    """An approach to Petra by phone."""
    return Approach(client_id=PETRA, employee_id=seller, channel=PHONE, **changes)  # type: ignore[arg-type]


def test_first_approach_with_an_offer_claims_the_client(company):
    """
    OWN-1: the seller who first approaches with an offer becomes the owner, from that moment.
    """
    events = company.when(approach(MARTA))

    assert (
        ApproachMade(
            client_id=PETRA, employee_id=MARTA, unit_id=NORTH, channel=PHONE, with_offer=True
        ),
        ClientClaimed(client_id=PETRA, owner_id=MARTA, unit_id=NORTH),
    ) == events


def test_approach_without_an_offer_claims_nothing(company):
    """
    OWN-1: only an approach with an offer makes an owner.
    """
    events = company.when(approach(MARTA, with_offer=False))

    assert [ApproachMade] == [type(e) for e in events]
    assert None is company.record(client_journal(PETRA)).of(Ownership).owner_id


@pytest.mark.parametrize(
    ("seller", "rule", "other_unit"), [(IVO, "OWN-2", False), (NORA, "OWN-6", True)]
)
def test_another_seller_or_another_unit_is_refused(company, seller, rule, other_unit):
    """
    OWN-2, OWN-6: while a client is owned, a colleague and another unit are refused alike, and the
    approach is on record as refused, not as a contact.
    """
    company.when(approach(MARTA))
    claim = company.events[-1].ref

    with pytest.raises(ClientTakenError) as refused:
        company.when(approach(seller))

    assert (rule, other_unit, (claim,), None, True) == (
        refused.value.rule,
        refused.value.other_unit,
        refused.value.because,
        refused.value.until,
        refused.value.may_request,
    )
    assert "marta" not in str(refused.value) + str(refused.value.details())
    assert ApproachRefused is type(company.events[-1].event)


def test_owner_approaches_again_without_a_second_claim(company):
    """
    OWN-1: the owner's next offer is a contact, not a second beginning of ownership.
    """
    company.when(approach(MARTA))

    events = company.when(approach(MARTA))

    assert [ApproachMade] == [type(e) for e in events]


def test_unknown_client_and_unknown_seller_are_named(company):
    """
    REC-4: an approach names a client and an employee that exist.
    """
    with pytest.raises(UnknownError, match="no employee ghost"):
        company.when(approach(EmployeeId("ghost")))
    with pytest.raises(UnknownError, match="no client nobody"):
        company.when(Approach(client_id=ClientId("nobody"), employee_id=MARTA, channel=PHONE))


def test_leaver_cannot_approach(company):
    """
    OWN-3: who has left the company approaches nobody.
    """
    company.roster.leave(IVO, AT)

    with pytest.raises(SellerLeftError):
        company.when(approach(IVO))


def test_client_of_a_leaver_is_orphaned_and_taken_over_once(company):
    """
    OWN-3: when the owner leaves, the client is orphaned and the next offer takes it, once.
    """
    company.when(approach(MARTA))
    company.roster.leave(MARTA, AT)

    assert (ClientOrphaned(client_id=PETRA, owner_id=MARTA),) == company.when(
        OrphanClient(client_id=PETRA, employee_id=MARTA)
    )
    assert () == company.when(OrphanClient(client_id=PETRA, employee_id=MARTA))
    assert (
        ClientClaimed(client_id=PETRA, owner_id=NORA, unit_id=SOUTH, previous_owner_id=MARTA)
        == company.when(approach(NORA))[-1]
    )
    with pytest.raises(ClientTakenError):
        company.when(approach(IVO))


def test_client_is_not_orphaned_while_the_owner_works_here(company):
    """
    OWN-3: only a leaver's client is orphaned.
    """
    company.when(approach(MARTA))

    with pytest.raises(NoGroundError):
        company.when(OrphanClient(client_id=PETRA, employee_id=MARTA))


def test_conflict_permits_but_does_not_force_a_change(company):
    """
    OWN-4: a recorded conflict leaves the owner in place and permits a change; without it none is.
    """
    company.when(approach(MARTA))
    change = ReplaceOwner(client_id=PETRA, employee_id=NORA, reason=CONFLICT)
    with pytest.raises(NoGroundError) as refused:
        company.when(change)
    assert "OWN-4" == refused.value.rule

    company.when(Write(ConflictRecorded(client_id=PETRA, employee_id=MARTA, cause=Code("error"))))
    conflict = company.events[-1].ref
    assert MARTA == company.record(client_journal(PETRA)).of(Ownership).owner_id

    assert (
        OwnerReplaced(
            client_id=PETRA, owner_id=NORA, unit_id=SOUTH, previous_owner_id=MARTA, reason=CONFLICT
        ),
    ) == company.when(change)
    assert conflict in company.events[-1].because


def test_conflict_with_somebody_else_is_no_ground(company):
    """
    OWN-4: the conflict must be one between the client and the present owner.
    """
    company.when(approach(MARTA))
    company.when(Write(ConflictRecorded(client_id=PETRA, employee_id=IVO, cause=Code("error"))))

    with pytest.raises(NoGroundError):
        company.when(ReplaceOwner(client_id=PETRA, employee_id=NORA, reason=CONFLICT))


def test_special_cases_are_a_list_the_company_extends():
    """
    OWN-5: a reason of the company's own list is accepted, an unlisted one is refused with the list.
    """
    company = Scenario(
        WRITER, OWNERSHIP, sections=[OwnershipPolicy(special_cases=(Code("moved"),))]
    )
    company.when(Write(Registered(client_id=PETRA)), approach(MARTA))

    assert 1 == len(
        company.when(ReplaceOwner(client_id=PETRA, employee_id=IVO, reason=Code("moved")))
    )
    with pytest.raises(ReasonUnlistedError, match="employee-left, conflict, moved"):
        company.when(ReplaceOwner(client_id=PETRA, employee_id=NORA, reason=Code("whim")))


def test_replacement_by_the_same_owner_is_already_so(company):
    """
    OWN-5: giving the client to its owner changes nothing.
    """
    company.when(approach(MARTA))
    company.roster.leave(NORA, AT)

    assert () == company.when(
        ReplaceOwner(client_id=PETRA, employee_id=MARTA, reason=EMPLOYEE_LEFT)
    )


def test_ownership_does_not_lapse_by_itself(company):
    """
    OWN-1: the source knows no lapse; without a setting ownership lasts.
    """
    company.when(approach(MARTA))

    assert () == company.at(AT + timedelta(days=10_000)).elapse(client_journal(PETRA))


def test_ownership_lapses_when_the_company_says_so():
    """
    A policy with a term ends ownership at the exact moment, tells it as `until`, and an approach
    of the owner begins the term again.
    """
    company = Scenario(WRITER, OWNERSHIP, sections=[OwnershipPolicy(lapses_after_days=30)])
    company.when(Write(Registered(client_id=PETRA)), approach(MARTA))
    company.at(AT + timedelta(days=10)).when(approach(MARTA))
    with pytest.raises(ClientTakenError) as refused:
        company.when(approach(IVO))
    assert AT + timedelta(days=40) == refused.value.until

    company.at(AT + timedelta(days=41)).when(approach(IVO))

    lapsed = next(e for e in company.events if isinstance(e.event, OwnershipLapsed))
    assert AT + timedelta(days=40) == lapsed.occurred_at
    assert IVO == company.record(client_journal(PETRA)).of(Ownership).owner_id


def test_an_approach_told_late_does_not_shorten_ownership():
    """
    OWN-1: what counts for the lapse is the owner's last approach, not the one heard of last.
    """
    company = Scenario(WRITER, OWNERSHIP, sections=[OwnershipPolicy(lapses_after_days=30)])
    company.when(Write(Registered(client_id=PETRA)), approach(MARTA))
    last = AT + timedelta(days=20)
    company.at(last).when(approach(MARTA), approach(MARTA))
    assert company.events[-1].ref == company.record(client_journal(PETRA)).of(Ownership).touch
    touch = company.record(client_journal(PETRA)).of(Ownership).touch

    company.at(last + timedelta(days=1)).when(
        approach(MARTA, occurred_at=AT + timedelta(days=5)),
        approach(MARTA, occurred_at=AT - timedelta(days=5)),
    )

    ownership = company.record(client_journal(PETRA)).of(Ownership)
    assert (last, touch) == (ownership.touched_at, ownership.touch)
    with pytest.raises(ClientTakenError) as refused:
        company.at(AT + timedelta(days=36)).when(approach(IVO))
    assert last + timedelta(days=30) == refused.value.until


@pytest.mark.parametrize(("before", "after"), [(30, None), (30, 5), (None, 30)])
def test_a_refusal_tells_the_term_by_which_ownership_will_lapse(before, after):
    """
    OWN-2: `until` is the moment at which ownership does lapse, by the policy in force at the
    owner's last approach, whatever has been applied since.
    """
    company = Scenario(WRITER, OWNERSHIP, sections=[OwnershipPolicy(lapses_after_days=before)])
    company.when(Write(Registered(client_id=PETRA)), approach(MARTA))
    changed_at = AT + timedelta(days=1)
    later: dict[type, Any] = {OwnershipPolicy: OwnershipPolicy(lapses_after_days=after)}
    versions = (*company.definitions.versions, DefinitionVersion(2, changed_at, later))
    company.definitions = Definitions(versions)

    with pytest.raises(ClientTakenError) as refused:
        company.at(AT + timedelta(days=10)).when(approach(IVO))

    record = company.record(client_journal(PETRA))
    assert company.rulebook.due(record, company.definitions) == refused.value.until
    assert (before and AT + timedelta(days=before)) == refused.value.until


def test_spells_tell_every_owner_from_to_reason_and_by_whom(company):
    """
    OWN-9: on a change of owner the history keeps both spells, without gap or overlap.
    """
    company.when(approach(MARTA))
    company.roster.leave(MARTA, AT)
    later = AT + timedelta(days=1)
    company.at(later).when(ReplaceOwner(client_id=PETRA, employee_id=NORA, reason=EMPLOYEE_LEFT))

    first, second = spells(company.events)

    assert (MARTA, AT, later) == (first.owner_id, first.began_at, first.ended_at)
    assert (NORA, later, None, EMPLOYEE_LEFT) == (
        second.owner_id,
        second.began_at,
        second.ended_at,
        second.reason,
    )
    assert first == owner_at(company.events, AT)
    assert second == owner_at(company.events, later)
    assert None is owner_at(company.events, AT - timedelta(seconds=1))


def test_spells_do_not_overlap_where_ownership_is_told_late():
    """
    OWN-9: whoever is told late to have become the owner was so from then on, so that earlier
    spells end there; the last spell is the present ownership.
    """
    company = Scenario(WRITER, OWNERSHIP, sections=[OwnershipPolicy(lapses_after_days=10)])
    company.when(Write(Registered(client_id=PETRA)), approach(MARTA))
    told_at = AT + timedelta(days=12)
    since = AT + timedelta(days=5)

    company.at(told_at).when(approach(NORA, occurred_at=since))

    first, second = spells(company.events)
    assert (MARTA, AT, since) == (first.owner_id, first.began_at, first.ended_at)
    assert (NORA, since, None) == (second.owner_id, second.began_at, second.ended_at)
    assert since == company.record(client_journal(PETRA)).of(Ownership).since
    assert second == owner_at(company.events, AT + timedelta(days=7))


def test_a_spell_that_lay_after_the_begin_of_the_next_is_empty():
    """
    OWN-9: a replacement told late to have been before another one leaves nothing of that one.
    """
    moved = Code("moved")
    company = Scenario(WRITER, OWNERSHIP, sections=[OwnershipPolicy(special_cases=(moved,))])
    company.when(Write(Registered(client_id=PETRA)), approach(MARTA))
    early, late = AT + timedelta(days=10), AT + timedelta(days=20)
    replaced = ReplaceOwner(client_id=PETRA, employee_id=IVO, reason=moved)
    company.at(late).when(replaced, attrs.evolve(replaced, employee_id=NORA, occurred_at=early))

    found = [(spell.owner_id, spell.began_at, spell.ended_at) for spell in spells(company.events)]

    assert [(MARTA, AT, early), (IVO, late, late), (NORA, early, None)] == found
