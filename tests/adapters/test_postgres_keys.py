"""
Keys of persons in PostgreSQL: other processes are told when one that was there changes.
"""

from __future__ import annotations

import time

from collections.abc import AsyncIterator

import attrs
import pytest

from clientela.adapters.postgres import restored
from clientela.adapters.postgres.opening import connected
from clientela.adapters.postgres.positions import COUNTER, XMIN
from clientela.adapters.postgres.store import PostgresStore
from clientela.adapters.sqlite.erasures import Erasure, ErasureList
from clientela.domain.ids import ClientId, client_journal
from clientela.services.key_rows import KeyChanges, KeyRow
from clientela.services.rows import Append, Wanted
from clientela.services.store_errors import StoreUnavailableError
from tests.adapters import postgres_server
from tests.adapters.appends import IVO, KEK, MARTA, NEXT_KEK, audited, writing


ROW = KeyRow(MARTA, KEK, b"wrapped")
REWRAPPED = KeyRow(MARTA, NEXT_KEK, b"wrapped anew")
OLGA = client_journal(ClientId("olga"))


@pytest.fixture(params=[COUNTER, XMIN])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Of an empty store of each strategy."""
    async with postgres_server.database(request.param) as made:
        yield made


@pytest.fixture
async def store(url: str) -> AsyncIterator[PostgresStore]:
    """An empty store."""
    opened = await PostgresStore.open(url)
    yield opened
    await opened.close()


@pytest.fixture
async def other(store: PostgresStore, url: str) -> AsyncIterator[PostgresStore]:
    """Another process over the same database."""
    opened = await PostgresStore.open(url)
    yield opened
    await opened.close()


async def looked(store: PostgresStore) -> int:
    """How often keys were changed, as everything that is asked tells alike."""
    told: list[tuple[int, float]] = []
    begin_s = time.monotonic()
    store.connections.tell_keys = lambda changes, asked_s: told.append((changes, asked_s))
    await store.load(Wanted(journals=(MARTA,)))
    await store.ends((MARTA,))
    await store.append(Append(expected={}, audit=(audited(),)))

    assert 3 == len(told)
    assert 1 == len({changes for changes, _ in told})
    assert [] == [asked_s for _, asked_s in told if not begin_s <= asked_s <= time.monotonic()]
    return told[0][0]


def registering(row: KeyRow) -> Append:
    """A person comes, with a key."""
    return attrs.evolve(writing({row.person: None}), keys=KeyChanges(made=(row,)))


async def test_keys_of_persons_who_come_are_no_change(store: PostgresStore, other: PostgresStore):
    """Nobody has read the key of a person whose journal begins with it: nobody reads anew."""
    await store.append(registering(ROW))
    before = await looked(store)

    await other.append(registering(KeyRow(IVO, KEK, b"wrapped")))

    assert before == await looked(store)


async def test_changes_are_told_to_other_processes(store: PostgresStore, other: PostgresStore):
    """
    Design 7: a key made for a person who was there without one, wrapped anew or destroyed by
    another process is noticed with the next question, whichever that is.
    """
    await store.append(registering(ROW))
    await store.append(writing({IVO: None, OLGA: None}))
    seen = [await looked(store)]

    await other.append(Append(expected={}, keys=KeyChanges(made=(KeyRow(IVO, KEK, b"late"),))))
    seen.append(await looked(store))
    assert 1 == await other.rewrap_keys([(ROW, REWRAPPED)])
    seen.append(await looked(store))
    assert 0 == await other.rewrap_keys([(ROW, REWRAPPED)])
    seen.append(await looked(store))
    await other.append(Append(expected={}, keys=KeyChanges(forgotten=(MARTA,))))
    seen.append(await looked(store))

    assert [0, 1, 2, 2, 3] == [count - seen[0] for count in seen]


async def test_erasing_without_room_for_the_list_is_completed_later(url: str, tmp_path):
    """Design 7: an erasure that could not be listed is not acknowledged until it is."""
    file = tmp_path / "erasures"
    erasures = ErasureList(file)
    store = await PostgresStore.open(url, erasures=erasures)
    await store.append(registering(ROW))
    file.unlink()
    file.mkdir()

    with pytest.raises(StoreUnavailableError):
        await store.append(Append(expected={}, keys=KeyChanges(forgotten=(MARTA,))))
    with pytest.raises(StoreUnavailableError):
        await store.cleared()
    file.rmdir()
    file.touch()
    await store.cleared()

    assert [Erasure(MARTA)] == list(erasures.read())
    await store.close()


async def test_erasures_made_again_are_told(store: PostgresStore, url: str, tmp_path):
    """F13: what a process erases again after a restore the others read anew."""
    await store.append(registering(ROW))
    before = await looked(store)
    erasures = ErasureList(tmp_path / "erasures")
    erasures.add([Erasure(MARTA, ())])

    async with connected(url) as connection:
        assert 1 == await restored.reconcile(connection, erasures)

    assert before + 1 == await looked(store)
