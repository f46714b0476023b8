"""
Contacts, conflicts, signals and departures.
"""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from clientela.domain.context import DefinitionVersion
from clientela.domain.errors import InvalidValueError, KeyTakenError, UnknownError
from clientela.domain.event import SYSTEM, Actor, ActorKind
from clientela.domain.facts import (
    ApproachMade,
    BusinessKey,
    ClientLeft,
    ConflictRecorded,
    ConflictResolved,
    Direction,
    EndKind,
    InteractionRecorded,
    Purpose,
    SignalRecorded,
)
from clientela.domain.fingerprint import MismatchError
from clientela.domain.ids import (
    BusinessId,
    ClientId,
    Code,
    EmployeeId,
    PrincipalId,
    client_journal,
)
from clientela.domain.interaction.policy import (
    CONFLICT_CAUSES,
    LEAVING_CAUSES,
    InteractionPolicy,
)
from clientela.domain.interaction.recording import (
    CAUSES_MAX,
    INTERACTION,
    Contacts,
    RecordConflict,
    RecordDeparture,
    RecordInteraction,
    RecordSignal,
    ResolveConflict,
)
from clientela.domain.interaction.refusals import NoConflictError, SalesApproachError
from clientela.domain.ownership.claim import Approach
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.refusals import ClientTakenError
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.personal import Personal, Sealed
from tests.domain.register import REGISTER, Register
from tests.domain.spec import AT, IVO, MARTA, NORA, NORTH, SOUTH, Scenario, definitions


PETRA = ClientId("petra")
OLGA = ClientId("olga")
GHOST = ClientId("ghost")
PHONE = Code("phone")
CALL = Code("call")
BOT = Actor(ActorKind.SERVICE, PrincipalId("reminder-bot"))
CALL_ID = BusinessKey(Code("pbx"), BusinessId("4711"))

CONTACT = RecordInteraction(
    client_id=PETRA,
    channel=PHONE,
    direction=Direction.INBOUND,
    purpose=Purpose.ENQUIRY,
    kind=CALL,
    employee_id=MARTA,
)
CONFLICT = RecordConflict(client_id=PETRA, employee_id=MARTA, cause=Code("error"))
DEPARTURE = RecordDeparture(client_id=PETRA, causes=(Code("moved-away"),), ended=EndKind.BY_CLIENT)
SIGNAL = RecordSignal(client_id=PETRA, signal=Code("recommended-us"))


@pytest.fixture
def company():
    """A company that runs ownership and interactions, with two clients."""
    scenario = Scenario(REGISTER, OWNERSHIP, INTERACTION)
    scenario.when(Register(client_id=PETRA), Register(client_id=OLGA))
    return scenario


def contacts(company: Scenario) -> Contacts:
    """What is open between Petra and the company."""
    return company.record(client_journal(PETRA)).of(Contacts)


# Contacts


def test_contact_is_recorded_with_who_where_how_and_what_for(company):
    """
    REC-2, REC-4: a contact keeps client, employee and their unit, channel, direction, purpose and
    kind; the note is sealed.
    """
    (recorded,) = company.when(attrs.evolve(CONTACT, note=Personal("asked for Petra's mother")))

    note = recorded.note
    assert (
        InteractionRecorded(
            client_id=PETRA,
            channel=PHONE,
            direction=Direction.INBOUND,
            purpose=Purpose.ENQUIRY,
            kind=CALL,
            employee_id=MARTA,
            unit_id=NORTH,
            note=note,
        )
        == recorded
    )
    assert isinstance(note, Sealed)
    assert (client_journal(PETRA), "asked for Petra's mother") == (
        note.person,
        company.vault.open(note),
    )


