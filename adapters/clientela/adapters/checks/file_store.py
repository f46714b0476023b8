"""
The store in a SQLite file, looked at without changing it.
"""

from __future__ import annotations

import contextlib
import sqlite3

from collections.abc import Iterator
from datetime import UTC, datetime

from clientela.adapters.beginning import KEYRING, REAL
from clientela.adapters.checks.clock import clock
from clientela.adapters.checks.files import is_open, keys
from clientela.adapters.checks.finding import Finding, bad, good, poor
from clientela.adapters.checks.holders import holders
from clientela.adapters.migrations import available, plan
from clientela.adapters.settings import Settings
from clientela.adapters.sqlite import reading
from clientela.adapters.sqlite.copies import fence_in
from clientela.adapters.sqlite.leases import granted
from clientela.adapters.sqlite.schema import DIALECT, SqliteSchema
from clientela.services.operations import CLOCK
from clientela.services.store_errors import StoreError


def file_store(settings: Settings) -> Iterator[Finding]:
    """What there is to say of the database file, its keys, its clock and leases."""
    path = settings.database
    noted, fence = _note(settings, KEYRING), fence_in(path)
    yield from keys(settings, noted, is_new=not path.exists(), fence=fence)
    if not path.exists():
        yield poor("store", "there is none yet; serve makes it")
        return
    try:
        with _read(settings) as connection:
            pending = plan(available(DIALECT), SqliteSchema(connection).applied())
            last = None if pending else _last(connection)
            leases = [] if pending else granted(connection)
    except (sqlite3.Error, StoreError) as error:
        yield bad("store", str(error))
        return
    if pending:
        yield bad("store", "of an older release; make a copy, run `clientela migrate up`")
        return
    if is_open(path):
        yield poor("store", f"others may read {path}; run `chmod 600 {path}`")
    else:
        yield good("store", str(path.resolve()))
    noted = _note(settings, CLOCK)
    if noted in {None, REAL}:
        yield clock(last)
    else:
        yield poor("clock", f"virtual, at {noted}: a trial store")
    yield from holders(leases, datetime.now(UTC))


def _last(connection: sqlite3.Connection) -> datetime | None:
    """When the last event was recorded."""
    position = reading.last_position(connection)
    rows = reading.read_all(connection, position - 1, 1) if position else []
    return rows[0].recorded_at if rows else None


def _read(settings: Settings) -> contextlib.closing[sqlite3.Connection]:
    path = settings.database.resolve()
    return contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True))


def _note(settings: Settings, name: str) -> str | None:
    if not settings.database.exists():
        return None
    try:
        with _read(settings) as connection:
            return reading.note(connection, name)
    except sqlite3.Error:
        return None
