"""
Ownership: the first approach with an offer claims the client, company-wide (OWN-1 to OWN-8).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import assert_never

import attrs

from clientela.domain.context import Context, Definitions, Directory, StaffMember
from clientela.domain.draft import State, state
from clientela.domain.errors import UnknownError
from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import ApproachMade, ConflictRecorded, EmployeeLeft
from clientela.domain.ids import (
    ClientId,
    Code,
    EmployeeId,
    JournalId,
    JournalKind,
    Ref,
    UnitId,
    client_journal,
)
from clientela.domain.ownership.policy import CONFLICT, EMPLOYEE_LEFT, OwnershipPolicy
from clientela.domain.ownership.refusals import (
    ClientTakenError,
    NoGroundError,
    ReasonUnlistedError,
    SellerLeftError,
)
from clientela.domain.personal import PersonalText
from clientela.domain.record import Record
from clientela.domain.ruleset import RuleSet


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


@attrs.frozen(kw_only=True)
class OrphanClient:
    """
    The owner has left the company: the client waits for a new one (OWN-3).

    Attributes:
        client_id: The client.

        employee_id: The owner who left.

        occurred_at: When, if not now.
    """

    client_id: ClientId
    employee_id: EmployeeId
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's."""
        return (client_journal(self.client_id),)


Command = Approach | ReplaceOwner | OrphanClient


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


@event("client-orphaned", origin=Origin.DECIDED)
class ClientOrphaned:
    """
    The owner left the company; the client keeps its history and waits for a new owner (OWN-3).

    Attributes:
        client_id: The client.

        owner_id: The owner who left.
    """

    client_id: ClientId
    owner_id: EmployeeId


@event("ownership-lapsed", origin=Origin.ELAPSED)
class OwnershipLapsed:
    """
    The owner did not approach the client for as long as the company's policy allows.

    Attributes:
        client_id: The client.

        owner_id: The owner until now.
    """

    client_id: ClientId
    owner_id: EmployeeId


@state(JournalKind.CLIENT)
class Ownership(State):
    """
    Who looks after the client.

    Attributes:
        client_id: The client, once anybody approached.

        owner_id: The owner; None while unowned.

        unit_id: The owner's unit when ownership began.

        since: When ownership began.

        claim: The event that made the owner.

        touched_at: The owner's last approach, or the begin of ownership.

        touch: The event of it.

        orphaned: The event by which the owner was found to have left.

        conflict: The last conflict between client and owner.
    """

    client_id: ClientId | None = None
    owner_id: EmployeeId | None = None
    unit_id: UnitId | None = None
    since: datetime | None = None
    claim: Ref | None = None
    touched_at: datetime | None = None
    touch: Ref | None = None
    orphaned: Ref | None = None
    conflict: Ref | None = None


def decide(record: Record, command: Command, context: Context) -> Iterable[PendingEvent]:
    """
    Approach, replacement or orphaning.

    Raises:
        UnknownError: no such client or employee.

        ClientTakenError: another seller holds the client.

        SellerLeftError: the employee has left.

        ReasonUnlistedError: the reason is not listed.

        NoGroundError: the reason has no ground on record.
    """
    if not record.exists(JournalKind.CLIENT):
        raise UnknownError("client", command.client_id)
    ownership = record.of(Ownership)
    match command:
        case Approach():
            return _approach(ownership, command, context)
        case ReplaceOwner():
            return _replace(ownership, command, context)
        case OrphanClient():
            return _orphan(ownership, command, context)
        case _:
            assert_never(command)


def _approach(ownership: Ownership, command: Approach, context: Context) -> Iterable[PendingEvent]:
    seller = _working(command.employee_id, context)
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
    because = () if is_owner else _facts(ownership.orphaned)
    return (PendingEvent(approach, rule="OWN-2", because=because),)


def _is_held_against(ownership: Ownership, employee_id: EmployeeId) -> bool:
    return ownership.owner_id not in {None, employee_id} and ownership.orphaned is None


