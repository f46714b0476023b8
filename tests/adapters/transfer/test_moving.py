"""
A whole store moves between a SQLite file and a PostgreSQL database, and nothing changes on the way.
"""

from __future__ import annotations

import sqlite3

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from clientela.adapters.migrations import available
from clientela.adapters.postgres.positions import COUNTER, XMIN
from clientela.adapters.postgres.store import PostgresStore
from clientela.adapters.sqlite.files import DatabaseLockedError
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.transfer import server_end
from clientela.adapters.transfer.moving import (
    CopyDiffersError,
    DamagedSourceError,
    NothingToMoveError,
    TargetNotEmptyError,
    move,
)
from clientela.adapters.transfer.tables import LEFT_BEHIND, TABLES
from clientela.domain.ids import Blind, ClientId, Code, client_journal
from clientela.services.key_rows import KeyChanges
from clientela.services.ports import JournalStore
from clientela.services.rows import Append, Head, Wanted
from tests.adapters import postgres_server
from tests.adapters.appends import (
    AT,
    CARD,
    IVO,
    KEK,
    MARTA,
    PHONE,
    RECEIPT,
    REFUSAL,
    REQUEST,
    RULEBOOK,
    WALLET,
    answered,
    audited,
    everything,
    held_by,
    key_of,
    writing,
)


FAR = AT.replace(year=2100)
JOURNALS = (MARTA, IVO, WALLET)


