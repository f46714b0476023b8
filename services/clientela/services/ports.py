"""
What the services need from outside: a journal store, a clock and fresh ids.

A store keeps rows and checks claims; it knows no rule and reads no body. Everything of one
`Append` becomes visible together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import attrs

from clientela.domain.event import Key
from clientela.domain.fingerprint import Fingerprint
from clientela.domain.ids import Blind, JournalId
from clientela.domain.personal import Vault
from clientela.domain.record import Holder, NeededError


PAGE_MAX = 1_000
"""Rows a store hands out at once."""


ANSWERS_KEPT = timedelta(days=30)
"""How long an answer is kept at least, so that a repeat of its request gets the same."""


class StoreError(Exception):
    """The store cannot do it now or ever; the adapter's own errors never leave the adapter."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached or has stopped serving; trying again later may help."""


class StoreUnsuitableError(StoreError):
    """The store is not what it must be: wrong schema, weak settings, in use by another process."""


class ConflictError(Exception):
    """Another append was faster; load again and decide again."""


class VersionConflictError(ConflictError):
    """
    A journal has moved on.

    Attributes:
        journal_id: Which one.
    """

    def __init__(self, journal_id: JournalId) -> None:
        self.journal_id = journal_id
        super().__init__(f"{journal_id} has moved on")


class KeyConflictError(ConflictError):
    """
    A key was taken meanwhile.

    Attributes:
        key: Which one.
    """

    def __init__(self, key: Key) -> None:
        self.key = key
        super().__init__(f"a key of {key.scope} was taken")


class PersonKeyConflictError(ConflictError):
    """
    A person got a key meanwhile, or was erased.

    Attributes:
        person: Who.
    """

    def __init__(self, person: JournalId) -> None:
        self.person = person
        super().__init__(f"the key of {person} was made or destroyed meanwhile")


class KekRetiredError(ConflictError):
    """
    New keys are wrapped under another key-encryption key by now; load the keyring again.

    Attributes:
        kek_id: The retired one.
    """

    def __init__(self, kek_id: str) -> None:
        self.kek_id = kek_id
        super().__init__("the key-encryption key was rotated meanwhile")


class RequestConflictError(ConflictError):
    """The same request was answered meanwhile."""

    def __init__(self) -> None:
        super().__init__("the same request was answered meanwhile")


@attrs.frozen(kw_only=True)
class StoredEvent:
    """
    One event as a store keeps it.

    Attributes:
        journal: The journal.

        version: Its place there, from 1, gapless.

        event_id: Unique id.

        append_id: Shared by what was appended together.

        name: Stored name of the event class.

        occurred_at: When it happened.

        recorded_at: When it was written.

        body: Envelope and payload as canonical JSON; personal values in it are sealed.

        hash: SHA-256 over the previous event's hash and *body*, hex.

        position: Place in the order of commits; 0 until stored.
    """

    journal: JournalId
    version: int
    event_id: str
    append_id: str
    name: str
    occurred_at: datetime
    recorded_at: datetime
    body: bytes
    hash: str
    position: int = 0


@attrs.frozen
class Head:
    """
    The end of a journal.

    Attributes:
        version: Version of the last event; 0 for a journal that does not exist.

        hash: Its hash; empty for a journal that does not exist.

        recorded_at: When it was written.
    """

    version: int = 0
    hash: str = ""
    recorded_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Snapshot:
    """
    The states of one journal at a version: a shortcut that may be thrown away at any time.

    Attributes:
        journal: The journal.

        version: Events folded in.

        fingerprint: Of the rulebook that folded them; another one ignores the snapshot.

        body: The states, sealed values sealed.
    """

    journal: JournalId
    version: int
    fingerprint: str
    body: bytes


@attrs.frozen(kw_only=True)
class Answer:
    """
    What a request was answered, so that a repeat gets the same.

    Attributes:
        request: Keyed hash of the request id, unique in the company.

        fingerprint: Of the command.

        at: When it was answered.

        versions: Versions of the named journals after it; the reply is rebuilt at them.

        made: First and last version of its own events in each journal it appended to.

        reason: Reason of a refusal; empty when it succeeded.

        category: Category of a refusal.

        message: Text of a refusal; holds no personal values.

        details: Data of a refusal.
    """

    request: Blind
    fingerprint: Fingerprint
    at: datetime
    versions: Mapping[JournalId, int]
    made: Mapping[JournalId, tuple[int, int]] = attrs.field(factory=dict)
    reason: str = ""
    category: str = ""
    message: str = ""
    details: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class AuditRow:
    """
    Who did or was denied what.

    Attributes:
        at: When.

        actor: Who, as `kind/id`.

        method: What was asked for.

        target: On what: journal ids, blank-separated.

        decision: `done`, `already`, `refused` or `denied`.

        reason: Reason of a refusal or denial.

        request: Keyed hash of the request id.
    """

    at: datetime
    actor: str
    method: str
    target: str
    decision: str
    reason: str = ""
    request: str = ""


