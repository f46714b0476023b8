"""
Everything that is asked, as SQL over one connection.
"""

from __future__ import annotations

import sqlite3
import sys

from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

from clientela.adapters.sqlite.connection import view
from clientela.adapters.sqlite.masks import GONE, masks_of, unmasked
from clientela.adapters.sqlite.values import (
    EVENT_COLUMNS,
    answer_of,
    audit_of,
    bucket_of,
    concerned,
    event_of,
    holder_of,
    instant,
    journal_of,
    kek_text,
    key_row_of,
    moment,
    name_of,
)
from clientela.domain.event import Key
from clientela.domain.ids import Blind, JournalId
from clientela.domain.record import Holder
from clientela.services.key_rows import KeyRow
from clientela.services.ports import PAGE_MAX
from clientela.services.rows import Answer, AuditRow, Head, Loaded, Snapshot, StoredEvent, Wanted


_HEAD = "SELECT version, hash, recorded_at FROM journals WHERE kind = ? AND id = ?"


def head(connection: sqlite3.Connection, journal_id: JournalId) -> Head:
    """The end of a journal."""
    row = connection.execute(_HEAD, name_of(journal_id)).fetchone()
    return Head(row[0], row[1], moment(row[2])) if row else Head()


def ends(connection: sqlite3.Connection, journal_ids: Iterable[JournalId]) -> dict[JournalId, int]:
    """Versions of the last events of these journals; 0 where there is none."""
    return {journal_id: head(connection, journal_id).version for journal_id in journal_ids}


_TAIL = f"""
SELECT {EVENT_COLUMNS} FROM events
WHERE kind = ? AND id = ? AND version > ?
ORDER BY version LIMIT ?
"""  # noqa: S608  Made of constants.

_NO_LIMIT = sys.maxsize


def read(
    connection: sqlite3.Connection, journal_id: JournalId, after: int, limit: int
) -> list[StoredEvent]:
    """Events of one journal above a version, oldest first."""
    rows = connection.execute(_TAIL, (*name_of(journal_id), after, limit))
    return [event_of(row) for row in rows]


_ALL = f"""
SELECT {EVENT_COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ?
"""  # noqa: S608  Made of constants.


def read_all(connection: sqlite3.Connection, after: int, limit: int) -> list[StoredEvent]:
    """Events of all journals above a position, in order."""
    rows = connection.execute(_ALL, (after, min(limit, PAGE_MAX)))
    return [event_of(row) for row in rows]


_LAST = "SELECT coalesce(max(position), 0) FROM events"


def last_position(connection: sqlite3.Connection) -> int:
    """Position of the last event."""
    (position,) = connection.execute(_LAST).fetchone()
    return int(position)


_HOLDER = """
SELECT kind, id, version, fingerprint FROM keys
WHERE bucket = ? AND released = 0 AND value = ? AND scope = ?
"""


def holder(connection: sqlite3.Connection, key: Key) -> Holder | None:
    """Who holds a key."""
    row = connection.execute(_HOLDER, (bucket_of(key), key.value, key.scope)).fetchone()
    return holder_of(row) if row else None


_ANSWER = "SELECT request, at, body FROM answers WHERE request = ?"


def answer(connection: sqlite3.Connection, request: Blind) -> Answer | None:
    """What a request was answered."""
    row = connection.execute(_ANSWER, (request,)).fetchone()
    if row is None:
        return None
    kept = answer_of(*row)
    names = concerned(kept)
    found = masks_of(connection, names)
    masks = [found.get(name, GONE) for name in names]
    fingerprint = unmasked(request, kept.fingerprint, masks)
    return attrs.evolve(kept, fingerprint=fingerprint)


_ANSWERED = "SELECT 1 FROM answers WHERE request = ?"


def is_answered(connection: sqlite3.Connection, request: Blind) -> bool:
    """Whether a request has its answer."""
    return connection.execute(_ANSWERED, (request,)).fetchone() is not None


_KEY_ROW = "SELECT kind, id, erased, kek_id, wrapped FROM key_rows WHERE kind = ? AND id = ?"


def key_row(connection: sqlite3.Connection, person: JournalId) -> KeyRow | None:
    """The key of a person."""
    row = connection.execute(_KEY_ROW, name_of(person)).fetchone()
    return key_row_of(row) if row else None


_SNAPSHOT = """
SELECT version, body FROM snapshots WHERE kind = ? AND id = ? AND fingerprint = ?
"""


