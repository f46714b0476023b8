"""
Which PostgreSQL databases are served: durable servers, whole databases of this release and company.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from clientela.adapters import migrations
from clientela.adapters.migrations import Migration, SchemaNewerError, available
from clientela.adapters.postgres import schema
from clientela.adapters.postgres.connections import Connections
from clientela.adapters.postgres.opening import (
    MigrationNeededError,
    OtherDatabaseError,
    OtherRulebookError,
    connected,
    prepare,
)
from clientela.adapters.postgres.profile import NEEDED, WeakServerError, check_profile, warn_of
from clientela.adapters.postgres.schema import DIALECT
from clientela.adapters.postgres.store import PostgresStore
from clientela.adapters.sqlite.erasures import Erasure, ErasureList
from clientela.adapters.sqlite.opening import EPOCH, ERASED_AGAIN
from clientela.domain.ids import Code
from clientela.services.key_rows import KeyChanges, KeyRow
from clientela.services.rows import Append
from clientela.services.store_errors import StoreUnavailableError
from tests.adapters import postgres_server
from tests.adapters.appends import MARTA, PHONE, everything


SOUND = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "server_encoding": "UTF8",
    "server_version_num": "180006",
    "data_checksums": "on",
    "in_recovery": "false",
}
LOCK_TIMEOUT_S = 0.5
"""Seconds that a statement waits for a lock."""

LOOKS_MAX = 50
"""Looks whether the server has noticed that connections are gone."""

RULES = "ownership(client-claimed.v1)"
OTHER_RULES = "loyalty(points-issued.v1)"

RELEASED: dict[str, str] = {}
"""Name and beginning of the checksum of each: added to with every release, never edited."""


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Of an empty database."""
    async with postgres_server.database() as made:
        yield made


async def backends(url: str) -> int:
    """How many connections of the application the server has in this database."""
    async with connected(url) as connection:
        others = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'clientela' AND pid <> pg_backend_pid()"
        )
    return int(others)


async def tables(url: str) -> int:
    """How many tables there are."""
    async with connected(url) as connection:
        return len(
            await connection.fetch(
                "SELECT 1 FROM information_schema.tables WHERE table_schema = 'public'"
            )
        )


def test_durable_primary_is_accepted():
    """R9: every server from 15 to 18 that keeps what it acknowledges may be used."""
    for version in ("150000", "160014", "170005", "180006"):
        check_profile({**SOUND, "server_version_num": version})
    check_profile({**SOUND, "synchronous_commit": "remote_apply"})


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
        ("synchronous_commit", "local"),
        ("synchronous_commit", "remote_write"),
        ("server_encoding", "SQL_ASCII"),
        ("in_recovery", "true"),
        ("server_version_num", "140019"),
        ("server_version_num", "190001"),
    ],
)
def test_weaker_server_is_refused(setting: str, found: str):
    """R9: a server that may lose what it acknowledged, or was never tried, is named and refused."""
    with pytest.raises(WeakServerError) as refusal:
        check_profile({**SOUND, setting: found})

    assert (setting, found) == (refusal.value.setting, refusal.value.found)
    assert f"{setting} = {found}" in str(refusal.value)


def test_everything_needed_is_asked():
    """R9: each setting that is needed is read from the server, and has advice."""
    assert set(NEEDED) < set(SOUND)


def test_missing_checksums_are_warned_of(caplog: pytest.LogCaptureFixture):
    """R9: a server without data checksums is used, with a warning that says what to do."""
    with caplog.at_level(logging.WARNING):
        warn_of(SOUND)
        assert "" == caplog.text
        warn_of({**SOUND, "data_checksums": "off"})

    assert "pg_checksums --enable" in caplog.text


async def test_database_that_does_not_wait_for_the_disk_is_refused(url: str):
    """R9: the settings are those of the connection that would append."""
    name = url.rpartition("?")[0].rpartition("/")[2]
    await postgres_server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")

    with pytest.raises(WeakServerError) as refusal:
        await PostgresStore.open(url)

    assert "synchronous_commit" == refusal.value.setting
    assert "synchronous_commit = off" in str(refusal.value)


