"""
Backup while serving, restore, and what a restored database forgets before it serves.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import threading

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from clientela.adapters.sqlite import writer
from clientela.adapters.sqlite.copies import FileExistsAlreadyError, NotABackupError, restore
from clientela.adapters.sqlite.files import DatabaseLockedError
from clientela.adapters.sqlite.opening import erased_again
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.sqlite.writer import Writer
from clientela.domain.ids import Blind, ClientId, client_journal
from clientela.services.envelope import check_chain
from clientela.services.key_rows import KeyChanges, KeyRow
from clientela.services.rows import Append, Head, Wanted
from clientela.services.store_errors import StoreUnavailableError
from tests.adapters.appends import (
    CARD,
    IVO,
    MARTA,
    PHONE,
    RECEIPT,
    WALLET,
    answered,
    everything,
    held_by,
    key_of,
    writing,
)


BIG = Blind("f6" * 32)
CLARA = client_journal(ClientId("clara"))
ALL = Wanted(journals=(MARTA, IVO, WALLET), keys=(PHONE, CARD, RECEIPT), persons=(MARTA, IVO))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "company.db"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """Where the backup is."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder / "monday.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    """A store with one append."""
    opened = await SqliteStore.open(path)
    await opened.append(everything())
    yield opened
    await opened.close()


async def test_restored_database_holds_what_the_backup_held(
    store: SqliteStore, path: Path, backup: Path
):
    """A backup is one private file; a database restored from it is that of the moment, whole."""
    before = await store.load(ALL), list(await store.audit())
    await store.backup(backup)
    await store.append(writing({IVO: None}, append_id="append-2"))
    await store.close()

    assert [backup] == [*backup.parent.iterdir()]
    assert 0o600 == os.lstat(backup).st_mode & 0o777
    await asyncio.to_thread(restore, backup, path)
    restored = await SqliteStore.open(path)
    assert before == (await restored.load(ALL), list(await restored.audit()))
    assert () == await restored.faults()
    assert 4 == await restored.append(writing({IVO: None}, append_id="append-3"))
    await restored.close()


async def test_restored_database_has_another_epoch(store: SqliteStore, path: Path, backup: Path):
    """Who followed the lost life learns that this is another: the epoch is new, once a restore."""
    epochs = [await store.note("epoch")]
    await store.backup(backup)
    await store.close()

    for _ in range(2):
        await asyncio.to_thread(restore, backup, path)
        for _ in range(2):
            restored = await SqliteStore.open(path)
            epochs.append(await restored.note("epoch"))
            assert f"3@{epochs[0]}" == await restored.note("restored")
            assert await restored.note("backup") is None
            await restored.close()

    numbers = [(epoch or "").partition("-")[0] for epoch in epochs]
    assert ["1", "2", "2", "2", "2"] == numbers
    assert epochs[1] == epochs[2]
    assert epochs[3] == epochs[4]
    assert 3 == len({*epochs})


@pytest.mark.parametrize("by_hand", [False, True])
async def test_erased_since_the_backup_stays_erased(
    store: SqliteStore, path: Path, backup: Path, by_hand: bool
):
    """S8: a restored backup forgets whom the lost database had forgotten, before it serves."""
    await store.append(
        attrs.evolve(
            writing({IVO: None}, append_id="append-2"),
            reserve=((RECEIPT, held_by(MARTA)),),
            keys=KeyChanges(made=(key_of(IVO, fill=8),)),
        )
    )
    await store.backup(backup)
    await store.append(
        Append(expected={MARTA: 2}, release=(PHONE,), keys=KeyChanges(forgotten=(MARTA,)))
    )
    await store.append(
        Append(expected={}, keys=KeyChanges(forgotten=(client_journal(ClientId("zoe")),)))
    )
    before = await store.load(ALL)
    await store.close()

    if by_hand:
        await asyncio.to_thread(shutil.copyfile, backup, path)
    else:
        await asyncio.to_thread(restore, backup, path)
    restored = await SqliteStore.open(path)
    assert before == await restored.load(ALL)
    assert {CARD, RECEIPT} == {*before.holders}
    assert KeyRow(MARTA, "", b"") == await restored.key_row(MARTA)
    zoe = client_journal(ClientId("zoe"))
    assert KeyRow(zoe, "", b"") == await restored.key_row(zoe)
    assert (MARTA, zoe) == erased_again(await restored.note("erased-again"))
    data = await asyncio.to_thread(path.read_bytes)
    assert key_of(MARTA).wrapped not in data
    assert PHONE.value.encode() not in data
    # It knows them from now on.
    await restored.note("erased-again", "")
    epoch = await restored.note("epoch")
    await restored.close()
    again = await SqliteStore.open(path)
    assert () == erased_again(await again.note("erased-again"))
    assert epoch == await again.note("epoch")
    await again.close()


