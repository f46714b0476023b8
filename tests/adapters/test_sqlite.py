"""
What is peculiar to the store in a SQLite file.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import sys
import threading

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from clientela.adapters.migrations import (
    Migration,
    MigrationChangedError,
    SchemaNewerError,
    available,
)
from clientela.adapters.sqlite import opening, writer
from clientela.adapters.sqlite.connection import (
    READER_SETTINGS,
    SETTINGS,
    NotADatabaseError,
    OldSqliteError,
    WeakSettingError,
    check_settings,
    connect,
    settle,
)
from clientela.adapters.sqlite.files import DatabaseLockedError
from clientela.adapters.sqlite.opening import (
    FolderMissingError,
    MigrationNeededError,
    OtherRulebookError,
)
from clientela.adapters.sqlite.schema import DIALECT
from clientela.adapters.sqlite.store import SqliteStore
from clientela.domain.ids import ClientId, client_journal
from clientela.services.rows import Append, Head, Wanted
from clientela.services.store_errors import (
    KeyConflictError,
    StoreError,
    StoreUnavailableError,
    VersionConflictError,
)
from tests.adapters.appends import (
    AT,
    IVO,
    MARTA,
    PHONE,
    WALLET,
    audited,
    everything,
    held_by,
    rows,
    writing,
)
from tests.adapters.gate import FailingConnection, Gate, on_writer


RULES = "ownership(client-claimed.v1)"
MORE_RULES = f"{RULES} loyalty(points-issued.v1)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "company.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    opened = await SqliteStore.open(path, rulebook=RULES)
    yield opened
    await opened.close()


def change(path: Path, *statements: str) -> None:
    """Change a database that is not open, as somebody with a shell would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


# Settings


async def test_database_is_durable_erasing_and_unmapped(store: SqliteStore):
    """R8: write-ahead log, FULL syncs, foreign keys, secure deletion, no memory map, no files."""
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "mmap_size": 0,
        "temp_store": 2,
    }

    assert expected == {name: (await on_writer(store, f"PRAGMA {name}"))[0] for name in expected}


@pytest.mark.parametrize(
    ("setting", "weaker"),
    [
        ("journal_mode", "delete"),
        ("synchronous", 1),
        ("foreign_keys", 0),
        ("secure_delete", 0),
        ("secure_delete", "fast"),
        ("wal_autocheckpoint", 1000),
    ],
)
def test_weaker_setting_is_refused(path: Path, setting: str, weaker: object):
    """R8: a setting is read back; a weaker one is named and nothing is served."""
    with closing(connect(path)) as connection:
        settle(connection, SETTINGS)
        connection.execute(f"PRAGMA {setting} = {weaker}").fetchall()

        with pytest.raises(WeakSettingError) as refusal:
            check_settings(connection, SETTINGS)

    assert setting == refusal.value.setting


async def test_setting_that_is_not_taken_stops_the_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    """R8: what SQLite does not do as told is noticed when the database is opened."""
    monkeypatch.setitem(SETTINGS, "synchronous", 17)

    with pytest.raises(WeakSettingError):
        await SqliteStore.open(path)

    monkeypatch.undo()
    await (await SqliteStore.open(path)).close()


def test_readers_cannot_write(path: Path):
    """R8: a reader's connection refuses to change anything."""
    with closing(connect(path)) as connection:
        settle(connection, READER_SETTINGS)

        with pytest.raises(sqlite3.OperationalError):
            connection.execute("CREATE TABLE anything (id INTEGER)")


async def test_old_library_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch):
    """A SQLite without strict tables is named at the start."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))

    with pytest.raises(OldSqliteError):
        await SqliteStore.open(path)


async def test_files_are_private(store: SqliteStore, path: Path):
    """Nobody else on the machine may read what the store keeps."""
    await store.append(everything())

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    names = ["", "-shm", "-wal", ".erasures", ".lock"]
    assert dict.fromkeys((f"company.db{name}" for name in names), 0o600) == modes


async def test_sql_never_runs_on_the_thread_of_the_callers(store: SqliteStore):
    """Waiting for the disk keeps no caller from working."""
    written = await store._writer.submit(lambda _: threading.current_thread().name)
    read = await store._read(lambda _: threading.current_thread().name)

    assert "clientela-writer" == written
    assert read.startswith("clientela-reader")


# One process


OPEN = """
import asyncio, sys
from pathlib import Path
from clientela.adapters.sqlite.store import SqliteStore
from clientela.services.store_errors import StoreUnsuitableError

async def main():
    try:
        await SqliteStore.open(Path(sys.argv[1]))
    except StoreUnsuitableError as error:
        print(error)
    else:
        print("open", flush=True)
        sys.stdin.read()

