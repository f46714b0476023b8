"""
A company in memory: journals, keys and a clock, commands run one after the other.

This is the library without any server: what the command path of the services does with a
database, this does with dicts, over the same rulebook. Backtests, examples and tests run on it.
"""

from __future__ import annotations

import heapq
import itertools

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import attrs

from clientela.domain.context import (
    Context,
    Definitions,
    NormalForms,
    Staff,
    StaffMember,
    UnitPlace,
)
from clientela.domain.errors import UnknownError
from clientela.domain.event import SYSTEM, Actor, Key, RecordedEvent
from clientela.domain.facts import PurchaseRecorded, ReturnRecorded
from clientela.domain.fingerprint import NOTHING, fingerprint
from clientela.domain.ids import (
    Code,
    EmployeeId,
    JournalId,
    JournalKind,
    Ref,
    UnitId,
    employee_journal,
    own_journals,
    unit_journal,
    wallet_journal,
)
from clientela.domain.organisation.staff import Employee, member
from clientela.domain.organisation.units import Unit, place
from clientela.domain.personal import Vault
from clientela.domain.record import HistoryNeededError, Holder, Journal, Record
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import Command
from clientela.domain.run import Decision, RulebookError


NEEDS_MAX = 16
"""How often the rules may ask for something more before one decision."""


