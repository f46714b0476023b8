"""
R10: whoever reads by position misses nothing, however late a transaction commits.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncIterator

import asyncpg
import attrs
import pytest

from clientela.adapters.postgres import hold
from clientela.adapters.postgres.group import Group
from clientela.adapters.postgres.jobs import Job
from clientela.adapters.postgres.opening import prepare
from clientela.adapters.postgres.positions import (
    COUNTER,
    NO_HORIZON,
    STRATEGIES,
    XMIN,
    OtherPositionsError,
    Strategy,
)
from clientela.adapters.postgres.store import PostgresStore
from clientela.adapters.sqlite.masks import Masks
from clientela.domain.ids import ClientId, client_journal
from clientela.services.rows import Append
from clientela.services.store_errors import StoreUnavailableError
from tests.adapters import postgres_server
from tests.adapters.appends import MARTA, audited, writing


COMMITTERS = 16
OVERTAKING_S = 0.1
"""Seconds that a transaction stays open for a later one that has to wait for it."""

OVERTAKEN_S = 60.0
"""The same for a later one that has not: it comes, however busy the machine is."""


@pytest.fixture(params=[COUNTER, XMIN])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Of an empty store of each strategy."""
    async with postgres_server.database(request.param) as made:
        yield made


@pytest.fixture
async def xmin_url() -> AsyncIterator[str]:
    """Of an empty store that makes positions of transaction ids."""
    async with postgres_server.database(XMIN) as made:
        yield made


class LateCommitters:
    """Transactions that append one event each; the later one began, the sooner it commits."""

    def __init__(self, url: str, strategy: Strategy) -> None:
        self._url = url
        self._strategy = strategy
        self._patience_s = OVERTAKING_S if strategy.counts else OVERTAKEN_S
        self._over = [asyncio.Event() for _ in range(COMMITTERS + 1)]
        self._written = [asyncio.Event() for _ in range(COMMITTERS + 1)]
        self._over[-1].set()
        self._written[0].set()
        self.event_ids: set[str] = set()

    async def run(self) -> None:
        """Let all of them write and commit."""
        await asyncio.gather(*map(self._commit, range(COMMITTERS)))

    async def _commit(self, number: int) -> None:
        journal = client_journal(ClientId(f"client-{number}"))
        append = writing({journal: None}, append_id=f"append-{number}")
        group = Group(Masks())
        group.add(Job(append, asyncio.get_running_loop().create_future()))
        sql, arguments = group.statement(self._strategy)
        connection = await asyncpg.connect(self._url)
        await self._soon(self._written[number])
        async with connection.transaction():
            await connection.fetch(sql, *arguments)
            self._written[number + 1].set()
            await self._soon(self._over[number + 1])
        self._over[number].set()
        self.event_ids.add(append.events[0].event_id)
        await connection.close()

    async def _soon(self, event: asyncio.Event) -> None:
        """Wait for another transaction, which may be unable to get there before this one."""
        await asyncio.wait({asyncio.ensure_future(event.wait())}, timeout=self._patience_s)


async def missed(url: str, strategy: Strategy, read_by: Strategy) -> set[str]:
    """Events of late committers that somebody who reads all the time by position never sees."""
    store = PostgresStore(url, read_by)
    late = LateCommitters(url, strategy)
    seen: list[str] = []
    after = 0

    async def look() -> None:
        nonlocal after
        for row in await store.read_all(after):
            seen.append(row.event_id)
            after = row.position

    running = asyncio.ensure_future(late.run())
    while not running.done():
        await look()
        await asyncio.wait({running}, timeout=0.001)
    await running
    await look()
    await store.close()
    assert len(set(seen)) == len(seen)
    return late.event_ids - set(seen)


async def test_reader_misses_nothing_of_late_committers(url: str):
    """G13: 16 transactions that commit in the reverse order are all seen, each once."""
    strategy = await prepare(url)

    assert set() == await missed(url, strategy, strategy)


async def test_naive_reader_misses_late_committers(xmin_url: str):
    """Sabotage: whoever reads `position > last` without a horizon misses nearly all of them."""
    strategy = STRATEGIES[XMIN]
    naive = attrs.evolve(strategy, horizon=str(NO_HORIZON))

    assert COMMITTERS // 2 < len(await missed(xmin_url, strategy, naive))


async def test_counting_without_holding_the_row_misses_late_committers(xmin_url: str):
    """Sabotage: numbers of a sequence, for which nobody waits, are no order of commits."""
    await postgres_server.execute("CREATE SEQUENCE late", xmin_url)
    begin = "SELECT nextval('late') * 1000 AS base, nextval('late') AS audit_base"
    sequence = Strategy("sequence", begin, counts=False, horizon=str(NO_HORIZON))

    assert COMMITTERS // 2 < len(await missed(xmin_url, sequence, sequence))