asyncio.run(main())
"""


async def second_process(path: Path) -> asyncio.subprocess.Process:
    """Another process that opens the same database and keeps it until it is killed."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", OPEN, str(path), stdin=pipe, stdout=pipe
    )


async def test_second_process_is_refused(store: SqliteStore, path: Path):
    """R8: one process serves a file; another one learns which file and what to do."""
    output, _ = await (await second_process(path)).communicate()

    assert f"{path}.lock is held by process {os.getpid()}: stop that process" in output.decode()


async def test_lock_ends_with_its_process(path: Path):
    """R8: a process killed with -9 leaves nothing that keeps the next one out."""
    process = await second_process(path)
    assert process.stdout is not None
    assert b"open\n" == await process.stdout.readline()
    with pytest.raises(DatabaseLockedError) as refusal:
        await SqliteStore.open(path)

    process.send_signal(signal.SIGKILL)
    await process.communicate()

    assert str(process.pid) == refusal.value.holder
    await (await SqliteStore.open(path)).close()


async def test_same_process_opens_a_file_once(store: SqliteStore, path: Path):
    """R8: a second store in the same process is refused, by whatever name it asks."""
    link = path.with_name("link.db")
    link.symlink_to(path)

    with pytest.raises(DatabaseLockedError):
        await SqliteStore.open(path)
    with pytest.raises(DatabaseLockedError):
        await SqliteStore.open(link)


# What is opened


async def test_what_was_kept_is_there_again(path: Path):
    """Closing and opening loses nothing, and a closed database is one file without a log."""
    first = await SqliteStore.open(path, rulebook=RULES)
    await first.append(everything())
    wanted = Wanted(journals=(MARTA, WALLET), keys=(PHONE,), persons=(MARTA,))
    before = await first.load(wanted), await first.note("epoch")
    await first.close()

    assert not path.with_name("company.db-wal").exists()
    again = await SqliteStore.open(path, rulebook=RULES)
    assert before == (await again.load(wanted), await again.note("epoch"))
    assert () == await again.faults()
    await again.close()


async def test_database_of_another_composition_is_refused(path: Path):
    """A process with other rule sets does not start on the file until it is migrated."""
    await (await SqliteStore.open(path, rulebook=RULES)).close()

    with pytest.raises(OtherRulebookError):
        await SqliteStore.open(path, rulebook=MORE_RULES)

    tool = await SqliteStore.open(path)
    assert RULES == await tool.note("rulebook")
    await tool.close()
    migrated = await SqliteStore.open(path, rulebook=MORE_RULES, may_migrate=True)
    assert MORE_RULES == await migrated.note("rulebook")
    await migrated.close()
    await (await SqliteStore.open(path, rulebook=MORE_RULES)).close()


async def test_database_of_a_newer_release_is_refused(path: Path):
    """R8: an unknown newer schema is not touched."""
    await (await SqliteStore.open(path)).close()
    change(path, "INSERT INTO migrations VALUES (9999, 'wings', 'abc', 0)")

    with pytest.raises(SchemaNewerError):
        await SqliteStore.open(path)
    with pytest.raises(SchemaNewerError):
        await SqliteStore.open(path, may_migrate=True)


async def test_database_with_an_edited_schema_is_refused(path: Path):
    """A database that went through another text of a migration is not touched."""
    await (await SqliteStore.open(path)).close()
    change(path, "UPDATE migrations SET checksum = 'abc'")

    with pytest.raises(MigrationChangedError):
        await SqliteStore.open(path)