@pytest.fixture(params=[COUNTER, XMIN])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Of an empty database of each kind of positions."""
    async with postgres_server.database(request.param) as made:
        yield made


async def fill(store: JournalStore) -> None:
    """Something in every table that is moved."""
    await store.fence_keys(KEK)
    await store.append(everything())
    await store.append(
        Append(
            expected={IVO: 0},
            events=writing({IVO: None}, append_id="append-2").events,
            reserve=((RECEIPT, held_by(IVO)),),
            answer=attrs.evolve(REFUSAL, journals=(IVO,)),
            due={IVO: AT},
            audit=(audited("Later"),),
            keys=KeyChanges(made=(key_of(IVO),)),
        )
    )
    changes = KeyChanges(forgotten=(IVO,), scopes=(Code("email"),))
    await store.append(Append(expected={IVO: 1}, keys=changes, release=(CARD,)))
    await store.note("clock", "real")


async def dump(store: JournalStore) -> dict[str, Any]:
    """Everything that can be asked, byte for byte."""
    wanted = Wanted(
        journals=JOURNALS,
        keys=(PHONE, CARD, RECEIPT),
        request=REQUEST,
        persons=JOURNALS,
        fingerprint=RULEBOOK,
    )
    return {
        "loaded": await store.load(wanted),
        "refusal": await store.load(Wanted(journals=(), request=REFUSAL.request)),
        "events": list(await store.read_all()),
        "due": list(await store.due(FAR)),
        "audit": list(await store.audit()),
        "stale": list(await store.stale_keys("none")),
        "notes": [await store.note(name) for name in ("clock", "epoch")],
        "last": await store.last_position(),
    }


def file_of(folder: Path) -> str:
    """Where the store in a folder is."""
    return str(folder / "clientela.db")


async def opened(place: str) -> SqliteStore | PostgresStore:
    """The store there."""
    if place.startswith("postgresql"):
        return await PostgresStore.open(place)
    return await SqliteStore.open(Path(place))


async def test_file_moves_to_a_database_and_back(tmp_path: Path, url: str):
    """Every row arrives as it was, positions and masked fingerprints included, there and back."""
    (tmp_path / "here").mkdir()
    here, back = file_of(tmp_path / "here"), file_of(tmp_path / "back")
    store = await SqliteStore.open(Path(here))
    await fill(store)
    before = await dump(store)
    await store.close()

    there = await move(here, url)
    again = await move(url, back)

    assert there == again
    assert 4 == there["events"]
    assert {table for table in TABLES if table != "parked"} == {t for t in there if there[t]}
    for place in (here, url, back):
        moved = await opened(place)
        assert before == await dump(moved), place
        await moved.close()


async def test_moved_store_goes_on_where_it_was(tmp_path: Path, url: str):
    """Versions, positions, audit numbers and keys go on in the new place without a break."""
    store = await SqliteStore.open(Path(file_of(tmp_path)))
    await fill(store)
    await store.close()
    await move(file_of(tmp_path), url)
    back = file_of(tmp_path / "back")

    async def go_on(place: str, append_id: str) -> None:
        store = await opened(place)
        head = (await store.load(Wanted(journals=(MARTA,)))).heads[MARTA]
        last = await store.last_position()
        append = writing({MARTA: head}, append_id=append_id)
        more = attrs.evolve(append, audit=(audited(append_id),), answer=answered(Blind(append_id)))
        assert last < await store.append(more)
        assert append_id == (await store.audit())[-1][1].method
        await store.close()

    await go_on(url, "append-3")
    await move(url, back)
    await go_on(back, "append-4")

    store = await SqliteStore.open(Path(back))
    positions = [row.position for row in await store.read_all()]
    assert sorted(set(positions)) == positions
    assert [1, 2, 3, 4] == [row.version for row in await store.read(MARTA)]
    await store.close()


async def test_target_that_holds_anything_is_refused(tmp_path: Path, url: str):
    """Nothing is ever written over or into a store that is in use."""
    store = await SqliteStore.open(Path(file_of(tmp_path)))
    await fill(store)
    await store.close()
    target = await PostgresStore.open(url)
    await target.append(writing({MARTA: None}))
    before = list(await target.read_all())

    with pytest.raises(TargetNotEmptyError):
        await move(file_of(tmp_path), url)
    with pytest.raises(TargetNotEmptyError):
        await move(url, file_of(tmp_path))

    assert before == list(await target.read_all())
    await target.close()


async def test_store_that_is_served_is_not_moved(tmp_path: Path, url: str):
    """A file that a service holds is refused; nothing is written to the target."""
    store = await SqliteStore.open(Path(file_of(tmp_path)))

    with pytest.raises(DatabaseLockedError):
        await move(file_of(tmp_path), url)

    await store.close()


async def test_missing_source_is_named(tmp_path: Path, url: str):
    """A folder without a store is no source, and does not become one."""
    with pytest.raises(NothingToMoveError):
        await move(file_of(tmp_path / "nowhere"), url)

    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("table", ["events", "keys", "answers", "masks", "key_rows", "audit"])
async def test_row_lost_on_the_way_is_noticed(
    tmp_path: Path, url: str, table: str, monkeypatch: pytest.MonkeyPatch
):
    """Sabotage: a row that does not arrive fails the move, and nothing of it is kept."""
    store = await SqliteStore.open(Path(file_of(tmp_path)))
    await fill(store)
    await store.close()
    sound = server_end.ServerEnd.write

    async def losing(self: server_end.ServerEnd, name: str, rows: Any) -> None:
        await sound(self, name, rows[1:] if name == table else rows)

    monkeypatch.setattr(server_end.ServerEnd, "write", losing)

    with pytest.raises(CopyDiffersError) as refusal:
        await move(file_of(tmp_path), url)

    assert table == refusal.value.table
    target = await PostgresStore.open(url)
    assert [] == list(await target.read_all())
    assert [] == list(await target.journals())
    await target.close()


async def test_broken_chain_is_noticed(tmp_path: Path, url: str):
    """A journal that was damaged before it was moved is not passed on as whole."""
    store = await SqliteStore.open(Path(file_of(tmp_path)))
    await fill(store)
    await store.close()
    with closing(sqlite3.connect(file_of(tmp_path))) as connection, connection:
        connection.execute("UPDATE events SET body = x'7b7d' WHERE position = 2")

    with pytest.raises(DamagedSourceError, match="client/marta is broken"):
        await move(file_of(tmp_path), url)

    target = await PostgresStore.open(url)
    assert [] == list(await target.read_all())
    await target.close()


async def test_many_rows_move_in_pages(tmp_path: Path, url: str):
    """A store larger than a page arrives whole."""
    store = await SqliteStore.open(Path(file_of(tmp_path)))
    heads = {client_journal(ClientId(f"c{number:04}")): Head() for number in range(1_500)}
    await store.append(writing(dict.fromkeys(heads), count=2))
    await store.close()

    moved = await move(file_of(tmp_path), url)

    assert (3_000, 1_500) == (moved["events"], moved["journals"])


def test_every_table_is_moved_or_made_anew():
    """No table of a later release is forgotten: it is moved, or listed as left behind."""
    for dialect in ("sqlite", "postgres"):
        made = {
            line.split()[2]
            for migration in available(dialect)
            for line in migration.sql.splitlines()
            if line.startswith("CREATE TABLE ")
        }
        assert set() == made - TABLES.keys() - LEFT_BEHIND
        assert set() == TABLES.keys() - made
