"""
The state of ownership: who looks after the client, and on what facts that rests.
"""

from __future__ import annotations

from datetime import datetime

from clientela.domain.draft import State, state
from clientela.domain.ids import (
    ClientId,
    EmployeeId,
    JournalKind,
    Ref,
    UnitId,
)


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
