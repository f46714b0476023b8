"""
Records as committed: loaded from the store, folded once, kept in memory with their versions.
"""

from __future__ import annotations

import math

from collections import OrderedDict
from collections.abc import Callable, Container, Mapping
from datetime import datetime

import attrs

from clientela.domain.codec import Codec
from clientela.domain.context import Definitions
from clientela.domain.definitions.versions import section_types
from clientela.domain.event import Key, RecordedEvent
from clientela.domain.ids import DEFINITIONS_JOURNAL, JournalId, Ref
from clientela.domain.record import Journal, Record
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import RuleSet
from clientela.services.cache import JOURNALS_MAX, KEY_ROW_SECONDS, NEVER, Cache, Kept
from clientela.services.definitions_cache import DefinitionsCache
from clientela.services.envelope import decode
from clientela.services.ports import PAGE_MAX, JournalStore
from clientela.services.rows import Head, Loaded, Wanted
from clientela.services.snapshots import Snapshots
from clientela.services.views import Needs, Registry, View


PAST_JOURNALS_MAX = 1_000
"""Journals kept as they were; who repeats what it sent asks for one version after the other."""

EVENTS_MAX = 4_096
"""Single events kept that answers refer to; a stored event never changes."""


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
        cached_max: int = JOURNALS_MAX,
    ) -> None:
        self.rulebook = rulebook
        self.codec = codec
        self._store = store
        # Where nobody else writes, whoever makes, wraps or destroys a key drops it here.
        key_row_seconds = KEY_ROW_SECONDS if store.is_shared else math.inf
        self.cache = Cache(cached_max, key_row_seconds=key_row_seconds)
        self.snapshots = Snapshots(rulebook, codec)
        self._definitions = DefinitionsCache(
            section_types(rulebook.rule_sets),
            lambda upto: self.history(DEFINITIONS_JOURNAL, upto),
        )
        self._past: OrderedDict[JournalId, Journal] = OrderedDict()
        self._events: OrderedDict[Ref, RecordedEvent] = OrderedDict()

    @property
    def cached(self) -> int:
        """How many folded journals are kept in memory."""
        return len(self.cache)

    async def load(self, needs: Needs, keys: tuple[Key, ...] = ()) -> View:
        """
        Everything *needs* names, folded, and the holders of its keys and of *keys*.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        if not keys and (view := await self._settled(needs)) is not None:
            return view
        ids = tuple(dict.fromkeys((*needs.journals, DEFINITIONS_JOURNAL, *sorted(needs.facts))))
        # Taken before waiting: meanwhile others put later versions into the cache, or drop them.
        cached = {j: journal for j in ids if (journal := self.cache.journal(j)) is not None}
        began_s = self.cache.now_s()
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
        kept = {j: self._kept(j, loaded, cached.get(j), began_s) for j in ids}
        for each in kept.values():
            if each.journal.version:
                self.cache.put(each)
        journals = {j: each.journal for j, each in kept.items()}
        histories = {j: await self.history(j, journals[j].version) for j in sorted(needs.histories)}
        return View(
            record=Record([journals[j] for j in needs.journals], loaded.holders, histories),
            heads=loaded.heads,
            kept={j: kept[j] for j in needs.journals},
            definitions=await self._definitions.at(loaded.heads[DEFINITIONS_JOURNAL]),
            registry=Registry(journals=journals.get),
            key_rows=loaded.key_rows,
            answer=loaded.answer,
        )

    async def _settled(self, needs: Needs) -> View | None:
        """Everything *needs* names from memory, if that is what is committed; None otherwise."""
        if needs.request is not None:
            return None
        view = self.known(needs, _nothing_under_way)
        if view is None:
            return None
        facts = {journal_id: view.registry.journals(journal_id) for journal_id in needs.facts}
        if None in facts.values():
            return None
        if not self._store.is_shared:
            return view
        # What rules ask for besides has to be needed first, so that its end is looked at as well.
        view = attrs.evolve(view, registry=Registry(journals=facts.get))
        ends = await self._store.ends(view.heads)
        is_settled = all(ends[j] == head.version for j, head in view.heads.items())
        return view if is_settled else None

    def known(self, needs: Needs, tip: Callable[[JournalId], Kept | None]) -> View | None:
        """
        Everything *needs* names from memory, to be checked by the append; None if not all is there.

        Args:
            needs: What is needed.

            tip: Tells a journal as appends under way will leave it; None if there are none.
        """
        end = self._definitions.head
        if end is None or needs.keys or needs.persons or needs.histories:
            return None
        heads: dict[JournalId, Head] = {DEFINITIONS_JOURNAL: end}
        unsettled: dict[JournalId, str] = {}

        def find(journal_id: JournalId) -> Kept | None:
            kept = tip(journal_id)
            if kept is not None:
                unsettled[journal_id] = kept.head.hash
            else:
                kept = self.cache.trusted(journal_id)
            if kept is not None:
                heads[journal_id] = kept.head
            return kept

        def fact(journal_id: JournalId) -> Journal | None:
            kept = find(journal_id)
            return None if kept is None else kept.journal

        record: dict[JournalId, Kept] = {}
        for journal_id in needs.journals:
            kept = find(journal_id)
            if kept is None or journal_id == DEFINITIONS_JOURNAL or not self.cache.has_key(kept):
                return None
            record[journal_id] = kept
        return View(
            record=Record(kept.journal for kept in record.values()),
            heads=heads,
            kept=record,
            unsettled=unsettled,
            definitions=self._definitions.known,
            registry=Registry(journals=fact),
            key_rows={j: kept.key_row for j, kept in record.items()},
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

    async def event(self, ref: Ref) -> RecordedEvent | None:
        """The stored event that *ref* points at; None if there is none."""
        found = self._events.get(ref)
        if found is None:
            rows = (
                await self._store.read(ref.journal, ref.version - 1, 1) if ref.version > 0 else ()
            )
            if not rows:
                return None
            found = self._events[ref] = decode(self.codec, rows[0])
        self._events.move_to_end(ref)
        while len(self._events) > EVENTS_MAX:
            self._events.popitem(last=False)
        return found

    async def stored(self, *journal_ids: JournalId) -> Loaded:
        """Journals as the store has them, snapshots and all; memory is passed by."""
        fingerprint = self.rulebook.snapshot_fingerprint
        return await self._store.load(Wanted(journals=journal_ids, fingerprint=fingerprint))

    def folded(self, journal_id: JournalId, loaded: Loaded) -> Journal:
        """A journal of what was *stored*, every state of it read."""
        journal = self._folded(journal_id, loaded)
        journal.states.read_all()
        return journal

    async def at(self, versions: Mapping[JournalId, int]) -> Record:
        """The record as it was at these versions."""
        return Record([await self._at(j, version) for j, version in versions.items()])

    async def _at(self, journal_id: JournalId, version: int) -> Journal:
        """A journal as it was, from the nearest state before it that is at hand."""
        known = (self.cache.journal(journal_id), self._past.get(journal_id))
        near = [journal for journal in known if journal is not None and journal.version <= version]
        base = max(near, key=lambda journal: journal.version, default=None)
        if base is None:
            base = self.rulebook.empty(journal_id)
            fingerprint = self.rulebook.snapshot_fingerprint
            wanted = Wanted(journals=(journal_id,), fingerprint=fingerprint)
            snapshot = (await self._store.load(wanted)).snapshots.get(journal_id)
            if snapshot is not None and snapshot.version <= version:
                base = self.snapshots.restored(snapshot)
        tail = await self.history(journal_id, version, after=base.version)
        journal = self.rulebook.fold(base, tail)
        self._past[journal_id] = journal
        self._past.move_to_end(journal_id)
        while len(self._past) > PAST_JOURNALS_MAX:
            self._past.popitem(last=False)
        return journal

    def keep(self, kept: Kept) -> None:
        """Keep a journal as an append that has landed leaves it."""
        if kept.journal.id == DEFINITIONS_JOURNAL:
            self._definitions.moved(kept.head.version)
        self.cache.put(kept)

    def doubt(self, journal_id: JournalId, version: int) -> None:
        """Note that a journal has moved on from *version*: what is here of it must be read on."""
        if journal_id == DEFINITIONS_JOURNAL:
            self._definitions.moved(version + 1)
        self.cache.doubt(journal_id, version)

    def dues(
        self, record: Record, definitions: Definitions, of: Container[JournalId] | None = None
    ) -> dict[JournalId, datetime | None]:
        """The next due moment of each journal among *of*, or of each that holds an event."""
        return {
            journal.id: self.rulebook.due(Record([journal]), definitions)
            for journal in record.journals
            if journal.version and (of is None or journal.id in of)
        }

    def etag(self, record: Record, rule_set: RuleSet) -> str:
        """Etag of a rule set's part of *record*: changes whenever it hears an event."""
        journal = record.journal(rule_set.state.journal_kind)
        return f"{rule_set.name}-{journal.touched.get(rule_set.state, 0)}"

    def _kept(
        self, journal_id: JournalId, loaded: Loaded, cached: Journal | None, began_s: float
    ) -> Kept:
        has_key = journal_id in loaded.key_rows
        return Kept(
            journal=self._folded(journal_id, loaded, cached),
            head=loaded.heads[journal_id],
            key_row=loaded.key_rows[journal_id] if has_key else None,
            read_s=began_s if has_key else NEVER,
        )

    def _folded(
        self, journal_id: JournalId, loaded: Loaded, cached: Journal | None = None
    ) -> Journal:
        snapshot = loaded.snapshots.get(journal_id)
        if snapshot is not None:
            base = self.snapshots.restored(snapshot)
        else:
            base = cached or self.rulebook.empty(journal_id)
        tail = loaded.tails.get(journal_id, ())
        if tail:
            base = self.rulebook.fold(base, (decode(self.codec, row) for row in tail))
        return base


def _nothing_under_way(_journal_id: JournalId) -> None:
    """No append leaves anything: what is committed is asked for."""
