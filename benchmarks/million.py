"""
A million clients in a store: what commands and cold reads cost, what stays in memory, how long the
file is, and what the broker needs once it holds a million messages.

Nearly all of them were registered and nothing else; a few have 20 events.
"""

from __future__ import annotations

import asyncio
import time

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import attrs

from benchmarks.broker import broker
from benchmarks.caller import Asked, traffic
from benchmarks.copying import copy_in_postgres, copy_in_sqlite
from benchmarks.drain import drained, forgotten
from benchmarks.inner import Taken, at_random, commands, forgetful, opened, seeded
from benchmarks.postgres_limit import PostgresLimit, postgres_limit
from benchmarks.processes import resident_bytes
from benchmarks.rounds import MICROSECONDS, Figures, percentile, ratio
from benchmarks.run import Part, Round, Run
from benchmarks.service import service
from clientela.adapters.assembly import MODELS
from clientela.adapters.event_loop import run as on_loop
from clientela.adapters.settings import Settings
from clientela.domain.ids import client_journal
from clientela.services.verification import Verification


COUNTS = (1_000, 100_000, 1_000_000)
"""Clients in a store."""

COUNTS_QUICKLY = (100, 500, 1_000)

FEW = 10
"""Clients of `FEW_EVENTS` events among them."""

FEW_EVENTS = 20

FLIGHT = 64
"""Reads of the service in flight."""

SLICE_SECONDS = 20.0
"""Reads go on for so long before memory is looked at again."""

SLICES_MAX = 180
"""After an hour it is enough."""

STEADY = 3
"""Slices in a row in which memory grew by less than `STEADY_SHARE` in all: it grows no more."""

STEADY_SHARE = 0.01

MESSAGES = 1_000_000
"""Messages in the stream of the broker whose memory is looked at."""

MEBI = 1 << 20


@attrs.frozen(kw_only=True)
class Kept:
    """
    Stores with more and more clients, of one kind.

    Attributes:
        name: Of the kind.

        settings: Of the company in each store, by its number of clients.

        length: Bytes of the store of so many clients.

        seeding: Seconds it took to fill the largest one.
    """

    name: str
    settings: Mapping[int, Settings]
    length: Callable[[int], int]
    seeding: float


async def _commands(settings: Settings, clients: int, run: Run) -> Taken:
    async with opened(settings) as core:
        seed = run.seed()
        spread, mark = at_random(clients, seed), f"million-{seed}"
        return await commands(forgetful(core), spread, run.seconds, flight=1, mark=mark)


async def _reads(settings: Settings, clients: int, run: Run) -> Taken:
    """Reads of clients at random that are not in memory."""
    chosen = at_random(clients, run.seed())
    took: list[float] = []
    async with opened(settings) as core:
        path = forgetful(core)
        cpu, begin = time.process_time(), time.perf_counter()
        while (start := time.perf_counter()) < begin + run.seconds:
            await path.read(client_journal(next(chosen)))
            took.append(time.perf_counter() - start)
        spent = time.process_time() - cpu
    return Taken(
        rate=len(took) / (start - begin),
        p50=percentile(took, 0.5) * MICROSECONDS,
        cpu=spent / len(took) * MICROSECONDS,
    )


def _grown(kept: Kept, run: Run) -> Figures:
    figures: Figures = {}
    taken: dict[int, Taken] = {}
    read: dict[int, Taken] = {}
    for count, settings in kept.settings.items():
        taken[count] = on_loop(_commands(settings, count, run))
        read[count] = on_loop(_reads(settings, count, run))
        for what, one in (("command", taken[count]), ("cold read", read[count])):
            figures[f"million.{kept.name}.{count} clients, {what}.p50 us"] = one.p50
            figures[f"million.{kept.name}.{count} clients, {what}.CPU us"] = one.cpu
    first, *_, last = kept.settings
    for what, all_ in (("commands", taken), ("cold reads", read)):
        shown = f"million.{kept.name}.{what}, most clients to fewest"
        figures[f"{shown}, rate"] = ratio(all_[last].rate, all_[first].rate)
        figures[f"{shown}, CPU"] = ratio(all_[last].cpu, all_[first].cpu)
    figures[f"million.{kept.name}.length, MiB"] = kept.length(last) / MEBI
    figures[f"million.{kept.name}.filled, s"] = kept.seeding
    return figures


