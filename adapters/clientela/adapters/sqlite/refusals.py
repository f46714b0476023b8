"""
Finding the losers: whether everything that an append claims still holds.
"""

from __future__ import annotations

import sqlite3

from clientela.adapters.sqlite.key_rows import fence
from clientela.adapters.sqlite.reading import head, holder, is_answered, key_row
from clientela.services.rows import Append
from clientela.services.store_errors import (
    ConflictError,
    KekRetiredError,
    KeyConflictError,
    PersonKeyConflictError,
    RequestConflictError,
    VersionConflictError,
)


def refusal(connection: sqlite3.Connection, append: Append) -> ConflictError | None:
    """Why *append* has lost, if it has: versions first, then keys, request, keys of persons."""
    for versions in (append.expected, append.facts):
        for journal_id, version in versions.items():
            end = head(connection, journal_id)
            if end.version != version or append.hashes.get(journal_id, end.hash) != end.hash:
                return VersionConflictError(journal_id)
    for key, _ in append.reserve:
        if key not in append.release and holder(connection, key) is not None:
            return KeyConflictError(key)
    if append.answer is not None and is_answered(connection, append.answer.request):
        return RequestConflictError()
    kek_id = fence(connection)
    for row in append.keys.made:
        if key_row(connection, row.person) is not None:
            return PersonKeyConflictError(row.person)
        if kek_id not in {None, row.kek_id}:
            return KekRetiredError(row.kek_id)
    return None
