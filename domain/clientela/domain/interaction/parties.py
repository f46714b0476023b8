"""
Who takes part: the client of a command, and whom of ours it names (REC-4).
"""

from __future__ import annotations

from datetime import datetime

import attrs

from clientela.domain.context import Context
from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.event import ActorKind
from clientela.domain.ids import ClientId, EmployeeId, JournalId, UnitId, client_journal


@attrs.frozen(kw_only=True)
class OfClient:
    """
    What every command of this folder has.

    Attributes:
        client_id: The client.

        occurred_at: When it happened, if not now.
    """

    client_id: ClientId
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's."""
        return (client_journal(self.client_id),)


def unit_of(employee_id: EmployeeId | None, context: Context) -> UnitId | None:
    """
    The unit of the employee who took part; only a machine may act without one (REC-4).

    Raises:
        InvalidValueError: an employee asks and names nobody.

        UnknownError: nobody of that id works here.
    """
    if employee_id is None:
        if context.actor.kind is ActorKind.EMPLOYEE:
            raise InvalidValueError("employee_id", "the employee who took part")
        return context.unit
    member = context.staff.member(employee_id)
    if member is None:
        raise UnknownError("employee", employee_id)
    return member.unit_id
