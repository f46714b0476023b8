"""
Projections: the SDK's subscriber into a SQLite file, beside fetching the same messages for nothing.

One projection keeps one table, four keep four in the same transaction. The read models of a service
are told beside it: they take events from the store itself.
"""

from __future__ import annotations

import asyncio
import sqlite3

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import nats

from benchmarks.broker import broker
from benchmarks.drain import drained
from benchmarks.inner import opened, seeded
from benchmarks.rounds import Figures, ratio
from benchmarks.run import Part, Round, Run
from benchmarks.stream_limit import Passed, Stopwatch, stream_limit
from clientela.adapters.assembly import MODELS
from clientela.adapters.event_loop import run as on_loop
from clientela.adapters.jetstream.stream import STREAM
from clientela.adapters.settings import Settings
from clientela.adapters.sqlite.reads import SqliteReads
from clientela.adapters.sqlite.store import SqliteStore
from clientela.sdk.course import Gap
from clientela.sdk.event import Event
from clientela.sdk.sqlite_positions import SqlitePositions
from clientela.sdk.subscriber import FETCHED_MAX, Subscriber
from clientela.services.ports import PAGE_MAX, JournalStore


EVENTS = 20
CLIENTS = 300
CLIENTS_QUICKLY = 40

FETCH_SECONDS = 30.0
"""How long a fetch may take."""

EVENTS_MAX = 1_000_000
"""More than there are."""

_TABLE = """
CREATE TABLE IF NOT EXISTS projection_{} (
    journal TEXT PRIMARY KEY, version INTEGER NOT NULL, events INTEGER NOT NULL
) WITHOUT ROWID
"""

_COUNT = """
INSERT INTO projection_{} (journal, version, events) VALUES (?, ?, 1)
ON CONFLICT (journal) DO UPDATE SET version = excluded.version, events = events + 1
"""


def handler(tables: int) -> Callable[[sqlite3.Connection, Event], None]:
    """Counts an event in so many tables."""
    statements = [_COUNT.format(number) for number in range(tables)]

    def handle(connection: sqlite3.Connection, event: Event) -> None:
        for statement in statements:
            connection.execute(statement, (event.journal, event.version))

    return handle


def positions(path: Path, consumer: str, tables: int) -> SqlitePositions:
    """Positions in a file that also holds the tables of a handler."""
    made = SqlitePositions(path, consumer)
    for number in range(tables):
        made.connection.execute(_TABLE.format(number))
    return made


class GapError(Exception):
    """The stream lacks events."""


async def no_gap(_journal: str, gap: Gap) -> list[Event]:
    """The stream is whole: nothing is ever fetched."""
    raise GapError(str(gap))


async def _projected(url: str, path: Path, tables: int) -> Passed:
    """Take the whole stream into a new file."""
    connection = await nats.connect(url)
    consumer = path.stem
    with closing(positions(path, consumer, tables)) as kept:
        try:
            stream = connection.jetstream()
            subscriber = Subscriber(stream, consumer, kept, handler(tables), no_gap)
            subscription = await subscriber.bound()
            wanted = (await stream.stream_info(STREAM)).state.messages
            watch, count = Stopwatch(), 0
            while count < wanted:
                messages = await subscription.fetch(FETCHED_MAX, FETCH_SECONDS)
                count += len((await subscriber.take(messages)).applied)
            return watch.passed(count)
        finally:
            await connection.close()


async def _fetched(url: str) -> Passed:
    async with stream_limit(url) as bare:
        return await bare.fetched(STREAM)


async def _published(settings: Settings, url: str) -> None:
    async with opened(settings) as core:
        await drained(core, url, EVENTS_MAX)


async def _modelled(settings: Settings) -> Figures:
    """Events a second into the read models of the service, and of only reading them."""
    async with opened(settings) as core:
        assert isinstance(core.store, SqliteStore)
        watch = Stopwatch()
        count = await _read(core.store)
        figures = {"projections.read models.only read, rate": watch.passed(count).rate}
        for model in MODELS:
            await SqliteReads(core.store).drop(model.name)
            watch = Stopwatch()
            await core.reads.catch_up(model)
            figures[f"projections.read models.{model.name}, rate"] = watch.passed(count).rate
        return figures


async def _read(store: JournalStore) -> int:
    count = position = 0
    while page := await store.read_all(position, PAGE_MAX):
        count, position = count + len(page), page[-1].position
    return count


@contextmanager
def _projections(run: Run) -> Iterator[Round]:
    folder = run.place("projections")
    settings = Settings(data_dir=folder)
    clients = CLIENTS_QUICKLY if run.is_quick else CLIENTS
    asyncio.run(seeded(settings, {EVENTS: clients}))
    with broker(folder / "broker") as running:
        on_loop(_published(settings, running.url))

        def measured() -> Figures:
            fetched = on_loop(_fetched(running.url))
            one, four = (
                on_loop(_projected(running.url, folder / f"p{tables}-{run.seed()}.db", tables))
                for tables in (1, 4)
            )
            again = on_loop(_fetched(running.url))
            fetch_rate = (fetched.rate + again.rate) / 2
            return {
                "14": ratio(one.rate, fetch_rate),
                "15": ratio(four.rate, one.rate),
                "projections.fetch only, rate": fetch_rate,
                "projections.fetch only, CPU us": fetched.cpu,
                "projections.one, rate": one.rate,
                "projections.one, CPU us": one.cpu,
                "projections.four, rate": four.rate,
                "projections.four, CPU us": four.cpu,
                **on_loop(_modelled(settings)),
            }

        yield measured


PROJECTIONS = Part(
    name="projections", about="events from a stream into tables: goals 14, 15", open=_projections
)
