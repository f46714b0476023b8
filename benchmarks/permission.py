"""
Permission: whether a seller may approach a client, asked in process on a record of 2,000 events.

It is asked as a trial of the approach, which decides by every rule and appends nothing. Consents,
which permission to contact will rest on as well, are not in the record yet.
"""

from __future__ import annotations

import asyncio
import time

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.inner import opened, read, seeded
from benchmarks.rounds import Figures, percentile
from benchmarks.run import Part, Round, Run
from benchmarks.workload import approach, client_name
from clientela.adapters.event_loop import run as on_loop
from clientela.adapters.settings import Settings
from clientela.services.calls import Call


EVENTS = 2_000
EVENTS_QUICKLY = 200

CLIENTS = 10

MILLI = 1_000

TRIAL = Call(validate_only=True)


async def _asked(folder: Path, seconds: float) -> Figures:
    took: list[float] = []
    async with opened(Settings(data_dir=folder)) as core:
        await read(core, range(CLIENTS))
        cpu, begin = time.process_time(), time.perf_counter()
        while (start := time.perf_counter()) < begin + seconds:
            await core.path.execute(approach(client_name(len(took) % CLIENTS)), TRIAL)
            took.append(time.perf_counter() - start)
        spent = time.process_time() - cpu
    return {
        "28": percentile(took, 0.99) * MILLI,
        "permission.p50 ms": percentile(took, 0.5) * MILLI,
        "permission.CPU ms": spent / len(took) * MILLI,
    }


@contextmanager
def _permission(run: Run) -> Iterator[Round]:
    folder = run.place("permission")
    events = EVENTS_QUICKLY if run.is_quick else EVENTS
    asyncio.run(seeded(Settings(data_dir=folder), {events: CLIENTS}))
    yield lambda: on_loop(_asked(folder, run.seconds))


PERMISSION = Part(name="permission", about="may a seller approach: goal 28", open=_permission)
