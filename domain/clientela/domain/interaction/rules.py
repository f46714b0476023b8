"""
The rule set of interaction: what passes between client and company besides purchases.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

import attrs

from clientela.domain.context import Context, Naming
from clientela.domain.draft import State, state
from clientela.domain.errors import UnknownError
from clientela.domain.event import Key, PendingEvent, RecordedEvent
from clientela.domain.facts import (
    ApproachMade,
    ClientLeft,
    ConflictRecorded,
    ConflictResolved,
    InteractionRecorded,
    SignalRecorded,
)
from clientela.domain.ids import Code, JournalKind, Ref
from clientela.domain.interaction import recording
from clientela.domain.interaction.conflict import (
    RecordConflict,
    ResolveConflict,
    record_conflict,
    resolve_conflict,
)
from clientela.domain.interaction.departure import RecordDeparture, record_departure
from clientela.domain.interaction.policy import InteractionPolicy
from clientela.domain.interaction.recording import RecordInteraction, record_interaction
from clientela.domain.interaction.signals import RecordSignal, record_signal
from clientela.domain.record import Record
from clientela.domain.ruleset import RuleSet


Command = RecordInteraction | RecordConflict | ResolveConflict | RecordDeparture | RecordSignal


@state(JournalKind.CLIENT)
class Contacts(State):
    """
    What is open between client and company besides purchases.

    Attributes:
        last_contact: The latest contact or approach.

        last_contact_at: When it was.

        open_conflict: The conflict that is not resolved.

        signals: For each signal that holds, the event that said so.

        turned_at: For each signal that ever held, the moment of its latest turn.
    """

    last_contact: Ref | None = None
    last_contact_at: datetime | None = None
    open_conflict: Ref | None = None
    signals: dict[Code, Ref] = attrs.field(factory=dict[Code, Ref])
    turned_at: dict[Code, datetime] = attrs.field(factory=dict[Code, datetime])


def keys(command: Command, naming: Naming) -> tuple[Key, ...]:
    """The identity of an interaction in the system it comes from."""
    return recording.keys(command, naming) if isinstance(command, RecordInteraction) else ()


def decide(record: Record, command: Command, context: Context) -> Iterable[PendingEvent]:
    """
    Write down what passed between client and company.

    Raises:
        UnknownError: no such client or employee.

        InvalidValueError: a cause is not listed, or nobody on our side is named.

        SalesApproachError: it is a sales approach of ours.

        NoConflictError: no conflict is open.

        MismatchError: the identity was used for another interaction.
    """
    if not record.exists(JournalKind.CLIENT):
        raise UnknownError("client", command.client_id)
    contacts = record.of(Contacts)
    match command:
        case RecordInteraction():
            return record_interaction(record, command, context)
        case RecordConflict():
            return record_conflict(command, context)
        case ResolveConflict():
            return resolve_conflict(contacts.open_conflict, command)
        case RecordDeparture():
            return record_departure(command, context)
        case RecordSignal():
            at = command.occurred_at or context.now
            turned_at = contacts.turned_at.get(command.signal)
            return record_signal(contacts.signals, command, at, turned_at)
        case _:
            assert_never(command)


def evolve(draft: Contacts, recorded: RecordedEvent) -> None:
    """Fold an event into *draft*."""
    match recorded.event:
        case InteractionRecorded() | ApproachMade():
            if draft.last_contact_at is None or recorded.occurred_at >= draft.last_contact_at:
                draft.last_contact = recorded.ref
                draft.last_contact_at = recorded.occurred_at
        case ConflictRecorded():
            draft.open_conflict = recorded.ref
        case ConflictResolved():
            draft.open_conflict = None
        case SignalRecorded() as turned:
            _turn(draft, turned, recorded)
        case _:
            pass


def _turn(draft: Contacts, turned: SignalRecorded, recorded: RecordedEvent) -> None:
    """The signal holds or no longer does, unless a later turn is known."""
    known = draft.turned_at.get(turned.signal)
    if known is not None and recorded.occurred_at < known:
        return
    draft.turned_at[turned.signal] = recorded.occurred_at
    if turned.holds:
        draft.signals[turned.signal] = recorded.ref
    else:
        draft.signals.pop(turned.signal, None)


INTERACTION = RuleSet(
    name="interaction",
    state=Contacts,
    commands=(RecordInteraction, RecordConflict, ResolveConflict, RecordDeparture, RecordSignal),
    events=(InteractionRecorded, ConflictRecorded, ConflictResolved, ClientLeft, SignalRecorded),
    hears=(ApproachMade,),
    decide=decide,
    evolve=evolve,
    keys=keys,
    definition=InteractionPolicy,
    version=2,
)
