"""
Lapse: ownership ends by itself, if the company lets it; the source knows no term.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from clientela.domain.context import Context, Definitions
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.ids import (
    ClientId,
    EmployeeId,
)
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.policy import OwnershipPolicy
from clientela.domain.ownership.sellers import facts
from clientela.domain.record import Record


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


def lapses_at(ownership: Ownership, policy: OwnershipPolicy) -> datetime | None:
    """When ownership ends by itself unless the owner approaches again; None if it does not."""
    if policy.lapses_after_days is None or ownership.touched_at is None or ownership.orphaned:
        return None
    return ownership.touched_at + timedelta(days=policy.lapses_after_days)


def due(record: Record, definitions: Definitions) -> datetime | None:
    """When ownership lapses, if the company lets it."""
    return ends_at(record.of(Ownership), definitions)


def ends_at(ownership: Ownership, definitions: Definitions) -> datetime | None:
    """When ownership lapses by the policy of the owner's last approach; None if it does not."""
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
    because = facts(ownership.touch)
    return (
        PendingEvent(lapsed, rule="ownership.lapses_after_days", because=because, definition=label),
    )
