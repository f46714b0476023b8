"""
Memory: what the record of one client takes while it is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.inner import opened, read, seeded
from benchmarks.processes import RESULT, child, resident_bytes, tell, told
from benchmarks.rounds import Figures
from benchmarks.run import Part, Round, Run
from clientela.adapters.settings import Settings


EVENTS = 20
"""Events of each client."""

KILO = 1_000


async def _kept(folder: Path, clients: int) -> float:
    """Bytes a client takes, measured over so many that are read into memory."""
    async with opened(Settings(data_dir=folder)) as core:
        warm = clients // 10
        await read(core, range(warm))
        gc.collect()
        before = resident_bytes(os.getpid())
        await read(core, range(warm, clients))
        gc.collect()
        return (resident_bytes(os.getpid()) - before) / (clients - warm)


@contextmanager
def _memory(run: Run) -> Iterator[Round]:
    folder = run.place("memory")
    clients = run.clients
    asyncio.run(seeded(Settings(data_dir=folder), {EVENTS: clients}))

    def measured() -> Figures:
        with child("benchmarks.memory", folder, clients, log=folder / "memory.log") as process:
            kept: float = told(process, RESULT)
        return {"26": kept / KILO, f"memory.client of {EVENTS} events and wallet, bytes": kept}

    yield measured


MEMORY = Part(name="memory", about="memory of a cached client: goal 26", open=_memory)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("clients", type=int)
    said = parser.parse_args()
    tell(RESULT, asyncio.run(_kept(said.folder, said.clients)))