async def test_raw_copy_of_an_older_database_is_noticed(
    store: SqliteStore, path: Path, backup: Path
):
    """Even a file that was copied by hand, not by a backup, is cleaned and gets a new epoch."""
    epoch = await store.note("epoch")
    await store.close()
    await asyncio.to_thread(shutil.copyfile, path, backup)
    store = await SqliteStore.open(path)
    await store.append(Append(expected={}, keys=KeyChanges(forgotten=(MARTA,))))
    await store.close()

    await asyncio.to_thread(shutil.copyfile, backup, path)
    copied = await SqliteStore.open(path)

    assert KeyRow(MARTA, "", b"") == await copied.key_row(MARTA)
    assert epoch != await copied.note("epoch")
    await copied.close()


async def test_erasure_that_was_not_listed_is_taken_from_the_database(
    store: SqliteStore, path: Path, backup: Path
):
    """Without its list a database still says whom it erased, when a backup takes its place."""
    await store.backup(backup)
    await store.append(Append(expected={}, keys=KeyChanges(forgotten=(MARTA,))))
    await store.close()
    await asyncio.to_thread(path.with_name("company.db.erasures").unlink)

    await asyncio.to_thread(restore, backup, path)
    restored = await SqliteStore.open(path)

    assert KeyRow(MARTA, "", b"") == await restored.key_row(MARTA)
    await restored.close()


async def test_backup_is_taken_while_others_write(
    store: SqliteStore, path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
):
    """Writers get their turn between pages; the copy is whole and holds what was before it."""
    big = Append(
        expected={}, answer=attrs.evolve(answered(BIG), details={"filling": "x" * 2_000_000})
    )
    await store.append(big)
    monkeypatch.setattr(writer, "COPY_PAGES", 8)
    is_over = False
    acknowledged = 0

    async def write(number: int) -> None:
        nonlocal acknowledged
        head = Head()
        journal = client_journal(ClientId(f"client-{number}"))
        while not is_over:
            append = writing({journal: head}, count=3, append_id=f"{number}-{head.version}")
            await store.append(append)
            acknowledged += 1
            last = append.events[-1]
            head = Head(last.version, last.hash, last.recorded_at)

    async def copy() -> tuple[int, int]:
        nonlocal is_over
        before = acknowledged
        await store.append(Append(expected={}, keys=KeyChanges(forgotten=(IVO,))))
        await store.backup(backup)
        is_over = True
        return before, acknowledged

    writers = asyncio.gather(*map(write, range(8)))
    before, after = await copy()
    await writers
    await store.close()

    await asyncio.to_thread(restore, backup, path)
    restored = await SqliteStore.open(path)
    assert () == await restored.faults()
    events: list[str] = []
    for number in range(8):
        rows = await restored.read(client_journal(ClientId(f"client-{number}")))
        check_chain(rows)
        events += [row.append_id for row in rows]
    assert {3} == {events.count(append_id) for append_id in events}
    assert before <= len(events) // 3 <= after
    assert after > before
    assert big.answer == (await restored.load(attrs.evolve(ALL, request=BIG))).answer
    await restored.close()


