"""
Recording contacts: everything that passes between client and company, in one timeline (REC-2).

A sales approach of ours is asked for, not recorded, since it may be refused; every other contact
is free, whoever looks after the client (OWN-10).
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from clientela.domain.context import Context, Naming
from clientela.domain.event import Key, PendingEvent
from clientela.domain.facts import BusinessKey, Direction, InteractionRecorded, Purpose
from clientela.domain.ids import Code, EmployeeId, JournalKind
from clientela.domain.interaction.parties import OfClient, unit_of
from clientela.domain.interaction.refusals import SalesApproachError
from clientela.domain.personal import PersonalText
from clientela.domain.record import Record


@attrs.frozen(kw_only=True)
class RecordInteraction(OfClient):
    """
    A contact took place (REC-2).

    Attributes:
        client_id: With whom.

        channel: Touchpoint code (REC-13).

        direction: Who began it.

        purpose: What for; outbound sales is refused here, see `SalesApproachError`.

        kind: Code of the company's own list.

        employee_id: Who took part on our side; None only for a system actor (REC-4).

        note: Free text, personal.

        interaction: Identity in the system it comes from; once for ever.

        occurred_at: When, if not now.
    """

    channel: Code
    direction: Direction
    purpose: Purpose
    kind: Code
    employee_id: EmployeeId | None = None
    note: PersonalText | None = None
    interaction: BusinessKey | None = None


def keys(command: RecordInteraction, naming: Naming) -> tuple[Key, ...]:
    """The identity of an interaction in the system it comes from."""
    if command.interaction is None:
        return ()
    identity = command.interaction
    return (naming.business_key("interaction", identity.source, identity.id),)


def record_interaction(
    record: Record, command: RecordInteraction, context: Context
) -> Iterable[PendingEvent]:
    """
    Write a contact down, once.

    Raises:
        SalesApproachError: it is a sales approach of ours (OWN-10).

        InvalidValueError: nobody on our side is named (REC-4).

        UnknownError: nobody of that id works here.

        MismatchError: the identity was used for another interaction.
    """
    if command.purpose is Purpose.SALES and command.direction is Direction.OUTBOUND:
        raise SalesApproachError
    reserve = keys(command, context)
    if any(record.is_done(key, JournalKind.CLIENT, context.fingerprint) for key in reserve):
        return ()
    unit_id = unit_of(command.employee_id, context)
    event = InteractionRecorded(
        client_id=command.client_id,
        channel=command.channel,
        direction=command.direction,
        purpose=command.purpose,
        kind=command.kind,
        employee_id=command.employee_id,
        unit_id=unit_id,
        note=command.note,
        interaction=command.interaction,
    )
    return (PendingEvent(event, rule="REC-2", reserve=reserve),)
