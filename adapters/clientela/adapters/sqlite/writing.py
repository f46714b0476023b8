"""
What appends leave, table by table, inside a transaction; and what is written beside them.

What is a claim says how many rows it found as they had to be.
"""

from __future__ import annotations

import sqlite3

from collections.abc import Mapping, Sequence
from datetime import datetime

from clientela.adapters.sqlite.claims import Claim
from clientela.adapters.sqlite.many import change, count
from clientela.adapters.sqlite.values import Name, Row, audit_row, event_row, instant, name_of
from clientela.services.ports import PAGE_MAX
from clientela.services.rows import AuditRow, Snapshot, StoredEvent


_BEGIN_JOURNALS = """
INSERT INTO journals (kind, id, version, hash, recorded_at) VALUES {rows}
ON CONFLICT (kind, id) DO NOTHING
"""

_MOVE_JOURNALS = """
UPDATE journals SET version = new.version, hash = new.hash, recorded_at = new.recorded_at
FROM (
    WITH new (kind, id, version, hash, recorded_at, before, before_hash) AS (VALUES {rows})
    SELECT * FROM new
) AS new
WHERE journals.kind = new.kind AND journals.id = new.id AND journals.version = new.before
    AND new.before_hash IN ('', journals.hash)
"""

_MOVE_JOURNAL = """
UPDATE journals SET version = ?3, hash = ?4, recorded_at = ?5
WHERE kind = ?1 AND id = ?2 AND version = ?6 AND ?7 IN ('', hash)
"""

FEW = 8
"""Journals up to which it is cheaper to move each: of many SQLite makes a table first."""

_STAYED = """
WITH new (kind, id, version, hash) AS (VALUES {rows})
SELECT count(*) FROM new CROSS JOIN journals
    ON journals.kind = new.kind AND journals.id = new.id AND journals.version = new.version
    AND new.hash IN ('', journals.hash)
"""

_PRESENT = """
WITH new (kind, id) AS (VALUES {rows})
SELECT count(*) FROM new CROSS JOIN journals
    ON journals.kind = new.kind AND journals.id = new.id
"""


def claim_journals(connection: sqlite3.Connection, claims: Mapping[Name, Claim]) -> int:
    """Move journals from where they must be to where they end, and count those that do so."""
    begun: list[Row] = []
    moved: list[Row] = []
    stayed: list[Row] = []
    absent: list[Row] = []
    for name, claim in claims.items():
        if claim.end is not None:
            to = (*name, claim.version, claim.end.hash, instant(claim.end.recorded_at))
            if claim.before:
                moved.append((*to, claim.before, claim.before_hash))
            else:
                begun.append(to)
        elif claim.before:
            stayed.append((*name, claim.before, claim.before_hash))
        else:
            absent.append(name)
    return (
        change(connection, _BEGIN_JOURNALS, begun)
        + _moved(connection, moved)
        + count(connection, _STAYED, stayed)
        + len(absent)
        - count(connection, _PRESENT, absent)
    )


def _moved(connection: sqlite3.Connection, rows: Sequence[Row]) -> int:
    if len(rows) > FEW:
        return change(connection, _MOVE_JOURNALS, rows)
    return connection.executemany(_MOVE_JOURNAL, rows).rowcount if rows else 0


_EVENTS = """
INSERT INTO events (
    kind, id, version, event_id, append_id, name, occurred_at, recorded_at, body, hash
) VALUES {rows}
"""


def write_events(connection: sqlite3.Connection, events: Sequence[StoredEvent]) -> None:
    """Write events, in this order, behind all there are."""
    change(connection, _EVENTS, [event_row(event) for event in events])


_MASKS = "INSERT INTO masks (kind, id, mask) VALUES {rows}"


def write_masks(connection: sqlite3.Connection, masks: Mapping[Name, bytes]) -> None:
    """Write masks of journals that have none."""
    change(connection, _MASKS, [(*name, mask) for name, mask in masks.items()])


_ANSWERS = "INSERT INTO answers (request, at, body) VALUES {rows} ON CONFLICT DO NOTHING"


def write_answers(connection: sqlite3.Connection, rows: Sequence[Row]) -> int:
    """Write the answers to those requests that have none; how many these are."""
    return change(connection, _ANSWERS, rows)


_PURGE_ANSWERS = """
DELETE FROM answers WHERE request IN (
    SELECT request FROM answers WHERE at < ? ORDER BY at, request LIMIT ?
)
"""


def purge_answers(connection: sqlite3.Connection, before: datetime, limit: int) -> int:
    """Drop the oldest answers given before a moment."""
    page = (instant(before), min(limit, PAGE_MAX))
    return connection.execute(_PURGE_ANSWERS, page).rowcount


_SET_DUE = """
INSERT INTO due (kind, id, at) VALUES {rows}
ON CONFLICT (kind, id) DO UPDATE SET at = excluded.at WHERE at <> excluded.at
"""

_UNSET_DUE = "DELETE FROM due WHERE (kind, id) IN (VALUES {rows})"


def write_due(connection: sqlite3.Connection, due: Mapping[Name, datetime | None]) -> None:
    """Set due moments, or remove them."""
    change(connection, _SET_DUE, [(*name, instant(at)) for name, at in due.items() if at])
    change(connection, _UNSET_DUE, [name for name, at in due.items() if at is None])


_SNAPSHOTS = """
INSERT INTO snapshots (kind, id, version, fingerprint, body) VALUES {rows}
ON CONFLICT (kind, id) DO UPDATE SET
    version = excluded.version, fingerprint = excluded.fingerprint, body = excluded.body
"""


def write_snapshots(connection: sqlite3.Connection, snapshots: Sequence[Snapshot]) -> None:
    """Keep snapshots instead of older ones."""
    rows = [(*name_of(s.journal), s.version, s.fingerprint, s.body) for s in snapshots]
    change(connection, _SNAPSHOTS, rows)


_AUDIT = """
INSERT INTO audit (at, actor, method, target, decision, reason, request) VALUES {rows}
"""


def write_audit(connection: sqlite3.Connection, rows: Sequence[AuditRow]) -> None:
    """Write audit rows."""
    change(connection, _AUDIT, [audit_row(row) for row in rows])


_NOTE = """
INSERT INTO notes (name, value) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""

_FIRST_NOTE = "INSERT INTO notes (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"

_SWAP_NOTE = "UPDATE notes SET value = ? WHERE name = ? AND value = ?"

_DROP_NOTE = "DELETE FROM notes WHERE name = ?"


def write_note(connection: sqlite3.Connection, name: str, value: str | None) -> None:
    """Write a note, or drop it."""
    if value is None:
        connection.execute(_DROP_NOTE, (name,))
    else:
        connection.execute(_NOTE, (name, value))


def swap_note(connection: sqlite3.Connection, name: str, old: str | None, new: str) -> bool:
    """Write a note if it says *old*, None for nothing yet; whether it did."""
    if old is None:
        return connection.execute(_FIRST_NOTE, (name, new)).rowcount == 1
    return connection.execute(_SWAP_NOTE, (new, name, old)).rowcount == 1