async def test_server_that_became_weak_ends_the_service(url: str):
    """R9: settings are read again with every new connection; a service over a weak one stops."""
    store = await PostgresStore.open(url)
    await store.append(everything())
    name = url.rpartition("?")[0].rpartition("/")[2]
    await postgres_server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    store.connections.drop_writer()

    with pytest.raises(StoreUnavailableError):
        await store.append(everything("append-2"))

    assert "synchronous_commit = off" in await asyncio.wait_for(store.failed(), 60)
    await store.close()


async def test_server_that_is_not_there_is_named_unavailable():
    """A server that nobody runs is no defect of the database: trying again may help."""
    with pytest.raises(StoreUnavailableError):
        await PostgresStore.open("postgresql://nobody@127.0.0.1:1/nowhere")


async def test_what_was_kept_is_there_again(url: str):
    """Closing and opening loses nothing."""
    first = await PostgresStore.open(url, rulebook=RULES)
    await first.append(everything())
    epoch = await first.note(EPOCH)
    await first.close()

    second = await PostgresStore.open(url, rulebook=RULES)

    assert 3 == len(await second.read_all())
    assert epoch == await second.note(EPOCH)
    await second.close()


async def test_processes_may_make_the_tables_at_once(url: str):
    """Whoever starts first makes the tables; all of them serve the same database."""
    stores = await asyncio.gather(*(PostgresStore.open(url, rulebook=RULES) for _ in range(4)))

    epochs = {await store.note(EPOCH) for store in stores}
    assert 1 == len(epochs)
    for store in stores:
        await store.close()


async def test_tables_made_between_two_looks_are_no_stranger_s(url: str, monkeypatch):
    """Whoever finds none applied, and tables a moment later, looks again whose they are."""
    await (await PostgresStore.open(url, rulebook=RULES)).close()
    applied, seen = schema.applied, []

    async def late(connection):
        seen.append(await applied(connection))
        return seen[-1] if len(seen) > 1 else ()

    monkeypatch.setattr(schema, "applied", late)
    await (await PostgresStore.open(url, rulebook=RULES)).close()

    assert all(seen)


async def test_tables_that_another_process_is_slow_to_make_are_waited_for(url: str):
    """A process that starts while another one makes the tables takes longer, and starts."""
    another = await asyncpg.connect(url)
    making = another.transaction()
    await making.start()
    await another.execute("CREATE TABLE events (unfinished text)")

    opening = asyncio.ensure_future(PostgresStore.open(url, rulebook=RULES))
    done, _ = await asyncio.wait({opening}, timeout=2 * LOCK_TIMEOUT_S)
    assert set() == done
    await making.rollback()
    store = await opening

    assert await store.note(EPOCH)
    await store.close()
    await another.close()


async def test_database_of_others_is_refused_and_left_as_it_is(url: str):
    """A database with tables of another program is not made ours."""
    await postgres_server.execute("CREATE TABLE diary (entry text)", url)

    with pytest.raises(OtherDatabaseError):
        await PostgresStore.open(url)

    assert 1 == await tables(url)


async def test_database_of_another_composition_is_refused(url: str):
    """A process with other rule sets does not start on the database until it is migrated."""
    await (await PostgresStore.open(url, rulebook=RULES)).close()

    with pytest.raises(OtherRulebookError):
        await PostgresStore.open(url, rulebook=OTHER_RULES)

    await (await PostgresStore.open(url, rulebook=OTHER_RULES, may_migrate=True)).close()
    await (await PostgresStore.open(url, rulebook=OTHER_RULES)).close()


async def test_database_of_a_newer_release_is_refused(url: str):
    """An unknown newer schema is not touched."""
    await (await PostgresStore.open(url)).close()
    await postgres_server.execute("INSERT INTO migrations VALUES (9999, 'wings', 'abc', 0)", url)

    with pytest.raises(SchemaNewerError):
        await PostgresStore.open(url, may_migrate=True)


