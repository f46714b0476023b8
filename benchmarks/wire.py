"""
Over the wire: commands and reads through gRPC, beside the echo of the same process and the bare
appends of the same database.
"""

from __future__ import annotations

import asyncio
import math

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import mean

import attrs

from benchmarks.caller import Asked, Traffic, traffic
from benchmarks.inner import seeded
from benchmarks.postgres_limit import CONNECTIONS, PostgresLimit, postgres_limit
from benchmarks.rounds import Figures, ratio
from benchmarks.run import Part, Round, Run
from benchmarks.service import Service, service
from benchmarks.sqlite_limit import sqlite_limit
from clientela.adapters.settings import Settings


EVENTS = 20
"""Events of a client."""

MANY = 64
"""Calls in flight over many clients."""

HOT = 16
"""Calls in flight on one client."""

ONCE_SECONDS_MAX = 120.0
"""How long calls about every client once may take."""

RATE_GOALS = {"postgres": "1", "sqlite": "2"}
"""Key of the goal of commands a second, by database."""

COMMANDS = ("purchase", "interaction", "approach")
"""Commands measured; goals are judged by the first, the others are told beside it."""


@attrs.frozen(kw_only=True)
class Bare:
    """
    What the bare database does.

    Attributes:
        rate: Single appends a second.

        p50: Microseconds of one append when nothing else goes on.

        database: Microseconds of CPU of a database server for one append.
    """

    rate: float
    p50: float
    database: float = math.nan


@attrs.frozen(kw_only=True)
class Line:
    """
    A line to a service: calls and what they took.

    Attributes:
        run: The run.

        service: The service.

        log: Where errors of callers go.

        database: CPU seconds of a database server so far.
    """

    run: Run
    service: Service
    log: Path
    database: Callable[[], float] = float

    def calls(self, method: str, flight: int, clients: int = 0) -> Traffic:
        """Traffic of one kind; over all clients unless fewer are named."""
        asked = Asked(
            method=method,
            flight=flight,
            seconds=self.run.seconds,
            clients=clients or self.run.clients,
            seed=self.run.seed(),
        )
        target = self.service.echo if method == "echo" else self.service.target
        return traffic(self.service.pid, target, asked, self.log, self.database)

    def once(self, method: str) -> Traffic:
        """Every client called about once: cold where none of them is held in memory before."""
        asked = Asked(
            method=method,
            flight=MANY,
            seconds=ONCE_SECONDS_MAX,
            clients=self.run.clients,
            seed=self.run.seed(),
            in_order=True,
        )
        return traffic(self.service.pid, self.service.target, asked, self.log)


@attrs.frozen(kw_only=True)
class Taken:
    """
    What was called in one round, in this order.

    Attributes:
        cold: Every client read once, straight after the start.

        echoes: Bare calls before, between and after the commands.

        many: Each command over many clients.

        read: Reads of clients that are held in memory.

        alone_echo: Bare calls one at a time.

        alone: Commands one at a time.

        hot: Commands on one client.
    """

    cold: Traffic
    echoes: tuple[Traffic, ...]
    many: Mapping[str, Traffic]
    read: Traffic
    alone_echo: Traffic
    alone: Traffic
    hot: Traffic

    @property
    def main(self) -> Traffic:
        """The command that goals are judged by."""
        return self.many[COMMANDS[0]]


def called(line: Line) -> Taken:
    """Everything that is called in a round, over a line to a service that was just started."""
    cold = line.once("read")
    # Reads leave wallets out: the first purchase of a client brings them into memory.
    line.once(COMMANDS[0])
    echoes = [line.calls("echo", MANY)]
    many: dict[str, Traffic] = {}
    for command in COMMANDS:
        many[command] = line.calls(command, MANY)
        echoes.append(line.calls("echo", MANY))
    return Taken(
        cold=cold,
        echoes=tuple(echoes),
        many=many,
        read=line.calls("read", MANY),
        alone_echo=line.calls("echo", 1),
        alone=line.calls(COMMANDS[0], 1),
        hot=line.calls(COMMANDS[0], HOT, clients=1),
    )