class CrowdedWriter(Writer):
    """Begins to copy when somebody else waits for a turn."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.is_reached = threading.Event()

    def _copy(
        self, connection: sqlite3.Connection, target: sqlite3.Connection, is_left: threading.Event
    ) -> None:
        self.is_reached.set()
        self._queue.put(self._queue.get())
        super()._copy(connection, target, is_left)


class CrowdedStore(SqliteStore):
    """In which every backup is crossed by something else."""

    writer = CrowdedWriter


async def test_erasing_during_a_backup_is_not_held_up(
    path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
):
    """A backup keeps no page of the log, so what is erased meanwhile is gone when acknowledged."""
    monkeypatch.setattr(writer, "COPY_PAGES", 1)
    store = await CrowdedStore.open(path)
    await store.append(everything())
    copying = asyncio.ensure_future(store.backup(backup))
    assert isinstance(store._writer, CrowdedWriter)
    await asyncio.to_thread(store._writer.is_reached.wait)

    await store.append(Append(expected={}, release=(PHONE,), keys=KeyChanges(forgotten=(MARTA,))))

    log = path.with_name("company.db-wal")
    assert 0 == os.lstat(log).st_size
    await copying
    await store.close()
    data = await asyncio.to_thread(path.read_bytes)
    assert key_of(MARTA).wrapped not in data


async def test_writers_get_their_turn_during_a_backup(
    path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
):
    """Nobody waits for the end of a backup."""
    monkeypatch.setattr(writer, "COPY_PAGES", 1)
    store = await CrowdedStore.open(path)
    copying = asyncio.ensure_future(store.backup(backup))
    assert isinstance(store._writer, CrowdedWriter)
    await asyncio.to_thread(store._writer.is_reached.wait)

    assert await store._writer.submit(lambda _: store._writer._is_copying)

    await copying
    await store.close()


async def test_backup_goes_over_no_other_file(store: SqliteStore, backup: Path):
    """A backup is never written over another one; an unfinished copy is in nobody's way."""
    part = backup.with_name("monday.db.part")
    await asyncio.to_thread(part.write_bytes, b"left behind")
    await store.backup(backup)

    with pytest.raises(FileExistsAlreadyError):
        await store.backup(backup)

    assert [backup] == [*backup.parent.iterdir()]


async def test_backup_into_a_missing_folder_is_refused(store: SqliteStore, backup: Path):
    """An error of the target is the caller's; the store goes on."""
    with pytest.raises(StoreUnavailableError):
        await store.backup(backup.parent / "deep" / "monday.db")

    assert 3 == await store.last_position()


async def test_closing_during_a_backup_waits_for_it(
    path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
):
    """A backup under way is finished before the store lets go."""
    monkeypatch.setattr(writer, "COPY_PAGES", 1)
    store = await CrowdedStore.open(path)
    await store.append(everything())
    copying = asyncio.ensure_future(store.backup(backup))
    assert isinstance(store._writer, CrowdedWriter)
    await asyncio.to_thread(store._writer.is_reached.wait)

    await store.close()
    await copying

    await asyncio.to_thread(restore, backup, path)


async def test_backup_that_nobody_waits_for_ends_before_its_file_is_let_go(
    path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
):
    """
    Whoever goes away, again and again, while the thread copies ends the backup and nothing else:
    no file is left, and the same backup can be taken at once.
    """
    monkeypatch.setattr(writer, "COPY_PAGES", 1)
    store = await CrowdedStore.open(path)
    await store.append(everything())
    copying = asyncio.ensure_future(store.backup(backup))
    assert isinstance(store._writer, CrowdedWriter)
    await asyncio.to_thread(store._writer.is_reached.wait)
    for _ in range(3):
        copying.cancel()
        await asyncio.sleep(0)
    await store.append(writing({IVO: None}))
    await asyncio.wait({copying})

    assert copying.cancelled()
    assert not store._writer._is_copying
    assert [] == [*backup.parent.iterdir()]
    store._writer.is_reached.clear()
    again = asyncio.ensure_future(store.backup(backup))
    await asyncio.to_thread(store._writer.is_reached.wait)
    await store.append(writing({CLARA: None}))
    await again
    await store.close()
    await asyncio.to_thread(restore, backup, path)


