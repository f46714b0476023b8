"""
Who works where, in which roles, until when.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest

from clientela.domain.codec import Codec
from clientela.domain.context import Context, StaffMember, UnitPlace
from clientela.domain.errors import InvalidCommandError, InvalidValueError, UnknownError
from clientela.domain.event import SYSTEM, Actor
from clientela.domain.facts import EmployeeLeft
from clientela.domain.ids import Code, EmployeeId, Ref, UnitId, employee_journal
from clientela.domain.organisation.hiring import (
    NAME_LENGTH_MAX,
    EmployeeRegistered,
    RegisterEmployee,
)
from clientela.domain.organisation.refusals import (
    EmployeeGoneError,
    EmployeeRegisteredError,
    RoleUnlistedError,
)
from clientela.domain.organisation.roles import (
    ACCOUNTANT,
    ANALYST,
    CLIENT,
    PARTNER,
    ROLES,
    SALESPERSON,
    GrantRole,
    RevokeRole,
    RoleGranted,
    RoleRevoked,
)
from clientela.domain.organisation.staff import (
    STAFF,
    Employee,
    EmployeeMoved,
    MoveEmployee,
    RecordLeaving,
    member,
)
from clientela.domain.personal import Personal, Sealed
from tests.domain.spec import AT, IVO, MARTA, NORTH, SOUTH, Scenario


KIRA = EmployeeId("kira")
GHOST = EmployeeId("ghost")
NOWHERE = UnitId("nowhere")
LATER = AT + timedelta(days=3)


class Office(Scenario):
    """A company that knows its units north and south."""

    def context(self, actor: Actor = SYSTEM) -> Context:
        return attrs.evolve(super().context(actor), units=self)

    def place(self, unit_id: UnitId) -> UnitPlace | None:
        return UnitPlace(unit_id) if unit_id in {NORTH, SOUTH} else None


@pytest.fixture
def company():
    """A company where Kira sells in the north."""
    scenario = Office(STAFF)
    scenario.when(register())
    return scenario


def register(**changes: Any) -> RegisterEmployee:
    """Register Kira, or another."""
    kira = RegisterEmployee(
        employee_id=KIRA,
        unit_id=NORTH,
        name=Personal("Kira Lind"),
        roles=(SALESPERSON, SALESPERSON),
        superior_id=MARTA,
    )
    return attrs.evolve(kira, **changes)


def employee(company: Scenario) -> Employee:
    """The present state of Kira."""
    return company.record(employee_journal(KIRA)).of(Employee)


def ref(version: int) -> Ref:
    """An event of Kira's journal."""
    return Ref(employee_journal(KIRA), version)


def test_employee_is_registered_with_unit_superior_and_roles(company):
    """
    REC-4: an employee has an id, a unit, a sealed name, roles each once, and an immediate superior.
    """
    registered = company.events[-1].event

    assert isinstance(registered, EmployeeRegistered)
    assert isinstance(registered.name, Sealed)
    assert "Kira Lind" == company.vault.open(registered.name)
    assert (
        EmployeeRegistered(
            employee_id=KIRA,
            unit_id=NORTH,
            name=registered.name,
            roles=(SALESPERSON,),
            superior_id=MARTA,
        )
        == registered
    )
    assert StaffMember(KIRA, NORTH, None, frozenset({SALESPERSON})) == member(employee(company))


def test_nobody_is_known_before_registration():
    """
    OWN-3: an employee journal without a registration tells rules of nobody.
    """
    assert None is member(Employee())


