"""
The rule set of ownership: who looks after a client and who may approach them (OWN-1 to OWN-8).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from clientela.domain.context import Context
from clientela.domain.errors import UnknownError
from clientela.domain.event import PendingEvent, RecordedEvent
from clientela.domain.facts import ApproachMade, ConflictRecorded, EmployeeLeft
from clientela.domain.ids import (
    ClientId,
    EmployeeId,
    JournalKind,
    UnitId,
)
from clientela.domain.ownership.claim import (
    Approach,
    ApproachRefused,
    ClientClaimed,
    approach,
    react,
)
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.lapse import OwnershipLapsed, due, elapse
from clientela.domain.ownership.orphaning import ClientOrphaned, OrphanClient, follow_up, orphan
from clientela.domain.ownership.policy import OwnershipPolicy
from clientela.domain.ownership.replacement import OwnerReplaced, ReplaceOwner, replace
from clientela.domain.record import Record
from clientela.domain.ruleset import RuleSet


Command = Approach | ReplaceOwner | OrphanClient


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
            return approach(ownership, command, context)
        case ReplaceOwner():
            return replace(ownership, command, context)
        case OrphanClient():
            return orphan(ownership, command, context)
        case _:
            assert_never(command)


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
            _touch(draft, recorded)
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


def _touch(draft: Ownership, recorded: RecordedEvent) -> None:
    """The owner approached; one that is told late is not the last."""
    if draft.touched_at is None or recorded.occurred_at >= draft.touched_at:
        draft.touched_at = recorded.occurred_at
        draft.touch = recorded.ref


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
    version=2,
)
