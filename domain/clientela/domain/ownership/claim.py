"""
Claims: the first approach with an offer makes the owner, company-wide (OWN-1, OWN-2, OWN-6, OWN-8).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from clientela.domain.context import Context, StaffMember
from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import ApproachMade
from clientela.domain.ids import (
    ClientId,
    Code,
    EmployeeId,
    JournalId,
    UnitId,
    client_journal,
)
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.lapse import ends_at
from clientela.domain.ownership.policy import OwnershipPolicy
from clientela.domain.ownership.refusals import (
    ClientTakenError,
)
from clientela.domain.ownership.sellers import facts, working
from clientela.domain.personal import PersonalText
from clientela.domain.record import Record


@attrs.frozen(kw_only=True)
class Approach:
    """
    A seller wants to approach a client; with an offer, the first one claims the client (OWN-1).

    Attributes:
        client_id: Whom.

        employee_id: The seller.

        channel: Touchpoint code.

        with_offer: Whether an offer is made.

        offer: Code of what is offered.

        note: Free text, personal.

        occurred_at: When, if not now.
    """

    client_id: ClientId
    employee_id: EmployeeId
    channel: Code
    with_offer: bool = True
    offer: Code | None = None
    note: PersonalText | None = None
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's."""
        return (client_journal(self.client_id),)


@event("client-claimed", origin=Origin.DERIVED)
class ClientClaimed:
    """
    The first approach with an offer made the seller the owner (OWN-1).

    Attributes:
        client_id: The client.

        owner_id: The new owner.

        unit_id: The owner's unit at that moment.

        previous_owner_id: An owner who had left, if the client was orphaned.
    """

    client_id: ClientId
    owner_id: EmployeeId
    unit_id: UnitId
    previous_owner_id: EmployeeId | None = None


@event("approach-refused", origin=Origin.DECIDED)
class ApproachRefused:
    """
    A seller wanted to approach somebody else's client; this is no contact (OWN-2).

    Attributes:
        client_id: The client.

        employee_id: The seller who was refused.

        unit_id: The seller's unit.

        channel: Touchpoint code.

        with_offer: Whether an offer was to be made.

        offer: Code of it.
    """

    client_id: ClientId
    employee_id: EmployeeId
    unit_id: UnitId
    channel: Code
    with_offer: bool
    offer: Code | None = None


def approach(ownership: Ownership, command: Approach, context: Context) -> Iterable[PendingEvent]:
    """An approach, unless somebody else holds the client (OWN-2, OWN-6)."""
    seller = working(command.employee_id, context)
    if _is_held_against(ownership, command.employee_id):
        raise _taken(ownership, command, seller, context)
    approach = ApproachMade(
        client_id=command.client_id,
        employee_id=command.employee_id,
        unit_id=seller.unit_id,
        channel=command.channel,
        with_offer=command.with_offer,
        offer=command.offer,
        note=command.note,
    )
    is_owner = ownership.owner_id == command.employee_id
    because = () if is_owner else facts(ownership.orphaned)
    return (PendingEvent(approach, rule="OWN-2", because=because),)


def _is_held_against(ownership: Ownership, employee_id: EmployeeId) -> bool:
    return ownership.owner_id not in {None, employee_id} and ownership.orphaned is None


def _taken(
    ownership: Ownership, command: Approach, seller: StaffMember, context: Context
) -> ClientTakenError:
    assert ownership.owner_id is not None
    assert ownership.unit_id is not None
    policy = context.definitions.at(context.now).of(OwnershipPolicy)
    rule = "OWN-2" if seller.unit_id == ownership.unit_id else "OWN-6"
    refused = ApproachRefused(
        client_id=command.client_id,
        employee_id=command.employee_id,
        unit_id=seller.unit_id,
        channel=command.channel,
        with_offer=command.with_offer,
        offer=command.offer,
    )
    until = ends_at(ownership, context.definitions)
    because = facts(ownership.claim, ownership.touch if until else None)
    return ClientTakenError(
        ownership.owner_id,
        ownership.unit_id,
        rule=rule,
        may_request=policy.may_request,
        because=because,
        until=until,
        leaves=(PendingEvent(refused, rule=rule, because=because),),
    )


def react(record: Record, recorded: RecordedEvent, _context: Context) -> Iterable[PendingEvent]:
    """An approach with an offer to a client without a working owner claims it (OWN-1)."""
    approach = recorded.event
    ownership = record.of(Ownership)
    if not isinstance(approach, ApproachMade) or not approach.with_offer:
        return ()
    if ownership.owner_id is not None and ownership.orphaned is None:
        return ()
    claimed = ClientClaimed(
        client_id=approach.client_id,
        owner_id=approach.employee_id,
        unit_id=approach.unit_id,
        previous_owner_id=ownership.owner_id,
    )
    return (PendingEvent(claimed, rule="OWN-1", because=facts(recorded.ref, ownership.orphaned)),)