def test_registering_the_same_employee_twice_is_silent(company):
    """
    The same employee once more changes nothing; somebody else under the id is refused.
    """
    assert () == company.when(register(roles=(SALESPERSON,)))
    for changes in (
        {"unit_id": SOUTH},
        {"roles": ()},
        {"superior_id": None},
        {"name": Personal("Kira Berg")},
    ):
        with pytest.raises(EmployeeRegisteredError) as refused:
            company.when(register(**changes))
        assert {"employee_id": KIRA} == refused.value.details()


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("employee_id", {"employee_id": EmployeeId("кира")}),
        ("name", {"name": Personal(" ")}),
        ("name", {"name": Personal("K" * (NAME_LENGTH_MAX + 1))}),
    ],
)
def test_malformed_employee_is_refused(field, changes):
    """
    REC-17: id and name have their bounds.
    """
    with pytest.raises(InvalidValueError, match=field):
        Scenario(STAFF).when(register(**changes))


def test_unit_and_superior_exist_and_work_here(company):
    """
    REC-4: unit and superior are known, the superior works here and is somebody else.
    """
    hired = {"employee_id": EmployeeId("lev")}
    with pytest.raises(UnknownError, match="no unit nowhere"):
        company.when(register(**hired, unit_id=NOWHERE))
    with pytest.raises(UnknownError, match="no employee ghost"):
        company.when(register(**hired, superior_id=GHOST))
    with pytest.raises(InvalidCommandError, match="superior"):
        company.when(register(**hired, superior_id=EmployeeId("lev")))
    company.roster.leave(IVO, AT)
    with pytest.raises(EmployeeGoneError):
        company.when(register(**hired, superior_id=IVO))


def test_superior_who_is_yet_to_leave_still_works_here(company):
    """
    OWN-3: who leaves later works here until then.
    """
    company.roster.leave(IVO, LATER)

    assert company.when(register(employee_id=EmployeeId("lev"), superior_id=IVO))


def test_employee_moves_to_another_unit(company):
    """
    OWN-7: a move tells both units; a move to where one is changes nothing.
    """
    events = company.when(MoveEmployee(employee_id=KIRA, unit_id=SOUTH))

    assert (EmployeeMoved(employee_id=KIRA, unit_id=SOUTH, previous_unit_id=NORTH),) == events
    assert (ref(1),) == company.events[-1].because
    assert SOUTH == employee(company).unit_id
    assert () == company.when(MoveEmployee(employee_id=KIRA, unit_id=SOUTH))
    with pytest.raises(UnknownError, match="no unit nowhere"):
        company.when(MoveEmployee(employee_id=KIRA, unit_id=NOWHERE))
    company.when(MoveEmployee(employee_id=KIRA, unit_id=NORTH))
    assert (ref(2),) == company.events[-1].because


def test_role_is_granted_and_revoked_once(company):
    """
    OWN-15: a role is granted once, revoked once, and the revocation names the grant.
    """
    grant = GrantRole(employee_id=KIRA, role=ANALYST)
    revoke = RevokeRole(employee_id=KIRA, role=ANALYST)

    assert (RoleGranted(employee_id=KIRA, role=ANALYST),) == company.when(grant)
    assert () == company.when(grant)
    assert StaffMember(KIRA, NORTH, None, frozenset({SALESPERSON, ANALYST})) == member(
        employee(company)
    )

    assert (RoleRevoked(employee_id=KIRA, role=ANALYST),) == company.when(revoke)
    assert (ref(2),) == company.events[-1].because
    assert () == company.when(revoke)
    assert {SALESPERSON} == set(employee(company).roles)


def test_catalogue_holds_every_role_the_sources_name():
    """
    OWN-15: fourteen roles, two of them of parties outside the company.
    """
    assert (
        "salesperson immediate-superior top-manager analyst marketer data-entry-clerk "
        "database-operator contact-centre-agent director accountant project-team-member "
        "service-committee client partner"
    ) == " ".join(ROLES)


@pytest.mark.parametrize("role", [CLIENT, PARTNER, Code("wizard")])
def test_only_roles_of_staff_are_granted(company, role):
    """
    OWN-15: no member of staff becomes a client, a partner or what the catalogue does not know.
    """
    with pytest.raises(RoleUnlistedError, match="salesperson"):
        company.when(GrantRole(employee_id=KIRA, role=role))
    with pytest.raises(RoleUnlistedError):
        company.when(register(employee_id=EmployeeId("lev"), roles=(ACCOUNTANT, role)))


