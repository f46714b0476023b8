"""
A rule set: commands, events, one state, and pure functions over them.
"""

from __future__ import annotations

import enum

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol

import attrs

from clientela.domain.context import Context, Definitions, Directory, Naming
from clientela.domain.draft import State
from clientela.domain.event import Key, PendingEvent, RecordedEvent
from clientela.domain.ids import JournalId
from clientela.domain.record import Record


class Command(Protocol):
    """
    Something somebody wants done; an attrs class with an imperative name.

    Attributes:
        occurred_at: When it happened, as the caller claims; None means now.
    """

    @property
    def occurred_at(self) -> datetime | None:
        """When it happened, as the caller claims."""
        ...

    def journals(self) -> tuple[JournalId, ...]:
        """The journals it works on, at most one of each kind, named before anything is decided."""
        ...


class Order(enum.Enum):
    """What a rule set orders events by."""

    VERSION = "version"
    """As they were recorded (ownership, points ledger)."""

    OCCURRED = "occurred"
    """As they happened (lifecycle, cumulative spend); a late fact yields a correction event."""


def _no_events(_record: Record, _what: Any, _context: Context) -> Iterable[PendingEvent]:
    return ()


def _no_elapse(_record: Record, _context: Context) -> Iterable[PendingEvent]:
    return ()


def _never_due(_record: Record, _definitions: Definitions) -> datetime | None:
    return None


def _no_keys(_command: Any, _naming: Naming) -> tuple[Key, ...]:
    return ()


def _no_follow_up(_recorded: RecordedEvent, _directory: Directory) -> Iterable[Command]:
    return ()


def _no_inputs(_recorded: RecordedEvent) -> Command | None:
    return None


@attrs.frozen(kw_only=True)
class RuleSet:
    """
    One concept's rules, as a value.

    Attributes:
        name: Kebab-case, unique in a rulebook.

        state: Class of the state it keeps for each journal of its kind.

        commands: Command classes it decides.

        events: Event classes it alone makes; their names are its part of the stored vocabulary.

        hears: Event classes of others that it folds or reacts to.

        hears_first: Whether it also hears the first event of each journal of its kind, whatever
            that is: from it on the thing the journal is about is on record.

        decide: `(record, command, context)` to events; nothing when it is so already; raises
            a `RefusedError` when a rule forbids it.

        evolve: `(draft, recorded)` folds an event into the state; total, never raises.

        react: `(record, recorded, context)` to what follows from an event, in the same journals.

        due: `(record, definitions)` to the next moment at which time alone changes something; a
            function of its own state and the definitions, asked once of each state.

        elapse: `(record, context)` to the events of that moment, which is `context.now`.

        keys: `(command, naming)` to the keys whose holders `decide` wants to know.

        follow_up: `(recorded, directory)` to commands on other journals that an event asks for.

        follows: Event classes that `follow_up` is asked about; all that it makes or hears if empty.

        asks: `(recorded)` to the command behind a decided event, so that a backtest can ask again;
            only for events of origin `DECIDED`.

        definition: Class of its section of the definitions, if it has one.

        order: What it orders events by.

        version: From 1; raised when `evolve`, or the default of a state's field, changes its
            meaning: states kept in snapshots are folded anew.
    """

    name: str
    state: type[State]
    evolve: Callable[[Any, RecordedEvent], None]
    commands: tuple[type, ...] = ()
    events: tuple[type, ...] = ()
    hears: tuple[type, ...] = ()
    hears_first: bool = False
    decide: Callable[[Record, Any, Context], Iterable[PendingEvent]] = _no_events
    react: Callable[[Record, RecordedEvent, Context], Iterable[PendingEvent]] = _no_events
    due: Callable[[Record, Definitions], datetime | None] = _never_due
    elapse: Callable[[Record, Context], Iterable[PendingEvent]] = _no_elapse
    keys: Callable[[Any, Naming], tuple[Key, ...]] = _no_keys
    follow_up: Callable[[RecordedEvent, Directory], Iterable[Command]] = _no_follow_up
    follows: tuple[type, ...] = ()
    asks: Callable[[RecordedEvent], Command | None] = _no_inputs
    definition: type | None = None
    order: Order = Order.VERSION
    version: int = 1

    def may_follow_up(self, cls: type[Any]) -> bool:
        """Whether events of *cls*, which it makes or hears, can ask for commands elsewhere."""
        return self.follow_up is not _no_follow_up and (not self.follows or cls in self.follows)

    @property
    def reacts(self) -> bool:
        """Whether anything can follow from an event."""
        return self.react is not _no_events

    @property
    def is_timed(self) -> bool:
        """Whether time alone can change anything in it."""
        return self.due is not _never_due
