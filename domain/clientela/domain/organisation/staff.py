"""
Staff: who works where, in which roles, and until when (OWN-3, OWN-7, OWN-15).

Who has left holds no role and gets none; what follows for their clients is the matter of
ownership, which hears `EmployeeLeft`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

import attrs

from clientela.domain.context import Context, StaffMember
from clientela.domain.draft import State, state
from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import EmployeeLeft
from clientela.domain.ids import (
    Code,
    EmployeeId,
    JournalId,
    JournalKind,
    Ref,
    UnitId,
    employee_journal,
)
from clientela.domain.organisation.hiring import (
    EmployeeRegistered,
    RegisterEmployee,
    check_unit,
    hire,
)
from clientela.domain.organisation.refusals import EmployeeGoneError, EmployeeRegisteredError
from clientela.domain.organisation.roles import (
    GrantRole,
    RevokeRole,
    RoleGranted,
    RoleRevoked,
    check_listed,
    grant,
    revoke,
)
from clientela.domain.personal import PersonalText, Sealed
from clientela.domain.record import Record
from clientela.domain.ruleset import RuleSet


@attrs.frozen(kw_only=True)
class MoveEmployee:
    """
    An employee works in another unit from now on; their clients stay theirs.

    Attributes:
        employee_id: Who.

        unit_id: Where.

        occurred_at: When, if not now.
    """

    employee_id: EmployeeId
    unit_id: UnitId
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The employee's."""
        return (employee_journal(self.employee_id),)


@attrs.frozen(kw_only=True)
class RecordLeaving:
    """
    An employee has left the company (OWN-3).

    Attributes:
        employee_id: Who.

        left_at: First moment at which they no longer work here, aware, not after now.

        occurred_at: Not used: it happened at *left_at*.
    """

    employee_id: EmployeeId
    left_at: datetime
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The employee's."""
        return (employee_journal(self.employee_id),)


Command = RegisterEmployee | MoveEmployee | GrantRole | RevokeRole | RecordLeaving


@event("employee-moved", origin=Origin.RECORDED)
class EmployeeMoved:
    """
    An employee works in another unit.

    Attributes:
        employee_id: Who.

        unit_id: Where from now on.

        previous_unit_id: Where until now.
    """

    employee_id: EmployeeId
    unit_id: UnitId
    previous_unit_id: UnitId


@state(JournalKind.EMPLOYEE)
class Employee(State):
    """
    A member of staff.

    Attributes:
        employee_id: Their id; None until registered.

        unit_id: Where they work, or worked last; None until registered.

        name: Personal; None until registered.

        roles: Each role and the event that granted it; empty once they have left.

        superior_id: Their immediate superior, if they have one.

        left_at: When they left; None while they work here.

        placed: The event that put them into their unit.

        left: The event of their leaving.
    """

    employee_id: EmployeeId | None = None
    unit_id: UnitId | None = None
    name: PersonalText | None = None
    roles: dict[Code, Ref] = attrs.field(factory=dict[Code, Ref])
    superior_id: EmployeeId | None = None
    left_at: datetime | None = None
    placed: Ref | None = None
    left: Ref | None = None


def member(employee: Employee) -> StaffMember | None:
    """What rules may know of an employee (`context.Staff`); None while nobody is registered."""
    if employee.employee_id is None or employee.unit_id is None:
        return None
    return StaffMember(
        employee.employee_id,
        employee.unit_id,
        employee.left_at,
        frozenset(employee.roles),
        employee.left,
    )


def decide(record: Record, command: Command, context: Context) -> Iterable[PendingEvent]:
    """
    Registration, move, roles, leaving.

    Raises:
        UnknownError: no such employee, unit or superior.

        InvalidValueError: id, name or moment of leaving are malformed.

        InvalidCommandError: the employee is their own superior.

        EmployeeRegisteredError: the id belongs to somebody else.

        EmployeeGoneError: the employee, or the superior, has left.

        RoleUnlistedError: no member of staff can have the role.
    """
    employee = record.of(Employee)
    if isinstance(command, RegisterEmployee):
        if employee.placed is None:
            return hire(command, context)
        if _is_the_same(employee, command, context):
            return ()
        raise EmployeeRegisteredError(command.employee_id)
    if employee.placed is None:
        raise UnknownError("employee", command.employee_id)
    match command:
        case MoveEmployee():
            return _move(employee, command, employee.placed, context)
        case GrantRole():
            check_listed((command.role,))
            _check_working(employee, command)
            return grant(employee.roles, command)
        case RevokeRole():
            return revoke(employee.roles, command)
        case RecordLeaving():
            return _leave(employee, command, employee.placed, context)
        case _:
            assert_never(command)


def _is_the_same(employee: Employee, command: RegisterEmployee, context: Context) -> bool:
    wanted = (command.unit_id, set(command.roles), command.superior_id)
    name = employee.name
    return (
        wanted == (employee.unit_id, set(employee.roles), employee.superior_id)
        and isinstance(name, Sealed)
        and context.vault.open(name) == command.name.text
    )


def _move(
    employee: Employee, command: MoveEmployee, placed: Ref, context: Context
) -> tuple[PendingEvent, ...]:
    _check_working(employee, command)
    if employee.unit_id == command.unit_id:
        return ()
    check_unit(command.unit_id, context)
    assert employee.unit_id is not None
    moved = EmployeeMoved(
        employee_id=command.employee_id,
        unit_id=command.unit_id,
        previous_unit_id=employee.unit_id,
    )
    return (PendingEvent(moved, rule="OWN-7", because=(placed,)),)


def _leave(
    employee: Employee, command: RecordLeaving, placed: Ref, context: Context
) -> tuple[PendingEvent, ...]:
    if employee.left_at == command.left_at:
        return ()
    _check_working(employee, command)
    if command.left_at.utcoffset() is None or command.left_at > context.now:
        raise InvalidValueError("left_at", "a moment with its offset from UTC, not after now")
    assert employee.unit_id is not None
    left = EmployeeLeft(
        employee_id=command.employee_id, unit_id=employee.unit_id, left_at=command.left_at
    )
    because = (placed,)
    return (PendingEvent(left, rule="OWN-3", because=because, occurred_at=command.left_at),)


def _check_working(employee: Employee, command: Command) -> None:
    if employee.left is not None:
        raise EmployeeGoneError(command.employee_id, (employee.left,))


def evolve(draft: Employee, recorded: RecordedEvent) -> None:
    """Fold an event into *draft*."""
    match recorded.event:
        case EmployeeRegistered() as registered:
            draft.employee_id = registered.employee_id
            draft.unit_id = registered.unit_id
            draft.name = registered.name
            draft.roles = dict.fromkeys(registered.roles, recorded.ref)
            draft.superior_id = registered.superior_id
            draft.placed = recorded.ref
        case EmployeeMoved(unit_id=unit_id):
            draft.unit_id = unit_id
            draft.placed = recorded.ref
        case RoleGranted(role=role):
            draft.roles[role] = recorded.ref
        case RoleRevoked(role=role):
            draft.roles.pop(role, None)
        case EmployeeLeft(left_at=left_at):
            draft.left_at = left_at
            draft.left = recorded.ref
            draft.roles = {}
        case _:
            pass


STAFF = RuleSet(
    name="staff",
    state=Employee,
    commands=(RegisterEmployee, MoveEmployee, GrantRole, RevokeRole, RecordLeaving),
    events=(EmployeeRegistered, EmployeeMoved, RoleGranted, RoleRevoked, EmployeeLeft),
    decide=decide,
    evolve=evolve,
)