def figures(taken: Taken, bare: Bare, store: str) -> Figures:
    """
    Ratios of a round and what they are made of.

    Args:
        taken: What was called.

        bare: The limit of the database, taken in the same round.

        store: Name of the database; figures bear it.
    """
    main = taken.main
    echo = mean(calls.rate for calls in taken.echoes)
    cpu = mean(calls.server for calls in taken.echoes)
    least = min(echo, bare.rate)
    found = {
        RATE_GOALS[store]: ratio(main.rate, least),
        f"3 {store}": ratio(main.server, cpu),
        f"5 {store}": ratio(taken.alone.p50, taken.alone_echo.p50 + bare.p50),
        f"6 {store}": ratio(main.p99, main.p50),
        f"7 {store}": ratio(taken.hot.rate, main.rate),
        f"8 {store}": ratio(taken.read.rate, echo),
        f"9 {store}": ratio(taken.cold.rate, echo),
        f"{store}.raw append.rate": bare.rate,
        f"{store}.raw append.p50 us": bare.p50,
        f"{store}.raw append.database us": bare.database,
    }
    if store == "postgres":
        found["4"] = ratio(main.database, bare.database)
    for command, calls in taken.many.items():
        found[f"{store}.{command}.rate to min(echo, raw)"] = ratio(calls.rate, least)
        found[f"{store}.{command}.CPU to echo"] = ratio(calls.server, cpu)
    told = {"echo": taken.echoes[-1], "read": taken.read, "cold read": taken.cold, **taken.many}
    alone = {"hot": taken.hot, "echo alone": taken.alone_echo, "command alone": taken.alone}
    for name, calls in (told | alone).items():
        found.update(_told(store, name, calls))
    return found


def _told(store: str, name: str, taken: Traffic) -> Figures:
    return {
        f"{store}.{name}.rate": taken.rate,
        f"{store}.{name}.p50 us": taken.p50,
        f"{store}.{name}.p99 us": taken.p99,
        f"{store}.{name}.service us": taken.server,
        f"{store}.{name}.caller us": taken.caller,
        f"{store}.{name}.database us": taken.database,
        f"{store}.{name}.refused": taken.refused,
    }


@contextmanager
def _sqlite(run: Run) -> Iterator[Round]:
    folder = run.place("wire-sqlite")
    asyncio.run(seeded(Settings(data_dir=folder), {EVENTS: run.clients}))

    def measured() -> Figures:
        with sqlite_limit(folder) as limit:
            before = limit.append(run.seconds)
            with service(folder) as started:
                taken = called(Line(run=run, service=started, log=folder / "caller.log"))
            after = limit.append(run.seconds)
        bare = Bare(rate=mean((before.rate, after.rate)), p50=mean((before.p50, after.p50)))
        return figures(taken, bare, "sqlite")

    yield measured


@contextmanager
def _postgres(run: Run) -> Iterator[Round]:
    folder = run.place("wire-postgres")
    with postgres_limit(folder) as server:
        url = server.database("company")
        asyncio.run(seeded(Settings(data_dir=folder, database_url=url), {EVENTS: run.clients}))

        def measured() -> Figures:
            many, alone = server.append(run.seconds, CONNECTIONS), server.append(run.seconds, 1)
            taken = _called(run, folder, server, url)
            again = server.append(run.seconds, CONNECTIONS)
            bare = Bare(
                rate=mean((many.rate, again.rate)),
                p50=alone.p50,
                database=mean((many.database, again.database)),
            )
            return figures(taken, bare, "postgres")

        yield measured


def _called(run: Run, folder: Path, server: PostgresLimit, url: str) -> Taken:
    with service(folder, f"database_url={url}") as started:
        return called(
            Line(
                run=run,
                service=started,
                log=folder / "caller.log",
                database=server.cpu_seconds,
            )
        )


POSTGRES = Part(
    name="postgres",
    about="gRPC and PostgreSQL beside echo and raw append: goals 1, 3-9",
    open=_postgres,
)
SQLITE = Part(
    name="sqlite", about="gRPC and SQLite beside echo and raw append: goals 2, 3, 5-9", open=_sqlite
)
