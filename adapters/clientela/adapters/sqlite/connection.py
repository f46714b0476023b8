"""
Connections and their settings: durable, erasing, and read back before anything is trusted.

Only the writer's connection writes and only it checkpoints, in one process. That is also what
keeps clear of the fault of SQLite before 3.51.3 by which two connections that write and checkpoint
at once can damage a database.
"""

from __future__ import annotations

import errno
import sqlite3

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from clientela.services.store_errors import StoreUnavailableError, StoreUnsuitableError


VERSION_MIN = (3, 37, 0)
"""The first SQLite with STRICT tables."""

APPLICATION_ID = 0x434C4E54
"""Marks a file as Clientela's."""

BUSY_SECONDS = 5.0
"""How long to wait for somebody else who holds the file, such as an operator's shell."""

STATEMENTS_MAX = 512
"""Statements that a connection keeps prepared."""

SETTINGS: Mapping[str, int | str] = {
    "secure_delete": 1,
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "mmap_size": 0,
    "temp_store": 2,
    "trusted_schema": 0,
    # By hand instead: a failing automatic checkpoint is not reported.
    "wal_autocheckpoint": 0,
}
"""
Of the writer. `synchronous` 2 is FULL: with less, acknowledged appends go in a power cut.
`secure_delete` 1 overwrites what is deleted. `temp_store` 2 is memory: no temporary files.
"""

READER_SETTINGS: Mapping[str, int | str] = {
    "query_only": 1,
    "mmap_size": 0,
    "temp_store": 2,
    "trusted_schema": 0,
    "wal_autocheckpoint": 0,
}

_REFUSED = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_FULL,
    }
)

_MISTAKES = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_RANGE,
    }
)


class WeakSettingError(StoreUnsuitableError):
    """
    SQLite does not take a setting that the store rests on.

    Attributes:
        setting: Which one.

        found: What it is instead.
    """

    def __init__(self, setting: str, found: object) -> None:
        self.setting = setting
        self.found = found
        super().__init__(
            f"SQLite keeps {setting} at {found}, which is not safe; is the file on a local disk?"
        )


class NotADatabaseError(StoreUnsuitableError):
    """
    The file is something else, or a database of somebody else.

    Attributes:
        path: Which file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is not a database of Clientela: name another file")


class OldSqliteError(StoreUnsuitableError):
    """The SQLite that Python was built with is too old."""

    def __init__(self) -> None:
        needed = ".".join(map(str, VERSION_MIN))
        super().__init__(
            f"SQLite {needed} or newer is needed and this Python has {sqlite3.sqlite_version}"
        )


def code_of(error: sqlite3.Error) -> int:
    """The primary result code; that of a mistaken call for errors of the binding itself."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE)
    return code & 0xFF


def is_mistake(error: sqlite3.Error) -> bool:
    """Whether the statement was wrong; it alone had no effect."""
    return code_of(error) in _MISTAKES


def is_fatal(error: Exception) -> bool:
    """
    Whether it is no longer certain what the disk holds, or what this process does.

    A full disk is not: it takes nothing, and goes on when there is room.
    """
    match error:
        case sqlite3.Error():
            return code_of(error) not in _REFUSED | _MISTAKES
        case OSError(errno=number):
            return number not in {errno.ENOSPC, errno.EDQUOT}
        case _:
            return True


def unavailable(error: Exception) -> StoreUnavailableError:
    """What callers learn of an error; its text stays here, unless it is ours."""
    if isinstance(error, StoreUnavailableError):
        text = str(error)
    else:
        name: str = getattr(error, "sqlite_errorname", "") or type(error).__name__
        text = f"the database cannot be used: {name}"
    found = StoreUnavailableError(text)
    found.__cause__ = error
    return found


def check_version() -> None:
    """
    Check the library.

    Raises:
        OldSqliteError: it is too old.
    """
    if sqlite3.sqlite_version_info < VERSION_MIN:
        raise OldSqliteError


def connect(path: Path) -> sqlite3.Connection:
    """A connection that begins transactions only when told to, for one thread at a time."""
    return sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS_MAX,
    )


def check_identity(connection: sqlite3.Connection, path: Path) -> bool:
    """
    Check that the file is Clientela's or empty, before anything is changed in it.

    Returns:
        Whether it is empty.

    Raises:
        NotADatabaseError: it is something else.
    """
    try:
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if code_of(error) != sqlite3.SQLITE_NOTADB:
            raise
        raise NotADatabaseError(path) from None
    if mark != APPLICATION_ID and (mark or tables):
        raise NotADatabaseError(path)
    return not tables


def settle(connection: sqlite3.Connection, settings: Mapping[str, int | str]) -> None:
    """
    Make settings and check them.

    Raises:
        WeakSettingError: one was not taken.
    """
    for name, value in settings.items():
        connection.execute(f"PRAGMA {name} = {value}").fetchall()
    check_settings(connection, settings)


def check_settings(connection: sqlite3.Connection, settings: Mapping[str, int | str]) -> None:
    """
    Read settings back.

    Raises:
        WeakSettingError: one is not as it must be.
    """
    for name, value in settings.items():
        row = connection.execute(f"PRAGMA {name}").fetchone()
        # A library built without memory mapping answers nothing about it.
        found = row[0] if row else 0
        if found != value:
            raise WeakSettingError(name, found)


def truncated(connection: sqlite3.Connection) -> bool:
    """Bring everything into the database file and empty the log; False if a reader kept it."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None, None, None]:
    """Everything in it or nothing; the writing lock is taken at once."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        undo(connection)
        raise


@contextmanager
def view(connection: sqlite3.Connection) -> Generator[None, None, None]:
    """What is read in it is of one moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        undo(connection)


def undo(connection: sqlite3.Connection) -> None:
    """Roll back what is open, if anything is."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
