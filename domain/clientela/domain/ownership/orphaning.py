"""
Orphans: the owner has left the company, and the client waits for a new one (OWN-3).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from clientela.domain.context import Context, Directory
from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import EmployeeLeft
from clientela.domain.ids import (
    ClientId,
    EmployeeId,
    JournalId,
    client_journal,
)
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.policy import EMPLOYEE_LEFT
from clientela.domain.ownership.refusals import (
    NoGroundError,
)
from clientela.domain.ownership.sellers import facts, gone


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


def orphan(ownership: Ownership, command: OrphanClient, context: Context) -> Iterable[PendingEvent]:
    """The owner has left; nothing if the client is somebody else's or orphaned already."""
    if ownership.owner_id != command.employee_id or ownership.orphaned is not None:
        return ()
    left = gone(command.employee_id, context)
    if left is None:
        raise NoGroundError(EMPLOYEE_LEFT, "OWN-3")
    orphaned = ClientOrphaned(client_id=command.client_id, owner_id=command.employee_id)
    because = facts(left.left, ownership.claim)
    return (PendingEvent(orphaned, rule="OWN-3", because=because),)


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
