"""
Appends that wait together in SQLite: written at once, and whole or not at all each.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from clientela.adapters.sqlite.many import ROWS_MAX, change, count
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.sqlite.writing import FEW
from clientela.domain.event import Key
from clientela.domain.ids import Blind, ClientId, Code, JournalId, client_journal
from clientela.services import gathering
from clientela.services.gathering import Gathering
from clientela.services.key_rows import KeyChanges
from clientela.services.rows import Answer, Append, Head, Wanted
from clientela.services.store_errors import (
    KekRetiredError,
    KeyConflictError,
    PersonKeyConflictError,
    RequestConflictError,
    StoreUnavailableError,
    VersionConflictError,
)
from tests.adapters.appends import (
    AT,
    FINGERPRINT,
    KEK,
    MARTA,
    MINUTE,
    NEXT_KEK,
    PHONE,
    audited,
    everything,
    held_by,
    key_of,
    rows,
    writing,
)
from tests.adapters.gate import FailingConnection, Gate, on_writer


APPENDS = 64
"""Appends that wait together."""

STATEMENTS_MAX = 20
"""Statements for all of them, whatever each consists of."""


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


def journal(number: int) -> JournalId:
    """One of many journals."""
    return client_journal(ClientId(f"client-{number}"))


def answer(number: int, *journals: JournalId) -> Answer:
    """The answer to one of many requests."""
    return Answer(
        request=Blind(f"{number:064x}"),
        fingerprint=FINGERPRINT,
        at=AT,
        versions=dict.fromkeys(journals, 1),
    )


def key(number: int) -> Key:
    """One of many keys."""
    return Key(Code("phone"), Blind(f"{number:064x}"))


def full(number: int) -> Append:
    """An append with something of everything that most of them have."""
    one = journal(number)
    return attrs.evolve(
        writing({one: None}, append_id=f"append-{number}"),
        facts={MARTA: 2},
        reserve=((key(number), held_by(one)),),
        answer=answer(number, one, MARTA),
        due={one: AT + MINUTE} if number % 2 else {one: None},
        audit=(audited(f"Method{number}"),),
    )


async def together(store: SqliteStore, appends: Sequence[Append]) -> list[Any]:
    """What becomes of appends that wait together."""
    async with Gate(store):
        tasks = [asyncio.ensure_future(store.append(append)) for append in appends]
        await asyncio.sleep(0)
    return await asyncio.gather(*tasks, return_exceptions=True)


async def answered(store: SqliteStore, number: int) -> Answer | None:
    """What a request was answered, as it can be read."""
    request = Blind(f"{number:064x}")
    return (await store.load(Wanted(journals=(), request=request))).answer


async def versions(store: SqliteStore, numbers: Sequence[int]) -> list[int]:
    """Versions of journals."""
    journals = tuple(journal(number) for number in numbers)
    heads = (await store.load(Wanted(journals=journals))).heads
    return [heads[one].version for one in journals]


async def test_appends_that_wait_together_cost_few_statements(store: SqliteStore):
    """Sixty-four whole appends are a handful of statements, no savepoint among them."""
    await store.append(everything())
    seen: list[str] = []

    async with Gate(store):
        tasks = [asyncio.ensure_future(store.append(full(n))) for n in range(APPENDS)]
        await asyncio.sleep(0)
        store._database.writer.set_trace_callback(seen.append)
    positions = await asyncio.gather(*tasks)

    # Those of the gate itself come first: its job and what ends its transaction.
    mine = seen[seen.index("COMMIT") + 1 :]
    assert [*range(4, APPENDS + 4)] == positions
    assert "COMMIT" == mine[-1]
    assert len(mine) <= STATEMENTS_MAX
    assert not any(statement.startswith("SAVEPOINT") for statement in mine)


async def test_everything_of_appends_that_wait_together_is_kept(store: SqliteStore):
    """Whatever is written by one statement for many is found again for each of them."""
    await store.append(everything())

    await together(store, [full(number) for number in range(APPENDS)])

    loaded = await store.load(
        Wanted(journals=tuple(map(journal, range(APPENDS))), keys=tuple(map(key, range(APPENDS))))
    )
    for number in range(APPENDS):
        one, wanted = journal(number), full(number)
        stored = [attrs.evolve(row, position=0) for row in loaded.tails[one]]
        assert list(wanted.events) == stored
        assert held_by(one) == loaded.holders[key(number)]
        assert wanted.answer == await answered(store, number)
        assert wanted.due[one] == await store.due_at(one)
    methods = [row.method for _, row in await store.audit()]
    assert ["Approach", *(f"Method{n}" for n in range(APPENDS))] == methods


async def test_losers_of_a_group_take_nobody_with_them(store: SqliteStore):
    """F1: of eight, the third and the fifth lose; exactly six land, each whole."""
    await store.append(everything())
    appends = [full(number) for number in range(8)]
    appends[2] = attrs.evolve(appends[2], reserve=((PHONE, held_by(journal(2))),))
    appends[4] = attrs.evolve(appends[4], facts={MARTA: 1})

    outcomes = await together(store, appends)

    lost = {n: type(outcomes[n]) for n in range(8) if not isinstance(outcomes[n], int)}
    assert {2: KeyConflictError, 4: VersionConflictError} == lost
    assert [4, 5, 6, 7, 8, 9] == [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert [1, 1, 0, 1, 0, 1, 1, 1] == await versions(store, range(8))
    for number in range(8):
        has_landed = number not in lost
        assert has_landed == (await store.holder(key(number)) is not None)
        assert has_landed == (await answered(store, number) is not None)
    assert 1 + 6 == len(await store.audit())


@pytest.mark.parametrize(
    "more", [{"expected": {journal(3): 5}}, {"hashes": {journal(3): "e" * 64}}]
)
@pytest.mark.parametrize("number", [FEW, 4 * FEW])
async def test_journals_move_from_where_they_were(
    store: SqliteStore, number: int, more: dict[str, Any]
):
    """However many move together, whoever rests on another version or event has lost."""
    first = [writing({journal(n): None}, append_id=f"first-{n}") for n in range(number)]
    await together(store, first)
    heads = [Head(1, append.events[0].hash) for append in first]
    second = [writing({journal(n): heads[n]}, append_id=f"second-{n}") for n in range(number)]
    second[3] = attrs.evolve(second[3], **more)

    outcomes = await together(store, second)

    lost = [n for n in range(number) if isinstance(outcomes[n], VersionConflictError)]
    assert [3] == lost
    assert [1 if n == 3 else 2 for n in range(number)] == await versions(store, range(number))


@pytest.mark.parametrize(
    ("second", "error"),
    [
        (attrs.evolve(full(1), reserve=((key(0), held_by(journal(1))),)), KeyConflictError),
        (attrs.evolve(full(1), answer=answer(0, journal(1))), RequestConflictError),
        (attrs.evolve(full(0), reserve=(), answer=None), VersionConflictError),
    ],
)
async def test_second_of_two_that_contradict_each_other_loses(
    store: SqliteStore, second: Append, error: type[Exception]
):
    """G4: whoever wants what an append of the same group takes has lost, and others have not."""
    await store.append(everything())

    outcomes = await together(store, [full(0), second, full(2)])

    assert [int, error, int] == [type(outcome) for outcome in outcomes]
    assert [1, 0, 1] == await versions(store, (0, 1, 2))


async def test_appends_of_one_journal_land_in_a_chain(store: SqliteStore):
    """What rests on an append that lost is lost with it; what rests on one that landed lands."""
    first = rows(MARTA, count=6)
    chain = [
        Append(
            expected={MARTA: row.version - 1},
            hashes={MARTA: first[row.version - 2].hash} if row.version > 1 else {},
            events=(row,),
            reserve=((key(row.version), held_by(MARTA, row.version)),),
        )
        for row in first
    ]
    other = attrs.evolve(chain[3], events=rows(MARTA, Head(3, "e" * 64), append_id="other"))

    outcomes = await together(store, [*chain[:3], other, *chain[3:]])

    assert [1, 2, 3, 4, VersionConflictError, VersionConflictError, VersionConflictError] == [
        outcome if isinstance(outcome, int) else type(outcome) for outcome in outcomes
    ]
    assert [None, None] == [await store.holder(key(number)) for number in (5, 6)]


async def test_masks_of_a_failed_transaction_are_not_remembered(store: SqliteStore):
    """An answer is never hidden by a mask that is not in the file."""
    sound = store._writer._connection
    failing: Any = FailingConnection(sound, "COMMIT", sqlite3.SQLITE_FULL)
    store._writer._connection = failing
    with pytest.raises(StoreUnavailableError):
        await store.append(Append(expected={}, answer=answer(0, journal(0))))
    store._writer._connection = sound

    await store.append(Append(expected={}, answer=answer(1, journal(0))))

    assert answer(1, journal(0)) == await answered(store, 1)


async def test_masks_of_a_loser_are_not_remembered(store: SqliteStore):
    """Nor by the mask of an append that lost after its mask was made."""
    await store.append(everything())
    lost = Append(expected={MARTA: 1}, answer=answer(0, journal(0)))
    twice = attrs.evolve(rows(journal(0))[0], event_id=rows(MARTA, count=2)[0].event_id)
    wrong = Append(expected={journal(0): 0}, events=(twice,), answer=answer(1, journal(0)))

    await together(store, [lost, wrong])
    await store.append(Append(expected={}, answer=answer(2, journal(0))))

    assert answer(2, journal(0)) == await answered(store, 2)


async def test_masks_of_the_forgotten_are_not_remembered(store: SqliteStore):
    """S8: what concerns a forgotten journal is not even hidden: nothing of it is written."""
    await store.append(everything())
    await store.append(Append(expected={}, keys=KeyChanges(forgotten=(MARTA,))))

    await store.append(Append(expected={}, answer=answer(0, MARTA)))

    (body,) = await on_writer(store, "SELECT body FROM answers ORDER BY request LIMIT 1")
    assert "" == json.loads(body)["fingerprint"]


async def test_what_erases_is_written_before_what_comes_after(store: SqliteStore):
    """S8: a key made behind an erasure in the same group comes too late."""
    erasure = Append(expected={}, keys=KeyChanges(forgotten=(MARTA,)))
    late = Append(expected={}, keys=KeyChanges(made=(key_of(MARTA),)))

    outcomes = await together(store, [erasure, late])

    assert [int, PersonKeyConflictError] == [type(outcome) for outcome in outcomes]


async def test_keys_under_two_keks_are_refused_by_a_fence(store: SqliteStore):
    """One key under a retired key-encryption key is enough for the append to lose."""
    await store.fence_keys(NEXT_KEK)
    made = (key_of(journal(0), NEXT_KEK), key_of(journal(1), KEK))

    with pytest.raises(KekRetiredError):
        await store.append(Append(expected={}, keys=KeyChanges(made=made)))

    assert await store.key_row(journal(0)) is None


@pytest.fixture
def table() -> Iterator[sqlite3.Connection]:
    """A connection to a table of numbers, empty."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE numbers (one INTEGER PRIMARY KEY, other INTEGER)")
    yield connection
    connection.close()


