"""
Contacts of every kind, written down once.
"""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from clientela.domain.errors import InvalidValueError, KeyTakenError, UnknownError
from clientela.domain.event import SYSTEM
from clientela.domain.facts import (
    ApproachMade,
    ConflictRecorded,
    Direction,
    InteractionRecorded,
    Purpose,
)
from clientela.domain.fingerprint import MismatchError
from clientela.domain.ids import (
    Code,
    EmployeeId,
    client_journal,
)
from clientela.domain.interaction.conflict import ResolveConflict
from clientela.domain.interaction.refusals import SalesApproachError
from clientela.domain.ownership.claim import Approach
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.refusals import ClientTakenError
from clientela.domain.personal import Personal, Sealed
from tests.domain.interaction.talks import (
    BOT,
    CALL,
    CALL_ID,
    CONFLICT,
    CONTACT,
    DEPARTURE,
    GHOST,
    OLGA,
    PETRA,
    PHONE,
    SIGNAL,
    contacts,
)
from tests.domain.spec import AT, IVO, MARTA, NORA, NORTH, SOUTH


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
