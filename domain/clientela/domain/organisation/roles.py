"""
Roles: the catalogue of OWN-15, and granting and revoking them.

What each may do is the matter of access, not of this list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.ids import Code, EmployeeId, JournalId, Ref, employee_journal
from clientela.domain.organisation.refusals import RoleUnlistedError


SALESPERSON = Code("salesperson")
IMMEDIATE_SUPERIOR = Code("immediate-superior")
TOP_MANAGER = Code("top-manager")
ANALYST = Code("analyst")
MARKETER = Code("marketer")
DATA_ENTRY_CLERK = Code("data-entry-clerk")
DATABASE_OPERATOR = Code("database-operator")
CONTACT_CENTRE_AGENT = Code("contact-centre-agent")
DIRECTOR = Code("director")
ACCOUNTANT = Code("accountant")
PROJECT_TEAM_MEMBER = Code("project-team-member")
SERVICE_COMMITTEE = Code("service-committee")
CLIENT = Code("client")
PARTNER = Code("partner")

STAFF_ROLES = (
    SALESPERSON,
    IMMEDIATE_SUPERIOR,
    TOP_MANAGER,
    ANALYST,
    MARKETER,
    DATA_ENTRY_CLERK,
    DATABASE_OPERATOR,
    CONTACT_CENTRE_AGENT,
    DIRECTOR,
    ACCOUNTANT,
    PROJECT_TEAM_MEMBER,
    SERVICE_COMMITTEE,
)
"""Roles that a member of staff may be granted."""

OUTSIDE_ROLES = (CLIENT, PARTNER)
"""Roles of parties outside the company; they come with the principal and are never granted."""

ROLES = (*STAFF_ROLES, *OUTSIDE_ROLES)
"""Every role the sources name."""


@attrs.frozen(kw_only=True)
class GrantRole:
    """
    An employee is to act in a role (OWN-7, OWN-15).

    Attributes:
        employee_id: Who.

        role: One of `STAFF_ROLES`.

        occurred_at: When, if not now.
    """

    employee_id: EmployeeId
    role: Code
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The employee's."""
        return (employee_journal(self.employee_id),)


@attrs.frozen(kw_only=True)
class RevokeRole:
    """
    An employee is no longer to act in a role (OWN-7).

    Attributes:
        employee_id: Who.

        role: The role.

        occurred_at: When, if not now.
    """

    employee_id: EmployeeId
    role: Code
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The employee's."""
        return (employee_journal(self.employee_id),)


@event("role-granted", origin=Origin.RECORDED)
class RoleGranted:
    """
    An employee acts in a role (OWN-7).

    Attributes:
        employee_id: Who.

        role: The role.
    """

    employee_id: EmployeeId
    role: Code


@event("role-revoked", origin=Origin.RECORDED)
class RoleRevoked:
    """
    An employee no longer acts in a role (OWN-7).

    Attributes:
        employee_id: Who.

        role: The role.
    """

    employee_id: EmployeeId
    role: Code


def check_listed(roles: Iterable[Code]) -> None:
    """
    Check that a member of staff can have each of *roles*.

    Raises:
        RoleUnlistedError: one is not in `STAFF_ROLES`.
    """
    if not set(roles) <= set(STAFF_ROLES):
        raise RoleUnlistedError(STAFF_ROLES)


def grant(held: Mapping[Code, Ref], command: GrantRole) -> tuple[PendingEvent, ...]:
    """One more role; nothing when the employee has it."""
    if command.role in held:
        return ()
    granted = RoleGranted(employee_id=command.employee_id, role=command.role)
    return (PendingEvent(granted, rule="OWN-15"),)


def revoke(held: Mapping[Code, Ref], command: RevokeRole) -> tuple[PendingEvent, ...]:
    """One role less; nothing when the employee has it not."""
    if command.role not in held:
        return ()
    revoked = RoleRevoked(employee_id=command.employee_id, role=command.role)
    return (PendingEvent(revoked, rule="OWN-7", because=(held[command.role],)),)
