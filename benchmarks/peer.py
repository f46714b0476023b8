"""
The peer: the `eventsourcing` library beside our command path, both in process over one store.

The peer's aggregate has a dozen fields and a history of 20 events of about the size of ours; its
command checks a few rules and makes one event. Ours is a purchase, with everything it sets off.
"""

from __future__ import annotations

import asyncio
import os
import time

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import attrs

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.conninfo import conninfo_to_dict

from benchmarks.inner import around, commands, forgetful, opened, read, seeded
from benchmarks.postgres_limit import postgres_limit
from benchmarks.rounds import Figures, ratio
from benchmarks.run import Part, Round, Run
from clientela.adapters.settings import Settings


EVENTS = 20
CLIENTS = 400
CLIENTS_QUICKLY = 40
MANY = 64

NOTE = "two items, delivered to the usual address" * 4
"""Makes the peer's events as long as ours."""


class Account(Aggregate):
    """A client of the peer."""

    @event("Registered")
    def __init__(self, name: str) -> None:
        self.name = name
        self.status = "active"
        self.owner = self.tier = self.note = self.receipt = ""
        self.points = self.spent = self.purchases = 0

    @event("Purchased")
    def purchase(self, receipt: str, minor: int, currency: str, note: str) -> None:
        """A purchase, checked before it is recorded."""
        if self.status != "active" or minor < 0 or len(currency) != len("EUR"):
            raise ValueError(receipt)
        self.points += minor // 100
        self.spent += minor
        self.purchases += 1
        self.receipt, self.note = receipt, note


class Accounts(Application[UUID]):
    """The peer as it comes."""


class CachedAccounts(Application[UUID]):
    """The peer at its best: aggregates kept in memory, not looked up for newer events."""

    env = {"AGGREGATE_CACHE_MAXSIZE": "100000", "AGGREGATE_CACHE_FASTFORWARD": "n"}  # noqa: RUF012 (its way)


@attrs.frozen(kw_only=True)
class Peer:
    """
    An application of the peer and its clients.

    Attributes:
        app: The application.

        accounts: Ids of the clients.
    """

    app: Application[UUID]
    accounts: tuple[UUID, ...]

    def rate(self, seconds: float) -> float:
        """Commands a second, one after the other."""
        count = 0
        begin = time.perf_counter()
        while time.perf_counter() < begin + seconds:
            account: Any = self.app.repository.get(self.accounts[count % len(self.accounts)])
            account.purchase(f"r-{count}", 1990, "EUR", NOTE)
            self.app.save(account)
            count += 1
        return count / (time.perf_counter() - begin)


def filled(kind: type[Application[UUID]], environment: dict[str, str], clients: int) -> Peer:
    """An application with so many clients of `EVENTS` events."""
    app = kind({**os.environ, **environment})
    accounts: list[UUID] = []
    for number in range(clients):
        account = Account(f"client {number}")
        for turn in range(EVENTS - 1):
            account.purchase(f"r-{turn}", 1990, "EUR", NOTE)
        app.save(account)
        accounts.append(account.id)
    return Peer(app=app, accounts=tuple(accounts))


async def ours(settings: Settings, clients: int, run: Run) -> tuple[float, float]:
    """Our commands a second: one at a time and not cached, then many in flight and cached."""
    async with opened(settings) as core:
        mark = f"peer-{run.seed()}"
        alone = await commands(
            forgetful(core), around(0, clients), run.seconds, flight=1, mark=f"{mark}-alone"
        )
        await read(core, range(clients))
        many = await commands(
            core.path, around(0, clients), run.seconds, flight=MANY, mark=f"{mark}-many"
        )
        return alone.rate, many.rate


def compared(plain: float, best: float, alone: float, many: float, store: str) -> Figures:
    """The figures of one round over *store*."""
    return {
        f"23 {store}": ratio(alone, plain),
        f"24 {store}": ratio(many, best),
        f"peer.{store}.eventsourcing as it comes, rate": plain,
        f"peer.{store}.eventsourcing at its best, rate": best,
        f"peer.{store}.ours one at a time, not cached, rate": alone,
        f"peer.{store}.ours 64 in flight, rate": many,
    }


def _taking_turns(
    run: Run, settings: Settings, plain: Peer, best: Peer, store: str
) -> Iterator[Round]:
    """Rounds of the peer and of our command path over the company of *settings*."""
    clients = len(plain.accounts)
    asyncio.run(seeded(settings, {EVENTS: clients}))

    def measured() -> Figures:
        plain_rate, best_rate = plain.rate(run.seconds), best.rate(run.seconds)
        alone, many = asyncio.run(ours(settings, clients, run))
        return compared(plain_rate, best_rate, alone, many, store)

    try:
        yield measured
    finally:
        plain.app.close()
        best.app.close()


def peers(run: Run) -> int:
    """Clients of the peer, and of the company beside it."""
    return CLIENTS_QUICKLY if run.is_quick else CLIENTS


@contextmanager
def _sqlite(run: Run) -> Iterator[Round]:
    folder = run.place("peer-sqlite")
    module = {"PERSISTENCE_MODULE": "eventsourcing.sqlite"}
    plain, best = (
        filled(kind, {**module, "SQLITE_DBNAME": str(folder / f"{kind.__name__}.db")}, peers(run))
        for kind in (Accounts, CachedAccounts)
    )
    yield from _taking_turns(run, Settings(data_dir=folder), plain, best, "sqlite")


@contextmanager
def _postgres(run: Run) -> Iterator[Round]:
    folder = run.place("peer-postgres")
    with postgres_limit(folder) as server:
        plain, best = (
            filled(kind, reached(server.database(kind.__name__.lower())), peers(run))
            for kind in (Accounts, CachedAccounts)
        )
        settings = Settings(data_dir=folder, database_url=server.database("company"))
        yield from _taking_turns(run, settings, plain, best, "postgres")


def reached(url: str) -> dict[str, str]:
    """How the peer is told of a database."""
    known = conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(known["dbname"]),
        "POSTGRES_HOST": str(known["host"]),
        "POSTGRES_USER": str(known["user"]),
        "POSTGRES_PASSWORD": str(known.get("password") or "none"),
        "POSTGRES_PORT": str(known.get("port") or 5432),
    }


PEER_SQLITE = Part(
    name="peer-sqlite", about="the eventsourcing library over SQLite: goals 23, 24", open=_sqlite
)
PEER_POSTGRES = Part(
    name="peer-postgres",
    about="the eventsourcing library over PostgreSQL: goals 23, 24",
    open=_postgres,
)
