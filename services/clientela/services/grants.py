"""
Grants of employees: what their roles on record come to, re-read at every command.
"""

from __future__ import annotations

import time

from collections import OrderedDict
from collections.abc import Callable

import attrs

from clientela.domain.context import StaffMember
from clientela.domain.event import ActorKind
from clientela.domain.ids import Code, EmployeeId, UnitId
from clientela.domain.organisation.roles import (
    ACCOUNTANT,
    ANALYST,
    CONTACT_CENTRE_AGENT,
    DATABASE_OPERATOR,
    MARKETER,
    SERVICE_COMMITTEE,
    TOP_MANAGER,
)
from clientela.services.access import CallClass
from clientela.services.directory import Directory
from clientela.services.ports import Clock
from clientela.services.principal import Grant, Principal


READ_AGE_SECONDS_MAX = 5.0
"""How old what a read knows of an employee's roles may be; a command knows them as they are."""

REMEMBERED_MAX = 10_000
"""Employees remembered; the longest unused goes first."""

COMPANY_WIDE = frozenset(
    {
        TOP_MANAGER,
        ANALYST,
        MARKETER,
        DATABASE_OPERATOR,
        CONTACT_CENTRE_AGENT,
        ACCOUNTANT,
        SERVICE_COMMITTEE,
    }
)
"""Roles that concern clients of every unit; every other role reaches its unit and those below."""


class StaffGrants:
    """
    Fills in what employees were granted.

    Args:
        directory: Tells roles and units.

        clock: Tells who has left by now.

        monotonic: Seconds, for the age of what is remembered.
    """

    def __init__(
        self,
        directory: Directory,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._monotonic = monotonic
        self._remembered: OrderedDict[EmployeeId, tuple[float, StaffMember | None]] = OrderedDict()

    async def filled(self, principal: Principal, call_class: CallClass) -> Principal:
        """*principal* with its grants; an employee unknown or gone has none."""
        if principal.grants is not None:
            return principal
        if principal.kind is not ActorKind.EMPLOYEE:
            return attrs.evolve(principal, grants=())
        member = await self._member(EmployeeId(principal.id), call_class)
        now = self._clock.now()
        if member is None or (member.left_at is not None and member.left_at <= now):
            return attrs.evolve(principal, grants=())
        grants = tuple(granted(role, member.unit_id) for role in sorted(member.roles))
        return attrs.evolve(principal, grants=grants, unit_id=member.unit_id)

    async def _member(self, employee_id: EmployeeId, call_class: CallClass) -> StaffMember | None:
        now = self._monotonic()
        read_at, member = self._remembered.get(employee_id, (float("-inf"), None))
        if call_class is not CallClass.COMMAND and now - read_at < READ_AGE_SECONDS_MAX:
            self._remembered.move_to_end(employee_id)
            return member
        member = await self._directory.member(employee_id)
        self._remembered[employee_id] = (now, member)
        self._remembered.move_to_end(employee_id)
        while len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return member


def granted(role: Code, unit_id: UnitId | None) -> Grant:
    """What *role* comes to for an employee of the unit."""
    return Grant(role, None if role in COMPANY_WIDE else unit_id)
