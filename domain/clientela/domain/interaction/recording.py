"""
Recording contacts, conflicts, signals and departures.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

import attrs

from clientela.domain.context import Context, Naming
from clientela.domain.draft import State, state
from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.event import ActorKind, Key, PendingEvent, RecordedEvent
from clientela.domain.facts import (
    ApproachMade,
    BusinessKey,
    ClientLeft,
    ConflictRecorded,
    ConflictResolved,
    Direction,
    EndKind,
    InteractionRecorded,
    Purpose,
    SignalRecorded,
)
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
from clientela.domain.interaction.policy import InteractionPolicy
from clientela.domain.interaction.refusals import NoConflictError, SalesApproachError
from clientela.domain.personal import PersonalText
from clientela.domain.record import Record
from clientela.domain.ruleset import RuleSet


CAUSES_MAX = 10
"""Causes one departure may name."""


@attrs.frozen(kw_only=True)
class _OfClient:
    """What all these commands have."""

    client_id: ClientId
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's."""
        return (client_journal(self.client_id),)


@attrs.frozen(kw_only=True)
class RecordInteraction(_OfClient):
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


@attrs.frozen(kw_only=True)
class RecordConflict(_OfClient):
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
class ResolveConflict(_OfClient):
    """
    The open conflict ended (LIFE-21).

    Attributes:
        client_id: The client.

        handled_well: Whether the client was content with how it was handled.

        occurred_at: When, if not now.
    """

    handled_well: bool


@attrs.frozen(kw_only=True)
class RecordDeparture(_OfClient):
    """
    The client left (LIFE-23, LIFE-24).

    Attributes:
        client_id: The client.

        causes: 1 to `CAUSES_MAX` listed causes.

        ended: Who ended the relationship.

        occurred_at: When, if not now.
    """

    causes: tuple[Code, ...]
    ended: EndKind


@attrs.frozen(kw_only=True)
class RecordSignal(_OfClient):
    """
    A named fact about the client became true or ceased to be (LIFE-17, LIFE-22).

    Attributes:
        client_id: The client.

        signal: Which.

        holds: Whether it holds from now on.

        occurred_at: When, if not now.
    """

    signal: Code
    holds: bool = True


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
    """

    last_contact: Ref | None = None
    last_contact_at: datetime | None = None
    open_conflict: Ref | None = None
    signals: dict[Code, Ref] = attrs.field(factory=dict[Code, Ref])


def keys(command: Command, naming: Naming) -> tuple[Key, ...]:
    """The identity of an interaction in the system it comes from."""
    if isinstance(command, RecordInteraction) and command.interaction is not None:
        identity = command.interaction
        return (naming.business_key("interaction", identity.source, identity.id),)
    return ()


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
            return _interaction(record, command, context)
        case RecordConflict():
            return _conflict(command, context)
        case ResolveConflict():
            return _resolution(contacts, command)
        case RecordDeparture():
            return _departure(command, context)
        case RecordSignal():
            return _signal(contacts, command)
        case _:
            assert_never(command)


def _interaction(
    record: Record, command: RecordInteraction, context: Context
) -> Iterable[PendingEvent]:
    if command.purpose is Purpose.SALES and command.direction is Direction.OUTBOUND:
        raise SalesApproachError
    reserve = keys(command, context)
    if any(record.is_done(key, JournalKind.CLIENT, context.fingerprint) for key in reserve):
        return ()
    unit_id = _unit(command.employee_id, context)
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


def _unit(employee_id: EmployeeId | None, context: Context) -> UnitId | None:
    """The unit of the employee, who must be known; only a machine may act without one (REC-4)."""
    if employee_id is None:
        if context.actor.kind is ActorKind.EMPLOYEE:
            raise InvalidValueError("employee_id", "the employee who took part")
        return context.unit
    member = context.staff.member(employee_id)
    if member is None:
        raise UnknownError("employee", employee_id)
    return member.unit_id


def _conflict(command: RecordConflict, context: Context) -> Iterable[PendingEvent]:
    _unit(command.employee_id, context)
    causes = context.definitions.at(context.now).of(InteractionPolicy).all_conflict_causes
    _check_listed("cause", (command.cause,), causes)
    event = ConflictRecorded(
        client_id=command.client_id,
        employee_id=command.employee_id,
        cause=command.cause,
        note=command.note,
    )
    return (PendingEvent(event, rule="LIFE-21"),)


def _resolution(contacts: Contacts, command: ResolveConflict) -> Iterable[PendingEvent]:
    if contacts.open_conflict is None:
        raise NoConflictError
    event = ConflictResolved(client_id=command.client_id, handled_well=command.handled_well)
    return (PendingEvent(event, rule="LIFE-21", because=(contacts.open_conflict,)),)


def _departure(command: RecordDeparture, context: Context) -> Iterable[PendingEvent]:
    if not 1 <= len(command.causes) <= CAUSES_MAX:
        raise InvalidValueError("causes", f"1 to {CAUSES_MAX} causes")
    causes = context.definitions.at(context.now).of(InteractionPolicy).all_leaving_causes
    _check_listed("causes", command.causes, causes)
    event = ClientLeft(client_id=command.client_id, causes=command.causes, ended=command.ended)
    return (PendingEvent(event, rule="LIFE-23"),)


def _signal(contacts: Contacts, command: RecordSignal) -> Iterable[PendingEvent]:
    if (command.signal in contacts.signals) is command.holds:
        return ()
    event = SignalRecorded(client_id=command.client_id, signal=command.signal, holds=command.holds)
    return (PendingEvent(event, rule="LIFE-17"),)


def _check_listed(field: str, given: tuple[Code, ...], listed: tuple[Code, ...]) -> None:
    if any(code not in listed for code in given):
        raise InvalidValueError(field, f"of {', '.join(listed)}")


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
        case SignalRecorded(signal=signal, holds=True):
            draft.signals[signal] = recorded.ref
        case SignalRecorded(signal=signal, holds=False):
            draft.signals.pop(signal, None)
        case _:
            pass


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
)
