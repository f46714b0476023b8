"""
In process: the command path over a store, without gRPC.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager

import attrs

from benchmarks.rounds import MICROSECONDS, percentile
from benchmarks.seeding import fill, found, mould
from benchmarks.workload import client_name, purchase
from clientela.adapters.assembly import core_of, installed_rulebook
from clientela.adapters.bootstrap import private
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.settings import Settings
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.stores import Store, open_postgres
from clientela.adapters.vault import KeyVault
from clientela.domain.ids import ClientId, WalletId, client_journal, wallet_journal
from clientela.domain.ruleset import Command
from clientela.services.calls import Call
from clientela.services.clocks import SystemClock
from clientela.services.command_path import CommandPath
from clientela.services.core import Core
from clientela.services.records import Records


@attrs.frozen(kw_only=True)
class Taken:
    """
    What commands took in process.

    Attributes:
        rate: Commands a second.

        p50: Microseconds that half of them took at most.

        cpu: Microseconds of CPU of one, threads of the store included.
    """

    rate: float
    p50: float
    cpu: float


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Core]:
    """The company of *settings*, in this process, with nothing going on beside what is asked."""
    rulebook = installed_rulebook()
    if settings.database_url:
        store: Store = await open_postgres(settings, rulebook.fingerprint)
    else:
        store = await SqliteStore.open(settings.database, rulebook=rulebook.fingerprint)
    try:
        vault = KeyVault(KeyFile(settings.key_file))
        yield core_of(settings, rulebook, store, vault, SystemClock())
    finally:
        await store.close()


async def seeded(settings: Settings, shapes: Mapping[int, int]) -> None:
    """
    A new company, its read models up to date.

    Args:
        settings: Where its data are.

        shapes: Clients by the number of events that each of them has, one after the other.
    """
    first = 0
    async with private(settings) as running:
        await found(running.core)
        for events, clients in shapes.items():
            await fill(running.core, mould(running.core, events), first, clients)
            first += clients
        await running.core.reads.catch_up_all()
        await running.core.due_times.catch_up()


def forgetful(core: Core) -> CommandPath:
    """A command path over the same store that keeps no client's record in memory."""
    known = core.path.records
    records = Records(known.rulebook, known.codec, core.store, cached_max=1)
    return CommandPath(
        records,
        core.store,
        sessions=core.sessions,
        forms=core.forms,
        clock=core.clock,
        new_id=core.new_id,
    )


async def commands(
    path: CommandPath,
    clients: Iterator[ClientId],
    seconds: float,
    *,
    flight: int,
    mark: str,
    command: Callable[[ClientId, str], Command] = purchase,
) -> Taken:
    """
    Carry out commands for a while.

    Args:
        path: Carries them out.

        clients: On whom, endlessly.

        seconds: How long.

        flight: At once.

        mark: Makes names unique.

        command: Which.
    """
    took: list[float] = []
    numbers = itertools.count()
    cpu, begin = time.process_time(), time.perf_counter()

    async def work() -> None:
        while (start := time.perf_counter()) < begin + seconds:
            name = f"{mark}-{next(numbers)}"
            await path.execute(command(next(clients), name), Call(request_id=name))
            took.append(time.perf_counter() - start)

    await asyncio.gather(*(work() for _ in range(flight)))
    lasted = time.perf_counter() - begin
    return Taken(
        rate=len(took) / lasted,
        p50=percentile(took, 0.5) * MICROSECONDS,
        cpu=(time.process_time() - cpu) / len(took) * MICROSECONDS,
    )


def around(first: int, count: int) -> Iterator[ClientId]:
    """Clients number *first* to *first* + *count* - 1, again and again."""
    return itertools.cycle([client_name(first + number) for number in range(count)])


def at_random(count: int, seed: int) -> Iterator[ClientId]:
    """Any of the first *count* clients, endlessly."""
    chosen = random.Random(seed)
    while True:
        yield client_name(chosen.randrange(count))


async def read(core: Core, numbers: Iterable[int]) -> None:
    """Read clients of these numbers, and their wallets, so that they are held in memory."""
    for number in numbers:
        client_id = client_name(number)
        await core.path.read(client_journal(client_id), wallet_journal(WalletId(client_id)))