def _served(kept: Kept, run: Run, folder: Path) -> Figures:
    """Memory of the service while clients are read at random, until it grows no more."""
    *_, clients = kept.settings
    settings = kept.settings[clients]
    more = [f"database_url={settings.database_url}"] if settings.database_url else []
    seconds = run.seconds if run.is_quick else SLICE_SECONDS
    began, reads = time.monotonic(), 0
    with service(settings.data_dir, *more) as started:
        grown = [resident_bytes(started.pid)]
        for _ in range(SLICES_MAX):
            asked = Asked(
                method="read", flight=FLIGHT, seconds=seconds, clients=clients, seed=run.seed()
            )
            reads += traffic(started.pid, started.target, asked, folder / "caller.log").count
            grown.append(resident_bytes(started.pid))
            if _is_steady(grown):
                break
    name = f"million.{kept.name}.service"
    return {
        f"29 {kept.name}": grown[-1] / MEBI,
        f"{name} at the start, MiB": grown[0] / MEBI,
        f"{name}, reads": reads,
        f"{name}, s until it grew no more": time.monotonic() - began,
    }


def _is_steady(grown: list[int]) -> bool:
    if len(grown) <= STEADY:
        return False
    return grown[-1] - grown[-1 - STEADY] < STEADY_SHARE * grown[-1]


async def _published(settings: Settings, url: str, count: int) -> float:
    async with opened(settings) as core:
        return (await drained(core, url, count)).rate


def _brokered(kept: Kept, run: Run, folder: Path) -> Figures:
    *_, clients = kept.settings
    count = clients if run.is_quick else MESSAGES
    with broker(folder / "broker") as running:
        on_loop(forgotten(running.url))
        before = running.resident_bytes()
        rate = on_loop(_published(kept.settings[clients], running.url, count))
        after = running.resident_bytes()
    name = f"million.{kept.name}.broker"
    return {
        f"{name}, messages": count,
        f"{name} with none, MiB": before / MEBI,
        f"{name} with all, MiB": after / MEBI,
        f"{name}, relay, messages a second": rate,
    }


async def _verified(settings: Settings) -> float:
    """Clients a second that are checked, of the smallest store."""
    async with opened(settings) as core:
        begin = time.perf_counter()
        findings = await Verification(core, MODELS).run()
        assert not findings.problems, findings.problems
        return findings.journals / (time.perf_counter() - begin)


def _rounds(kept: Kept, run: Run, folder: Path) -> Round:
    def measured() -> Figures:
        first, *_ = kept.settings
        checked = on_loop(_verified(kept.settings[first]))
        return {
            **_grown(kept, run),
            f"million.{kept.name}.journals verified a second": checked,
            **_served(kept, run, folder),
            **_brokered(kept, run, folder),
        }

    return measured


def _counts(run: Run) -> tuple[int, ...]:
    return COUNTS_QUICKLY if run.is_quick else COUNTS


@contextmanager
def _sqlite(run: Run) -> Iterator[Round]:
    folder = run.place("million-sqlite")
    settings = {n: Settings(data_dir=run.place(f"million-sqlite/{n}")) for n in _counts(run)}
    begin = time.monotonic()
    for count, each in settings.items():
        begin = time.monotonic()
        asyncio.run(seeded(each, {FEW_EVENTS: FEW, 1: 1}))
        copy_in_sqlite(each.database, FEW, FEW + 1, count - FEW - 1)
    kept = Kept(
        name="sqlite",
        settings=settings,
        length=lambda count: settings[count].database.stat().st_size,
        seeding=time.monotonic() - begin,
    )
    yield _rounds(kept, run, folder)


@contextmanager
def _postgres(run: Run) -> Iterator[Round]:
    folder = run.place("million-postgres")
    with postgres_limit(folder) as server:
        settings = {
            n: Settings(
                data_dir=run.place(f"million-postgres/{n}"),
                database_url=server.database(f"company_{n}"),
            )
            for n in _counts(run)
        }
        begin = time.monotonic()
        for count, each in settings.items():
            begin = time.monotonic()
            asyncio.run(seeded(each, {FEW_EVENTS: FEW, 1: 1}))
            asyncio.run(copy_in_postgres(each.database_url, FEW, FEW + 1, count - FEW - 1))
        kept = Kept(
            name="postgres",
            settings=settings,
            length=partial(_database_bytes, server),
            seeding=time.monotonic() - begin,
        )
        yield _rounds(kept, run, folder)


def _database_bytes(server: PostgresLimit, count: int) -> int:
    return int(server.asked(f"SELECT pg_database_size('company_{count}')"))


MILLION_SQLITE = Part(
    name="million-sqlite",
    about="a million clients in a file: goal 29",
    open=_sqlite,
    is_long=True,
)
MILLION_POSTGRES = Part(
    name="million-postgres",
    about="a million clients in PostgreSQL: goal 29",
    open=_postgres,
    is_long=True,
)