def test_leaving_happens_at_its_moment_and_ends_all_roles(company):
    """
    OWN-3: who leaves is known to have left from that moment, with the last unit and without roles.
    """
    left_at = AT + timedelta(days=1)

    events = company.at(LATER).when(RecordLeaving(employee_id=KIRA, left_at=left_at))

    assert (EmployeeLeft(employee_id=KIRA, unit_id=NORTH, left_at=left_at),) == events
    last = company.events[-1]
    assert (left_at, LATER, (ref(1),)) == (last.occurred_at, last.recorded_at, last.because)
    assert StaffMember(KIRA, NORTH, left_at, frozenset()) == member(employee(company))


def test_leaving_twice_is_leaving_once(company):
    """
    OWN-3: the same leaving once more changes nothing, another moment is refused.
    """
    company.at(LATER).when(RecordLeaving(employee_id=KIRA, left_at=AT))

    assert () == company.when(RecordLeaving(employee_id=KIRA, left_at=AT))
    with pytest.raises(EmployeeGoneError):
        company.when(RecordLeaving(employee_id=KIRA, left_at=LATER))


@pytest.mark.parametrize(
    "left_at",
    [AT + timedelta(microseconds=1), datetime(2026, 3, 1, 9)],  # noqa: DTZ001 (it is refused)
)
def test_leaving_is_recorded_when_it_has_happened(company, left_at):
    """
    OWN-3: a leaving still to come, or at a moment without offset, is refused.
    """
    with pytest.raises(InvalidValueError, match="left_at"):
        company.when(RecordLeaving(employee_id=KIRA, left_at=left_at))


@pytest.mark.parametrize(
    "command",
    [
        MoveEmployee(employee_id=KIRA, unit_id=SOUTH),
        GrantRole(employee_id=KIRA, role=SALESPERSON),
    ],
)
def test_leaver_is_neither_moved_nor_given_a_role(company, command):
    """
    OWN-3: who has left stays gone; the refusal names the leaving.
    """
    company.when(RecordLeaving(employee_id=KIRA, left_at=AT))

    with pytest.raises(EmployeeGoneError) as refused:
        company.when(command)

    assert (ref(2),) == refused.value.because
    assert () == company.when(RevokeRole(employee_id=KIRA, role=SALESPERSON))


@pytest.mark.parametrize(
    "command",
    [
        MoveEmployee(employee_id=GHOST, unit_id=SOUTH),
        GrantRole(employee_id=GHOST, role=SALESPERSON),
        RevokeRole(employee_id=GHOST, role=SALESPERSON),
        RecordLeaving(employee_id=GHOST, left_at=AT),
    ],
)
def test_unknown_employee_is_named(company, command):
    """
    REC-4: only an employee who is registered can be moved, given a role or leave.
    """
    with pytest.raises(UnknownError, match="no employee ghost"):
        company.when(command)


def test_staff_survives_storage_and_folds_again(company):
    """
    Events of staff are the same after storing them, hold no open name, and fold to the same state.
    """
    company.when(
        MoveEmployee(employee_id=KIRA, unit_id=SOUTH),
        GrantRole(employee_id=KIRA, role=ANALYST),
        RevokeRole(employee_id=KIRA, role=SALESPERSON),
        RecordLeaving(employee_id=KIRA, left_at=AT),
    )
    codec = Codec(company.rulebook.event_classes)

    stored = [codec.encode(recorded.event) for recorded in company.events]

    assert [recorded.event for recorded in company.events] == [codec.decode(*s) for s in stored]
    assert "Kira Lind" not in str(stored)
    folded = company.rulebook.fold(company.rulebook.empty(employee_journal(KIRA)), company.events)
    assert employee(company) == folded.states[Employee]
    assert employee(company) == codec.value(codec.plain(employee(company)), Employee)