async def test_own_append_is_read_at_once(url: str):
    """What is committed before a read is in it, though others write all the time."""
    store, other = await PostgresStore.open(url), await PostgresStore.open(url)

    async def writer(number: int) -> None:
        for i in range(20):
            name = f"{number}-{i}"
            position = await store.append(
                writing({client_journal(ClientId(name)): None}, append_id=name)
            )
            assert position <= await store.last_position()
            rows = await store.read_all(position - 1, 1)
            assert [f"{name}"] == [row.append_id for row in rows]

    async def disturber() -> None:
        for i in range(60):
            await other.append(writing({client_journal(ClientId(f"d{i}")): None}, 1, f"d{i}"))

    writers = [writer(number) for number in range(4)]
    await asyncio.gather(disturber(), *writers)
    await store.close()
    await other.close()


async def test_held_horizon_is_waited_for(xmin_url: str):
    """A read waits for a transaction elsewhere that holds back the order, and has all then."""
    store = await PostgresStore.open(xmin_url)
    holder = await asyncpg.connect(xmin_url)
    held = holder.transaction()
    await held.start()
    await holder.fetchval("SELECT pg_current_xact_id()")
    position = await store.append(writing({MARTA: None}))

    last = asyncio.ensure_future(store.last_position())
    page = asyncio.ensure_future(store.read_all())
    done, _ = await asyncio.wait([last, page], timeout=0.2)
    assert not done
    await held.commit()

    assert position == await last
    assert [position] == [row.position for row in await page]
    await holder.close()
    await store.close()


async def test_horizon_held_for_long_is_refused(xmin_url: str, monkeypatch: pytest.MonkeyPatch):
    """A read never leaves out what is committed: it is refused in the end, and says why."""
    monkeypatch.setattr(hold, "HELD_S", 0.1)
    store = await PostgresStore.open(xmin_url)
    holder = await asyncpg.connect(xmin_url)
    held = holder.transaction()
    await held.start()
    await holder.fetchval("SELECT pg_current_xact_id()")
    await store.append(writing({MARTA: None}))
    await store.write_audit([audited()])

    with pytest.raises(StoreUnavailableError, match="pg_stat_activity"):
        await store.last_position()
    with pytest.raises(StoreUnavailableError, match="pg_stat_activity"):
        await store.read_all()
    with pytest.raises(StoreUnavailableError, match="pg_stat_activity"):
        await store.audit()

    await held.rollback()
    assert await store.last_position()
    await holder.close()
    await store.close()


async def test_reading_holds_nobody_back(xmin_url: str):
    """A transaction that only reads, such as a dump, delays no reader of positions."""
    store = await PostgresStore.open(xmin_url)
    reader = await asyncpg.connect(xmin_url)
    reading = reader.transaction(isolation="repeatable_read", readonly=True)
    await reading.start()
    await reader.fetch("SELECT 1 FROM events")

    position = await store.append(writing({MARTA: None}))

    assert position == await store.last_position()
    await reading.rollback()
    await reader.close()
    await store.close()


FAR = 1 << 55
"""A position that another cluster gave, far beyond the transactions of this one."""


async def test_positions_never_go_back(url: str):
    """R10: after a restore into another cluster, whose transactions count anew, they go on."""
    store = await PostgresStore.open(url)
    await store.append(writing({MARTA: None}))
    await store.write_audit([audited()])
    await store.close()
    await postgres_server.execute(f"UPDATE events SET position = {FAR}", url)  # noqa: S608
    await postgres_server.execute(f"UPDATE audit SET number = {FAR + 5}", url)  # noqa: S608

    restored = await PostgresStore.open(url)
    other = client_journal(ClientId("other"))
    position = await restored.append(
        Append(
            expected={other: 0},
            events=writing({other: None}, append_id="append-2").events,
            audit=(audited("Later"),),
        )
    )

    assert position > FAR
    assert position == await restored.last_position()
    assert [FAR, position] == [row.position for row in await restored.read_all()]
    assert ["Approach", "Later"] == [row.method for _, row in await restored.audit()]
    await restored.close()


async def test_opening_again_leaves_positions_alone(xmin_url: str):
    """The offset is raised only when it must be."""
    for number in range(3):
        store = await PostgresStore.open(xmin_url)
        await store.append(writing({client_journal(ClientId(f"c{number}")): None}, 1, f"a{number}"))
        await store.close()

    connection = await asyncpg.connect(xmin_url)
    assert 0 == await connection.fetchval("SELECT ahead FROM positions")
    await connection.close()


async def test_unknown_strategy_is_refused(url: str):
    """A database that gives positions in a way unknown here is not served."""
    await postgres_server.execute("UPDATE positions SET strategy = 'stars'", url)

    with pytest.raises(OtherPositionsError) as refusal:
        await PostgresStore.open(url)

    assert "stars" == refusal.value.strategy


async def test_server_decides_how_positions_are_given():
    """
    A new database takes the way without waiting where the server has it; another may be asked
    for, once.
    """
    async with postgres_server.database() as url:
        assert XMIN == (await prepare(url)).name
        assert XMIN == (await prepare(url, wanted=COUNTER)).name
    async with postgres_server.database() as url:
        assert COUNTER == (await prepare(url, wanted=COUNTER)).name
    async with postgres_server.database() as url:
        with pytest.raises(OtherPositionsError):
            await prepare(url, wanted="stars")
