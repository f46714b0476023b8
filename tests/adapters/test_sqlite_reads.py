"""
Rows of read models in a SQLite file: a keyed hash that a row has lost leaves no byte behind.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sqlite3
import subprocess

from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from clientela.adapters.sqlite.reads import SqliteReads
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.sqlite.terms import is_hashed
from clientela.adapters.sqlite.writer import Writer
from clientela.services.read_models import Row, Term
from clientela.services.store_errors import StoreUnavailableError


CARDS = "cards.v1"
OTHERS = "others.v1"
PERSONS = 400
WORDS = 12
ALL: Term = ("all", "yes")


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


@pytest.fixture
def reads(store: SqliteStore) -> SqliteReads:
    """Its rows of read models."""
    return SqliteReads(store)


@attrs.frozen
class Person:
    """A client with names and a phone to be found by, all of it made from a number."""

    number: int

    @property
    def key(self) -> str:
        return f"c{hashlib.sha256(f'client {self.number}'.encode()).hexdigest()[:20]}"

    @property
    def hashes(self) -> list[Term]:
        """Of fields of several lengths, so that rows differ in size."""
        fields = ("token", "identifier:phone", f"identifier:{'word' * (1 + self.number % 5)}")
        return [
            (fields[word % 3], hashlib.sha256(f"{self.number} {word}".encode()).hexdigest())
            for word in range(WORDS + self.number % 7)
        ]

    @property
    def row(self) -> Row:
        body = b"{}" * (1 + self.number % 90)
        return Row(body, frozenset({ALL, ("owner", f"o{self.number % 9}"), *self.hashes}))

    @property
    def erased(self) -> Row:
        return Row(b"{}", frozenset({ALL, ("erased", "yes")}))

    @property
    def traces(self) -> list[bytes]:
        """What must not be found once the row has lost them: no third of a hash."""
        return [value[at : at + 20].encode() for _, value in self.hashes for at in (0, 22, 44)]


def content(file: Path) -> bytes:
    """
    The bytes of a file.

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


async def fill(reads: SqliteReads, persons: Iterable[Person], model: str = CARDS) -> None:
    """Write the rows of all of them."""
    await reads.write(model, 1, {person.key: person.row for person in persons})


def hashes_kept(path: Path) -> int:
    """Rows of the table of hashes, blank ones included."""
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM read_hashes").fetchone()
        return int(count)


