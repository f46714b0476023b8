"""
Sellers as ownership sees them: who works here, and who has left (OWN-3).
"""

from __future__ import annotations

from clientela.domain.context import Context, StaffMember
from clientela.domain.errors import UnknownError
from clientela.domain.ids import EmployeeId, Ref
from clientela.domain.ownership.refusals import SellerLeftError


def working(employee_id: EmployeeId, context: Context) -> StaffMember:
    """
    The employee, who works here.

    Raises:
        UnknownError: there is none of this id.

        SellerLeftError: they have left.
    """
    member = context.staff.member(employee_id)
    if member is None:
        raise UnknownError("employee", employee_id)
    left = gone(employee_id, context)
    if left is not None:
        raise SellerLeftError(employee_id, facts(left.left))
    return member


def gone(employee_id: EmployeeId | None, context: Context) -> StaffMember | None:
    """The employee, if there is one of this id and they no longer work here."""
    member = context.staff.member(employee_id) if employee_id else None
    has_left = member is not None and member.left_at is not None and member.left_at <= context.now
    return member if has_left else None


def facts(*refs: Ref | None) -> tuple[Ref, ...]:
    """Those of *refs* that are there, each once, as grounds of an event."""
    return tuple(dict.fromkeys(ref for ref in refs if ref is not None))