async def test_two_backups_of_one_name_do_not_meet(store: SqliteStore, path: Path, backup: Path):
    """Of two backups to the same file at once one is taken, whole, and the other refused."""
    outcomes = await asyncio.gather(
        store.backup(backup), store.backup(backup), return_exceptions=True
    )

    assert [type(None), FileExistsAlreadyError] == [*map(type, outcomes)]
    await store.close()
    await asyncio.to_thread(restore, backup, path)


async def test_backup_begun_while_closing_is_refused(store: SqliteStore, backup: Path):
    """A backup that comes too late is refused and leaves nothing, rather than waiting for ever."""
    outcomes = await asyncio.gather(store.backup(backup), store.close(), return_exceptions=True)

    assert outcomes[0] is None or isinstance(outcomes[0], StoreUnavailableError)
    assert [backup][: outcomes[0] is None] == [*backup.parent.iterdir()]


async def test_served_database_is_not_replaced(store: SqliteStore, path: Path, backup: Path):
    """Restoring waits until nobody serves the file."""
    await store.backup(backup)

    with pytest.raises(DatabaseLockedError):
        await asyncio.to_thread(restore, backup, path)

    assert () == await store.faults()


async def test_only_a_whole_backup_is_restored(store: SqliteStore, path: Path, backup: Path):
    """Neither a text, nor a plain copy, nor a damaged backup takes the place of a database."""
    await store.backup(backup)
    before = await store.load(ALL)
    await store.close()
    text, copy, damaged = (backup.with_name(name) for name in ("text", "copy", "damaged"))
    text.write_text("Dear diary")
    shutil.copyfile(path, copy)
    shutil.copyfile(backup, damaged)
    with closing(sqlite3.connect(damaged)) as connection:
        connection.execute("DELETE FROM journals WHERE kind = 'wallet'")
        connection.commit()

    for file in (text, copy, damaged):
        with pytest.raises(NotABackupError) as refusal:
            await asyncio.to_thread(restore, file, path)
        assert file == refusal.value.path

    again = await SqliteStore.open(path)
    assert before == await again.load(ALL)
    await again.close()


async def test_damaged_database_can_be_replaced(store: SqliteStore, path: Path, backup: Path):
    """A database that cannot be read any more, its log included, makes way for the backup."""
    before = await store.load(ALL)
    await store.backup(backup)
    await store.append(writing({IVO: None}, append_id="append-2"))
    log = await asyncio.to_thread(path.with_name("company.db-wal").read_bytes)
    await store.close()
    await asyncio.to_thread(path.write_bytes, b"\0" * 10_000)
    await asyncio.to_thread(path.with_name("company.db-wal").write_bytes, log)

    await asyncio.to_thread(restore, backup, path)

    restored = await SqliteStore.open(path)
    assert before == await restored.load(ALL)
    assert () == await restored.faults()
    await restored.close()


async def test_log_of_a_lost_database_is_not_played_into_the_restored_one(
    store: SqliteStore, path: Path, backup: Path
):
    """What a lost database left in its log has no place in the backup."""
    before = await store.load(ALL)
    await store.backup(backup)
    await store.append(writing({IVO: None}, append_id="append-2"))
    await store._writer.submit(lambda c: c.execute("PRAGMA wal_checkpoint"), is_alone=True)
    wal = path.with_name("company.db-wal")
    log = await asyncio.to_thread(wal.read_bytes)
    await store.close()
    await asyncio.to_thread(path.unlink)
    await asyncio.to_thread(wal.write_bytes, log)

    await asyncio.to_thread(restore, backup, path)

    restored = await SqliteStore.open(path)
    assert before == await restored.load(ALL)
    assert () == await restored.faults()
    await restored.close()


async def test_backup_is_restored_where_nothing_was(
    store: SqliteStore, tmp_path: Path, backup: Path
):
    """A backup makes a database on another machine."""
    before = await store.load(ALL)
    await store.backup(backup)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    await asyncio.to_thread(restore, backup, elsewhere / "company.db")

    restored = await SqliteStore.open(elsewhere / "company.db")
    assert before == await restored.load(ALL)
    await restored.close()
