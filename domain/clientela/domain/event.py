"""
What an event is: a past-tense fact with a stored name, an origin and a visibility.
"""

from __future__ import annotations

import enum

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar, cast, dataclass_transform

import attrs

from clientela.domain.ids import Blind, Code, EventId, JournalId, PrincipalId, Ref, UnitId


class Origin(enum.Enum):
    """How an event came to be; says how backtest and time travel treat it (fixed per class)."""

    RECORDED = "recorded"
    """It happened; rules only wrote it down. A backtest keeps it."""

    DECIDED = "decided"
    """Somebody asked and a rule allowed it. A backtest asks again."""

    DERIVED = "derived"
    """A rule set reacted. A backtest drops it and makes it anew."""

    ELAPSED = "elapsed"
    """Time alone. A backtest drops it and makes it anew on a virtual clock."""


class Visibility(enum.Enum):
    """Who may read an event of a client they may see."""

    COMPANY = "company"
    """Every unit that may see the client."""

    UNIT = "unit"
    """The unit that wrote it, and those above it."""

    AUDIT = "audit"
    """Only the auditor role."""


@attrs.frozen
class EventType:
    """
    What is fixed for every event of a class.

    Attributes:
        name: Stored name in kebab case, without version; never reused for another meaning.

        version: Schema version, 1 or more; a new shape is a new version and an upcaster.

        origin: How such events come to be.

        visibility: Who may read them.
    """

    name: str
    version: int
    origin: Origin
    visibility: Visibility

    @cached_property
    def stored_name(self) -> str:
        """The name under which payloads are stored, for instance `owner-assigned.v1`."""
        return f"{self.name}.v{self.version}"


_T = TypeVar("_T")


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(attrs.field, attrs.Factory)
)
def event(
    name: str,
    *,
    origin: Origin,
    version: int = 1,
    visibility: Visibility = Visibility.COMPANY,
) -> Callable[[type[_T]], type[_T]]:
    """
    Make a class an event: frozen, keyword-only, with its `EventType` at `__event__`.

    Args:
        name: Stored name in kebab case, past tense.

        origin: How such events come to be.

        version: Schema version of the payload.

        visibility: Who may read them.
    """

    def decorate(cls: type[_T]) -> type[_T]:
        made: Any = attrs.frozen(kw_only=True, repr=False)(cls)
        made.__repr__ = _shown
        made.__event__ = EventType(name, version, origin, visibility)
        return cast("type[_T]", made)

    return decorate


def _shown(event: Any) -> str:
    """`__repr__` of every event: one for all, since making one for each is a part of start-up."""
    cls = event.__class__
    pairs = [f"{field.name}={getattr(event, field.name)!r}" for field in attrs.fields(cls)]
    return f"{cls.__qualname__.rsplit('>.', 1)[-1]}({', '.join(pairs)})"


def event_type(event_or_class: Any) -> EventType:
    """The `EventType` of an event or of its class."""
    return cast("EventType", event_or_class.__event__)


class ActorKind(enum.Enum):
    """What kind of principal acts."""

    EMPLOYEE = "employee"
    SERVICE = "service"
    CLIENT = "client"
    PARTNER = "partner"
    SYSTEM = "system"


@attrs.frozen
class Actor:
    """
    Who did it (REC-4): every event has one, time and rules included.

    Attributes:
        kind: What kind of principal.

        id: Which one.
    """

    kind: ActorKind
    id: PrincipalId

    def __str__(self) -> str:
        return f"{self.kind._value_}/{self.id}"


SYSTEM = Actor(ActorKind.SYSTEM, PrincipalId("clientela"))
"""The actor of elapsed events."""


@attrs.frozen
class Key:
    """
    A name that at most one journal may hold: an identifier, a card number, a business identity.

    Attributes:
        scope: What kind of name, for instance `phone` or `purchase`.

        value: Its keyed hash.
    """

    scope: Code
    value: Blind


@attrs.frozen
class PendingEvent:
    """
    An event a rule wants recorded, with the reason why.

    Attributes:
        event: The event; personal values in it are still open and are sealed before it is folded.

        rule: Catalogue id or definition rule that made it, for instance `OWN-1`.

        because: The facts it rests on; taking one away would change it.

        definition: The definition applied and its version, for instance `loyalty@3`.

        occurred_at: When it happened, if not at the moment of the command or of its cause.

        reserve: Keys that this event takes for its journal; taken already means conflict.

        release: Keys that this event gives back.

        forget: Persons whose keys are destroyed with this event, so that nothing about them opens.

        forget_scopes: Scopes in which whoever is forgotten with this event or its cause gives back
            every key, also one that is not what its value would make it by now.
    """

    event: Any
    rule: str
    because: tuple[Ref, ...] = ()
    definition: str | None = None
    occurred_at: datetime | None = None
    reserve: tuple[Key, ...] = ()
    release: tuple[Key, ...] = ()
    forget: tuple[JournalId, ...] = ()
    forget_scopes: tuple[Code, ...] = ()

    @property
    def moves_keys(self) -> bool:
        """Whether it takes, gives back or destroys any key."""
        return bool(self.reserve or self.release or self.forget or self.forget_scopes)


@attrs.frozen(kw_only=True)
class RecordedEvent:
    """
    An event in its journal: the event and its envelope.

    Attributes:
        event_id: Unique id.

        journal: The journal it stands in.

        version: Its gapless position there, from 1.

        event: The event itself, personal values sealed.

        occurred_at: When it happened, by the caller's claim or by the due moment.

        recorded_at: When it was written; never before the previous event's.

        actor: Who did it.

        on_behalf_of: Whom the actor stood in for.

        unit: The unit the actor acted for.

        request: Keyed hash of caller and request id.

        append_id: Shared by all events of one append.

        index: Position within the append, from 0.

        count: Number of events in the append, over all its journals.

        correlation_id: Shared by everything that one outside request set off.

        causation_id: The event that this one reacts to.

        rule: Catalogue id or definition rule that made it.

        definition: Definition applied and its version.

        because: The facts it rests on.
    """

    event_id: EventId
    journal: JournalId
    version: int
    event: Any
    occurred_at: datetime
    recorded_at: datetime
    actor: Actor
    on_behalf_of: Actor | None
    unit: UnitId | None
    request: Blind | None
    append_id: str
    index: int
    count: int
    correlation_id: str
    causation_id: EventId | None
    rule: str
    definition: str | None
    because: tuple[Ref, ...]

    @cached_property
    def ref(self) -> Ref:
        """Where this event stands."""
        return Ref(self.journal, self.version)

    @property
    def event_class(self) -> Any:
        """Class of the event."""
        return self.event.__class__

    @property
    def type(self) -> EventType:
        """Name, version, origin and visibility of its class."""
        return event_type(self.event)
