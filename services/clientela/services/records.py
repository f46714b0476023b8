"""
Records as committed: loaded from the store, folded once, kept in memory with their versions.
"""

from __future__ import annotations

import json

from collections import OrderedDict
from collections.abc import Container, Iterable, Mapping
from datetime import datetime

from clientela.domain.codec import Codec, canonical
from clientela.domain.context import Definitions
from clientela.domain.definitions.versions import definitions_of, section_types
from clientela.domain.draft import State
from clientela.domain.event import Key, RecordedEvent
from clientela.domain.ids import (
    DEFINITIONS_JOURNAL,
    JournalId,
)
from clientela.domain.record import Journal, Record
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import RuleSet
from clientela.services.envelope import decode
from clientela.services.ports import PAGE_MAX, JournalStore
from clientela.services.rows import Head, Loaded, Snapshot, StoredEvent, Wanted
from clientela.services.views import Needs, Registry, View


CACHED_JOURNALS_MAX = 20_000
"""Folded journals kept in memory; the longest unused goes first."""

PAST_JOURNALS_MAX = 1_000
"""Journals kept as they were; who repeats what it sent asks for one version after the other."""

SNAPSHOT_EVERY = 200
"""Events of a journal between two snapshots of it."""


class Records:
    """
    Loads and keeps folded journals.

    Args:
        rulebook: Folds.

        codec: Decodes.

        store: Where rows come from.

        cached_max: Folded journals kept in memory.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        codec: Codec,
        store: JournalStore,
        cached_max: int = CACHED_JOURNALS_MAX,
    ) -> None:
        self.rulebook = rulebook
        self.codec = codec
        self._store = store
        self._cached_max = cached_max
        self._sections = section_types(rulebook.rule_sets)
        self._read_definitions = (0, definitions_of((), self._sections))
        self._cache: OrderedDict[JournalId, Journal] = OrderedDict()
        self._past: OrderedDict[JournalId, Journal] = OrderedDict()

    async def load(self, needs: Needs, keys: tuple[Key, ...] = ()) -> View:
        """
        Everything *needs* names, folded, and the holders of its keys and of *keys*.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        ids = tuple(dict.fromkeys((*needs.journals, DEFINITIONS_JOURNAL, *sorted(needs.facts))))
        # Taken before waiting: meanwhile others put later versions into the cache, or drop them.
        cached = {j: self._cache[j] for j in ids if j in self._cache}
        loaded = await self._store.load(
            Wanted(
                journals=ids,
                known={j: journal.version for j, journal in cached.items()},
                keys=(*needs.keys, *keys),
                request=needs.request,
                persons=tuple(dict.fromkeys((*needs.journals, *sorted(needs.persons)))),
                fingerprint=self.rulebook.snapshot_fingerprint,
            )
        )
        journals = {j: self._folded(j, loaded, cached.get(j)) for j in ids}
        for journal in journals.values():
            self._put(journal)
        histories = {j: await self.history(j, journals[j].version) for j in sorted(needs.histories)}
        return View(
            record=Record([journals[j] for j in needs.journals], loaded.holders, histories),
            heads=loaded.heads,
            definitions=await self._definitions(journals[DEFINITIONS_JOURNAL].version),
            registry=Registry(journals=journals),
            key_rows=loaded.key_rows,
            answer=loaded.answer,
        )

    async def history(
        self, journal_id: JournalId, upto: int | None = None, after: int = 0
    ) -> tuple[RecordedEvent, ...]:
        """Every event of a journal, or those above *after* and up to *upto*, oldest first."""
        events: list[RecordedEvent] = []
        while upto is None or after + len(events) < upto:
            left = PAGE_MAX if upto is None else min(PAGE_MAX, upto - after - len(events))
            page = await self._store.read(journal_id, after + len(events), left)
            if not page:
                break
            events.extend(decode(self.codec, row) for row in page)
        return tuple(events)

    async def stored(self, journal_id: JournalId) -> tuple[Journal, Head]:
        """A journal as the store has it, its snapshot used, and its end; memory is passed by."""
        fingerprint = self.rulebook.snapshot_fingerprint
        loaded = await self._store.load(Wanted(journals=(journal_id,), fingerprint=fingerprint))
        return self._folded(journal_id, loaded), loaded.heads[journal_id]

    async def at(self, versions: Mapping[JournalId, int]) -> Record:
        """The record as it was at these versions."""
        return Record([await self._at(j, version) for j, version in versions.items()])

    async def _at(self, journal_id: JournalId, version: int) -> Journal:
        """A journal as it was, from the nearest state before it that is at hand."""
        known = (self._cache.get(journal_id), self._past.get(journal_id))
        near = [journal for journal in known if journal is not None and journal.version <= version]
        base = max(near, key=lambda journal: journal.version, default=None)
        if base is None:
            base = self.rulebook.empty(journal_id)
            fingerprint = self.rulebook.snapshot_fingerprint
            wanted = Wanted(journals=(journal_id,), fingerprint=fingerprint)
            snapshot = (await self._store.load(wanted)).snapshots.get(journal_id)
            if snapshot is not None and snapshot.version <= version:
                base = self._restored(snapshot)
        tail = await self.history(journal_id, version, after=base.version)
        journal = self.rulebook.fold(base, tail)
        self._past[journal_id] = journal
        self._past.move_to_end(journal_id)
        while len(self._past) > PAST_JOURNALS_MAX:
            self._past.popitem(last=False)
        return journal

    def keep(self, record: Record, rows: Iterable[StoredEvent]) -> None:
        """Note that *record* is committed, *rows* being its last events."""
        changed = {row.journal for row in rows}
        for journal in record.journals:
            if journal.id in changed:
                self._put(journal)

    def dues(
        self, record: Record, definitions: Definitions, of: Container[JournalId] | None = None
    ) -> dict[JournalId, datetime | None]:
        """The next due moment of each journal among *of*, or of each that holds an event."""
        return {
            journal.id: self.rulebook.due(Record([journal]), definitions)
            for journal in record.journals
            if journal.version and (of is None or journal.id in of)
        }

    def snapshots(self, before: Record, after: Record) -> tuple[Snapshot, ...]:
        """Snapshots of the journals that have passed a multiple of `SNAPSHOT_EVERY`."""
        versions = {journal.id: journal.version for journal in before.journals}
        return tuple(
            self.snapshot(journal)
            for journal in after.journals
            if journal.version // SNAPSHOT_EVERY > versions[journal.id] // SNAPSHOT_EVERY
        )

    def snapshot(self, journal: Journal) -> Snapshot:
        """What is kept of a journal, so that it need not be folded from its first event."""
        states = {
            rule_set.name: {
                "state": self.codec.plain(journal.states[rule_set.state]),
                "touched": journal.touched.get(rule_set.state, 0),
            }
            for rule_set in self._rule_sets(journal.id)
        }
        return Snapshot(
            journal=journal.id,
            version=journal.version,
            fingerprint=self.rulebook.snapshot_fingerprint,
            body=canonical(states),
        )

    def etag(self, record: Record, rule_set: RuleSet) -> str:
        """Etag of a rule set's part of *record*: changes whenever it hears an event."""
        journal = record.journal(rule_set.state.journal_kind)
        return f"{rule_set.name}-{journal.touched.get(rule_set.state, 0)}"

    async def _definitions(self, version: int) -> Definitions:
        """All definitions up to a version of their journal; read anew only when it has moved."""
        read, definitions = self._read_definitions
        if read != version:
            events = await self.history(DEFINITIONS_JOURNAL, version)
            definitions = definitions_of(events, self._sections)
            self._read_definitions = (version, definitions)
        return definitions

    def _folded(
        self, journal_id: JournalId, loaded: Loaded, cached: Journal | None = None
    ) -> Journal:
        snapshot = loaded.snapshots.get(journal_id)
        base = cached or self.rulebook.empty(journal_id)
        if snapshot is not None:
            base = self._restored(snapshot)
        tail = loaded.tails.get(journal_id, ())
        if tail:
            base = self.rulebook.fold(base, (decode(self.codec, row) for row in tail))
        return base

    def _put(self, journal: Journal) -> None:
        if not journal.version:
            return
        held = self._cache.get(journal.id)
        if held is None or held.version <= journal.version:
            self._cache[journal.id] = journal
        self._cache.move_to_end(journal.id)
        while len(self._cache) > self._cached_max:
            self._cache.popitem(last=False)

    def _restored(self, snapshot: Snapshot) -> Journal:
        plain = json.loads(snapshot.body)
        states: dict[type[State], State] = {}
        touched: dict[type[State], int] = {}
        for rule_set in self._rule_sets(snapshot.journal):
            part = plain[rule_set.name]
            states[rule_set.state] = self.codec.value(part["state"], rule_set.state)
            if part["touched"]:
                touched[rule_set.state] = part["touched"]
        return Journal(snapshot.journal, snapshot.version, states, touched).seal()

    def _rule_sets(self, journal_id: JournalId) -> tuple[RuleSet, ...]:
        rule_sets = self.rulebook.rule_sets
        return tuple(r for r in rule_sets if r.state.journal_kind is journal_id.kind)