async def test_older_database_is_migrated_only_when_told_to(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A database of an older release waits for a backup and for `clientela migrate`."""
    await (await SqliteStore.open(path)).close()
    known = available(DIALECT)
    wings = Migration(len(known) + 1, "wings", "CREATE TABLE wings (id INTEGER) STRICT;\n")
    monkeypatch.setattr(opening, "available", lambda _: (*known, wings))

    with pytest.raises(MigrationNeededError):
        await SqliteStore.open(path)

    store = await SqliteStore.open(path, may_migrate=True)
    assert (0,) == await on_writer(store, "SELECT count(*) FROM wings")
    await store.close()
    await (await SqliteStore.open(path)).close()


async def test_files_of_others_are_refused_and_left_as_they_are(path: Path):
    """Neither a text nor the database of another program is opened, let alone changed."""
    diary = path.with_name("diary.db")
    await asyncio.to_thread(diary.write_text, "Dear diary, " * 100)
    other = path.with_name("other.db")
    change(other, "CREATE TABLE songs (title TEXT)")
    marked = path.with_name("marked.db")
    change(marked, "PRAGMA application_id = 17", "VACUUM")

    for file in (diary, other, marked):
        before = file.read_bytes()
        with pytest.raises(NotADatabaseError) as refusal:
            await SqliteStore.open(file)
        assert file == refusal.value.path
        assert before == file.read_bytes()


async def test_missing_folder_is_named(path: Path):
    """A database is not made in a folder that is not there."""
    with pytest.raises(FolderMissingError) as refusal:
        await SqliteStore.open(path / "deep" / "company.db")

    assert path / "deep" == refusal.value.path


async def test_damaged_database_is_noticed(path: Path):
    """A check of the file tells what is damaged."""
    store = await SqliteStore.open(path)
    await store.append(everything())
    await store.close()
    change(path, "DELETE FROM journals WHERE kind = 'wallet'")

    store = await SqliteStore.open(path)
    faults = await store.faults()
    await store.close()
    assert 1 == len(faults)
    assert faults[0].endswith("of events lacks its journals")


# Group commit


async def test_what_waits_together_is_one_transaction(store: SqliteStore):
    """Eight callers pay for one sync; those who lose take nobody with them."""
    journals = [client_journal(ClientId(f"client-{i}")) for i in range(8)]
    appends = [writing({journal: None}, append_id=f"append-{journal}") for journal in journals]
    appends[3] = attrs.evolve(appends[3], reserve=((PHONE, held_by(journals[3])),))
    appends[5] = attrs.evolve(appends[5], reserve=((PHONE, held_by(journals[5])),))
    appends[6] = attrs.evolve(appends[6], expected={journals[6]: 0, MARTA: 1})
    seen: list[str] = []
    store._database.writer.set_trace_callback(seen.append)

    async with Gate(store):
        tasks = [asyncio.ensure_future(store.append(append)) for append in appends]
        await asyncio.sleep(0)
        seen.clear()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    # The first belongs to the gate.
    assert 2 == seen.count("COMMIT")
    assert [KeyConflictError, VersionConflictError] == [type(outcomes[i]) for i in (5, 6)]
    assert [1, 2, 3, 4, 5, 6] == [o for o in outcomes if isinstance(o, int)]
    assert 6 == await store.last_position()


async def test_cancelled_while_waiting_is_not_carried_out(store: SqliteStore):
    """Whoever goes away before their turn has changed nothing."""
    async with Gate(store):
        task = asyncio.ensure_future(store.append(writing({MARTA: None})))
        other = asyncio.ensure_future(store.append(writing({IVO: None})))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})

    assert 1 == await other
    assert [IVO] == [row.journal for row in await store.read_all()]


async def test_mistake_of_one_caller_harms_no_other(store: SqliteStore):
    """An event id used twice, or a value of a wrong type, is its caller's failure alone."""
    twice = attrs.evolve(rows(IVO)[0], event_id=rows(MARTA)[0].event_id)
    nothing: Any = object()
    wrong = attrs.evolve(audited(), actor=nothing)

    async with Gate(store):
        tasks = [
            asyncio.ensure_future(store.append(append))
            for append in (
                writing({MARTA: None}),
                Append(expected={IVO: 0}, events=(twice,)),
                Append(expected={}, audit=(audited(), wrong)),
                writing({WALLET: None}),
            )
        ]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert [1, StoreError, StoreError, 2] == [
        o if isinstance(o, int) else type(o) for o in outcomes
    ]
    assert [] == list(await store.audit())
    assert 0 == (await store.load(Wanted(journals=(IVO,)))).heads[IVO].version


async def test_queue_is_bounded(store: SqliteStore, monkeypatch: pytest.MonkeyPatch):
    """More than may wait are refused at once."""
    monkeypatch.setattr(writer, "QUEUE_MAX", 3)

    async with Gate(store):
        tasks = [asyncio.ensure_future(store.write_audit([audited()])) for _ in range(5)]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(None)] * 3 + [StoreUnavailableError] * 2 == [type(o) for o in outcomes]


async def test_log_is_emptied_into_the_database(store: SqliteStore, path: Path):
    """The writer checkpoints by itself, so that the log does not grow with the journal."""
    log = path.with_name("company.db-wal")
    head = Head()
    longest = 0
    for _ in range(5):
        append = writing({MARTA: head}, count=writer.CHECKPOINT_ROWS, append_id=str(head.version))
        await store.append(append)
        last = append.events[-1]
        head = Head(last.version, last.hash, last.recorded_at)
        # Whatever is sent now waits for the checkpoint.
        await store.note("round", str(head.version))
        longest = longest or log.stat().st_size

    sizes = [file.lstat().st_size for file in (path, log)]
    assert sizes[0] > longest
    assert sizes[1] < 2 * longest


# Faults of the disk