def snapshot(
    connection: sqlite3.Connection, journal_id: JournalId, fingerprint: str
) -> Snapshot | None:
    """The snapshot of a journal, if the rulebook of *fingerprint* made it."""
    row = connection.execute(_SNAPSHOT, (*name_of(journal_id), fingerprint)).fetchone()
    if row is None:
        return None
    return Snapshot(journal=journal_id, version=row[0], fingerprint=fingerprint, body=row[1])


def load(connection: sqlite3.Connection, wanted: Wanted) -> Loaded:
    """What is committed of *wanted*, all of one moment."""
    with view(connection):
        snapshots = {
            j: found
            for j in wanted.journals
            if j not in wanted.known
            and (found := snapshot(connection, j, wanted.fingerprint)) is not None
        }
        known = {**{j: s.version for j, s in snapshots.items()}, **wanted.known}
        heads = {j: head(connection, j) for j in wanted.journals}
        holders = {k: holder(connection, k) for k in wanted.keys}
        return Loaded(
            heads=heads,
            tails={
                j: read(connection, j, known.get(j, 0), _NO_LIMIT)
                if heads[j].version > known.get(j, 0)
                else []
                for j in wanted.journals
            },
            snapshots=snapshots,
            holders={k: found for k, found in holders.items() if found is not None},
            answer=answer(connection, wanted.request) if wanted.request else None,
            key_rows={person: key_row(connection, person) for person in wanted.persons},
        )


# No kind is the beginning of another, so this is the order of the texts `kind/id` as well.
_JOURNALS = "SELECT kind, id FROM journals WHERE (kind, id) > (?, ?) ORDER BY kind, id LIMIT ?"


def journals(connection: sqlite3.Connection, after: str, limit: int) -> list[JournalId]:
    """Journals above a text, in the order of their texts."""
    kind, _, id_ = after.partition("/")
    rows = connection.execute(_JOURNALS, (kind, id_, min(limit, PAGE_MAX)))
    return [journal_of(*row) for row in rows]


_DUE = "SELECT kind, id FROM due WHERE at <= ? ORDER BY at, kind, id LIMIT ? OFFSET ?"


def due(
    connection: sqlite3.Connection, until: datetime, limit: int, offset: int
) -> list[JournalId]:
    """Journals due, earliest first."""
    rows = connection.execute(_DUE, (instant(until), min(limit, PAGE_MAX), offset))
    return [journal_of(kind, id_) for kind, id_ in rows]


_DUE_AT = "SELECT at FROM due WHERE kind = ? AND id = ?"


def due_at(connection: sqlite3.Connection, journal_id: JournalId) -> datetime | None:
    """The due moment of a journal."""
    row = connection.execute(_DUE_AT, name_of(journal_id)).fetchone()
    return moment(row[0]) if row else None


_STALE_KEYS = """
SELECT kind, id, erased, kek_id, wrapped FROM key_rows
WHERE erased = 0 AND kek_id <> ?
ORDER BY kind, id LIMIT ?
"""


def stale_keys(connection: sqlite3.Connection, kek_id: str, limit: int) -> list[KeyRow]:
    """Rows under another key, in the order of their persons."""
    rows = connection.execute(_STALE_KEYS, (kek_text(kek_id), min(limit, PAGE_MAX)))
    return [key_row_of(row) for row in rows]


_NOTE = "SELECT value FROM notes WHERE name = ?"


def note(connection: sqlite3.Connection, name: str) -> str | None:
    """A note."""
    row = connection.execute(_NOTE, (name,)).fetchone()
    return row[0] if row else None


_AUDIT = """
SELECT number, at, actor, method, target, decision, reason, request FROM audit
WHERE number > ? ORDER BY number LIMIT ?
"""


def audit(connection: sqlite3.Connection, after: int, limit: int) -> Sequence[tuple[int, AuditRow]]:
    """Audit rows above a number, oldest first."""
    rows = connection.execute(_AUDIT, (after, min(limit, PAGE_MAX)))
    return [(row[0], audit_of(row[1:])) for row in rows]


CHECK_FAULTS_MAX = 100
"""Faults that a check reports."""


def faults(connection: sqlite3.Connection) -> tuple[str, ...]:
    """What SQLite finds wrong with the file; nothing if it is whole. Reads all of it."""
    found = [row[0] for row in connection.execute(f"PRAGMA integrity_check({CHECK_FAULTS_MAX})")]
    loose = connection.execute("PRAGMA foreign_key_check").fetchmany(CHECK_FAULTS_MAX)
    named = [f"row {row} of {table} lacks its {parent}" for table, row, parent, _ in loose]
    return tuple(text for text in (*found, *named) if text != "ok")