async def test_nothing_of_a_lost_hash_is_left(reads: SqliteReads, store: SqliteStore, path: Path):
    """S8: once a row without them is written no file holds a byte of the hashes it had."""
    persons = [Person(number) for number in range(PERSONS)]
    await fill(reads, persons)
    order = random.Random(7).sample(persons, PERSONS // 4)

    for number, person in enumerate(order):
        await reads.write(CARDS, 2 + number, {person.key: person.erased})
        assert set() == found(path.parent, [person])
        # Rows come in between, so that pages are split.
        await fill(reads, [Person(PERSONS + number)])

    others = [person for person in persons if person not in order]
    assert set() == found(path.parent, order)
    assert {person.number for person in others} == {
        number for number, _ in found(path.parent, others)
    }
    assert () == await store.faults()


async def test_many_rows_lose_their_hashes_at_once(reads: SqliteReads, path: Path):
    """S8: the same when a read model catches up with many erasures in one page."""
    persons = [Person(number) for number in range(PERSONS)]
    await fill(reads, persons)

    await reads.write(CARDS, 2, {person.key: person.erased for person in persons[::2]})

    assert set() == found(path.parent, persons[::2])
    assert PERSONS // 2 == len({number for number, _ in found(path.parent, persons[1::2])})


async def test_renamed_row_leaves_nothing_of_the_old_name(reads: SqliteReads, path: Path):
    """S8: hashes that a row has still are kept where they are, lost ones go."""
    old, new = Person(1), Person(2)
    await reads.write(CARDS, 1, {"petra": old.row})
    both = Row(b"{}", old.row.terms | new.row.terms)
    await reads.write(CARDS, 2, {"petra": both})
    await reads.write(CARDS, 3, {"petra": new.row})

    assert set() == found(path.parent, [old])
    assert {2} == {number for number, _ in found(path.parent, [new])}


async def test_hash_that_stays_is_not_written_again(reads: SqliteReads, path: Path):
    """A row that changes otherwise a thousand times does not make the table of hashes grow."""
    for position in range(1, 21):
        await reads.write(CARDS, position, {"petra": attrs.evolve(Person(1).row, body=b"{}")})

    assert len(Person(1).hashes) == await asyncio.to_thread(hashes_kept, path)


async def test_scan_sees_what_an_insecure_deletion_leaves(
    reads: SqliteReads, store: SqliteStore, path: Path
):
    """The scan is worth something: without secure deletion it finds what was lost."""
    persons = [Person(number) for number in range(20)]
    await fill(reads, persons)
    await store._writer.submit(lambda c: c.execute("PRAGMA secure_delete = OFF"), is_alone=True)

    await reads.write(CARDS, 2, {person.key: person.erased for person in persons})

    assert {"company.db"} == {name for _, name in found(path.parent, persons)}


class ForgetfulWriter(Writer):
    """Leaves the log as it is."""

    def _clear(self) -> None:
        self._must_truncate = False


class ForgetfulStore(SqliteStore):
    """Overwrites in the database and not in its log."""

    writer = ForgetfulWriter


async def test_scan_sees_what_stays_in_the_log(path: Path):
    """The scan is worth something: without emptying the log it finds there what was lost."""
    store = await ForgetfulStore.open(path)
    persons = [Person(number) for number in range(20)]
    await fill(SqliteReads(store), persons)

    await SqliteReads(store).write(CARDS, 2, {person.key: person.erased for person in persons})

    assert {(person.number, "company.db-wal") for person in persons} == found(path.parent, persons)
    await store.close()


async def test_losing_a_hash_waits_for_a_reader_that_keeps_the_log(reads: SqliteReads, path: Path):
    """S8: a write by which a row loses hashes returns only when the log is clear of them."""
    person = Person(1)
    await fill(reads, [person])
    reader = slow_reader(path)

    losing = asyncio.ensure_future(reads.write(CARDS, 2, {person.key: person.erased}))
    done, _ = await asyncio.wait({losing}, timeout=0.3)
    assert set() == done
    reader.close()

    await losing
    assert set() == found(path.parent, [person])


async def test_reader_that_stays_is_reported(reads: SqliteReads, store: SqliteStore, path: Path):
    """S8: if a reader does not go away the write fails, and the log is cleared when it is gone."""
    person = Person(1)
    await fill(reads, [person])
    await store._writer.submit(lambda c: c.execute("PRAGMA busy_timeout = 20"), is_alone=True)
    reader = slow_reader(path)

    with pytest.raises(StoreUnavailableError):
        await reads.write(CARDS, 2, {person.key: person.erased})
    assert set() != found(path.parent, [person])
    reader.close()

    async with asyncio.timeout(60):
        while found(path.parent, [person]):
            await store.last_position()


def slow_reader(path: Path) -> sqlite3.Connection:
    """Somebody who reads and does not stop, until it is closed."""
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM read_hashes").fetchall()
    return reader


async def test_write_that_loses_nothing_waits_for_nobody(reads: SqliteReads, path: Path):
    """A write that only adds does not wait for readers."""
    await fill(reads, [Person(1)])
    reader = slow_reader(path)

    async with asyncio.timeout(60):
        await fill(reads, [Person(2)])

    reader.close()


async def test_nothing_of_a_dropped_model_is_left(reads: SqliteReads, path: Path):
    """S8: a model thrown away takes its hashes with it, whether another one has any or not."""
    some, others = [Person(number) for number in range(100)], [Person(number) for number in (500,)]
    await fill(reads, some)
    await fill(reads, others, OTHERS)

    await reads.drop(CARDS)
    assert set() == found(path.parent, some)
    assert {500} == {number for number, _ in found(path.parent, others)}
    assert 0 < await asyncio.to_thread(hashes_kept, path)

    await reads.drop(OTHERS)
    assert set() == found(path.parent, others)
    assert 0 == await asyncio.to_thread(hashes_kept, path)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("token", True),
        ("identifier:phone", True),
        ("identifier:", True),
        ("tokens", False),
        ("identifier", False),
        ("owner", False),
    ],
)
def test_names_and_identifiers_are_hashes(field: str, expected: bool):
    """Tokens of names and identifiers are keyed hashes, everything else is a code."""
    assert expected == is_hashed((field, "value"))