@pytest.mark.parametrize("rows_given", [0, 1, 2, 3, ROWS_MAX - 1, ROWS_MAX, ROWS_MAX + 1, 200])
def test_many_rows_are_all_written_in_order(table: sqlite3.Connection, rows_given: int):
    """However many rows there are, each is written once, and few texts of SQL are prepared."""
    seen: list[str] = []
    table.set_trace_callback(seen.append)
    given = [(number, number * 2) for number in range(rows_given)]

    changed = change(table, "INSERT INTO numbers (one, other) VALUES {rows}", given)
    seen_writing = len(seen)
    found = count(
        table,
        "WITH new (one, other) AS (VALUES {rows})"
        " SELECT count(*) FROM new JOIN numbers USING (one, other)",
        [*given, (-1, -1)],
    )

    assert rows_given == changed == found
    assert given == table.execute("SELECT one, other FROM numbers ORDER BY rowid").fetchall()
    assert seen_writing <= rows_given // ROWS_MAX + ROWS_MAX.bit_length()


async def test_company_is_waited_for_while_it_keeps_coming(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
):
    """
    Speed: appends that calls under way are about to send off are handed over together, where there
    was company lately; whoever was alone waits for nobody.
    """
    monkeypatch.setattr(gathering, "SECONDS_MAX", 60.0)
    sizes: list[int] = []
    went = Gathering.went

    def noted(self: Gathering, count: int) -> None:
        sizes.append(count)
        went(self, count)

    monkeypatch.setattr(Gathering, "went", noted)

    async def late(turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        await store.append(Append(expected={}, audit=(audited(),)))

    await late(0)
    await late(0)
    assert [1, 1] == sizes
    await asyncio.gather(*(late(0) for _ in range(16)))
    sizes.clear()
    await asyncio.gather(*map(late, range(0, 24, 3)))

    assert [8] == sizes
