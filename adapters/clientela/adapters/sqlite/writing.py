"""
One append as SQL, inside a transaction that others may share.

Every claim is a statement that changes one row or none: whoever changes none has lost, and the
caller rolls back to where the append began.
"""

from __future__ import annotations

import sqlite3

from collections.abc import Iterable
from datetime import datetime

import attrs

from clientela.adapters.sqlite.erasures import erase, erasures_of
from clientela.adapters.sqlite.key_rows import make_keys
from clientela.adapters.sqlite.masks import masked
from clientela.adapters.sqlite.reading import holder, last_position
from clientela.adapters.sqlite.reserved import release, reserve
from clientela.adapters.sqlite.values import (
    answer_text,
    audit_row,
    event_row,
    instant,
    name_of,
)
from clientela.domain.fingerprint import Fingerprint
from clientela.domain.ids import JournalId
from clientela.services.ports import PAGE_MAX
from clientela.services.rows import Answer, Append, AuditRow, Snapshot, StoredEvent
from clientela.services.store_errors import (
    KeyConflictError,
    RequestConflictError,
    VersionConflictError,
)


def append(connection: sqlite3.Connection, new: Append) -> int:
    """
    Everything of one append.

    Returns:
        Position of the last event there is.

    Raises:
        ConflictError: somebody was faster; some of it may be written and must be rolled back.
    """
    ends = {event.journal: event for event in new.events}
    for journal_id, version in new.expected.items():
        _claim(connection, journal_id, (version, new.hashes.get(journal_id)), ends.get(journal_id))
    for journal_id, version in new.facts.items():
        _check(connection, journal_id, (version, new.hashes.get(journal_id)))
    for key in new.release:
        release(connection, key)
    for key, held_by in dict(new.reserve).items():
        if holder(connection, key) is not None:
            raise KeyConflictError(key)
        reserve(connection, key, held_by)
    if new.answer is not None:
        _answer(connection, new.answer)
    if new.keys.made:
        make_keys(connection, new.keys.made)
    connection.executemany(_EVENT, [event_row(event) for event in new.events])
    for journal_id, at in new.due.items():
        _due(connection, journal_id, at)
    for snapshot in new.snapshots:
        _snapshot(connection, snapshot)
    for erasure in erasures_of(new):
        erase(connection, erasure, new.keys.scopes)
    write_audit(connection, new.audit)
    return last_position(connection)


_BEGIN_JOURNAL = """
INSERT INTO journals (version, hash, recorded_at, kind, id) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (kind, id) DO NOTHING
"""

_MOVE_JOURNAL = """
UPDATE journals SET version = ?, hash = ?, recorded_at = ?
WHERE kind = ? AND id = ? AND version = ? AND hash = coalesce(?, hash)
"""

_END = "SELECT version, hash FROM journals WHERE kind = ? AND id = ?"

_Expected = tuple[int, str | None]
"""Version of a journal, and the hash of its last event if that matters."""


def _claim(
    connection: sqlite3.Connection,
    journal_id: JournalId,
    expected: _Expected,
    end: StoredEvent | None,
) -> None:
    """Move a journal from where it must be to *end*, or check that it is there if there is none."""
    if end is None:
        _check(connection, journal_id, expected)
        return
    to = (end.version, end.hash, instant(end.recorded_at), *name_of(journal_id))
    if expected[0]:
        is_so = connection.execute(_MOVE_JOURNAL, (*to, *expected)).rowcount == 1
    else:
        is_so = connection.execute(_BEGIN_JOURNAL, to).rowcount == 1
    if not is_so:
        raise VersionConflictError(journal_id)


def _check(connection: sqlite3.Connection, journal_id: JournalId, expected: _Expected) -> None:
    """Check that a journal is still where it must be."""
    version, end = connection.execute(_END, name_of(journal_id)).fetchone() or (0, "")
    if expected[0] != version or expected[1] not in {None, end}:
        raise VersionConflictError(journal_id)


_EVENT = """
INSERT INTO events (
    kind, id, version, event_id, append_id, name, occurred_at, recorded_at, body, hash
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_ANSWER = "INSERT INTO answers (request, at, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


def _answer(connection: sqlite3.Connection, answer: Answer) -> None:
    hidden = masked(connection, answer.request, answer.fingerprint, answer.concerns)
    text = answer_text(attrs.evolve(answer, fingerprint=Fingerprint(hidden)))
    row = (answer.request, instant(answer.at), text)
    if connection.execute(_ANSWER, row).rowcount != 1:
        raise RequestConflictError


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
INSERT INTO due (kind, id, at) VALUES (?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET at = excluded.at
"""

_UNSET_DUE = "DELETE FROM due WHERE kind = ? AND id = ?"


def _due(connection: sqlite3.Connection, journal_id: JournalId, at: datetime | None) -> None:
    if at is None:
        connection.execute(_UNSET_DUE, name_of(journal_id))
    else:
        connection.execute(_SET_DUE, (*name_of(journal_id), instant(at)))


_SNAPSHOT = """
INSERT INTO snapshots (kind, id, version, fingerprint, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET
    version = excluded.version, fingerprint = excluded.fingerprint, body = excluded.body
"""


def _snapshot(connection: sqlite3.Connection, snapshot: Snapshot) -> None:
    row = (snapshot.version, snapshot.fingerprint, snapshot.body)
    connection.execute(_SNAPSHOT, (*name_of(snapshot.journal), *row))


_NOTE = """
INSERT INTO notes (name, value) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""

_DROP_NOTE = "DELETE FROM notes WHERE name = ?"


def write_note(connection: sqlite3.Connection, name: str, value: str | None) -> None:
    """Write a note, or drop it."""
    if value is None:
        connection.execute(_DROP_NOTE, (name,))
    else:
        connection.execute(_NOTE, (name, value))


_AUDIT = """
INSERT INTO audit (at, actor, method, target, decision, reason, request)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""


def write_audit(connection: sqlite3.Connection, rows: Iterable[AuditRow]) -> None:
    """Write audit rows."""
    connection.executemany(_AUDIT, [audit_row(row) for row in rows])