def _taken(
    ownership: Ownership, command: Approach, seller: StaffMember, context: Context
) -> ClientTakenError:
    assert ownership.owner_id is not None
    assert ownership.unit_id is not None
    policy = context.definitions.at(context.now).of(OwnershipPolicy)
    other_unit = seller.unit_id != ownership.unit_id
    refused = ApproachRefused(
        client_id=command.client_id,
        employee_id=command.employee_id,
        unit_id=seller.unit_id,
        channel=command.channel,
        with_offer=command.with_offer,
        offer=command.offer,
    )
    until = lapses_at(ownership, policy)
    because = _facts(ownership.claim, ownership.touch if until else None)
    return ClientTakenError(
        ownership.owner_id,
        ownership.unit_id,
        other_unit=other_unit,
        may_request=policy.may_request,
        because=because,
        until=until,
        leaves=(PendingEvent(refused, rule="OWN-6" if other_unit else "OWN-2", because=because),),
    )


def _replace(
    ownership: Ownership, command: ReplaceOwner, context: Context
) -> Iterable[PendingEvent]:
    definitions = context.definitions.at(context.now)
    policy = definitions.of(OwnershipPolicy)
    if command.reason not in policy.reasons:
        raise ReasonUnlistedError(policy.reasons)
    successor = _working(command.employee_id, context)
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
        return _facts(ownership.conflict, ownership.claim)
    if reason == EMPLOYEE_LEFT:
        gone = _gone(ownership.owner_id, context)
        if gone is not None:
            return _facts(gone.left, ownership.claim)
        if ownership.orphaned is None:
            raise NoGroundError(reason, "OWN-3")
        return _facts(ownership.orphaned, ownership.claim)
    return _facts(ownership.claim)


def _orphan(
    ownership: Ownership, command: OrphanClient, context: Context
) -> Iterable[PendingEvent]:
    if ownership.owner_id != command.employee_id or ownership.orphaned is not None:
        return ()
    gone = _gone(command.employee_id, context)
    if gone is None:
        raise NoGroundError(EMPLOYEE_LEFT, "OWN-3")
    orphaned = ClientOrphaned(client_id=command.client_id, owner_id=command.employee_id)
    because = _facts(gone.left, ownership.claim)
    return (PendingEvent(orphaned, rule="OWN-3", because=because),)


def _working(employee_id: EmployeeId, context: Context) -> StaffMember:
    member = context.staff.member(employee_id)
    if member is None:
        raise UnknownError("employee", employee_id)
    gone = _gone(employee_id, context)
    if gone is not None:
        raise SellerLeftError(employee_id, _facts(gone.left))
    return member


def _gone(employee_id: EmployeeId | None, context: Context) -> StaffMember | None:
    """The employee, if there is one of this id and they no longer work here."""
    member = context.staff.member(employee_id) if employee_id else None
    has_left = member is not None and member.left_at is not None and member.left_at <= context.now
    return member if has_left else None


def _facts(*refs: Ref | None) -> tuple[Ref, ...]:
    return tuple(dict.fromkeys(ref for ref in refs if ref is not None))


def lapses_at(ownership: Ownership, policy: OwnershipPolicy) -> datetime | None:
    """When ownership ends by itself unless the owner approaches again; None if it does not."""
    if policy.lapses_after_days is None or ownership.touched_at is None or ownership.orphaned:
        return None
    return ownership.touched_at + timedelta(days=policy.lapses_after_days)


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
    return (PendingEvent(claimed, rule="OWN-1", because=_facts(recorded.ref, ownership.orphaned)),)


def due(record: Record, definitions: Definitions) -> datetime | None:
    """When ownership lapses, if the company lets it."""
    ownership = record.of(Ownership)
    if ownership.owner_id is None or ownership.touched_at is None:
        return None
    return lapses_at(ownership, definitions.at(ownership.touched_at).of(OwnershipPolicy))


