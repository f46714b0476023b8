"""
What the services need from outside: a journal store, a clock and fresh ids.

A store keeps rows and checks claims; it knows no rule and reads no body. Everything of one
`Append` becomes visible together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from clientela.domain.event import Key
from clientela.domain.ids import Blind, JournalId
from clientela.domain.personal import Vault
from clientela.domain.record import Holder
from clientela.services.key_rows import KeyChanges, KeyRow
from clientela.services.rows import Append, AuditRow, Loaded, StoredEvent, Wanted


PAGE_MAX = 1_000
"""Rows a store hands out at once."""


ANSWERS_KEPT = timedelta(days=30)
"""How long an answer is kept at least, so that a repeat of its request gets the same."""


GAPS = "positions-have-gaps"
"""Note: not empty in a store whose positions grow without counting."""


class VaultSession(Vault, Protocol):
    """A vault for one attempt of one command."""

    @property
    def changes(self) -> KeyChanges:
        """The keys it made and destroyed, to go into the append."""
        ...


class Sessions(Protocol):
    """Hands out vaults for single attempts."""

    def session(self, rows: Mapping[JournalId, KeyRow | None]) -> VaultSession:
        """
        A vault that knows these rows, None where a person has none.

        Its methods raise `KeyNeededError` for a person that is not among them.
        """
        ...

    def blind(self, scope: str, normal: str) -> Blind:
        """Keyed hash of a normal form."""
        ...

    def forget(self, person: JournalId) -> None:
        """Drop the key of *person* from memory, since their erasure is committed."""
        ...


class JournalStore(Protocol):
    """The one place where journals, keys, answers and due moments are kept."""

    @property
    def is_shared(self) -> bool:
        """
        Whether anybody else may write to it, so that only asking it tells what is committed.

        If not, a journal in memory is as it is committed.
        """
        ...

    async def load(self, wanted: Wanted) -> Loaded:
        """
        What is committed of *wanted*, in one consistent view.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        ...

    async def append(self, append: Append) -> int:
        """
        Append all of it or nothing.

        Returns:
            Position of the last event, or of the last one there was if there are no events.

        Raises:
            VersionConflictError: a journal has moved on.

            KeyConflictError: a key to reserve is held.

            RequestConflictError: the request was answered meanwhile.

            PersonKeyConflictError: a person got a key or was erased meanwhile.

            KekRetiredError: new keys are wrapped under another key-encryption key by now.

            StoreUnavailableError: the store cannot be reached; the outcome may be either.
        """
        ...

    async def read(
        self, journal_id: JournalId, after: int = 0, limit: int = PAGE_MAX
    ) -> Sequence[StoredEvent]:
        """Events of one journal with a version above *after*, oldest first, at most *limit*."""
        ...

    async def read_all(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[StoredEvent]:
        """Events of all journals with a position above *after*, in order, at most *limit*."""
        ...

    async def ends(self, journal_ids: Iterable[JournalId]) -> Mapping[JournalId, int]:
        """Versions of the last events of these journals committed now; 0 where there is none."""
        ...

    async def last_position(self) -> int:
        """Position of the last committed event; 0 when there is none."""
        ...

    async def holder(self, key: Key) -> Holder | None:
        """Who holds *key*."""
        ...

    async def journals(self, after: str = "", limit: int = PAGE_MAX) -> Sequence[JournalId]:
        """Journals that hold an event and whose text is above *after*, in the order of that."""
        ...

    async def due(
        self, until: datetime, limit: int = PAGE_MAX, offset: int = 0
    ) -> Sequence[JournalId]:
        """Journals with a due moment at or before *until*, earliest first, from *offset* on."""
        ...

    async def due_at(self, journal_id: JournalId) -> datetime | None:
        """The due moment noted for a journal; None if there is none."""
        ...

    async def key_row(self, person: JournalId) -> KeyRow | None:
        """The key of *person* as committed now; None when there never was one."""
        ...

    async def fence_keys(self, kek_id: str) -> None:
        """From now on take new key rows under *kek_id* only; durable when this returns."""
        ...

    async def stale_keys(self, kek_id: str, limit: int = PAGE_MAX) -> Sequence[KeyRow]:
        """Up to *limit* rows wrapped under another key than *kek_id*, erased ones left out."""
        ...

    async def rewrap_keys(self, pairs: Iterable[tuple[KeyRow, KeyRow]]) -> int:
        """
        Put the second row of each pair where the first still stands unchanged, in one transaction.

        Returns:
            How many were replaced; a person erased in the meantime stays erased.
        """
        ...

    async def cleared(self) -> None:
        """
        Wait until nothing that was forgotten or given back is left in the live files.

        Raises:
            StoreUnavailableError: something still keeps it there; trying again later may help.
        """
        ...

    async def purge_answers(self, before: datetime, limit: int = PAGE_MAX) -> int:
        """
        Forget the oldest answers given before *before*, at most *limit*; see `ANSWERS_KEPT`.

        Returns:
            How many were forgotten.
        """
        ...

    async def note(self, name: str, value: str | None = None) -> str | None:
        """Read a named note of the store (epoch, rulebook, clock); with *value*, write it first."""
        ...

    async def swap_note(self, name: str, old: str | None, new: str) -> bool:
        """
        Write a note if it says *old*, None for nothing yet; of several who ask at once one does it.

        Returns:
            Whether it was written. After a break in between it may have been although it says no.

        Raises:
            StoreUnavailableError: the store cannot be reached; it may have been written.
        """
        ...

    async def audit(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[tuple[int, AuditRow]]:
        """Audit rows with their numbers above *after*, oldest first."""
        ...

    async def write_audit(self, rows: Iterable[AuditRow]) -> None:
        """Write audit rows that belong to no append: denials and reads of personal fields."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of everything."""
        ...


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        ...


NewId = Callable[[], str]
"""Makes a fresh unique id; ids made later sort later."""
