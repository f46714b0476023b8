"""
Recorded events to rows and back, and the chain of hashes along each journal.

    DamagedError             a row is not what was written
      - BrokenChainError     it does not follow on the one before it
      - UnreadableError      its body is no event
      - AlteredError         its columns are not those of its body
"""

from __future__ import annotations

import hashlib
import operator

from collections.abc import Iterable, Mapping

from clientela.domain.codec import Codec, Payload, canonical, parsed
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import JournalId
from clientela.services.rows import Head, StoredEvent


class DamagedError(Exception):
    """
    A row is not what was written.

    Attributes:
        journal_id: In which journal.

        version: At which version.
    """

    def __init__(self, journal_id: JournalId, version: int, damage: str) -> None:
        self.journal_id = journal_id
        self.version = version
        super().__init__(f"{journal_id} is {damage} at version {version}")


class BrokenChainError(DamagedError):
    """A row does not follow on the one before it: it was changed, moved or removed."""

    def __init__(self, journal_id: JournalId, version: int) -> None:
        super().__init__(journal_id, version, "broken")


class UnreadableError(DamagedError):
    """The body of a row is no event of this composition."""

    def __init__(self, journal_id: JournalId, version: int) -> None:
        super().__init__(journal_id, version, "unreadable")


class AlteredError(DamagedError):
    """
    The columns of a row do not say what its body says.

    Attributes:
        columns: Which ones.
    """

    def __init__(self, journal_id: JournalId, version: int, columns: tuple[str, ...]) -> None:
        self.columns = columns
        super().__init__(journal_id, version, f"altered ({', '.join(columns)})")


def encode(
    codec: Codec, events: Iterable[RecordedEvent], heads: Mapping[JournalId, Head]
) -> tuple[StoredEvent, ...]:
    """
    Rows of *events*, each chained to the one before it in its journal.

    Args:
        codec: Encodes.

        events: In the order of appending.

        heads: The ends of their journals before them.
    """
    hashes = {journal_id: head.hash for journal_id, head in heads.items()}
    rows: list[StoredEvent] = []
    for recorded in events:
        body = codec.body(recorded)
        hashes[recorded.journal] = chained(hashes[recorded.journal], body)
        rows.append(
            StoredEvent(
                journal=recorded.journal,
                version=recorded.version,
                event_id=recorded.event_id,
                append_id=recorded.append_id,
                name=recorded.type.stored_name,
                occurred_at=recorded.occurred_at,
                recorded_at=recorded.recorded_at,
                body=body,
                hash=hashes[recorded.journal],
            )
        )
    return tuple(rows)


def decode(codec: Codec, row: StoredEvent) -> RecordedEvent:
    """
    The event of a row, lifted to the present version of its class.

    Raises:
        UnknownEventError: this composition does not know it.
    """
    plain = parsed(row.body)
    return codec.recorded(plain["envelope"], codec.decode(row.name, plain["payload"]))


def checked(codec: Codec, row: StoredEvent) -> RecordedEvent:
    """
    The event of a row whose columns agree with its body.

    Raises:
        UnreadableError: its body is no event that this composition knows.

        AlteredError: they do not agree.
    """
    try:
        plain = parsed(row.body)
        name = plain["name"]
        recorded = codec.recorded(plain["envelope"], codec.decode(name, plain["payload"]))
    except Exception as error:  # Whatever it is that spoilt bytes make a decoder stumble over.
        raise UnreadableError(row.journal, row.version) from error
    said = (
        recorded.journal,
        recorded.version,
        recorded.event_id,
        recorded.append_id,
        name,
        recorded.occurred_at,
        recorded.recorded_at,
    )
    kept = _columns(row)
    if said != kept:
        pairs = zip(_COLUMNS, said, kept, strict=True)
        altered = tuple(column for column, value, was in pairs if value != was)
        raise AlteredError(row.journal, row.version, altered)
    return recorded


_COLUMNS = ("journal", "version", "event_id", "append_id", "name", "occurred_at", "recorded_at")
"""Columns that say what the body says."""

_columns = operator.attrgetter(*_COLUMNS)


def body_of(envelope: Payload, name: str, payload: Payload) -> bytes:
    """What is hashed of an event: its envelope, stored name and payload as canonical JSON."""
    return canonical({"envelope": envelope, "name": name, "payload": payload})


def chained(previous: str, body: bytes) -> str:
    """Hash of a row: SHA-256 over the previous row's hash and the body, hex."""
    return hashlib.sha256(previous.encode() + body).hexdigest()


def check_chain(rows: Iterable[StoredEvent], head: Head | None = None) -> Head:
    """
    Check that *rows*, of one journal and from *head* on, follow on each other.

    Returns:
        The end of the journal.

    Raises:
        BrokenChainError: they do not.
    """
    head = head or _NO_HEAD
    for row in rows:
        if row.version != head.version + 1 or row.hash != chained(head.hash, row.body):
            raise BrokenChainError(row.journal, head.version + 1)
        head = Head(row.version, row.hash, row.recorded_at)
    return head


_NO_HEAD = Head()