def elapse(record: Record, context: Context) -> Iterable[PendingEvent]:
    """Ownership lapses."""
    ownership = record.of(Ownership)
    assert ownership.client_id is not None
    assert ownership.owner_id is not None
    assert ownership.touched_at is not None
    lapsed = OwnershipLapsed(client_id=ownership.client_id, owner_id=ownership.owner_id)
    label = context.definitions.at(ownership.touched_at).label("ownership")
    because = _facts(ownership.touch)
    return (
        PendingEvent(lapsed, rule="ownership.lapses_after_days", because=because, definition=label),
    )


def evolve(draft: Ownership, recorded: RecordedEvent) -> None:
    """Fold an event into *draft*."""
    match recorded.event:
        case ClientClaimed(client_id=client_id, owner_id=owner_id, unit_id=unit_id):
            _begin(draft, client_id, owner_id, unit_id, recorded)
        case OwnerReplaced(client_id=client_id, owner_id=owner_id, unit_id=unit_id):
            _begin(draft, client_id, owner_id, unit_id, recorded)
        case ClientOrphaned():
            draft.orphaned = recorded.ref
        case OwnershipLapsed():
            _end(draft)
        case ApproachMade(employee_id=employee_id) if employee_id == draft.owner_id:
            draft.touched_at = recorded.occurred_at
            draft.touch = recorded.ref
        case ConflictRecorded(employee_id=employee_id) if employee_id == draft.owner_id:
            draft.conflict = recorded.ref
        case _:
            pass


def _begin(
    draft: Ownership,
    client_id: ClientId,
    owner_id: EmployeeId,
    unit_id: UnitId,
    recorded: RecordedEvent,
) -> None:
    draft.client_id = client_id
    draft.owner_id = owner_id
    draft.unit_id = unit_id
    draft.since = draft.touched_at = recorded.occurred_at
    draft.claim = draft.touch = recorded.ref
    draft.orphaned = draft.conflict = None


def _end(draft: Ownership) -> None:
    draft.owner_id = draft.unit_id = draft.since = draft.claim = None
    draft.touched_at = draft.touch = draft.orphaned = draft.conflict = None


def asks(recorded: RecordedEvent) -> Command | None:
    """The command behind a decided event."""
    match recorded.event:
        case ApproachMade() | ApproachRefused() as made:
            return Approach(
                client_id=made.client_id,
                employee_id=made.employee_id,
                channel=made.channel,
                with_offer=made.with_offer,
                offer=made.offer,
                note=made.note if isinstance(made, ApproachMade) else None,
                occurred_at=recorded.occurred_at,
            )
        case OwnerReplaced(client_id=client_id, owner_id=owner_id, reason=reason):
            return ReplaceOwner(
                client_id=client_id,
                employee_id=owner_id,
                reason=reason,
                occurred_at=recorded.occurred_at,
            )
        case ClientOrphaned(client_id=client_id, owner_id=owner_id):
            return OrphanClient(
                client_id=client_id, employee_id=owner_id, occurred_at=recorded.occurred_at
            )
        case _:
            return None


def follow_up(recorded: RecordedEvent, directory: Directory) -> Iterable[OrphanClient]:
    """When an employee has left, every client they own is orphaned (OWN-3)."""
    left = recorded.event
    if isinstance(left, EmployeeLeft):
        for client_id in directory.owned_by(left.employee_id):
            yield OrphanClient(
                client_id=client_id,
                employee_id=left.employee_id,
                occurred_at=recorded.occurred_at,
            )


OWNERSHIP = RuleSet(
    name="ownership",
    state=Ownership,
    commands=(Approach, ReplaceOwner, OrphanClient),
    events=(
        ClientClaimed,
        ApproachRefused,
        OwnerReplaced,
        ClientOrphaned,
        OwnershipLapsed,
        ApproachMade,
    ),
    hears=(ConflictRecorded, EmployeeLeft),
    decide=decide,
    evolve=evolve,
    react=react,
    due=due,
    elapse=elapse,
    follow_up=follow_up,
    asks=asks,
    definition=OwnershipPolicy,
)
