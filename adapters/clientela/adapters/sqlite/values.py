"""
Rows to values and back. Moments are kept as microseconds since 1970, journals as kind and id.
"""

from __future__ import annotations

import json

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from clientela.domain.codec import canonical
from clientela.domain.event import Key
from clientela.domain.fingerprint import Fingerprint
from clientela.domain.ids import Blind, JournalId, JournalKind, Ref
from clientela.domain.record import Holder
from clientela.services.key_rows import KeyRow
from clientela.services.rows import Answer, AuditRow, StoredEvent


Row = tuple[Any, ...]

Name = tuple[str, str]
"""Kind and id of a journal as kept."""

KEK_ID_LENGTH = 64
"""Characters of a key-encryption key's id as kept: padded, so that rows change in place."""

BUCKETS = 1 << 20
"""Buckets of reserved keys; see the schema."""

EVENT_COLUMNS = (
    "kind, id, version, event_id, append_id, name, occurred_at, recorded_at, body, hash, position"
)

# Reading the value of a member takes longer than looking it up.
_KINDS = {kind: kind.value for kind in JournalKind}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400
_SECOND_US = 1_000_000


def instant(at: datetime) -> int:
    """Microseconds since 1970."""
    since = at - _EPOCH
    # A third of the cost of dividing by a microsecond, and every row has moments.
    return (since.days * _DAY_S + since.seconds) * _SECOND_US + since.microseconds


def moment(kept: int) -> datetime:
    """The moment kept, aware, UTC."""
    return _EPOCH + timedelta(microseconds=kept)


def name_of(journal_id: JournalId) -> Name:
    """Kind and id as kept."""
    return _KINDS[journal_id.kind], journal_id.id


def journal_of(kind: str, id_: str) -> JournalId:
    """The journal of a kind and id as kept."""
    return JournalId(JournalKind(kind), id_)


def bucket_of(key: Key) -> int:
    """Where to look for a key: 20 bits of a hash."""
    return int.from_bytes(sha256(f"{key.scope} {key.value}".encode()).digest()[:4]) % BUCKETS


def event_row(event: StoredEvent) -> Row:
    """`EVENT_COLUMNS` without the position."""
    return (
        *name_of(event.journal),
        event.version,
        event.event_id,
        event.append_id,
        event.name,
        instant(event.occurred_at),
        instant(event.recorded_at),
        event.body,
        event.hash,
    )


def event_of(row: Row) -> StoredEvent:
    """The event of `EVENT_COLUMNS`."""
    kind, id_, version, event_id, append_id, name, occurred, recorded, body, hash_, position = row
    return StoredEvent(
        journal=journal_of(kind, id_),
        version=version,
        event_id=event_id,
        append_id=append_id,
        name=name,
        occurred_at=moment(occurred),
        recorded_at=moment(recorded),
        body=body,
        hash=hash_,
        position=position,
    )


def holder_of(row: Row) -> Holder:
    """The holder of kind, id, version, fingerprint."""
    kind, id_, version, fingerprint = row
    # A blanked one consists of zeros; no other begins with one.
    return Holder(Ref(journal_of(kind, id_), version), Fingerprint(fingerprint.lstrip("0")))


def kek_text(kek_id: str) -> str:
    """Id of a key-encryption key as kept."""
    return kek_id.ljust(KEK_ID_LENGTH)


def key_row_of(row: Row) -> KeyRow:
    """The key of kind, id, erased, kek_id, wrapped."""
    kind, id_, erased, kek_id, wrapped = row
    person = journal_of(kind, id_)
    return KeyRow(person, "", b"") if erased else KeyRow(person, kek_id.rstrip(" "), wrapped)


def audit_row(row: AuditRow) -> Row:
    """At, actor, method, target, decision, reason, request."""
    return (
        instant(row.at),
        row.actor,
        row.method,
        row.target,
        row.decision,
        row.reason,
        row.request,
    )


def audit_of(row: Row) -> AuditRow:
    """The audit row of at, actor, method, target, decision, reason, request."""
    at, actor, method, target, decision, reason, request = row
    return AuditRow(
        at=moment(at),
        actor=actor,
        method=method,
        target=target,
        decision=decision,
        reason=reason,
        request=request,
    )


def concerned(answer: Answer) -> list[Name]:
    """Every journal an answer is about, in the order of `Answer.concerns`."""
    return sorted({name_of(journal_id) for journal_id in (*answer.journals, *answer.versions)})


def answer_text(answer: Answer, hidden: str) -> str:
    """
    An answer as JSON, without its request and moment.

    Args:
        answer: The answer.

        hidden: Its fingerprint, masked.
    """
    plain = {
        "fingerprint": hidden,
        "journals": [str(journal) for journal in answer.journals],
        "versions": {str(journal): version for journal, version in answer.versions.items()},
        "made": {str(journal): list(versions) for journal, versions in answer.made.items()},
        "reason": answer.reason,
        "category": answer.category,
        "message": answer.message,
        "details": dict(answer.details),
        "decided_at": instant(answer.decided_at) if answer.decided_at else None,
    }
    return canonical(plain).decode()


def answer_of(request: Blind, at: int, text: str) -> Answer:
    """The answer kept as *text*; its fingerprint is still masked."""
    plain = json.loads(text)
    journals = tuple(map(_journal, plain.pop("journals")))
    versions = {_journal(name): version for name, version in plain.pop("versions").items()}
    made = {_journal(name): (first, last) for name, (first, last) in plain.pop("made").items()}
    decided = plain.pop("decided_at", None)
    return Answer(
        request=request,
        at=moment(at),
        versions=versions,
        made=made,
        journals=journals,
        decided_at=None if decided is None else moment(decided),
        **plain,
    )


def _journal(name: str) -> JournalId:
    return journal_of(*name.split("/", 1))
