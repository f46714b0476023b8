"""
Replacement: an authorised person gives the client to somebody else for a listed reason (OWN-3 to
OWN-5).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from clientela.domain.context import Context
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.ids import (
    ClientId,
    Code,
    EmployeeId,
    JournalId,
    Ref,
    UnitId,
    client_journal,
)
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.policy import CONFLICT, EMPLOYEE_LEFT, OwnershipPolicy
from clientela.domain.ownership.refusals import (
    NoGroundError,
    ReasonUnlistedError,
)
from clientela.domain.ownership.sellers import facts, gone, working


@attrs.frozen(kw_only=True)
class ReplaceOwner:
    """
    An authorised person gives the client to another employee, citing one listed reason (OWN-5).

    Attributes:
        client_id: The client.

        employee_id: The new owner.

        reason: `employee-left`, `conflict` or a special case of the company.

        occurred_at: When, if not now.
    """

    client_id: ClientId
    employee_id: EmployeeId
    reason: Code
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's."""
        return (client_journal(self.client_id),)


@event("owner-replaced", origin=Origin.DECIDED)
class OwnerReplaced:
    """
    An authorised person gave the client to another employee (OWN-3, OWN-4, OWN-5, OWN-9).

    Attributes:
        client_id: The client.

        owner_id: The new owner.

        unit_id: The new owner's unit.

        previous_owner_id: The owner before; None if there was none.

        reason: The listed reason.
    """

    client_id: ClientId
    owner_id: EmployeeId
    unit_id: UnitId
    previous_owner_id: EmployeeId | None
    reason: Code


def replace(
    ownership: Ownership, command: ReplaceOwner, context: Context
) -> Iterable[PendingEvent]:
    """Another owner; nothing if the employee is the owner already."""
    definitions = context.definitions.at(context.now)
    policy = definitions.of(OwnershipPolicy)
    if command.reason not in policy.reasons:
        raise ReasonUnlistedError(policy.reasons)
    successor = working(command.employee_id, context)
    if ownership.owner_id == command.employee_id:
        return ()
    replaced = OwnerReplaced(
        client_id=command.client_id,
        owner_id=command.employee_id,
        unit_id=successor.unit_id,
        previous_owner_id=ownership.owner_id,
        reason=command.reason,
    )
    ground = _ground(ownership, command.reason, context)
    rule = {EMPLOYEE_LEFT: "OWN-3", CONFLICT: "OWN-4"}.get(command.reason, "OWN-5")
    label = definitions.label("ownership")
    return (PendingEvent(replaced, rule=rule, because=ground, definition=label),)


def _ground(ownership: Ownership, reason: Code, context: Context) -> tuple[Ref, ...]:
    """The facts that support *reason*; a company's own special case needs none."""
    if reason == CONFLICT:
        if ownership.conflict is None:
            raise NoGroundError(reason, "OWN-4")
        return facts(ownership.conflict, ownership.claim)
    if reason == EMPLOYEE_LEFT:
        left = gone(ownership.owner_id, context)
        if left is not None:
            return facts(left.left, ownership.claim)
        if ownership.orphaned is None:
            raise NoGroundError(reason, "OWN-3")
        return facts(ownership.orphaned, ownership.claim)
    return facts(ownership.claim)
