"""
Conflicts between client and employee, and how they end (LIFE-21; OWN-4 rests on them).
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from clientela.domain.context import Context
from clientela.domain.event import PendingEvent
from clientela.domain.facts import ConflictRecorded, ConflictResolved
from clientela.domain.ids import Code, EmployeeId, Ref
from clientela.domain.interaction.parties import OfClient, unit_of
from clientela.domain.interaction.policy import InteractionPolicy, check_listed
from clientela.domain.interaction.refusals import NoConflictError
from clientela.domain.personal import PersonalText


@attrs.frozen(kw_only=True)
class RecordConflict(OfClient):
    """
    Client and employee fell out (OWN-4, LIFE-21).

    Attributes:
        client_id: The client.

        employee_id: The employee.

        cause: A listed cause.

        note: Free text, personal.

        occurred_at: When, if not now.
    """

    employee_id: EmployeeId
    cause: Code
    note: PersonalText | None = None


@attrs.frozen(kw_only=True)
class ResolveConflict(OfClient):
    """
    The open conflict ended (LIFE-21).

    Attributes:
        client_id: The client.

        handled_well: Whether the client was content with how it was handled.

        occurred_at: When, if not now.
    """

    handled_well: bool


def record_conflict(command: RecordConflict, context: Context) -> Iterable[PendingEvent]:
    """
    Write down that they fell out.

    Raises:
        UnknownError: nobody of that id works here.

        InvalidValueError: the cause is not listed.
    """
    unit_of(command.employee_id, context)
    causes = context.definitions.at(context.now).of(InteractionPolicy).all_conflict_causes
    check_listed("cause", (command.cause,), causes)
    event = ConflictRecorded(
        client_id=command.client_id,
        employee_id=command.employee_id,
        cause=command.cause,
        note=command.note,
    )
    return (PendingEvent(event, rule="LIFE-21"),)


def resolve_conflict(open_conflict: Ref | None, command: ResolveConflict) -> Iterable[PendingEvent]:
    """
    Write down how the open conflict ended.

    Raises:
        NoConflictError: none is open.
    """
    if open_conflict is None:
        raise NoConflictError
    event = ConflictResolved(client_id=command.client_id, handled_well=command.handled_well)
    return (PendingEvent(event, rule="LIFE-21", because=(open_conflict,)),)