class Company:
    """
    Runs commands on journals held in memory.

    Args:
        rulebook: The rules.

        definitions: The company's definitions.

        vault: Seals personal values.

        forms: Normal forms of identifiers.

        now: Where the virtual clock stands at first, aware, UTC.

        staff: Staff facts; those of the company's own journals of employees if not given.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        *,
        definitions: Definitions,
        vault: Vault,
        forms: NormalForms,
        now: datetime,
        staff: Staff | None = None,
    ) -> None:
        self.rulebook = rulebook
        self.definitions = definitions
        self.staff = staff or self
        self.vault = vault
        self.forms = forms
        self.now = now
        self.events: list[RecordedEvent] = []
        self._journals: dict[JournalId, Journal] = {}
        self._dues: dict[JournalId, datetime] = {}
        self._queue: list[tuple[datetime, JournalId]] = []
        self._history: dict[JournalId, list[RecordedEvent]] = {}
        self._holders: dict[Key, Holder] = {}
        self._ids = _counted_ids()

    def run(self, command: Command, actor: Actor = SYSTEM) -> Decision:
        """
        Run *command* at the present moment and append what it comes to.

        Raises:
            DomainError: it is malformed or refused; what a refusal leaves is appended all the same.
        """
        context = attrs.evolve(self.context(actor), fingerprint=fingerprint(command, self.vault))
        decision = self._decided(
            self.rulebook.journals(command),
            lambda record: self.rulebook.handle(record, command, context),
            self.rulebook.keys(command, context),
        )
        self._append(decision)
        if decision.refusal is not None:
            raise decision.refusal
        return decision

    def keep(self, recorded: RecordedEvent, beside: Iterable[JournalId] = ()) -> Decision:
        """
        Put a fact of another run into the company as it is; what follows is made anew.

        Args:
            recorded: The fact.

            beside: Journals that were appended to together with it.
        """
        named = {journal_id.kind: journal_id for journal_id in together(recorded.journal)}
        named.update((journal_id.kind, journal_id) for journal_id in beside)
        if isinstance(recorded.event, PurchaseRecorded | ReturnRecorded):
            named[JournalKind.WALLET] = wallet_journal(recorded.event.wallet_id)
        context = self.context(recorded.actor)
        decision = self._decided(
            tuple(named.values()), lambda record: self.rulebook.keep(record, recorded, context)
        )
        self._append(decision)
        return decision

    def restore(self, events: Iterable[RecordedEvent]) -> None:
        """
        Take over a history as it is, in the order of appending; the company must be empty.

        Who holds which key is no part of a history: identities used in it are not known to be.
        """
        used: set[str] = set()
        for recorded in events:
            self.events.append(recorded)
            self._history.setdefault(recorded.journal, []).append(recorded)
            used.update((recorded.event_id, recorded.append_id))
        self._ids = itertools.filterfalse(used.__contains__, _counted_ids())
        for journal_id, history in self._history.items():
            empty = self.rulebook.empty(journal_id)
            self._journals[journal_id] = self.rulebook.fold(empty, history)
            self._note_due(journal_id)
            self.now = max(self.now, history[-1].recorded_at)

    def advance(self, to: datetime) -> None:
        """Move the clock to *to*, letting every due moment happen on the way, in order."""
        while (due := self._next_due()) is not None and due[0] <= to:
            moment, journal_id = due
            self.now = max(self.now, moment)
            self._append(self._elapsed(together(journal_id)))
        self.now = max(self.now, to)

    def record(self, *journal_ids: JournalId) -> Record:
        """These journals as they are now, time elapsed, nothing appended."""
        return self._elapsed(journal_ids).record

    def history(self, journal_id: JournalId) -> tuple[RecordedEvent, ...]:
        """Every event of one journal, oldest first."""
        return tuple(self._history.get(journal_id, ()))

    def recorded(self, ref: Ref) -> RecordedEvent:
        """
        The event that *ref* points at, for instance a fact that an explanation names.

        Raises:
            UnknownError: there is none.
        """
        history = self._history.get(ref.journal, [])
        if not 1 <= ref.version <= len(history):
            raise UnknownError("event", str(ref))
        return history[ref.version - 1]

    def holder(self, key: Key) -> Holder | None:
        """Who holds *key*."""
        return self._holders.get(key)

    def journal_ids(self, kind: JournalKind) -> Iterator[JournalId]:
        """Every journal of *kind* that holds an event, in the order of their first events."""
        return (journal_id for journal_id in self._history if journal_id.kind is kind)

    def member(self, employee_id: EmployeeId) -> StaffMember | None:
        """The employee, as in their journal; None if there is none."""
        journal = self._journals.get(employee_journal(employee_id))
        return None if journal is None else member(Record([journal]).of(Employee))

    def place(self, unit_id: UnitId) -> UnitPlace | None:
        """The unit's place in the tree, as in its journal; None if there is none."""
        journal = self._journals.get(unit_journal(unit_id))
        return None if journal is None else place(Record([journal]).of(Unit))

    def context(self, actor: Actor = SYSTEM) -> Context:
        """The context of a command at the present moment."""
        return Context(
            now=self.now,
            actor=actor,
            definitions=self.definitions,
            staff=self.staff,
            units=self if self.staff is self else None,
            vault=self.vault,
            forms=self.forms,
            new_id=lambda: next(self._ids),
        )

    def _elapsed(self, journal_ids: tuple[JournalId, ...]) -> Decision:
        context = self.context()
        return self._decided(journal_ids, lambda record: self.rulebook.elapse(record, context))

    def _decided(
        self,
        journal_ids: tuple[JournalId, ...],
        decide: Callable[[Record], Decision],
        keys: tuple[Key, ...] = (),
    ) -> Decision:
        """Decide, with the histories and the holders of keys that the rules turn out to need."""
        histories: dict[JournalId, tuple[RecordedEvent, ...]] = {}
        for _ in range(NEEDS_MAX):
            try:
                decision = decide(self._folded(journal_ids, keys, histories))
            except HistoryNeededError as needed:
                histories[needed.journal_id] = self.history(needed.journal_id)
                continue
            held = self._held_unseen(decision, keys)
            if not held:
                return decision
            keys = (*keys, *held)
        msg = f"a rule set asked for more {NEEDS_MAX} times"
        raise RulebookError(msg)

    def _held_unseen(self, decision: Decision, seen: tuple[Key, ...]) -> tuple[Key, ...]:
        """Keys to be reserved that somebody holds, of which the rules did not know."""
        free = {*seen, *decision.release}
        return tuple(k for k, _ in decision.reserve if k in self._holders and k not in free)

    def _folded(
        self,
        journal_ids: tuple[JournalId, ...],
        keys: tuple[Key, ...] = (),
        histories: dict[JournalId, tuple[RecordedEvent, ...]] | None = None,
    ) -> Record:
        journals = (self._journals.get(j) or self.rulebook.empty(j) for j in journal_ids)
        holders = {key: self._holders[key] for key in keys if key in self._holders}
        return Record(journals, holders, histories)

    def _append(self, decision: Decision) -> None:
        self.events.extend(decision.events)
        for recorded in decision.events:
            self._history.setdefault(recorded.journal, []).append(recorded)
        for journal in decision.record.journals:
            if journal.version:
                self._journals[journal.id] = journal
                self._note_due(journal.id)
        for key in decision.release:
            self._holders.pop(key, None)
        for key, holder in decision.reserve:
            self._holders[key] = holder
        for person in decision.forget:
            self._forget(person, decision.forget_scopes)

    def _forget(self, person: JournalId, scopes: tuple[Code, ...]) -> None:
        self.vault.forget(person)
        journals = own_journals(person)
        for key, holder in tuple(self._holders.items()):
            if holder.ref.journal in journals and key.scope in scopes:
                del self._holders[key]
            elif holder.ref.journal in journals:
                self._holders[key] = attrs.evolve(holder, fingerprint=NOTHING)

    def _note_due(self, journal_id: JournalId) -> None:
        due = self.rulebook.due(self._folded((journal_id,)), self.definitions)
        if due is None:
            self._dues.pop(journal_id, None)
        elif self._dues.get(journal_id) != due:
            self._dues[journal_id] = due
            heapq.heappush(self._queue, (due, journal_id))

    def _next_due(self) -> tuple[datetime, JournalId] | None:
        """The earliest due moment; entries of the queue that are out of date are dropped."""
        while self._queue:
            moment, journal_id = self._queue[0]
            if self._dues.get(journal_id) == moment:
                return moment, journal_id
            heapq.heappop(self._queue)
        return None


def _counted_ids() -> Iterator[str]:
    return (f"e{number}" for number in itertools.count(1))


def together(journal_id: JournalId) -> tuple[JournalId, ...]:
    """The journals that time moves together: a client and the client's own wallet."""
    pair = (JournalKind.CLIENT, JournalKind.WALLET)
    kinds = pair if journal_id.kind in pair else (journal_id.kind,)
    return tuple(JournalId(kind, journal_id.id) for kind in kinds)
