"""
Appends made by hand, for tests of stores: rows chained as the services chain them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from clientela.domain.codec import canonical
from clientela.domain.event import Key
from clientela.domain.fingerprint import Fingerprint
from clientela.domain.ids import (
    Blind,
    ClientId,
    Code,
    JournalId,
    Ref,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.record import Holder
from clientela.services.envelope import chained
from clientela.services.key_rows import KeyChanges, KeyRow
from clientela.services.rows import Answer, Append, AuditRow, Head, Snapshot, StoredEvent


AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MARTA = client_journal(ClientId("marta"))
IVO = client_journal(ClientId("ivo"))
WALLET = wallet_journal(WalletId("marta"))
PHONE = Key(Code("phone"), Blind("a1" * 32))
CARD = Key(Code("card"), Blind("b2" * 32))
RECEIPT = Key(Code("purchase"), Blind("c3" * 32))
REQUEST = Blind("d4" * 32)
FINGERPRINT = Fingerprint("command=Approach,client_id=0123456789abcdef")
KEK = "kek-2026-11"
NEXT_KEK = "kek-2026-12"
RULEBOOK = "ownership(client-claimed.v1)"


def rows(
    journal: JournalId, head: Head | None = None, count: int = 1, append_id: str = "append-1"
) -> tuple[StoredEvent, ...]:
    """*count* events that follow on *head*."""
    head = head or Head()
    made: list[StoredEvent] = []
    for version in range(head.version + 1, head.version + count + 1):
        body = canonical({"envelope": {"append_id": append_id}, "payload": {"version": version}})
        at = AT + version * MINUTE
        hash_ = chained(head.hash, body)
        made.append(
            StoredEvent(
                journal=journal,
                version=version,
                event_id=f"{append_id}-{journal}-{version}",
                append_id=append_id,
                name="client-claimed.v1",
                occurred_at=at - MINUTE,
                recorded_at=at,
                body=body,
                hash=hash_,
            )
        )
        head = Head(version, hash_, at)
    return tuple(made)


def writing(
    heads: Mapping[JournalId, Head | None], count: int = 1, append_id: str = "append-1"
) -> Append:
    """An append of *count* events to each journal, following on its head."""
    return Append(
        expected={journal: head.version if head else 0 for journal, head in heads.items()},
        events=tuple(
            row for journal, head in heads.items() for row in rows(journal, head, count, append_id)
        ),
    )


def held_by(journal: JournalId, version: int = 1) -> Holder:
    """A holder of a key."""
    return Holder(Ref(journal, version), FINGERPRINT)


def answered(request: Blind = REQUEST, at: datetime = AT) -> Answer:
    """The answer to a request that succeeded."""
    return Answer(
        request=request,
        fingerprint=FINGERPRINT,
        at=at,
        versions={MARTA: 2, WALLET: 1},
        made={MARTA: (1, 2), WALLET: (1, 1)},
        decided_at=at - MINUTE,
    )


REFUSAL = Answer(
    request=Blind("e5" * 32),
    fingerprint=FINGERPRINT,
    at=AT,
    versions={},
    reason="CLIENT_TAKEN",
    category="rule",
    message="somebody looks after this client",
    details={"until": "2026-12-01T00:00:00+00:00", "may_request": "true"},
)


def audited(method: str = "Approach") -> AuditRow:
    """A row of the audit."""
    return AuditRow(
        at=AT,
        actor="employee/nora",
        method=method,
        target=f"{MARTA} {WALLET}",
        decision="refused",
        reason="CLIENT_TAKEN",
        request=REQUEST,
    )


def key_of(person: JournalId, kek_id: str = KEK, fill: int = 7) -> KeyRow:
    """A wrapped key."""
    return KeyRow(person, kek_id, bytes([fill]) * 61)


def snapshot_of(journal: JournalId, version: int, fingerprint: str = RULEBOOK) -> Snapshot:
    """A snapshot."""
    body = canonical({"states": version})
    return Snapshot(journal=journal, version=version, fingerprint=fingerprint, body=body)


def everything(append_id: str = "append-1") -> Append:
    """An append that makes use of every field, on an empty store."""
    events = (*rows(MARTA, count=2, append_id=append_id), *rows(WALLET, append_id=append_id))
    return Append(
        expected={MARTA: 0, WALLET: 0},
        events=events,
        reserve=((PHONE, held_by(MARTA)), (CARD, held_by(WALLET))),
        answer=answered(),
        due={MARTA: AT + MINUTE, WALLET: AT},
        audit=(audited(),),
        keys=KeyChanges(made=(key_of(MARTA),)),
        snapshots=(snapshot_of(MARTA, 2),),
    )
