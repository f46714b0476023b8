"""
Landing: an append on its way to the store, whoever goes away meanwhile.

    begun -> the store -> landed: kept as committed
               |
               +-- outcome unknown -> looked up -> landed or lost
               +-- lost: others were faster
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from clientela.domain.ids import JournalId
from clientela.domain.run import Decision
from clientela.services.append_watch import AppendWatch
from clientela.services.cache import Kept
from clientela.services.key_rows import KeyRow
from clientela.services.ports import JournalStore, Sessions
from clientela.services.records import Records
from clientela.services.rows import Append, Head, StoredEvent
from clientela.services.speculation import Landing, Speculation
from clientela.services.store_errors import (
    PersonKeyConflictError,
    RequestConflictError,
    StoreUnavailableError,
    VersionConflictError,
)
from clientela.services.views import Needs


class Landings:
    """
    Takes appends to the store.

    Args:
        store: Where to.

        sessions: Forget keys of persons once their erasure has landed.

        speculation: Told of every append that others may be decided on.

        committed: Called whenever something was committed; must return at once.
    """

    def __init__(
        self,
        store: JournalStore,
        sessions: Sessions,
        speculation: Speculation,
        committed: Callable[[], None],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._speculation = speculation
        self._committed = committed
        self.watch = AppendWatch()
        """Told of every append."""

    def begin(
        self,
        append: Append,
        records: Records,
        decision: Decision | None = None,
        before: Iterable[Kept] = (),
    ) -> Landing:
        """
        Begin an append.

        Args:
            append: Everything to be appended.

            records: Keeps what has landed.

            decision: What it came from, if rules were asked.

            before: The journals of the decision as they were.

        Returns:
            What to wait for; it ends with `ConflictError` where it was lost, and with
            `StoreUnavailableError` where the store cannot be reached and it has not landed.
        """
        left = () if decision is None else tuple(_left(append, decision, before))
        landing = Landing(lambda own: self._land(own, append, records, decision, left))
        rows = {row.journal for row in append.events}
        self._speculation.begun(landing, (kept for kept in left if kept.journal.id in rows))
        return landing

    async def _land(
        self,
        landing: Landing,
        append: Append,
        records: Records,
        decision: Decision | None,
        left: tuple[Kept, ...],
    ) -> None:
        try:
            await self._append(append, records)
        except BaseException as error:
            self._speculation.lost(landing)
            if isinstance(error, VersionConflictError):
                _doubt(append, error.journal_id, records)
            if isinstance(error, PersonKeyConflictError):
                records.cache.forget(error.person)
            if isinstance(error, StoreUnavailableError):
                _doubt_all(append, records)
            raise
        for kept in left:
            records.keep(kept)
        for person in () if decision is None else decision.forget:
            self._sessions.forget(person)
        for person in _rekeyed(append):
            records.cache.forget(person)
        self._speculation.landed(landing)
        self._committed()

    async def _append(self, append: Append, records: Records) -> None:
        try:
            with self.watch.append(len(append.events)):
                await self._store.append(append)
        except StoreUnavailableError:
            if not await self._has_landed(append, records):
                raise

    async def _has_landed(self, append: Append, records: Records) -> bool:
        """
        Whether a commit whose outcome was lost took place: its own events tell, or its answer.

        Raises:
            ConflictError: somebody else was there first, so it never will.
        """
        for row in append.events[:1]:
            stored = await self._store.read(row.journal, row.version - 1, 1)
            if stored and stored[0].event_id == row.event_id:
                return True
            if stored:
                raise VersionConflictError(row.journal)
        if append.answer is None:
            return False
        view = await records.load(Needs(journals=(), request=append.answer.request))
        if view.answer is not None and (append.events or view.answer != append.answer):
            raise RequestConflictError
        return view.answer is not None


def _doubt(append: Append, journal_id: JournalId, records: Records) -> None:
    """Have a journal read on that has moved; what rested on a lost append says nothing of it."""
    version = {**append.expected, **append.facts}.get(journal_id)
    if version is not None and journal_id not in append.hashes:
        records.doubt(journal_id, version)


def _doubt_all(append: Append, records: Records) -> None:
    """Have read again what may have landed all the same."""
    for journal_id in {row.journal for row in append.events}:
        records.doubt(journal_id, append.expected[journal_id])
    for person in _rekeyed(append):
        records.cache.forget(person)


def _rekeyed(append: Append) -> Iterable[JournalId]:
    """Persons whose keys it destroys, or makes without writing to their journals."""
    written = {row.journal for row in append.events}
    made = (row.person for row in append.keys.made)
    return (*append.keys.forgotten, *(person for person in made if person not in written))


def _left(append: Append, decision: Decision, before: Iterable[Kept]) -> Iterable[Kept]:
    """The journals of a decision as its append leaves them."""
    ends: dict[JournalId, StoredEvent] = {row.journal: row for row in append.events}
    made = {row.person: row for row in append.keys.made}
    after = {journal.id: journal for journal in decision.record.journals}
    for kept in before:
        journal_id = kept.journal.id
        end = ends.get(journal_id)
        key_row = made.get(journal_id, kept.key_row)
        if journal_id in append.keys.forgotten:
            key_row = KeyRow(journal_id, "", b"")
        if end is not None:
            yield Kept(
                journal=after[journal_id],
                head=Head(end.version, end.hash, end.recorded_at),
                key_row=key_row,
                read_s=kept.read_s,
            )
        elif journal_id not in made:
            yield kept
