"""
Everything that is asked about one thing, as SQL over one connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

from clientela.adapters.postgres.connections import Connection
from clientela.adapters.postgres.positions import Strategy
from clientela.adapters.postgres.statement import KEY_CHANGES
from clientela.adapters.sqlite.masks import GONE, unmasked
from clientela.adapters.sqlite.values import (
    EVENT_COLUMNS,
    Name,
    answer_of,
    audit_of,
    concerned,
    event_of,
    instant,
    journal_of,
    moment,
    name_of,
)
from clientela.domain.event import Key
from clientela.domain.fingerprint import Fingerprint
from clientela.domain.ids import Blind, JournalId, Ref
from clientela.domain.record import Holder
from clientela.services.key_rows import KeyRow
from clientela.services.ports import PAGE_MAX
from clientela.services.rows import Answer, AuditRow, StoredEvent


UNTOLD = -1
"""How often keys were changed, where that is not told."""

_TAIL = f"""
SELECT {EVENT_COLUMNS} FROM events
WHERE kind = $1 AND id = $2 AND version > $3
ORDER BY version LIMIT $4
"""  # noqa: S608  Made of constants.


async def read(
    connection: Connection, journal_id: JournalId, after: int, limit: int
) -> list[StoredEvent]:
    """Events of one journal above a version, oldest first."""
    rows = await connection.fetch(_TAIL, *name_of(journal_id), after, min(limit, PAGE_MAX))
    return [event_of(tuple(row)) for row in rows]


_ENDS = f"""
SELECT journals.kind, journals.id, journals.version, {KEY_CHANGES} AS key_changes
FROM unnest($1::text[], $2::text[]) AS wanted (kind, id)
JOIN journals ON journals.kind = wanted.kind AND journals.id = wanted.id
"""  # noqa: S608  Made of constants.


async def ends(
    connection: Connection, journal_ids: Iterable[JournalId]
) -> tuple[dict[JournalId, int], int]:
    """
    Versions of the last events of these journals, those without any left out.

    Returns:
        The versions, and how often keys were changed; -1 if that was not told.
    """
    names = [*map(name_of, dict.fromkeys(journal_ids))]
    rows = await connection.fetch(_ENDS, [kind for kind, _ in names], [id_ for _, id_ in names])
    found = {journal_of(row["kind"], row["id"]): row["version"] for row in rows}
    return found, rows[0]["key_changes"] if rows else UNTOLD


async def read_all(
    connection: Connection, strategy: Strategy, after: int, limit: int
) -> tuple[list[StoredEvent], int]:
    """
    Events of all journals above a position, in order.

    Returns:
        Those that may be handed out, and the position of the first that may not be yet; 0 if there
        is none.
    """
    question = f"""
        SELECT {EVENT_COLUMNS}, {strategy.horizon} AS horizon FROM events
        WHERE position > $1 ORDER BY position LIMIT $2
    """  # noqa: S608  Made of constants.
    rows = await connection.fetch(question, after, min(limit, PAGE_MAX))
    settled = [row for row in rows if row["position"] < row["horizon"]]
    held = rows[len(settled)]["position"] if len(settled) < len(rows) else 0
    return [event_of(tuple(row)[:-1]) for row in settled], held


async def last_position(connection: Connection, strategy: Strategy) -> tuple[int, int]:
    """Position of the last committed event, and the horizon."""
    question = f"""
        SELECT (SELECT coalesce(max(position), 0) FROM events) AS last,
            {strategy.horizon} AS horizon
    """  # noqa: S608  Made of constants.
    row = await connection.fetchrow(question)
    assert row is not None
    return row["last"], row["horizon"]


_HOLDER = "SELECT kind, id, version, fingerprint FROM keys WHERE scope = $1 AND value = $2"


async def holder(connection: Connection, key: Key) -> Holder | None:
    """Who holds a key."""
    row = await connection.fetchrow(_HOLDER, key.scope, key.value)
    return None if row is None else holder_of(*row)


def holder_of(kind: str, id_: str, version: int, fingerprint: str) -> Holder:
    """The holder kept so."""
    return Holder(Ref(journal_of(kind, id_), version), Fingerprint(fingerprint))


_MASKS = """
SELECT masks.kind, masks.id, masks.mask
FROM unnest($1::text[], $2::text[]) AS wanted (kind, id)
JOIN masks ON masks.kind = wanted.kind AND masks.id = wanted.id
"""


async def masks_of(connection: Connection, journals: Iterable[Name]) -> dict[Name, bytes]:
    """The masks of those journals that have one."""
    names = tuple(journals)
    kinds, ids = [kind for kind, _ in names], [id_ for _, id_ in names]
    rows = await connection.fetch(_MASKS, kinds, ids)
    return {(row["kind"], row["id"]): row["mask"] for row in rows}


async def revealed(connection: Connection, request: Blind, at: int, body: str) -> Answer:
    """The answer kept so, its fingerprint unmasked."""
    kept = answer_of(request, at, body)
    names = concerned(kept)
    found = await masks_of(connection, names)
    masks = [found.get(name, GONE) for name in names]
    return attrs.evolve(kept, fingerprint=unmasked(request, kept.fingerprint, masks))


_KEY_ROW = "SELECT kek_id, wrapped FROM key_rows WHERE kind = $1 AND id = $2"


async def key_row(connection: Connection, person: JournalId) -> KeyRow | None:
    """The key of a person."""
    row = await connection.fetchrow(_KEY_ROW, *name_of(person))
    return None if row is None else KeyRow(person, row["kek_id"], row["wrapped"])


# No kind is the beginning of another, so this is the order of the texts `kind/id` as well.
_JOURNALS = """
SELECT kind, id FROM journals
WHERE (kind, id) > ($1, $2) AND version > 0
ORDER BY kind, id LIMIT $3
"""


async def journals(connection: Connection, after: str, limit: int) -> list[JournalId]:
    """Journals above a text, in the order of their texts."""
    kind, _, id_ = after.partition("/")
    rows = await connection.fetch(_JOURNALS, kind, id_, min(limit, PAGE_MAX))
    return [journal_of(*row) for row in rows]


_DUE = "SELECT kind, id FROM due WHERE at <= $1 ORDER BY at, kind, id LIMIT $2 OFFSET $3"


async def due(connection: Connection, until: datetime, limit: int, offset: int) -> list[JournalId]:
    """Journals due, earliest first."""
    rows = await connection.fetch(_DUE, instant(until), min(limit, PAGE_MAX), offset)
    return [journal_of(*row) for row in rows]


_DUE_AT = "SELECT at FROM due WHERE kind = $1 AND id = $2"


async def due_at(connection: Connection, journal_id: JournalId) -> datetime | None:
    """The due moment of a journal."""
    at = await connection.fetchval(_DUE_AT, *name_of(journal_id))
    return None if at is None else moment(at)


_STALE_KEYS = """
SELECT kind, id, kek_id, wrapped FROM key_rows
WHERE kek_id <> '' AND kek_id <> $1
ORDER BY kind, id LIMIT $2
"""


async def stale_keys(connection: Connection, kek_id: str, limit: int) -> list[KeyRow]:
    """Rows under another key, in the order of their persons."""
    rows = await connection.fetch(_STALE_KEYS, kek_id, min(limit, PAGE_MAX))
    return [
        KeyRow(journal_of(row["kind"], row["id"]), row["kek_id"], row["wrapped"]) for row in rows
    ]


_NOTE = "SELECT value FROM notes WHERE name = $1"


async def note(connection: Connection, name: str) -> str | None:
    """A note."""
    value = await connection.fetchval(_NOTE, name)
    return None if value is None else bytes(value).decode()


async def audit(
    connection: Connection, strategy: Strategy, after: int, limit: int
) -> tuple[Sequence[tuple[int, AuditRow]], int]:
    """
    Audit rows above a number, oldest first.

    Returns:
        Those that may be handed out, and the number of the first that may not be yet, else 0.
    """
    question = f"""
        SELECT number, at, actor, method, target, decision, reason, request,
            {strategy.horizon} AS horizon
        FROM audit WHERE number > $1 ORDER BY number LIMIT $2
    """  # noqa: S608  Made of constants.
    rows = await connection.fetch(question, after, min(limit, PAGE_MAX))
    settled = [row for row in rows if row["number"] < row["horizon"]]
    held = rows[len(settled)]["number"] if len(settled) < len(rows) else 0
    return [(row["number"], audit_of(tuple(row)[1:-1])) for row in settled], held
