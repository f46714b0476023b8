"""
The check of journals: what is kept of each, and when it is due, is what its events come to.

    many at once --> nothing wrong
                 +-> something wrong --> that one alone, again while others write to it
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import attrs

from clientela.domain.context import Definitions
from clientela.domain.ids import JournalId
from clientela.domain.record import Journal, Record
from clientela.services.core import Core
from clientela.services.due_times import DONE
from clientela.services.envelope import DamagedError, check_chain, checked
from clientela.services.ports import PAGE_MAX
from clientela.services.row_verification import READINGS_MAX
from clientela.services.rows import Head, Loaded, StoredEvent, Wanted
from clientela.services.store_errors import StoreError
from clientela.services.views import Needs


JOURNALS_AT_ONCE = 100
"""Journals that are checked together; their events are at most `PAGE_MAX`."""


@attrs.frozen(kw_only=True)
class Folded:
    """
    A journal made of its events alone.

    Attributes:
        journal: Folded.

        head: The last of them.

        rows: All of them; none of a journal that was read page by page.
    """

    journal: Journal
    head: Head
    rows: tuple[StoredEvent, ...] = ()


class JournalVerification:
    """
    Folds journals anew and compares.

    Args:
        core: Where they are kept.

        heads: Their ends as the order of all events tells them.
    """

    def __init__(self, core: Core, heads: Mapping[JournalId, Head]) -> None:
        self._core = core
        self._store = core.store
        self._records = core.path.records
        self._heads = heads

    async def problems(self, journal_ids: Iterable[JournalId]) -> AsyncIterator[str]:
        """
        What is wrong with journals, in their order.

        Raises:
            StoreError: the store cannot be reached.
        """
        for group in self._groups(journal_ids):
            found = await self._faults(group)
            for journal_id in group:
                if found[journal_id]:
                    for problem in await self._lasting(journal_id):
                        yield problem

    def _groups(self, journal_ids: Iterable[JournalId]) -> Iterator[tuple[JournalId, ...]]:
        group: list[JournalId] = []
        events = 0
        for journal_id in journal_ids:
            length = self._heads.get(journal_id, Head()).version
            if group and (events + length > PAGE_MAX or len(group) == JOURNALS_AT_ONCE):
                yield tuple(group)
                group, events = [], 0
            group.append(journal_id)
            events += length
        if group:
            yield tuple(group)

    async def _lasting(self, journal_id: JournalId) -> list[str]:
        """What is wrong with a journal, and not only because somebody writes meanwhile."""
        problems: list[str] = []
        for _ in range(READINGS_MAX):
            before = await self._written()
            problems = (await self._faults((journal_id,)))[journal_id]
            if not problems:
                break
            await self._renew_due_times()
            if before == await self._written():
                break
        return problems

    async def _written(self) -> tuple[int, str | None]:
        """What changes with everything that may lawfully change a journal or its due moment."""
        return await self._store.last_position(), await self._store.note(DONE)

    async def _renew_due_times(self) -> None:
        """Have due moments follow definitions that were applied a moment ago."""
        try:
            await self._core.due_times.catch_up()
        except StoreError:
            raise
        except Exception:  # noqa: BLE001  As in _faults.
            return

    async def _faults(self, group: Sequence[JournalId]) -> dict[JournalId, list[str]]:
        """What is wrong with each of some journals as they are kept."""
        try:
            loaded = await self._records.stored(*group)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001  Whatever spoilt bytes make a decoder stumble over.
            return {j: [_unreadable(j)] for j in group}
        anew = await self._anew(group, loaded.heads)
        definitions = await self._definitions()
        dues = await asyncio.gather(*(self._store.due_at(j) for j in group))
        return {
            j: self._differences(j, loaded, anew[j], definitions, due)
            for j, due in zip(group, dues, strict=True)
        }

    def _differences(
        self,
        journal_id: JournalId,
        loaded: Loaded,
        anew: Folded | None,
        definitions: Definitions | None,
        due: datetime | None,
    ) -> list[str]:
        """What is wrong with a journal, of which all is at hand."""
        try:
            is_same = self._is_same(journal_id, loaded, anew)
        except Exception:  # noqa: BLE001  As in _faults.
            return [_unreadable(journal_id)]
        if anew is None:
            return [f"{journal_id}: its events cannot be folded"]
        folded = anew.journal
        head, walked = loaded.heads[journal_id], self._heads.get(journal_id, Head())
        problems: list[str] = []
        if head != anew.head or head.version < walked.version:
            problems.append(f"{journal_id}: its head is not its last event")
        if not is_same:
            problems.append(f"{journal_id}: what is kept of it is not what its events come to")
        if definitions is not None:
            expected = self._records.rulebook.due(Record([folded]), definitions)
            if due != expected:
                problems.append(f"{journal_id}: its due moment is not what its events come to")
        return problems

    def _is_same(self, journal_id: JournalId, loaded: Loaded, anew: Folded | None) -> bool:
        """Whether what is kept of a journal comes to the same; the same events alone do."""
        tail = tuple(loaded.tails.get(journal_id, ()))
        if anew is not None and tail and tail == anew.rows and journal_id not in loaded.snapshots:
            return True
        kept = self._records.folded(journal_id, loaded)
        return anew is not None and kept == anew.journal

    async def _anew(
        self, group: Sequence[JournalId], heads: Mapping[JournalId, Head]
    ) -> dict[JournalId, Folded | None]:
        """Journals up to their heads, made of events alone; None where they cannot be folded."""
        if len(group) == 1:
            return {j: await self._by_pages(j, heads[j].version) for j in group}
        whole = await self._store.load(Wanted(journals=tuple(group), known=dict.fromkeys(group, 0)))
        return {j: self._fold(j, whole.tails[j], heads[j].version) for j in group}

    def _fold(self, journal_id: JournalId, rows: Iterable[StoredEvent], upto: int) -> Folded | None:
        draft, kept = self._records.rulebook.empty(journal_id).thaw(), tuple(rows)
        try:
            head = self._take_in(draft, (row for row in kept if row.version <= upto), Head())
        except DamagedError:
            return None
        return Folded(journal=draft.seal(), head=head, rows=kept)

    async def _by_pages(self, journal_id: JournalId, upto: int) -> Folded | None:
        draft, head = self._records.rulebook.empty(journal_id).thaw(), Head()
        while head.version < upto:
            limit = min(PAGE_MAX, upto - head.version)
            page = await self._store.read(journal_id, head.version, limit)
            try:
                head = self._take_in(draft, page, head)
            except DamagedError:
                return None
            if not page:
                break
        return Folded(journal=draft.seal(), head=head)

    def _take_in(self, draft: Journal, rows: Iterable[StoredEvent], head: Head) -> Head:
        """Fold rows that follow on *head*; the last of them."""
        codec, evolve = self._records.codec, self._records.rulebook.evolve
        for row in rows:
            head = check_chain((row,), head)
            evolve(draft, checked(codec, row))
        return head

    async def _definitions(self) -> Definitions | None:
        """The definitions; None if they cannot be read, which is told of their events."""
        try:
            return (await self._records.load(Needs(journals=()))).definitions
        except StoreError:
            raise
        except Exception:  # noqa: BLE001  As in _faults.
            return None


def _unreadable(journal_id: JournalId) -> str:
    return f"{journal_id}: what is kept of it cannot be read"
