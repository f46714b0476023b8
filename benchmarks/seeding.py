"""
Seeding: a store filled with clients who all have the template's history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

import attrs

from benchmarks.workload import RULES, TEMPLATE, Template, client_name, founding, lived
from clientela.domain.definitions.versions import ApplyDefinitions
from clientela.domain.event import Key
from clientela.domain.facts import PurchaseRecorded
from clientela.domain.ids import ClientId, JournalId, Ref, WalletId, client_journal, wallet_journal
from clientela.domain.record import Holder
from clientela.services.calls import Call
from clientela.services.core import Core
from clientela.services.envelope import chained, encode
from clientela.services.rows import Append, Head, Snapshot, StoredEvent
from clientela.services.snapshots import last_point


EVENTS_AT_ONCE = 2_000
"""Events, about, that are appended in one transaction."""


@attrs.frozen(kw_only=True)
class Mould:
    """
    Everything kept of one client, with the template's id in it.

    Attributes:
        rows: Events of the client's journals, in the order of appending.

        snapshots: The last one of each journal that is long enough.

        due: When time next changes each journal.

        receipts: Identities of the purchases, and the events that took them.
    """

    rows: tuple[StoredEvent, ...]
    snapshots: tuple[Snapshot, ...]
    due: Mapping[JournalId, datetime | None]
    receipts: tuple[tuple[str, Ref], ...]


async def found(core: Core) -> None:
    """Apply the rules and register the staff of a company that has nothing yet."""
    for command in (ApplyDefinitions.of(RULES), *founding()):
        await core.path.execute(command, Call())


def mould(core: Core, events: int) -> Mould:
    """
    What a client with so many events leaves in the store of *core*.

    Args:
        core: Of the company; its codec encodes.

        events: In the client's own journal.
    """
    company = lived(events)
    journals = _journals(ClientId(TEMPLATE))
    recorded = [known for known in company.events if known.journal in journals]
    rows = encode(core.path.records.codec, recorded, {j: Head() for j in journals})
    receipts = (
        (known.event.purchase.id, known.ref)
        for known in recorded
        if isinstance(known.event, PurchaseRecorded)
    )
    record = company.record(*journals)
    return Mould(
        rows=rows,
        snapshots=tuple(_snapshots(core, company, journals)),
        due=core.path.records.dues(record, company.definitions),
        receipts=tuple(receipts),
    )


def _snapshots(core: Core, company: Template, journals: Iterable[JournalId]) -> Iterator[Snapshot]:
    records = core.path.records
    for journal_id in journals:
        history = company.history(journal_id)
        whole = last_point(len(history))
        if whole:
            folded = records.rulebook.fold(records.rulebook.empty(journal_id), history[:whole])
            yield records.snapshots.taken(folded)


async def fill(core: Core, shape: Mould, first: int, count: int) -> None:
    """
    Copy *shape* for clients number *first* to *first* + *count* - 1.

    Args:
        core: Of the company, which was founded and knows none of them.

        shape: What each of them has.

        first: Number of the first client.

        count: How many.
    """
    numbers = iter(range(first, first + count))
    at_once = max(1, EVENTS_AT_ONCE // len(shape.rows))
    while clients := [client_name(number) for number in islice(numbers, at_once)]:
        await core.store.append(copies(core, shape, clients))


def copies(core: Core, shape: Mould, clients: Sequence[ClientId]) -> Append:
    """The append by which each of these clients, who are new, comes to have *shape*."""
    rows: list[StoredEvent] = []
    for client_id in clients:
        rows.extend(_chained(shape.rows, client_id))
    return Append(
        expected={j: 0 for client_id in clients for j in _journals(client_id)},
        events=tuple(rows),
        reserve=tuple(held for client_id in clients for held in _held(core, shape, client_id)),
        due={_of(j, client_id): at for client_id in clients for j, at in shape.due.items()},
        snapshots=tuple(
            attrs.evolve(s, journal=_of(s.journal, client_id), body=_named(s.body, client_id))
            for client_id in clients
            for s in shape.snapshots
        ),
    )


def _chained(rows: Iterable[StoredEvent], client_id: ClientId) -> Iterator[StoredEvent]:
    hashes: dict[JournalId, str] = {}
    for row in rows:
        journal_id, body = _of(row.journal, client_id), _named(row.body, client_id)
        hashes[journal_id] = chained(hashes.get(journal_id, ""), body)
        yield attrs.evolve(
            row,
            journal=journal_id,
            event_id=row.event_id.replace(TEMPLATE, client_id),
            append_id=row.append_id.replace(TEMPLATE, client_id),
            body=body,
            hash=hashes[journal_id],
        )


def _held(core: Core, shape: Mould, client_id: ClientId) -> Iterator[tuple[Key, Holder]]:
    naming = core.naming()
    for receipt, ref in shape.receipts:
        key = naming.business_key("purchase", "till", receipt.replace(TEMPLATE, client_id))
        yield key, Holder(Ref(_of(ref.journal, client_id), ref.version))


def _named(body: bytes, client_id: ClientId) -> bytes:
    return body.replace(TEMPLATE.encode(), client_id.encode())


def _of(journal_id: JournalId, client_id: ClientId) -> JournalId:
    return JournalId(journal_id.kind, client_id)


def _journals(client_id: ClientId) -> tuple[JournalId, ...]:
    return (client_journal(client_id), wallet_journal(WalletId(client_id)))
