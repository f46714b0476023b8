"""
Erasing leaves no byte of keys, of reserved keys and of snapshots in the live files.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sqlite3
import subprocess

from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from clientela.adapters.sqlite.erasures import Erasure, ErasureList
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.sqlite.writer import Writer
from clientela.domain.event import Key
from clientela.domain.fingerprint import NOTHING, Fingerprint
from clientela.domain.ids import Blind, ClientId, Code, JournalId, Ref, client_journal
from clientela.domain.record import Holder
from clientela.services.key_rows import KeyChanges, KeyRow
from clientela.services.rows import Answer, Append, Snapshot, Wanted
from clientela.services.store_errors import StoreUnavailableError
from tests.adapters.appends import (
    AT,
    CARD,
    KEK,
    MARTA,
    MINUTE,
    PHONE,
    held_by,
    key_of,
    snapshot_of,
    writing,
)


PERSONS = 400
WORDS = 12


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "company.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    opened = await SqliteStore.open(path)
    yield opened
    await opened.close()


def digest(*parts: object) -> bytes:
    """64 bytes that belong to *parts* and to nothing else."""
    return hashlib.sha512(repr(parts).encode()).digest()


@attrs.frozen
class Person:
    """
    A client with a key, names to be found by, a receipt, a snapshot and an answer to the request
    that made it all; everything made from a number.
    """

    number: int

    @property
    def journal(self) -> JournalId:
        return client_journal(ClientId(digest("client", self.number).hex()[:32]))

    @property
    def row(self) -> KeyRow:
        return KeyRow(self.journal, KEK, digest("wrapped", self.number)[:61])

    @property
    def keys(self) -> list[Key]:
        """Of scopes of several lengths, so that rows differ in size."""
        return [
            Key(Code("word" * (1 + word % 5)), Blind(digest("word", self.number, word).hex()[:64]))
            for word in range(WORDS)
        ]

    @property
    def receipt(self) -> Key:
        return Key(Code("purchase"), Blind(digest("receipt", self.number).hex()[:64]))

    @property
    def fingerprint(self) -> Fingerprint:
        hashes = digest("fingerprint", self.number).hex()[:32]
        return Fingerprint(f"command=Register,details={hashes[:16]},name={hashes[16:]}")

    @property
    def holder(self) -> Holder:
        return Holder(Ref(self.journal, 1), self.fingerprint)

    @property
    def answer(self) -> Answer:
        return Answer(
            request=Blind(digest("request", self.number).hex()[:64]),
            fingerprint=self.fingerprint,
            at=AT + self.number * MINUTE,
            versions={self.journal: 1},
            reason="R" * (self.number % 300),
        )

    @property
    def snapshot(self) -> Snapshot:
        body = b"".join(digest("snapshot", self.number, i) for i in range(1 + self.number % 7))
        return Snapshot(journal=self.journal, version=1, fingerprint="rules", body=body)

    @property
    def traces(self) -> list[bytes]:
        """What must not be found once the person is erased."""
        pieces = [self.row.wrapped[:16], self.row.wrapped[-16:], self.snapshot.body[-16:]]
        hashes = self.fingerprint.encode()
        values = [key.value.encode() for key in self.keys]
        fingerprints = [hashes[-16:], hashes[-38:-22]]
        return [*pieces, *values, *fingerprints, *(f.hex().encode() for f in fingerprints)]

    @property
    def registration(self) -> Append:
        return attrs.evolve(
            writing({self.journal: None}, append_id=f"append-{self.number}"),
            reserve=tuple((key, self.holder) for key in (*self.keys, self.receipt)),
            answer=self.answer,
            keys=KeyChanges(made=(self.row,)),
            snapshots=(self.snapshot,),
        )

    @property
    def erasure(self) -> Append:
        return Append(
            expected={self.journal: 1},
            release=tuple(self.keys),
            keys=KeyChanges(forgotten=(self.journal,)),
        )


def content(file: Path) -> bytes:
    """
    What a file holds.

    Another process reads it: closing a file ends all locks that this process has on it, those of
    SQLite included.
    """
    return subprocess.run(["cat", file], stdout=subprocess.PIPE, check=True).stdout


def found(folder: Path, persons: Iterable[Person]) -> set[tuple[int, str]]:
    """Persons of whom something stands in a file, and in which."""
    files = {file.name: content(file) for file in folder.iterdir()}
    return {
        (person.number, name)
        for person in persons
        for name, data in files.items()
        if any(trace in data for trace in person.traces)
    }


async def register(store: SqliteStore, persons: Iterable[Person]) -> None:
    """Append the registrations of all of them."""
    await asyncio.gather(*(store.append(person.registration) for person in persons))


def slow_reader(path: Path) -> sqlite3.Connection:
    """Somebody who reads and does not stop, until it is closed."""
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM key_rows").fetchall()
    return reader


async def test_nothing_of_an_erased_person_is_left(store: SqliteStore, path: Path):
    """S8: once the erasure is acknowledged no file holds a byte of key, hashes or snapshot."""
    persons = [Person(number) for number in range(PERSONS)]
    await register(store, persons)
    order = random.Random(7).sample(persons, PERSONS // 4)

    for number, person in enumerate(order):
        await store.append(person.erasure)
        if number % 10 == 0:
            assert set() == found(path.parent, [person])
        # Rows come and go in between, so that pages are split and joined.
        await store.append(Person(PERSONS + number).registration)
        await store.purge_answers(AT + number * MINUTE)

    others = [person for person in persons if person not in order]
    assert set() == found(path.parent, order)
    assert {person.number for person in others} == {
        number for number, _ in found(path.parent, others)
    }
    assert () == await store.faults()
    receipts = [await store.holder(person.receipt) for person in (order[0], others[0])]
    assert [NOTHING, others[0].fingerprint] == [held and held.fingerprint for held in receipts]


async def test_scan_sees_what_an_insecure_deletion_leaves(path: Path):
    """The scan is worth something: without secure deletion it finds what was erased."""
    store = await SqliteStore.open(path)
    persons = [Person(number) for number in range(20)]
    await register(store, persons)
    await store._writer.submit(lambda c: c.execute("PRAGMA secure_delete = OFF"), is_alone=True)
    for person in persons:
        await store.append(person.erasure)
    await store.close()

    assert {"company.db"} == {name for _, name in found(path.parent, persons)}


class ForgetfulWriter(Writer):
    """Leaves the log as it is."""

    def _clear(self) -> None:
        self._must_truncate = False


class ForgetfulStore(SqliteStore):
    """Erases in the database and not in its log."""

    writer = ForgetfulWriter


async def test_scan_sees_what_stays_in_the_log(path: Path):
    """The scan is worth something: without emptying the log it finds there what was erased."""
    store = await ForgetfulStore.open(path)
    persons = [Person(number) for number in range(20)]
    await register(store, persons)
    for person in persons:
        await store.append(person.erasure)

    assert {(person.number, "company.db-wal") for person in persons} == found(path.parent, persons)
    await store.close()


async def test_erasing_waits_for_a_reader_that_keeps_the_log(store: SqliteStore, path: Path):
    """An erasure is not acknowledged while a reader still holds what was erased."""
    person = Person(1)
    await store.append(person.registration)
    reader = slow_reader(path)

    erasing = asyncio.ensure_future(store.append(person.erasure))
    done, _ = await asyncio.wait({erasing}, timeout=0.3)
    assert set() == done
    reader.close()

    assert 1 == await erasing
    assert set() == found(path.parent, [person])


async def test_erasing_is_completed_when_the_reader_is_gone(store: SqliteStore, path: Path):
    """A reader that does not go away is reported, and the files are cleared once it is gone."""
    person = Person(1)
    await store.append(person.registration)
    await store._writer.submit(lambda c: c.execute("PRAGMA busy_timeout = 20"), is_alone=True)
    reader = slow_reader(path)

    with pytest.raises(StoreUnavailableError):
        await store.append(person.erasure)
    assert KeyRow(person.journal, "", b"") == await store.key_row(person.journal)
    assert "others" == await store.note("may go on", "others")
    # Nothing is under way any more that could clear the files.
    await store._writer.submit(lambda _: None, is_alone=True)
    assert set() != found(path.parent, [person])
    reader.close()

    async with asyncio.timeout(60):
        while found(path.parent, [person]):
            await store.last_position()
    assert set() == found(path.parent, [person])


async def test_store_says_whether_it_is_clear(store: SqliteStore, path: Path):
    """S8: whoever asks again after an erasure that was not cleared learns when it is."""
    person = Person(1)
    await store.append(person.registration)
    await store._writer.submit(lambda c: c.execute("PRAGMA busy_timeout = 20"), is_alone=True)
    reader = slow_reader(path)
    with pytest.raises(StoreUnavailableError):
        await store.append(person.erasure)

    with pytest.raises(StoreUnavailableError):
        await store.cleared()
    reader.close()
    await store.cleared()

    assert set() == found(path.parent, [person])


async def test_others_of_the_group_do_not_wait_for_the_erasing(store: SqliteStore, path: Path):
    """Only who erased has to wait until nothing is left."""
    person = Person(1)
    await store.append(person.registration)
    await store._writer.submit(lambda c: c.execute("PRAGMA busy_timeout = 20"), is_alone=True)
    reader = slow_reader(path)

    outcomes = await asyncio.gather(
        store.append(writing({MARTA: None})), store.append(person.erasure), return_exceptions=True
    )

    reader.close()
    assert [int, StoreUnavailableError] == [type(outcome) for outcome in outcomes]


async def test_released_key_is_overwritten_where_it_stood(store: SqliteStore, path: Path):
    """A key given back leaves neither its hash nor the fingerprint of the command behind."""
    await store.append(attrs.evolve(writing({MARTA: None}), reserve=((PHONE, held_by(MARTA)),)))
    await store.append(Append(expected={}, release=(PHONE,)))
    await store.close()

    data = await asyncio.to_thread(path.read_bytes)
    assert PHONE.value.encode() not in data
    assert held_by(MARTA).fingerprint.encode() not in data


async def test_erasures_are_listed_beside_the_database(store: SqliteStore, path: Path):
    """Each erasure is one line: the person and the scopes released, in an order that lasts."""
    await store.append(
        Append(expected={}, release=(PHONE, CARD), keys=KeyChanges(forgotten=(MARTA,)))
    )
    await store.append(Append(expected={}, keys=KeyChanges(forgotten=(Person(1).journal,))))

    listed = ErasureList(path.with_name("company.db.erasures")).read()

    assert [Erasure(MARTA, ("card", "phone")), Erasure(Person(1).journal)] == list(listed)


async def test_list_is_completed_after_a_crash(path: Path):
    """An erasure committed just before a crash is listed when the database is opened again."""
    store = await SqliteStore.open(path)
    await store.append(Append(expected={}, release=(PHONE,), keys=KeyChanges(forgotten=(MARTA,))))
    epoch = await store.note("epoch")
    await store.close()
    listed = path.with_name("company.db.erasures")
    await asyncio.to_thread(listed.write_text, '["client", "mar')

    store = await SqliteStore.open(path)

    assert '["client", "marta", ["phone"]]\n' == await asyncio.to_thread(listed.read_text)
    assert epoch == await store.note("epoch")
    await store.close()


def test_line_cut_short_is_no_erasure(tmp_path: Path):
    """A torn line names nobody, and the next erasure does not stick to it."""
    file = tmp_path / "list"
    file.write_text('["client", "marta", []]\n["client", "iv')

    erasures = ErasureList(file)
    assert [Erasure(MARTA)] == list(erasures.read())
    erasures.add([Erasure(Person(1).journal, ("phone",))])

    assert [Erasure(MARTA), Erasure(Person(1).journal, ("phone",))] == list(erasures.read())


def test_erasures_listed_at_the_same_time_are_all_listed(tmp_path: Path):
    """Design 7: threads that list what they erased at once take nothing out of the list again."""
    erasures = ErasureList(tmp_path / "list")
    listed = [Erasure(Person(number).journal) for number in range(80)]

    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(lambda erasure: erasures.add([erasure]), listed))

    assert set(listed) == set(erasures.read())


async def test_erasing_without_room_for_the_list_is_completed_later(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
):
    """An erasure that could not be listed is not acknowledged, and listed as soon as it can be."""
    listed = path.with_name("company.db.erasures")
    await asyncio.to_thread(listed.unlink)
    await asyncio.to_thread(listed.mkdir)

    with pytest.raises(StoreUnavailableError):
        await store.append(Append(expected={}, keys=KeyChanges(forgotten=(MARTA,))))

    await asyncio.to_thread(listed.rmdir)
    assert "IsADirectoryError" == await store.failed()


async def test_erased_person_cannot_be_read_any_more(store: SqliteStore):
    """Key, reserved keys and snapshot are gone; the events stay."""
    await store.append(
        attrs.evolve(
            writing({MARTA: None}),
            reserve=((PHONE, held_by(MARTA)),),
            keys=KeyChanges(made=(key_of(MARTA),)),
            snapshots=(snapshot_of(MARTA, 1),),
        )
    )
    await store.append(Append(expected={}, release=(PHONE,), keys=KeyChanges(forgotten=(MARTA,))))

    loaded = await store.load(
        Wanted(journals=(MARTA,), keys=(PHONE,), persons=(MARTA,), fingerprint="anything")
    )

    assert {} == loaded.holders
    assert {MARTA: KeyRow(MARTA, "", b"")} == loaded.key_rows
    assert 1 == len(loaded.tails[MARTA])
