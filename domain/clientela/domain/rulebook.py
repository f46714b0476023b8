"""
The rulebook: rule sets composed, and the one way a command runs through them.

    load journals -> fold -> elapse time -> decide -> react -> events to append

Loading and appending are the caller's; everything between is `Rulebook.handle`.
"""

from __future__ import annotations

import hashlib

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from clientela.domain.context import Context, Definitions, Directory, Naming
from clientela.domain.draft import State, seal
from clientela.domain.errors import RefusedError
from clientela.domain.event import Key, PendingEvent, RecordedEvent, event_type
from clientela.domain.ids import JournalId, JournalKind
from clientela.domain.record import Journal, Record
from clientela.domain.ruleset import Command, RuleSet
from clientela.domain.run import Decision, RulebookError, Run
from clientela.domain.shape import shape_of


SNAPSHOT_FINGERPRINT_LENGTH = 32
"""Hexadecimal digits that name what folded a snapshot."""

SNAPSHOT_LAYOUT = 4
"""How states are written; raised when they are written otherwise."""

_T = TypeVar("_T")

_Folding = tuple[type[State], Callable[[Any, RecordedEvent], None]]
"""A state that hears an event, and what folds the event into it."""


def _anything(_record: Record) -> None:
    """Content with any record."""


class Rulebook:
    """
    A composition of rule sets.

    Args:
        rule_sets: In the order in which they react to one event.

    Raises:
        RulebookError: two rule sets share a name, a command, an event class or a stored name.
    """

    def __init__(self, rule_sets: Iterable[RuleSet]) -> None:
        self.rule_sets = tuple(rule_sets)
        self._by_command = _unique((c, r) for r in self.rule_sets for c in r.commands)
        self._maker = _unique((e, r) for r in self.rule_sets for e in r.events)
        _unique((r.name, r) for r in self.rule_sets)
        _unique((event_type(e).stored_name, r) for r in self.rule_sets for e in r.events)
        self._timed = tuple(r for r in self.rule_sets if r.is_timed)
        self._heard: dict[type[Any], tuple[RuleSet, ...]] = {}
        for rule_set in self.rule_sets:
            for cls in dict.fromkeys((*rule_set.events, *rule_set.hears)):
                self._heard[cls] = (*self._heard.get(cls, ()), rule_set)
        self._reacting = {
            cls: tuple(r for r in heard if r.reacts) for cls, heard in self._heard.items()
        }
        self._initial: dict[JournalKind, dict[type[State], State]] = {
            kind: {r.state: seal(r.state()) for r in self.rule_sets if r.state.journal_kind is kind}
            for kind in JournalKind
        }
        # At most two entries for each event class and kind of journal: first events are apart.
        self._folding: dict[tuple[type[Any], JournalKind, bool], tuple[_Folding, ...]] = {}
        # At most one entry for each event class and kind of journal.
        self._first: dict[tuple[type[Any], JournalKind], tuple[RuleSet, ...]] = {}

    @property
    def event_classes(self) -> tuple[type, ...]:
        """Every event class that a journal of this company may hold."""
        return tuple(self._maker)

    @property
    def fingerprint(self) -> str:
        """Names the composition; what another one made is not to be mixed with it."""
        return " ".join(
            f"{r.name}({','.join(event_type(e).stored_name for e in r.events)})"
            for r in self.rule_sets
        )

    @cached_property
    def snapshot_fingerprint(self) -> str:
        """Names what folds: the composition, the shape of its states, the rule sets' versions."""
        versions = ",".join(str(r.version) for r in self.rule_sets)
        shape = shape_of(*(r.state for r in self.rule_sets))
        text = f"{SNAPSHOT_LAYOUT}\n{self.fingerprint}\n{versions}\n{shape}"
        return hashlib.sha256(text.encode()).hexdigest()[:SNAPSHOT_FINGERPRINT_LENGTH]

    def empty(self, journal_id: JournalId) -> Journal:
        """A journal that does not exist yet: version 0, initial states."""
        return Journal(journal_id, 0, self._initial[journal_id.kind])

    def fold(self, journal: Journal, events: Iterable[RecordedEvent]) -> Journal:
        """*journal* with *events*, which follow on its version, folded in; sealed."""
        draft = journal.thaw()
        for recorded in events:
            self.evolve(draft, recorded)
        return draft.seal()

    def evolve(self, draft: Journal, recorded: RecordedEvent) -> None:
        """Fold one event into a draft."""
        version = recorded.version
        place = (recorded.event.__class__, draft.id.kind, version == 1)
        folding = self._folding.get(place)
        if folding is None:
            folding = self._folding[place] = tuple(
                (r.state, r.evolve)
                for r in self.hearers(recorded)
                if r.state.journal_kind is draft.id.kind
            )
        touched = draft.touched
        for state, evolve in folding:
            evolve(draft.draft(state), recorded)
            touched[state] = version
        draft.version = version

    def rule_set_for(self, command: Command) -> RuleSet:
        """
        The rule set that decides *command*.

        Raises:
            RulebookError: none in this composition does.
        """
        try:
            return self._by_command[type(command)]
        except KeyError:
            msg = f"no rule set decides {type(command).__name__}"
            raise RulebookError(msg) from None

    def journals(self, command: Command) -> tuple[JournalId, ...]:
        """The journals *command* works on, in sorted order."""
        return tuple(sorted(command.journals(), key=str))

    def keys(self, command: Command, naming: Naming) -> tuple[Key, ...]:
        """The keys whose holders must be known before *command* is decided."""
        return self.rule_set_for(command).keys(command, naming)

    def handle(
        self,
        record: Record,
        command: Command,
        context: Context,
        expects: Callable[[Record], None] = _anything,
    ) -> Decision:
        """
        Run *command* through the rules: elapse, decide, react.

        Args:
            record: The journals it names, as committed; it stays as it is.

            command: What somebody wants.

            context: Now, who, definitions and the rest.

            expects: Shown the record once time has elapsed, as a read shows it, before anything is
                decided; raises if it is not what the caller takes it for.

        Returns:
            What to append, and the record after it.

        Raises:
            DomainError: it is malformed, names what is not there, or a rule forbids it.
        """
        # Asked of what is kept, so that the next one need not ask again.
        self.due(record, context.definitions)
        run = Run(self, record, context)
        run.elapse()
        expects(run.record)
        rule_set = self.rule_set_for(command)
        refusal = None
        try:
            pending = tuple(rule_set.decide(run.record, command, context))
        except RefusedError as error:
            if not error.leaves:
                raise
            pending, refusal = error.leaves, error
        occurred_at = command.occurred_at or context.now
        for event in pending:
            run.emit(event, occurred_at)
        return run.decision(refusal)

    def elapse(self, record: Record, context: Context) -> Decision:
        """What time alone did to *record* up to `context.now`."""
        due = self.due(record, context.definitions)
        if due is None or due > context.now:
            return Decision((), record)
        run = Run(self, record, context)
        run.elapse()
        return run.decision(None)

    def keep(self, record: Record, recorded: RecordedEvent, context: Context) -> Decision:
        """
        Put a fact of another run into *record* as it is, and let everything follow from it anew.

        Args:
            record: The journals it belongs to and those that react.

            recorded: The fact; its event, time, rule and references are kept.

            context: Now and who.
        """
        run = Run(self, record, context)
        run.elapse()
        pending = PendingEvent(
            recorded.event,
            rule=recorded.rule,
            because=recorded.because,
            definition=recorded.definition,
        )
        run.emit(pending, recorded.occurred_at)
        return run.decision(None)

    def asks(self, recorded: RecordedEvent) -> Command | None:
        """The command behind a decided event; None if another event of the append stands for it."""
        return self._maker[recorded.event_class].asks(recorded)

    def due(self, record: Record, definitions: Definitions) -> datetime | None:
        """The next moment at which time alone changes something in *record*."""
        return min((moment for _, moment in self.dues(record, definitions)), default=None)

    @cached_property
    def followed(self) -> frozenset[str]:
        """Names, without versions, of the events that a rule set is asked about for follow-ups."""
        return frozenset(
            event_type(cls).name
            for cls, rule_sets in self._heard.items()
            if any(rule_set.may_follow_up(cls) for rule_set in rule_sets)
        )

    def follow_ups(self, recorded: RecordedEvent, directory: Directory) -> Iterator[Command]:
        """Commands on other journals that *recorded* asks for, in a fixed order."""
        cls = recorded.event_class
        for rule_set in self._heard.get(cls, ()):
            if rule_set.may_follow_up(cls):
                yield from rule_set.follow_up(recorded, directory)

    def heard_by(self, cls: type[Any]) -> tuple[RuleSet, ...]:
        """Rule sets that fold or react to events of *cls*."""
        return self._heard.get(cls, ())

    def hearers(self, recorded: RecordedEvent) -> tuple[RuleSet, ...]:
        """Rule sets that fold or react to *recorded*, in the order in which they react."""
        cls = recorded.event.__class__
        return self._heard.get(cls, ()) if recorded.version > 1 else self._hear_first(recorded, cls)

    def _hear_first(self, recorded: RecordedEvent, cls: type[Any]) -> tuple[RuleSet, ...]:
        kind = recorded.journal.kind
        known = self._first.get((cls, kind))
        if known is None:
            heard = self.heard_by(cls)
            known = self._first[cls, kind] = tuple(
                r
                for r in self.rule_sets
                if r in heard or (r.hears_first and r.state.journal_kind is kind)
            )
        return known

    def reactors(self, recorded: RecordedEvent) -> Iterable[RuleSet]:
        """Those of the hearers that derive anything from events at all, in the same order."""
        if recorded.version > 1:
            return self._reacting.get(recorded.event.__class__, ())
        return [r for r in self.hearers(recorded) if r.reacts]

    def kind_of(self, cls: type[Any]) -> JournalKind:
        """The kind of journal that events of *cls* stand in."""
        return self._maker[cls].state.journal_kind

    def dues(self, record: Record, definitions: Definitions) -> Iterator[tuple[RuleSet, datetime]]:
        """Each rule set of *record* for which time matters, with its next moment."""
        for rule_set in self._timed:
            state = rule_set.state
            journal = record.find(state.journal_kind)
            if journal is None:
                continue
            known = journal.dues.get(state)
            if known is None or known[0] is not definitions:
                # Asked once of each state.
                known = journal.dues[state] = (definitions, rule_set.due(record, definitions))
            moment = known[1]
            if moment is not None:
                yield rule_set, moment


def _unique(pairs: Iterable[tuple[_T, RuleSet]]) -> dict[_T, RuleSet]:
    found: dict[_T, RuleSet] = {}
    for thing, rule_set in pairs:
        if thing in found:
            msg = f"{thing} belongs to both {found[thing].name} and {rule_set.name}"
            raise RulebookError(msg)
        found[thing] = rule_set
    return found