def test_every_contact_stands_in_one_order_whoever_made_it(company):
    """
    REC-2: contacts of several departments, before and after a change of owner, form one timeline
    of the client, without gap and without duplicate.
    """
    company.when(
        CONTACT,
        Approach(client_id=PETRA, employee_id=MARTA, channel=PHONE),
        attrs.evolve(CONTACT, employee_id=NORA),
        CONFLICT,
        attrs.evolve(CONTACT, employee_id=IVO),
    )

    history = company.history(client_journal(PETRA))

    assert list(range(1, len(history) + 1)) == [recorded.version for recorded in history]
    assert [MARTA, MARTA, NORA, MARTA, IVO] == [
        recorded.event.employee_id
        for recorded in history
        if isinstance(recorded.event, InteractionRecorded | ApproachMade | ConflictRecorded)
    ]
    assert [NORTH, SOUTH, NORTH] == [
        r.event.unit_id for r in history if isinstance(r.event, InteractionRecorded)
    ]


@pytest.mark.parametrize(
    "command",
    [CONTACT, CONFLICT, ResolveConflict(client_id=PETRA, handled_well=True), DEPARTURE, SIGNAL],
    ids=lambda command: type(command).__name__,
)
def test_client_must_be_known(company, command):
    """
    REC-4: nothing is recorded about a client who is not there.
    """
    with pytest.raises(UnknownError, match="no client ghost"):
        company.when(attrs.evolve(command, client_id=GHOST))


@pytest.mark.parametrize("command", [CONTACT, CONFLICT], ids=["contact", "conflict"])
def test_employee_must_be_known(company, command):
    """
    REC-4: nothing is attributed to an employee who is not there.
    """
    with pytest.raises(UnknownError, match="no employee nobody"):
        company.when(attrs.evolve(command, employee_id=EmployeeId("nobody")))


def test_person_who_records_a_contact_names_who_took_part(company):
    """
    REC-4: without an employee only a machine may record a contact; that is then the actor.
    """
    nobody = attrs.evolve(CONTACT, employee_id=None)

    with pytest.raises(InvalidValueError) as refused:
        company.when(nobody)
    assert "employee_id" == refused.value.field

    for actor in (BOT, SYSTEM):
        (recorded,) = company.run(nobody, actor).events
        assert (None, actor) == (recorded.event.employee_id, recorded.actor)


def test_sum_over_employees_is_the_sum_over_clients(company):
    """
    REC-4: every contact has exactly one client and one actor.
    """
    company.when(
        CONTACT,
        attrs.evolve(CONTACT, client_id=OLGA),
        attrs.evolve(CONTACT, client_id=OLGA, employee_id=NORA),
    )
    company.run(attrs.evolve(CONTACT, employee_id=None), BOT)

    found = [r for r in company.events if isinstance(r.event, InteractionRecorded)]

    assert 4 == len(found)
    assert all(r.event.client_id and (r.event.employee_id or r.actor == BOT) for r in found)


@pytest.mark.parametrize("purpose", [p for p in Purpose if p is not Purpose.SALES])
@pytest.mark.parametrize("direction", list(Direction))
def test_only_a_sales_approach_of_ours_is_reserved_to_the_owner(company, direction, purpose):
    """
    OWN-10: on an owned client a seller of another unit is refused, while service, billing,
    greeting, marketing and feedback contacts of anybody pass and leave the owner in place.
    """
    company.when(Approach(client_id=PETRA, employee_id=MARTA, channel=PHONE))
    with pytest.raises(ClientTakenError):
        company.when(Approach(client_id=PETRA, employee_id=NORA, channel=PHONE))

    (recorded,) = company.when(
        attrs.evolve(CONTACT, direction=direction, purpose=purpose, employee_id=NORA)
    )

    assert (purpose, NORA) == (recorded.purpose, recorded.employee_id)
    assert MARTA == company.record(client_journal(PETRA)).of(Ownership).owner_id


@pytest.mark.parametrize("seller", [MARTA, NORA])
def test_sales_contact_of_ours_is_an_approach_and_refused_here(company, seller):
    """
    OWN-10: selling cannot be passed off as a contact, not even by the owner: it is asked for as an
    approach. A client who wants to buy may be talked to by anybody.
    """
    company.when(Approach(client_id=PETRA, employee_id=MARTA, channel=PHONE))
    selling = attrs.evolve(
        CONTACT, direction=Direction.OUTBOUND, purpose=Purpose.SALES, employee_id=seller
    )

    with pytest.raises(SalesApproachError) as refused:
        company.when(selling)

    assert ("SALES_APPROACH", "OWN-10") == (refused.value.reason, refused.value.rule)
    assert 1 == len(company.when(attrs.evolve(selling, direction=Direction.INBOUND)))


