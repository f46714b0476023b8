"""
From a path to a database that may be served: locked, whole, of this release and this company.
"""

from __future__ import annotations

import secrets
import sqlite3

from pathlib import Path

import attrs

from clientela.adapters.migrations import available, plan, up
from clientela.adapters.sqlite.connection import (
    APPLICATION_ID,
    READER_SETTINGS,
    SETTINGS,
    check_identity,
    check_version,
    connect,
    settle,
    transaction,
    truncated,
    unavailable,
)
from clientela.adapters.sqlite.erasures import Erasure, ErasureList, erase_again, recorded
from clientela.adapters.sqlite.files import FileLock, beside, create
from clientela.adapters.sqlite.reading import note
from clientela.adapters.sqlite.schema import DIALECT, SqliteSchema
from clientela.adapters.sqlite.values import journal_of
from clientela.adapters.sqlite.writing import write_note
from clientela.domain.ids import JournalId
from clientela.services.store_errors import StoreUnsuitableError


READERS = 2
"""Connections that read, each with a thread of its own."""

EPOCH = "epoch"
"""Note: which life of the database this is, `<restores>-<random>`; another one after a restore."""

RULEBOOK = "rulebook"
"""Note: fingerprint of the rulebook whose facts it holds."""

BACKUP = "backup"
"""Note that only a backup bears: position and epoch of the database it was made from."""

RESTORED = "restored"
"""Note: what `BACKUP` said when the database was last restored."""

ERASED_AGAIN = "erased-again"
"""
Note: persons, blank-separated, whose keys a restore destroyed again. Their journals do not say so
yet: whoever serves the database erases them by command, then writes the note empty.
"""

LOCK = ".lock"
ERASURES = ".erasures"


class OtherRulebookError(StoreUnsuitableError):
    """
    The database holds facts of another composition of rule sets.

    Attributes:
        path: Which database.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"{path} was written with other rule sets: start with those, or run "
            "`clientela migrate` to go on with these"
        )


class MigrationNeededError(StoreUnsuitableError):
    """
    The database is older than this release.

    Attributes:
        path: Which database.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is of an older release: make a backup, run `clientela migrate`")


class FolderMissingError(StoreUnsuitableError):
    """
    There is no folder to put the database in.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is not a folder: make it, or name another one")


@attrs.define(kw_only=True)
class Database:
    """
    An open database; closing it is up to whoever opened it.

    Attributes:
        path: The file.

        lock: Held while it is open.

        erasures: The list beside it.

        writer: The connection that writes.

        readers: Those that read.
    """

    path: Path
    lock: FileLock
    erasures: ErasureList
    writer: sqlite3.Connection
    readers: tuple[sqlite3.Connection, ...]

    def close(self) -> None:
        """Let go of everything; the writer last, since the last one tidies up."""
        for connection in (*self.readers, self.writer):
            connection.close()
        self.lock.release()


def open_database(path: Path, rulebook: str, *, may_migrate: bool) -> Database:
    """
    Open a database, or make it.

    Args:
        path: The file; its folder is there.

        rulebook: Fingerprint of the rulebook it must hold facts of; empty to accept any.

        may_migrate: Whether an older one, or one of another rulebook, is brought to this release.

    Raises:
        StoreUnsuitableError: it must not be served; the message says what to do.

        StoreUnavailableError: the disk does not let it be read or written.
    """
    check_version()
    if not path.parent.is_dir():
        raise FolderMissingError(path.parent)
    path = path.resolve()
    lock = FileLock(beside(path, LOCK))
    opened: list[sqlite3.Connection] = []
    try:
        return _opened(path, lock, opened, rulebook, may_migrate)
    except BaseException as error:
        for connection in opened:
            connection.close()
        lock.release()
        if isinstance(error, sqlite3.Error | OSError):
            raise unavailable(error) from error
        raise


def _opened(
    path: Path,
    lock: FileLock,
    opened: list[sqlite3.Connection],
    rulebook: str,
    may_migrate: bool,  # noqa: FBT001  Passed on.
) -> Database:
    create(path)
    writer = connect(path)
    opened.append(writer)
    is_new = check_identity(writer, path)
    settle(writer, SETTINGS)
    _migrate(writer, path, may_migrate=may_migrate or is_new)
    _check_rulebook(writer, path, rulebook, may_migrate=may_migrate)
    erasures = ErasureList(beside(path, ERASURES))
    _reconcile(writer, erasures)
    truncated(writer)
    for _ in range(READERS):
        reader = connect(path)
        opened.append(reader)
        settle(reader, READER_SETTINGS)
    return Database(
        path=path, lock=lock, erasures=erasures, writer=writer, readers=tuple(opened[1:])
    )


def _migrate(connection: sqlite3.Connection, path: Path, *, may_migrate: bool) -> None:
    schema, known = SqliteSchema(connection), available(DIALECT)
    if may_migrate:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        up(schema, known)
    elif plan(known, schema.applied()):
        raise MigrationNeededError(path)


def _check_rulebook(
    connection: sqlite3.Connection, path: Path, rulebook: str, *, may_migrate: bool
) -> None:
    found = note(connection, RULEBOOK)
    if rulebook in {"", found}:
        return
    if found is not None and not may_migrate:
        raise OtherRulebookError(path)
    with transaction(connection):
        write_note(connection, RULEBOOK, rulebook)


def _reconcile(connection: sqlite3.Connection, erasures: ErasureList) -> None:
    """
    Make the table and the list of erasures agree.

    What only the table has was committed just before a crash. What only the list has was erased
    after the backup that this database was restored from, be it by `restore` or by hand.
    """
    listed, known = erasures.read(), recorded(connection)
    again = [erasure for erasure in listed if erasure not in known]
    backup = note(connection, BACKUP)
    epoch = note(connection, EPOCH)
    with transaction(connection):
        if again or backup is not None or epoch is None:
            write_note(connection, EPOCH, _next_epoch(epoch))
        if backup is not None:
            write_note(connection, RESTORED, backup)
            write_note(connection, BACKUP, None)
        if again:
            erase_again(connection, again)
            write_note(connection, ERASED_AGAIN, _joined(connection, again))
    erasures.add(erasure for erasure in known if erasure not in listed)


def _joined(connection: sqlite3.Connection, again: list[Erasure]) -> str:
    before = (note(connection, ERASED_AGAIN) or "").split()
    return " ".join(dict.fromkeys([*before, *(str(erasure.person) for erasure in again)]))


def _next_epoch(epoch: str | None) -> str:
    number = int(epoch.partition("-")[0]) + 1 if epoch else 1
    return f"{number}-{secrets.token_hex(4)}"


def erased_again(text: str | None) -> tuple[JournalId, ...]:
    """The persons that the note `ERASED_AGAIN` names."""
    return tuple(journal_of(*name.split("/", 1)) for name in (text or "").split())