@attrs.frozen
class KeyRow:
    """
    A person's data key as it is kept: one row a person, for ever.

    Attributes:
        person: Whose.

        kek_id: The key-encryption key it is wrapped under, up to 64 characters; empty once erased.

        wrapped: The wrapped key; empty once the person is erased. The empty row stays, so that a
            late writer cannot make the erased person a new key.
    """

    person: JournalId
    kek_id: str
    wrapped: bytes = attrs.field(repr=False)

    @property
    def is_erased(self) -> bool:
        """Whether the key was destroyed."""
        return not self.wrapped


@attrs.frozen
class KeyChanges:
    """
    What one append does to the keys of persons.

    Attributes:
        made: Rows to insert; a person that has a row already means conflict.

        forgotten: Persons whose keys are destroyed, whether they had one or not.
    """

    made: tuple[KeyRow, ...] = ()
    forgotten: tuple[JournalId, ...] = ()


class KeyNeededError(NeededError):
    """
    A decision needs the key of a person whose row was not loaded.

    Attributes:
        person: Whose.
    """

    def __init__(self, person: JournalId) -> None:
        self.person = person
        super().__init__(f"the key of {person} is needed")


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


@attrs.frozen(kw_only=True)
class Wanted:
    """
    What a command needs to know.

    Attributes:
        journals: Journals to load.

        known: Version up to which the caller has folded a journal already.

        keys: Keys whose holders matter.

        request: Request whose answer matters.

        persons: Persons whose keys matter.

        fingerprint: Of the rulebook; snapshots of another one are left out.
    """

    journals: tuple[JournalId, ...]
    known: Mapping[JournalId, int] = attrs.field(factory=dict)
    keys: tuple[Key, ...] = ()
    request: Blind | None = None
    persons: tuple[JournalId, ...] = ()
    fingerprint: str = ""


@attrs.frozen(kw_only=True)
class Loaded:
    """
    What a store knows of `Wanted`, all of one moment, committed.

    Attributes:
        heads: Of every journal wanted.

        tails: Events after what is known or after the snapshot, oldest first.

        snapshots: Where nothing was known and there is one.

        holders: Of those keys that are held.

        answer: To the request, if it was answered.

        key_rows: Of every person wanted; None where there is none.
    """

    heads: Mapping[JournalId, Head]
    tails: Mapping[JournalId, Sequence[StoredEvent]]
    snapshots: Mapping[JournalId, Snapshot] = attrs.field(factory=dict)
    holders: Mapping[Key, Holder] = attrs.field(factory=dict)
    answer: Answer | None = None
    key_rows: Mapping[JournalId, KeyRow | None] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Append:
    """
    Everything one command leaves, in one transaction.

    Attributes:
        expected: Version of every journal the decision rests on; all must still be so.

        events: To append, in this order, versions following on *expected*.

        reserve: Keys to take.

        release: Keys to give back, done before *reserve*.

        answer: To store for the request.

        due: Next due moment of each journal; None removes it.

        audit: Rows to write.

        keys: What happens to keys of persons; forgotten ones leave no byte in the live files.

        snapshots: To keep instead of older ones.
    """

    expected: Mapping[JournalId, int]
    events: tuple[StoredEvent, ...] = ()
    reserve: tuple[tuple[Key, Holder], ...] = ()
    release: tuple[Key, ...] = ()
    answer: Answer | None = None
    due: Mapping[JournalId, datetime | None] = attrs.field(factory=dict)
    audit: tuple[AuditRow, ...] = ()
    keys: KeyChanges = KeyChanges()
    snapshots: tuple[Snapshot, ...] = ()


class JournalStore(Protocol):
    """The one place where journals, keys, answers and due moments are kept."""

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

    async def last_position(self) -> int:
        """Position of the last committed event; 0 when there is none."""
        ...

    async def holder(self, key: Key) -> Holder | None:
        """Who holds *key*."""
        ...

    async def due(self, until: datetime, limit: int = PAGE_MAX) -> Sequence[JournalId]:
        """Journals with a due moment at or before *until*, earliest first."""
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
