"""
A run: one command on its way through the rules, from the record as committed to the decision.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING

import attrs

from clientela.domain.context import Context
from clientela.domain.errors import DomainError, KeyTakenError, RefusedError
from clientela.domain.event import SYSTEM, Key, PendingEvent, RecordedEvent
from clientela.domain.ids import Code, EventId, JournalId
from clientela.domain.personal import seal_event
from clientela.domain.record import Holder, Record


if TYPE_CHECKING:
    from clientela.domain.rulebook import Rulebook


APPEND_EVENTS_MAX = 10_000
"""Events one command may make, reactions and elapsed time included; more means a cycle."""


class RulebookError(Exception):
    """Rule sets that do not fit together, or a rule set that runs away; a mistake in the rules."""


@attrs.frozen
class Decision:
    """
    What a command comes to.

    Attributes:
        events: To be appended together, in this order; empty when it was so already.

        record: The record as it is after them, sealed.

        reserve: Keys to take, each with its holder.

        release: Keys to give back.

        forget: Persons whose keys are to be destroyed.

        forget_scopes: Scopes in which they, and their own wallets, give back every key.

        refusal: Raised by a rule that leaves events behind all the same; the caller appends, then
            answers with it.
    """

    events: tuple[RecordedEvent, ...]
    record: Record
    reserve: tuple[tuple[Key, Holder], ...] = ()
    release: tuple[Key, ...] = ()
    forget: tuple[JournalId, ...] = ()
    forget_scopes: tuple[Code, ...] = ()
    refusal: RefusedError | None = None


class Run:
    """One command on its way: a thawed record and the events made so far."""

    def __init__(self, rulebook: Rulebook, record: Record, context: Context) -> None:
        self.rulebook = rulebook
        self.record = record.thaw()
        self.context = context
        self.events: list[RecordedEvent] = []
        self.reserve: list[tuple[Key, Holder]] = []
        self.release: list[Key] = []
        self.forget: list[JournalId] = []
        self.forget_scopes: set[Code] = set()
        self.append_id = context.new_id()

    def elapse(self) -> None:
        """Let every due moment up to now happen, each at its own time, earliest first."""
        definitions = self.context.definitions
        while True:
            dues = self.rulebook.dues(self.record, definitions)
            first = min(dues, key=itemgetter(1), default=None)
            if first is None or first[1] > self.context.now:
                return
            rule_set, moment = first
            then = attrs.evolve(
                self.context, now=moment, actor=SYSTEM, on_behalf_of=None, unit=None
            )
            pending = tuple(rule_set.elapse(self.record, then))
            if not pending:
                msg = f"{rule_set.name} is due at {moment} and does nothing"
                raise RulebookError(msg)
            for event in pending:
                self.emit(event, moment, then)

    def emit(
        self,
        pending: PendingEvent,
        occurred_at: datetime,
        context: Context | None = None,
    ) -> None:
        """
        Record *pending*, fold it, and let the rule sets react, depth first.

        The way back up is kept in a list: a circle then ends at `APPEND_EVENTS_MAX`, not with the
        interpreter's stack.
        """
        context = context or self.context
        cause = self._fold(pending, occurred_at, context)
        unheard = [(cause, self._followers(cause, context))]
        while unheard:
            cause, followers = unheard[-1]
            follower = next(followers, None)
            if follower is None:
                unheard.pop()
                continue
            effect = self._fold(follower, cause.occurred_at, context, cause)
            unheard.append((effect, self._followers(effect, context)))

    def _followers(self, cause: RecordedEvent, context: Context) -> Iterator[PendingEvent]:
        """What each rule set derives from *cause*, one after the other, as they find the record."""
        for rule_set in self.rulebook.reactors(cause):
            if self.record.names(rule_set.state.journal_kind):
                yield from tuple(rule_set.react(self.record, cause, context))

    def _fold(
        self,
        pending: PendingEvent,
        occurred_at: datetime,
        context: Context,
        cause: RecordedEvent | None = None,
    ) -> RecordedEvent:
        recorded = self._record(pending, occurred_at, context, cause)
        self.events.append(recorded)
        if len(self.events) > APPEND_EVENTS_MAX:
            msg = f"more than {APPEND_EVENTS_MAX} events in one append: rule sets react in a circle"
            raise RulebookError(msg)
        if pending.moves_keys:
            self._keys(pending, recorded)
        self.rulebook.evolve(self.record.journal(recorded.journal.kind), recorded)
        self.record.append(recorded)
        return recorded

    def decision(self, refusal: DomainError | None) -> Decision:
        """Everything made, numbered and sealed."""
        count = len(self.events)
        for recorded in self.events:
            # Nobody outside has seen it yet: it is not changed, it is finished.
            object.__setattr__(recorded, "count", count)
        for journal in self.record.journals:
            journal.seal()
        assert refusal is None or isinstance(refusal, RefusedError)
        return Decision(
            tuple(self.events),
            self.record,
            tuple(self.reserve),
            tuple(self.release),
            tuple(self.forget),
            tuple(sorted(self.forget_scopes)),
            refusal,
        )

    def _record(
        self,
        pending: PendingEvent,
        occurred_at: datetime,
        context: Context,
        cause: RecordedEvent | None,
    ) -> RecordedEvent:
        journal = self.record.journal(self.rulebook.kind_of(pending.event.__class__))
        event_id = EventId(context.new_id())
        return RecordedEvent(
            event_id=event_id,
            journal=journal.id,
            version=journal.version + 1,
            event=seal_event(pending.event, journal.id, event_id, context.vault),
            occurred_at=pending.occurred_at or occurred_at,
            recorded_at=self.context.now,
            actor=context.actor,
            on_behalf_of=context.on_behalf_of,
            unit=context.unit,
            request=context.request,
            append_id=self.append_id,
            index=len(self.events),
            count=0,
            correlation_id=context.correlation_id or self.append_id,
            causation_id=cause.event_id if cause else None,
            rule=pending.rule,
            definition=pending.definition,
            because=pending.because,
        )

    def _keys(self, pending: PendingEvent, recorded: RecordedEvent) -> None:
        new = Holder(recorded.ref, self.context.fingerprint)
        for key in pending.reserve:
            holder = self.record.holder(key)
            if holder is not None and holder.ref.journal != recorded.journal:
                raise KeyTakenError(key)
            if holder is None:
                self.reserve.append((key, new))
        self.record.take(pending.reserve, new)
        self.forget.extend(pending.forget)
        self.forget_scopes.update(pending.forget_scopes)
        if pending.release:
            self.record.give_back(pending.release)
            self.release.extend(pending.release)
            self.reserve = [(k, holder) for k, holder in self.reserve if k not in pending.release]
