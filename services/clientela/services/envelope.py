"""
Recorded events to rows and back, and the chain of hashes along each journal.
"""

from __future__ import annotations

import hashlib
import json

from collections.abc import Iterable, Mapping

from clientela.domain.codec import Codec, canonical
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import JournalId
from clientela.services.rows import Head, StoredEvent


class BrokenChainError(Exception):
    """
    A row does not follow on the one before it: it was changed, moved or removed.

    Attributes:
        journal_id: In which journal.

        version: The first version that does not follow.
    """

    def __init__(self, journal_id: JournalId, version: int) -> None:
        self.journal_id = journal_id
        self.version = version
        super().__init__(f"{journal_id} is broken at version {version}")


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
        name, payload = codec.encode(recorded.event)
        body = canonical({"envelope": codec.envelope(recorded), "payload": payload})
        hashes[recorded.journal] = chained(hashes[recorded.journal], body)
        rows.append(
            StoredEvent(
                journal=recorded.journal,
                version=recorded.version,
                event_id=recorded.event_id,
                append_id=recorded.append_id,
                name=name,
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
    plain = json.loads(row.body)
    return codec.recorded(plain["envelope"], codec.decode(row.name, plain["payload"]))


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
    head = head or Head()
    for row in rows:
        if row.version != head.version + 1 or row.hash != chained(head.hash, row.body):
            raise BrokenChainError(row.journal, head.version + 1)
        head = Head(row.version, row.hash, row.recorded_at)
    return head
