"""
A slow disk: commands while every commit takes 5 ms longer than it does.

PostgreSQL is told to wait before it syncs (`commit_delay`); a file's writer waits after its commit.
"""

from __future__ import annotations

import asyncio

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from statistics import mean

from benchmarks.inner import seeded
from benchmarks.postgres_limit import CONNECTIONS, postgres_limit
from benchmarks.rounds import Figures, ratio
from benchmarks.run import Part, Round, Run
from benchmarks.service import Service, service
from benchmarks.wire import EVENTS, HOT, MANY, Line
from clientela.adapters.settings import Settings


COMMAND = "purchase"

SLOW_SERVER = (
    "ALTER SYSTEM SET commit_delay = 5000",
    "ALTER SYSTEM SET commit_siblings = 0",
)
"""5,000 microseconds, whoever else is about to commit or not."""

FAST_SERVER = ("ALTER SYSTEM RESET commit_delay", "ALTER SYSTEM RESET commit_siblings")

LOOK_AGAIN = "SELECT pg_reload_conf()"


def _called(line: Line, store: str) -> Figures:
    line.once(COMMAND)
    before = line.calls("echo", MANY)
    many = line.calls(COMMAND, MANY)
    after = line.calls("echo", MANY)
    hot = line.calls(COMMAND, HOT, clients=1)
    alone = line.calls(COMMAND, 1)
    echo = mean((before.rate, after.rate))
    name = f"slow.{store}"
    return {
        f"22 many {store}": ratio(many.rate, echo),
        f"22 hot {store}": ratio(hot.rate, many.rate),
        f"{name}.echo, rate": echo,
        f"{name}.purchase, rate": many.rate,
        f"{name}.purchase, p50 us": many.p50,
        f"{name}.hot, rate": hot.rate,
        f"{name}.command alone, p50 us": alone.p50,
        f"{name}.refused": many.refused + hot.refused,
    }


def _measured(
    run: Run, store: str, folder: Path, slow: Callable[[], AbstractContextManager[Service]]
) -> Figures:
    with slow() as started:
        return _called(Line(run=run, service=started, log=folder / "caller.log"), store)


@contextmanager
def _sqlite(run: Run) -> Iterator[Round]:
    folder = run.place("slow-sqlite")
    asyncio.run(seeded(Settings(data_dir=folder), {EVENTS: run.clients}))
    slow = partial(service, folder, module="benchmarks.slow_service")
    yield lambda: _measured(run, "sqlite", folder, slow)


@contextmanager
def _postgres(run: Run) -> Iterator[Round]:
    folder = run.place("slow-postgres")
    company = run.place("slow-postgres/company")
    with postgres_limit(folder) as server:
        url = server.database("company")
        asyncio.run(seeded(Settings(data_dir=company, database_url=url), {EVENTS: run.clients}))

        def measured() -> Figures:
            for statement in (*SLOW_SERVER, LOOK_AGAIN):
                server.asked(statement)
            try:
                raw = server.append(run.seconds, CONNECTIONS)
                slow = partial(service, company, f"database_url={url}")
                figures = _measured(run, "postgres", folder, slow)
            finally:
                for statement in (*FAST_SERVER, LOOK_AGAIN):
                    server.asked(statement)
            return {**figures, "slow.postgres.raw append, rate": raw.rate}

        yield measured


SLOW_SQLITE = Part(name="slow-sqlite", about="SQLite, commits 5 ms slower: goal 22", open=_sqlite)
SLOW_POSTGRES = Part(
    name="slow-postgres", about="PostgreSQL, commits 5 ms slower: goal 22", open=_postgres
)
