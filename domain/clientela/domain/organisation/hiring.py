"""
Hiring: somebody begins to work here, in a unit, under a superior, in roles (REC-4, OWN-15).
"""

from __future__ import annotations

from datetime import datetime

import attrs

from clientela.domain.context import Context
from clientela.domain.errors import InvalidCommandError, InvalidValueError, UnknownError
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.ids import (
    ID_LENGTH_MAX,
    Code,
    EmployeeId,
    JournalId,
    UnitId,
    employee_journal,
    is_id,
)
from clientela.domain.organisation.refusals import EmployeeGoneError
from clientela.domain.organisation.roles import check_listed
from clientela.domain.personal import Personal, PersonalText


NAME_LENGTH_MAX = 256


@attrs.frozen(kw_only=True)
class RegisterEmployee:
    """
    Somebody works here.

    Attributes:
        employee_id: Their id, chosen by the caller, for ever.

        unit_id: Where they work.

        name: Personal, 1 to `NAME_LENGTH_MAX` characters.

        roles: Some of `STAFF_ROLES`.

        superior_id: Their immediate superior; None for those who have none.

        occurred_at: When, if not now.
    """

    employee_id: EmployeeId
    unit_id: UnitId
    name: Personal
    roles: tuple[Code, ...] = ()
    superior_id: EmployeeId | None = None
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The employee's."""
        return (employee_journal(self.employee_id),)


@event("employee-registered", origin=Origin.RECORDED)
class EmployeeRegistered:
    """
    Somebody works here.

    Attributes:
        employee_id: Their id for ever.

        unit_id: Where they work.

        name: Personal.

        roles: Their roles, each once.

        superior_id: Their immediate superior, if they have one.
    """

    employee_id: EmployeeId
    unit_id: UnitId
    name: PersonalText
    roles: tuple[Code, ...] = ()
    superior_id: EmployeeId | None = None


def hire(command: RegisterEmployee, context: Context) -> tuple[PendingEvent, ...]:
    """
    The registration of somebody whose id is free.

    Raises:
        InvalidValueError: id or name are malformed.

        InvalidCommandError: they would be their own superior.

        RoleUnlistedError: no member of staff can have one of the roles.

        UnknownError: no such unit or superior.

        EmployeeGoneError: the superior has left.
    """
    if not is_id(command.employee_id):
        raise InvalidValueError("employee_id", f"1 to {ID_LENGTH_MAX} of A-Z, a-z, 0-9, - and _")
    if not command.name.text.strip() or len(command.name.text) > NAME_LENGTH_MAX:
        raise InvalidValueError("name", f"a text of 1 to {NAME_LENGTH_MAX} characters")
    check_listed(command.roles)
    check_unit(command.unit_id, context)
    _check_superior(command, context)
    registered = EmployeeRegistered(
        employee_id=command.employee_id,
        unit_id=command.unit_id,
        name=command.name,
        roles=tuple(dict.fromkeys(command.roles)),
        superior_id=command.superior_id,
    )
    return (PendingEvent(registered, rule="REC-4"),)


def check_unit(unit_id: UnitId, context: Context) -> None:
    """
    Check that a unit exists, where the tree of units is known.

    Raises:
        UnknownError: it does not.
    """
    if context.units is not None and context.units.place(unit_id) is None:
        raise UnknownError("unit", unit_id)


def _check_superior(command: RegisterEmployee, context: Context) -> None:
    superior_id = command.superior_id
    if superior_id is None:
        return
    if superior_id == command.employee_id:
        msg = "nobody is their own superior"
        raise InvalidCommandError(msg)
    superior = context.staff.member(superior_id)
    if superior is None:
        raise UnknownError("employee", superior_id)
    if superior.left_at is not None and superior.left_at <= context.now:
        raise EmployeeGoneError(superior_id)