def test_contact_of_another_system_is_recorded_once(company):
    """
    REC-2: the identity a contact has in the system it comes from is used once, for the same
    contact of the same client.
    """
    call = attrs.evolve(CONTACT, interaction=CALL_ID)
    assert 1 == len(company.when(call))

    assert () == company.when(call)
    with pytest.raises(MismatchError, match="kind"):
        company.when(attrs.evolve(call, kind=Code("visit")))
    with pytest.raises(KeyTakenError):
        company.when(attrs.evolve(call, client_id=OLGA))


def test_contacts_without_an_identity_are_separate(company):
    """
    Two equal contacts are two contacts.
    """
    assert [1, 1] == [len(company.when(CONTACT)), len(company.when(CONTACT))]


def test_last_contact_is_the_latest_that_happened(company):
    """
    A contact or approach that becomes known late is on record, yet not the last one.
    """
    company.when(attrs.evolve(CONTACT, occurred_at=AT + timedelta(days=2)))
    latest = company.events[-1].ref

    company.when(
        attrs.evolve(CONTACT, occurred_at=AT + timedelta(days=1)),
        Approach(
            client_id=PETRA, employee_id=MARTA, channel=PHONE, occurred_at=AT + timedelta(days=1)
        ),
    )

    assert (latest, AT + timedelta(days=2)) == (
        contacts(company).last_contact,
        contacts(company).last_contact_at,
    )
    company.when(
        Approach(
            client_id=PETRA,
            employee_id=MARTA,
            channel=PHONE,
            with_offer=False,
            occurred_at=AT + timedelta(days=3),
        )
    )
    assert company.events[-1].ref == contacts(company).last_contact


def test_refused_approach_is_no_contact(company):
    """
    OWN-2: who was refused has not been in contact.
    """
    company.when(Approach(client_id=PETRA, employee_id=MARTA, channel=PHONE))
    before = contacts(company)

    with pytest.raises(ClientTakenError):
        company.at(AT + timedelta(days=1)).when(
            Approach(client_id=PETRA, employee_id=NORA, channel=PHONE)
        )

    assert before == contacts(company)


# Conflicts


@pytest.mark.parametrize("cause", CONFLICT_CAUSES)
def test_conflict_has_a_cause_and_stays_open_until_it_is_resolved(company, cause):
    """
    LIFE-21: a conflict is recorded with one of its causes and is open until it is resolved, well
    or badly.
    """
    (began,) = company.when(attrs.evolve(CONFLICT, cause=cause, note=Personal("shouted")))
    conflict = company.events[-1].ref
    assert (
        ConflictRecorded(client_id=PETRA, employee_id=MARTA, cause=cause, note=began.note) == began
    )
    assert conflict == contacts(company).open_conflict

    (ended,) = company.when(ResolveConflict(client_id=PETRA, handled_well=cause == "error"))

    assert ConflictResolved(client_id=PETRA, handled_well=cause == "error") == ended
    assert ("LIFE-21", (conflict,)) == (company.events[-1].rule, company.events[-1].because)
    assert None is contacts(company).open_conflict


def test_nothing_is_resolved_where_no_conflict_is_open(company):
    """
    LIFE-21: a resolution needs a conflict, each conflict one resolution.
    """
    resolve = ResolveConflict(client_id=PETRA, handled_well=True)
    with pytest.raises(NoConflictError) as refused:
        company.when(resolve)
    assert ("NO_CONFLICT", "LIFE-21") == (refused.value.reason, refused.value.rule)

    company.when(CONFLICT, resolve)
    with pytest.raises(NoConflictError):
        company.when(resolve)


def test_conflict_can_be_had_with_somebody_who_is_not_the_owner(company):
    """
    LIFE-21: anybody on our side can fall out with a client, owned or not.
    """
    assert 1 == len(company.when(attrs.evolve(CONFLICT, employee_id=NORA)))


