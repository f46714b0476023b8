"""
A journal store in dicts: for trials and tests, gone with the process.
"""

from __future__ import annotations

import heapq

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import attrs

from clientela.domain.event import Key
from clientela.domain.fingerprint import NOTHING
from clientela.domain.ids import Blind, Code, JournalId, own_journals
from clientela.domain.record import Holder
from clientela.services.key_rows import KeyRow
from clientela.services.ports import PAGE_MAX
from clientela.services.rows import (
    Answer,
    Append,
    AuditRow,
    Head,
    Loaded,
    Snapshot,
    StoredEvent,
    Wanted,
)
from clientela.services.store_errors import (
    KekRetiredError,
    KeyConflictError,
    PersonKeyConflictError,
    RequestConflictError,
    VersionConflictError,
)


class MemoryStore:
    """Keeps everything in dicts; appends are atomic because nothing awaits inside them."""

    is_shared = True
    """Several paths of commands may work over one: asking it costs nothing."""

    def __init__(self) -> None:
        self._events: list[StoredEvent] = []
        self._journals: dict[JournalId, list[StoredEvent]] = {}
        self._holders: dict[Key, Holder] = {}
        self._answers: dict[Blind, Answer] = {}
        self._forgotten: set[JournalId] = set()
        self._due: dict[JournalId, datetime] = {}
        self._snapshots: dict[JournalId, Snapshot] = {}
        self._keys: dict[JournalId, KeyRow] = {}
        self._kek_id: str | None = None
        self._notes: dict[str, str] = {}
        self._audit: list[AuditRow] = []

    async def load(self, wanted: Wanted) -> Loaded:
        """What is committed of *wanted*."""
        snapshots = {
            j: snapshot
            for j in wanted.journals
            if j not in wanted.known
            and (snapshot := self._snapshots.get(j)) is not None
            and snapshot.fingerprint == wanted.fingerprint
        }
        known = {**{j: s.version for j, s in snapshots.items()}, **wanted.known}
        return Loaded(
            heads={j: self._head(j) for j in wanted.journals},
            tails={j: self._journals.get(j, [])[known.get(j, 0) :] for j in wanted.journals},
            snapshots=snapshots,
            holders={k: self._holders[k] for k in wanted.keys if k in self._holders},
            answer=self._answers.get(wanted.request) if wanted.request else None,
            key_rows={person: self._keys.get(person) for person in wanted.persons},
        )

    async def append(self, append: Append) -> int:
        """Append all of it or nothing."""
        self._check(append)
        for row in append.events:
            stored = attrs.evolve(row, position=len(self._events) + 1)
            self._events.append(stored)
            self._journals.setdefault(row.journal, []).append(stored)
        for key in append.release:
            self._holders.pop(key, None)
        self._holders.update(append.reserve)
        if append.answer is not None:
            self._answers[append.answer.request] = self._masked(append.answer)
        for journal_id, due in append.due.items():
            if due is None:
                self._due.pop(journal_id, None)
            else:
                self._due[journal_id] = due
        self._snapshots.update((s.journal, s) for s in append.snapshots)
        self._change_keys(append)
        self._audit.extend(append.audit)
        return len(self._events)

    async def read(
        self, journal_id: JournalId, after: int = 0, limit: int = PAGE_MAX
    ) -> Sequence[StoredEvent]:
        """Events of one journal above a version."""
        return self._journals.get(journal_id, [])[after : after + min(limit, PAGE_MAX)]

    async def read_all(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[StoredEvent]:
        """Events of all journals above a position."""
        return self._events[after : after + min(limit, PAGE_MAX)]

    async def ends(self, journal_ids: Iterable[JournalId]) -> Mapping[JournalId, int]:
        """Versions of the last events of these journals."""
        return {j: len(self._journals.get(j, ())) for j in journal_ids}

    async def last_position(self) -> int:
        """Position of the last event."""
        return len(self._events)

    async def holder(self, key: Key) -> Holder | None:
        """Who holds *key*."""
        return self._holders.get(key)

    async def journals(self, after: str = "", limit: int = PAGE_MAX) -> Sequence[JournalId]:
        """Journals above a text, in the order of their texts."""
        found = (journal_id for journal_id in self._journals if str(journal_id) > after)
        return heapq.nsmallest(min(limit, PAGE_MAX), found, key=str)

    async def due(
        self, until: datetime, limit: int = PAGE_MAX, offset: int = 0
    ) -> Sequence[JournalId]:
        """Journals due, earliest first."""
        found = sorted((at, journal_id) for journal_id, at in self._due.items() if at <= until)
        return [journal_id for _, journal_id in found[offset : offset + min(limit, PAGE_MAX)]]

    async def due_at(self, journal_id: JournalId) -> datetime | None:
        """The due moment of a journal."""
        return self._due.get(journal_id)

    async def key_row(self, person: JournalId) -> KeyRow | None:
        """The key of *person*."""
        return self._keys.get(person)

    async def fence_keys(self, kek_id: str) -> None:
        """Take new key rows under *kek_id* only."""
        self._kek_id = kek_id

    async def stale_keys(self, kek_id: str, limit: int = PAGE_MAX) -> Sequence[KeyRow]:
        """Rows under another key, in the order of their persons."""
        found = (r for r in self._keys.values() if not r.is_erased and r.kek_id != kek_id)
        return sorted(found, key=lambda row: row.person)[: min(limit, PAGE_MAX)]

    async def rewrap_keys(self, pairs: Iterable[tuple[KeyRow, KeyRow]]) -> int:
        """Replace the rows that are still the same."""
        current = [(old, new) for old, new in pairs if self._keys.get(old.person) == old]
        self._keys.update((old.person, new) for old, new in current)
        return len(current)

    async def cleared(self) -> None:
        """Nothing is kept of what was forgotten."""

    async def purge_answers(self, before: datetime, limit: int = PAGE_MAX) -> int:
        """Forget the oldest answers given before a moment."""
        old = sorted((a.at, request) for request, a in self._answers.items() if a.at < before)
        page = old[: min(limit, PAGE_MAX)]
        for _, request in page:
            del self._answers[request]
        return len(page)

    async def note(self, name: str, value: str | None = None) -> str | None:
        """Read a note; with *value*, write it first."""
        if value is not None:
            self._notes[name] = value
        return self._notes.get(name)

    async def swap_note(self, name: str, old: str | None, new: str) -> bool:
        """Write a note if it says *old*."""
        if self._notes.get(name) != old:
            return False
        self._notes[name] = new
        return True

    async def audit(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[tuple[int, AuditRow]]:
        """Audit rows above a number."""
        rows = enumerate(self._audit[after : after + min(limit, PAGE_MAX)], start=after + 1)
        return list(rows)

    async def write_audit(self, rows: Iterable[AuditRow]) -> None:
        """Write audit rows."""
        self._audit.extend(rows)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _head(self, journal_id: JournalId) -> Head:
        rows = self._journals.get(journal_id)
        return Head(rows[-1].version, rows[-1].hash, rows[-1].recorded_at) if rows else Head()

    def _check(self, append: Append) -> None:
        for journal_id, version in (*append.expected.items(), *append.facts.items()):
            head = self._head(journal_id)
            if head.version != version or append.hashes.get(journal_id, head.hash) != head.hash:
                raise VersionConflictError(journal_id)
        for key, _ in append.reserve:
            if key in self._holders and key not in append.release:
                raise KeyConflictError(key)
        if append.answer is not None and append.answer.request in self._answers:
            raise RequestConflictError
        for row in append.keys.made:
            if row.person in self._keys:
                raise PersonKeyConflictError(row.person)
            if self._kek_id not in {None, row.kek_id}:
                raise KekRetiredError(row.kek_id)

    def _change_keys(self, append: Append) -> None:
        self._keys.update((row.person, row) for row in append.keys.made)
        for person in append.keys.forgotten:
            self._keys[person] = KeyRow(person, "", b"")
            self._snapshots.pop(person, None)
            self._forget(own_journals(person), append.keys.scopes)

    def _forget(self, journals: tuple[JournalId, ...], scopes: tuple[Code, ...]) -> None:
        self._forgotten.update(journals)
        for key, holder in tuple(self._holders.items()):
            if holder.ref.journal not in journals:
                continue
            if key.scope in scopes:
                del self._holders[key]
            else:
                self._holders[key] = attrs.evolve(holder, fingerprint=NOTHING)
        self._answers = {r: self._masked(answer) for r, answer in self._answers.items()}

    def _masked(self, answer: Answer) -> Answer:
        """The answer without its fingerprint, if that concerns somebody forgotten."""
        if self._forgotten.isdisjoint(answer.concerns):
            return answer
        return attrs.evolve(answer, fingerprint=NOTHING)
