"""
What the doctor looks at elsewhere: the database and the broker, both real.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import attrs
import pytest

from clientela.adapters.checks.broker import broker
from clientela.adapters.checks.finding import State
from clientela.adapters.checks.server_store import server_store
from clientela.adapters.jetstream.stream import STREAM
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.nats_server import EmbeddedServer
from clientela.adapters.postgres.leases import PostgresLeases
from clientela.adapters.postgres.positions import COUNTER
from clientela.adapters.postgres.store import PostgresStore
from clientela.adapters.settings import Settings
from clientela.services.rows import Append
from tests.adapters import postgres_server
from tests.adapters.appends import MARTA, rows


GOOD, POOR, BAD = State


async def told(looks):
    """State of each thing looked at."""
    return {each.what: each.state async for each in looks}


async def test_a_database_is_looked_at(tmp_path):
    """
    R9, F18: the server, the store in it, the keys it is sealed with, and both clocks.
    """
    async with postgres_server.database(COUNTER) as url:
        settings = Settings(data_dir=tmp_path, database_url=url)
        KeyFile(settings.key_file).create()
        store = await PostgresStore.open(url)
        await store.append(Append(expected={MARTA: 0}, events=rows(MARTA)))
        await store.close()

        found = await told(server_store(settings))

    # The servers of the tests are made without checksums or with, as their release likes.
    found.pop("checksums", None)
    assert {
        "database": GOOD,
        "clock offset": GOOD,
        "keys": GOOD,
        "key age": GOOD,
        "store": GOOD,
        "clock": GOOD,
    } == found


async def test_who_does_what_one_process_does_is_told(tmp_path):
    """
    G9: every lease is told with its holder and its end; one that nobody holds while others are at
    work is poor, and all is well where nobody is at work.
    """
    now = datetime.now(UTC)
    async with postgres_server.database(COUNTER) as url:
        store = await PostgresStore.open(url)
        past = PostgresLeases(store, lambda: now - timedelta(hours=2))
        await past.acquire("relay", "till-1:7/one", timedelta(hours=1))
        idle = await leases(server_store(Settings(data_dir=tmp_path, database_url=url)))
        await PostgresLeases(store).acquire("keeping", "till-2:8/two", timedelta(hours=1))
        busy = await leases(server_store(Settings(data_dir=tmp_path, database_url=url)))
        await store.close()

    since = f"nobody's since {now - timedelta(hours=1):%F %T}, last of till-1:7/one"
    assert [("lease relay", GOOD, f"{since}: no process is at work")] == idle
    assert ("lease relay", POOR, f"{since}; see that its role runs") == busy[1]
    assert ("lease keeping", GOOD) == busy[0][:2]
    assert busy[0][2].startswith("held by till-2:8/two until ")
    assert busy[0][2].endswith(", epoch 1")


async def leases(looks):
    """What is said of leases."""
    found = [each async for each in looks]
    return [(each.what, each.state, each.text) for each in found if each.what.startswith("lease")]


async def test_an_empty_database_is_poor(tmp_path):
    """
    Before the first start there is neither store nor key, and nothing is bad.
    """
    async with postgres_server.database() as url:
        found = await told(server_store(Settings(data_dir=tmp_path, database_url=url)))

    assert (POOR, POOR) == (found["store"], found["keys"])
    assert BAD not in found.values()


@pytest.mark.parametrize("setting", ["synchronous_commit = off", "synchronous_commit = local"])
async def test_a_database_that_forgets_is_bad(tmp_path, setting):
    """
    R9: what serve refuses is found before.
    """
    async with postgres_server.database(COUNTER) as url:
        name = urlsplit(url).path.strip("/")
        await postgres_server.execute(f"ALTER DATABASE {name} SET {setting}")
        found = await told(server_store(Settings(data_dir=tmp_path, database_url=url)))

    assert {"database": BAD} == found


async def test_a_database_that_is_away_is_bad(tmp_path):
    """
    Without the store nothing is served.
    """
    settings = Settings(data_dir=tmp_path, database_url="postgresql://nobody@127.0.0.1:9/nothing")

    assert {"database": BAD} == await told(server_store(settings))


@pytest.fixture
async def settings(tmp_path):
    """Of a service whose bus is a broker that runs."""
    server = EmbeddedServer(tmp_path / "nats")
    await server.start()
    yield Settings(bus=server.url, bus_credentials=server.token_file)
    await server.stop()


async def test_a_broker_without_a_stream_is_poor_or_bad(settings):
    """
    R12: what serve will make is missing for now; what it will not make is missing.
    """
    makes = await told(broker(settings))
    leaves = await told(broker(attrs.evolve(settings, bus_create=False)))

    assert {"broker encryption": POOR, "broker": POOR} == makes
    assert {"broker encryption": POOR, "broker": BAD} == leaves


async def test_a_stream_that_forgets_is_bad(settings):
    """
    R12: a stream that drops old messages is refused by serve, and found before.
    """
    import nats

    token = settings.bus_credentials.read_text().strip()
    client = await nats.connect(settings.bus, token=token)
    await client.jetstream().add_stream(
        name=STREAM, subjects=["clientela.v1.>"], max_msgs=1_000, duplicate_window=120
    )
    await client.close()

    assert BAD == (await told(broker(settings)))["broker"]


async def test_a_broker_that_is_away_is_poor():
    """
    F8: commands go on without it.
    """
    found = await told(broker(Settings(bus="nats://127.0.0.1:9")))

    assert POOR == found["broker"]


async def test_no_broker_and_our_own_are_good():
    """
    The embedded one comes with the package.
    """
    assert {"broker": GOOD} == await told(broker(Settings(bus="none")))
    assert {"broker": GOOD} == await told(broker(Settings(bus="embedded")))