# Departures


def test_causes_of_leaving_are_those_the_source_names():
    """
    LIFE-23, LIFE-24: moved away, income changed, staff brought their own suppliers; changed
    requirements, a better alternative, dissatisfaction, advertising that did not catch, terms not
    as expected; and other.
    """
    assert {
        "moved-away",
        "income-changed",
        "staff-brought-own-suppliers",
        "changed-requirements",
        "better-alternative",
        "dissatisfied",
        "advertising-did-not-catch",
        "terms-not-as-expected",
        "other",
    } == set(LEAVING_CAUSES)


@pytest.mark.parametrize("ended", list(EndKind))
def test_departure_is_recorded_with_its_causes_and_who_ended_it(company, ended):
    """
    LIFE-23, LIFE-24: a client leaves for one or more recorded causes; who ended it is kept.
    """
    causes = LEAVING_CAUSES[:3]

    assert (ClientLeft(client_id=PETRA, causes=causes, ended=ended),) == company.when(
        attrs.evolve(DEPARTURE, causes=causes, ended=ended)
    )
    assert "LIFE-23" == company.events[-1].rule


@pytest.mark.parametrize(
    "causes",
    [(), (Code("whim"),), (Code("moved-away"), Code("whim")), (Code("other"),) * (CAUSES_MAX + 1)],
)
def test_departure_without_a_listed_cause_is_refused(company, causes):
    """
    LIFE-23: a client is not former without a cause, an unlisted one, or too many.
    """
    with pytest.raises(InvalidValueError) as refused:
        company.when(attrs.evolve(DEPARTURE, causes=causes))

    assert "causes" == refused.value.field
    assert "whim" not in str(refused.value)


def test_company_adds_causes_of_its_own():
    """
    LIFE-21, LIFE-23: a company's own causes hold besides those of the source, from the moment on
    at which they are in force.
    """
    policy = InteractionPolicy(leaving_causes=(Code("retired"),), conflict_causes=(Code("noise"),))
    company = Scenario(REGISTER, INTERACTION)
    company.when(Register(client_id=PETRA))
    later = AT + timedelta(days=1)
    company.definitions = attrs.evolve(
        definitions(),
        versions=(
            *definitions().versions,
            DefinitionVersion(2, later, {InteractionPolicy: policy}),
        ),
    )
    own = (
        attrs.evolve(DEPARTURE, causes=(Code("retired"), Code("other"))),
        attrs.evolve(CONFLICT, cause=Code("noise")),
    )

    for command in own:
        with pytest.raises(InvalidValueError):
            company.when(command)
    company.at(later)

    assert [1, 1, 1] == [len(company.when(command)) for command in (*own, CONFLICT)]


def test_conflict_without_a_listed_cause_is_refused(company):
    """
    LIFE-21: causes are a list.
    """
    with pytest.raises(InvalidValueError) as refused:
        company.when(attrs.evolve(CONFLICT, cause=Code("moved-away")))

    assert "cause" == refused.value.field


# Signals


def test_signal_begins_and_ends_and_is_said_once(company):
    """
    LIFE-17, LIFE-22: a named fact holds from when it is said until it is taken back; saying it
    again changes nothing.
    """
    over = attrs.evolve(SIGNAL, holds=False)
    assert () == company.when(over)

    assert (SignalRecorded(client_id=PETRA, signal=Code("recommended-us")),) == company.when(SIGNAL)
    began = company.events[-1].ref
    assert () == company.when(SIGNAL)
    assert {Code("recommended-us"): began} == contacts(company).signals

    assert (
        SignalRecorded(client_id=PETRA, signal=Code("recommended-us"), holds=False),
    ) == company.when(over)
    assert {} == contacts(company).signals


def test_signals_do_not_disturb_each_other(company):
    """
    LIFE-22: each signal begins and ends by itself.
    """
    other = attrs.evolve(SIGNAL, signal=Code("buys-only-here"))

    company.when(SIGNAL, other, attrs.evolve(SIGNAL, holds=False))

    assert [Code("buys-only-here")] == list(contacts(company).signals)
