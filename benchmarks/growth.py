"""
Growth: what a command costs as a client's journal gets longer, and as clients get more.
"""

from __future__ import annotations

import asyncio

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.inner import Taken, around, at_random, commands, forgetful, opened, read, seeded
from benchmarks.rounds import Figures, ratio
from benchmarks.run import Part, Round, Run
from benchmarks.workload import purchase
from clientela.adapters.settings import Settings


LENGTHS = (20, 200, 2_000)
"""Events of a client's journal."""

LENGTHS_QUICKLY = (20, 200)

EACH = 40
"""Clients of each length."""

COUNTS = (1_000, 10_000, 100_000)
"""Clients in a store."""

COUNTS_QUICKLY = (100, 1_000)

FEW_EVENTS = 5
"""Events of each of many clients."""


async def _by_length(folder: Path, lengths: tuple[int, ...], run: Run) -> Figures:
    figures: Figures = {}
    cold: dict[int, Taken] = {}
    warm: dict[int, Taken] = {}
    async with opened(Settings(data_dir=folder)) as core:
        for place, length in enumerate(lengths):
            first, mark = place * EACH, f"length-{run.seed()}"
            path = forgetful(core)
            cold[length] = await commands(
                path, around(first, EACH), run.seconds, flight=1, mark=f"{mark}-cold"
            )
            await read(core, range(first, first + EACH))
            warm[length] = await commands(
                core.path, around(first, EACH), run.seconds, flight=1, mark=f"{mark}-warm"
            )
    for length in lengths:
        figures[f"growth.{length} events, not cached, us"] = cold[length].p50
        figures[f"growth.{length} events, cached, us"] = warm[length].p50
        figures[f"growth.{length} events, cached, CPU us"] = warm[length].cpu
    short, long = lengths[0], lengths[-1]
    figures["19"] = ratio(cold[long].cpu, cold[short].cpu)
    figures["20"] = ratio(warm[long].cpu, warm[short].cpu)
    return figures


@contextmanager
def _length(run: Run) -> Iterator[Round]:
    lengths = LENGTHS_QUICKLY if run.is_quick else LENGTHS
    folder = run.place("growth-length")
    asyncio.run(seeded(Settings(data_dir=folder), dict.fromkeys(lengths, EACH)))
    yield lambda: asyncio.run(_by_length(folder, lengths, run))


async def _by_count(folder: Path, clients: int, run: Run) -> Taken:
    async with opened(Settings(data_dir=folder)) as core:
        seed = run.seed()
        spread = at_random(clients, seed)
        return await commands(
            forgetful(core), spread, run.seconds, flight=1, mark=f"many-{seed}", command=purchase
        )


@contextmanager
def _clients(run: Run) -> Iterator[Round]:
    counts = COUNTS_QUICKLY if run.is_quick else COUNTS
    folders = {count: run.place(f"growth-{count}") for count in counts}
    for count, folder in folders.items():
        asyncio.run(seeded(Settings(data_dir=folder), {FEW_EVENTS: count}))

    def measured() -> Figures:
        taken = {
            count: asyncio.run(_by_count(folder, count, run)) for count, folder in folders.items()
        }
        figures = {
            f"growth.{count} clients, not cached, us": one.p50 for count, one in taken.items()
        }
        figures["21"] = ratio(taken[counts[-1]].rate, taken[counts[0]].rate)
        return figures

    yield measured


LENGTH = Part(name="length", about="cost over a journal's length: goals 19, 20", open=_length)
CLIENTS = Part(name="clients", about="cost over the number of clients: goal 21", open=_clients)