async def test_older_database_is_migrated_only_when_told_to(
    url: str, monkeypatch: pytest.MonkeyPatch
):
    """A database of an older release waits for a backup and for `clientela migrate up`."""
    await (await PostgresStore.open(url)).close()
    released = available(DIALECT)
    wings = Migration(len(released) + 1, "wings", "CREATE TABLE wings (id integer);\n")
    monkeypatch.setattr(schema, "available", lambda _dialect: (*released, wings))

    with pytest.raises(MigrationNeededError):
        await PostgresStore.open(url)

    before = await tables(url)
    await prepare(url, may_migrate=True)
    assert before + 1 == await tables(url)
    await (await PostgresStore.open(url)).close()


async def test_failing_migration_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch):
    """What is to be done is done whole or not at all."""
    released = available(DIALECT)
    broken = Migration(len(released) + 1, "broken", "CREATE TABLE journals (id integer);\n")
    monkeypatch.setattr(schema, "available", lambda _dialect: (*released, broken))

    with pytest.raises(StoreUnavailableError):
        await prepare(url)

    assert 0 == await tables(url)


def test_released_migrations_are_never_edited():
    """The text of every released migration is fixed; a new shape is a new file."""
    assert RELEASED == {m.name: m.checksum[:16] for m in available(DIALECT)[: len(RELEASED)]}


def test_every_statement_of_a_migration_is_whole():
    """Splitting at semicolons that end a line cuts no statement of ours in two."""
    for migration in migrations.available(DIALECT):
        text = [line for line in migration.sql.splitlines() if not line.startswith("--")]
        assert "\n".join(text).count(";") == len(migration.statements)


async def test_restored_database_forgets_again(url: str, tmp_path: Path):
    """F24: who was erased after the copy is erased again at the next start, in a new epoch."""
    erasures = ErasureList(tmp_path / "erasures")
    store = await PostgresStore.open(url, erasures=erasures)
    await store.append(everything())
    epoch = await store.note(EPOCH)
    await store.close()
    assert {} == erasures.read()
    name = url.rpartition("/test_")[2].partition("?")[0]
    await postgres_server.execute(f"CREATE DATABASE copy_{name} TEMPLATE test_{name}")
    copy = postgres_server.shared().get_uri(f"copy_{name}")
    store = await PostgresStore.open(url, erasures=erasures)
    changes = KeyChanges(forgotten=(MARTA,), scopes=(Code("phone"), Code("card")))
    await store.append(Append(expected={MARTA: 2}, keys=changes))
    await store.close()

    restored = await PostgresStore.open(copy, erasures=erasures)

    assert KeyRow(MARTA, "", b"") == await restored.key_row(MARTA)
    assert await restored.holder(PHONE) is None
    assert str(MARTA) == await restored.note(ERASED_AGAIN)
    assert epoch != await restored.note(EPOCH)
    assert (await restored.note(EPOCH) or "").startswith("2-")
    await restored.close()
    await postgres_server.drop(f"copy_{name}")


async def test_erasures_of_other_processes_are_listed_at_the_start(url: str, tmp_path: Path):
    """F24: every process knows at its start of all erasures, whoever made them."""
    store = await PostgresStore.open(url)
    await store.append(Append(expected={}, keys=KeyChanges(forgotten=(MARTA,))))
    await store.close()
    erasures = ErasureList(tmp_path / "erasures")

    await (await PostgresStore.open(url, erasures=erasures)).close()

    assert {Erasure(MARTA): None} == erasures.read()


async def test_whoever_is_cancelled_while_connecting_leaves_no_connection(url: str):
    """
    A task that is stopped while it makes a connection, however far it is, leaves none on the server
    that nobody will ever close.
    """
    stopped = 0
    for milliseconds in itertools.count():
        connections = Connections(url)
        asking = asyncio.create_task(connections.read(lambda c: c.fetchval("SELECT 1")))
        done, _ = await asyncio.wait([asking], timeout=milliseconds / 1000)
        asking.cancel()
        await asyncio.wait([asking])
        await connections.close()
        if done:
            break
        stopped += 1
    gc.collect()

    assert stopped
    for _ in range(LOOKS_MAX):
        if not await backends(url):
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail("connections that nobody has are still open")
