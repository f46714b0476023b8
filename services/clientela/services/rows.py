"""
What a store keeps and hands out, as rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs

from clientela.domain.event import Key
from clientela.domain.fingerprint import Fingerprint
from clientela.domain.ids import Blind, JournalId
from clientela.domain.record import Holder
from clientela.services.key_rows import NO_CHANGES, KeyChanges, KeyRow


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

        body: Envelope, name and payload as canonical JSON; personal values in it are sealed.

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

        fingerprint: Of what folded them (`Rulebook.snapshot_fingerprint`); another rulebook
            ignores the snapshot.

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

        fingerprint: Of the command; empty once one of the journals it concerns is forgotten.

        at: When it was answered; from then on it is kept for `ANSWERS_KEPT`.

        decided_at: When the command was decided, if that was told.

        journals: Journals the command named.

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
    made: Mapping[JournalId, tuple[int, int]] = attrs.field(
        factory=dict[JournalId, tuple[int, int]]
    )
    reason: str = ""
    category: str = ""
    message: str = ""
    details: Mapping[str, str] = attrs.field(factory=dict[str, str])
    journals: tuple[JournalId, ...] = ()
    decided_at: datetime | None = None

    @property
    def concerns(self) -> tuple[JournalId, ...]:
        """Every journal it is about, sorted."""
        return tuple(sorted({*self.journals, *self.versions}))


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

        fingerprint: Of what folds; snapshots of anything else are left out.
    """

    journals: tuple[JournalId, ...]
    known: Mapping[JournalId, int] = attrs.field(factory=dict[JournalId, int])
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
    snapshots: Mapping[JournalId, Snapshot] = attrs.field(factory=dict[JournalId, Snapshot])
    holders: Mapping[Key, Holder] = attrs.field(factory=dict[Key, Holder])
    answer: Answer | None = None
    key_rows: Mapping[JournalId, KeyRow | None] = attrs.field(
        factory=dict[JournalId, KeyRow | None]
    )


@attrs.frozen(kw_only=True)
class Append:
    """
    Everything one command leaves, in one transaction.

    Attributes:
        expected: Version of every journal the command works on; all must still be so.

        facts: Version of every other journal the decision rests on: definitions, staff, units. All
            must still be so; none of them is written to, and none is among *expected*.

        hashes: Hash of the last event of each journal in *expected* or *facts* whose state is that
            of an append which had not landed when this was decided. A journal that is at the
            version and ends in another event has moved on: this one loses with what it rests on.

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
    facts: Mapping[JournalId, int] = attrs.field(factory=dict[JournalId, int])
    hashes: Mapping[JournalId, str] = attrs.field(factory=dict[JournalId, str])
    events: tuple[StoredEvent, ...] = ()
    reserve: tuple[tuple[Key, Holder], ...] = ()
    release: tuple[Key, ...] = ()
    answer: Answer | None = None
    due: Mapping[JournalId, datetime | None] = attrs.field(factory=dict[JournalId, datetime | None])
    audit: tuple[AuditRow, ...] = ()
    keys: KeyChanges = NO_CHANGES
    snapshots: tuple[Snapshot, ...] = ()