async def test_full_disk_is_refused_and_got_over(store: SqliteStore):
    """F5: what does not fit is refused whole, reads go on, and it goes on when there is room."""
    await store.append(everything())
    (pages,) = await on_writer(store, "PRAGMA page_count")
    await on_writer(store, f"PRAGMA max_page_count = {pages + 5}")
    too_much = attrs.evolve(
        writing({IVO: None}, count=500), reserve=((PHONE, held_by(IVO)),), release=(PHONE,)
    )

    with pytest.raises(StoreUnavailableError):
        await store.append(too_much)

    assert 3 == await store.last_position()
    assert held_by(MARTA) == await store.holder(PHONE)
    assert Head() == (await store.load(Wanted(journals=(IVO,)))).heads[IVO]
    await on_writer(store, "PRAGMA max_page_count = 1000000")
    assert 503 == await store.append(too_much)
    assert () == await store.faults()


async def test_full_disk_keeps_nobody_from_closing(path: Path):
    """F5: the log that cannot be emptied for want of room is there for whoever opens the file."""
    store = await SqliteStore.open(path)
    await store.append(everything())
    sound = store._writer._connection
    full: Any = FailingConnection(sound, "PRAGMA wal_checkpoint", sqlite3.SQLITE_FULL)
    store._writer._connection = full

    await store.close()

    again = await SqliteStore.open(path)
    assert 3 == await again.last_position()
    await again.close()


@pytest.mark.parametrize("statement", ["BEGIN", "COMMIT", "PRAGMA wal_checkpoint(PASSIVE)"])
async def test_failing_disk_ends_all_acknowledgement(
    path: Path, statement: str, monkeypatch: pytest.MonkeyPatch
):
    """F4: after one failed sync nothing is acknowledged or read, however the disk behaves then."""
    monkeypatch.setattr(writer, "CHECKPOINT_ROWS", 1)
    store = await SqliteStore.open(path)
    sound = store._writer._connection
    code = sqlite3.SQLITE_IOERR_FSYNC
    store._writer._connection = FailingConnection(sound, statement, code)  # type: ignore[assignment]

    outcome = (await asyncio.gather(store.append(everything()), return_exceptions=True))[0]
    reason = await store.failed()
    store._writer._connection = sound

    # A checkpoint comes after the acknowledgement, which was true.
    if statement.startswith("PRAGMA"):
        assert 3 == outcome
    else:
        assert isinstance(outcome, StoreUnavailableError)
        assert "/secret/path" not in str(outcome)
    assert "SQLITE_IOERR_FSYNC" == reason
    for asked in (
        store.append(writing({IVO: None})),
        store.note("clock", "now"),
        store.load(Wanted(journals=(MARTA,))),
        store.last_position(),
        store.backup(path.with_name("backup.db")),
    ):
        with pytest.raises(StoreUnavailableError, match="SQLITE_IOERR_FSYNC"):
            await asked
    await store.close()
    again = await SqliteStore.open(path)
    assert await again.last_position() in {0, 3}
    assert () == await again.faults()
    await again.close()


async def test_failing_disk_refuses_those_who_wait(store: SqliteStore):
    """F4: nobody of the group or behind it is left without an answer."""
    sound = store._writer._connection
    failing: Any = FailingConnection(sound, "COMMIT", sqlite3.SQLITE_IOERR_WRITE)
    async with Gate(store):
        tasks = [asyncio.ensure_future(store.note(f"note-{i}", "")) for i in range(300)]
        await asyncio.sleep(0)
        store._writer._connection = failing

    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert {StoreUnavailableError} == {type(outcome) for outcome in outcomes}
    store._writer._connection = sound


async def test_failing_read_stops_the_store(store: SqliteStore):
    """F4: an error of the disk met by a reader ends the store as well."""

    def broken(_connection: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
        error.sqlite_errorname = "SQLITE_IOERR_READ"
        raise error

    with pytest.raises(StoreUnavailableError):
        await store._read(broken)

    assert "SQLITE_IOERR_READ" == await store.failed()


async def test_defect_of_the_writer_is_a_failure(store: SqliteStore):
    """An error nobody thought of ends the store rather than leaving callers waiting."""
    sound = store._writer._connection
    store._writer._connection = None  # type: ignore[assignment]

    with pytest.raises(StoreUnavailableError):
        await store.append(everything())

    assert "AttributeError" == await store.failed()
    store._writer._connection = sound


async def test_closed_store_serves_nobody(path: Path):
    """What comes after closing is refused."""
    store = await SqliteStore.open(path)
    await store.close()

    for asked in (store.last_position(), store.append(everything()), store.note("a", "b")):
        with pytest.raises(StoreUnavailableError):
            await asked


async def test_moments_are_kept_in_order_of_commit(store: SqliteStore):
    """Positions count on without a gap, whoever lost in between."""
    await store.append(everything())
    for _ in range(3):
        with pytest.raises(VersionConflictError):
            await store.append(attrs.evolve(everything("append-2"), due={MARTA: AT}))
    await store.append(writing({IVO: None}, count=2, append_id="append-3"))

    assert [1, 2, 3, 4, 5] == [row.position for row in await store.read_all()]
