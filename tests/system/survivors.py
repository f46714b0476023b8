"""
A company whose processes are killed or halted under load, and what the others make of it.
"""

from __future__ import annotations

import asyncio
import random

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from clientela.adapters.assembly import KEEPING
from clientela.services.history import CLOCK_HEADER, OCCURRED
from tests.services.edge import TILL
from tests.system import kills
from tests.system.amiss import history, lost_or_twice, uncounted, unequal, unlike
from tests.system.kills import AGAIN_SECONDS, WRITERS, Load, Told, check_alive
from tests.system.processes import Branch, comes_true, kept, wired
from tests.system.rivals import DEFINITIONS
from tests.system.wire import Wire, served


LAPSE = timedelta(days=1)
"""After which ownership ends under `DEFINITIONS`."""

DUE_IN = timedelta(seconds=3)
"""From an approach to the moment that ownership ends."""

TAKEN_OVER_SECONDS = 150.0
"""For another process to keep time, however busy the machine is: the lease takes ten."""

ANSWER_SECONDS = 5.0
"""After which a writer asks another process: one that stands still never answers."""

IN_VAIN_SECONDS = 15.0
"""For nobody to keep time, where nobody may: longer than a lease and `DUE_IN` together."""

HOLDER = "SELECT holder FROM leases WHERE name = $1"
IS_HELD = "SELECT count(*) > 0 FROM leases WHERE name = $1"
LAPSED = "SELECT count(*) FROM events WHERE name LIKE 'ownership-lapsed.%' AND id = $1"


@attrs.define
class Front:
    """
    Takes the place of one service: calls go to those that live, in turn.

    Attributes:
        wires: Call them.

        is_up: Set.
    """

    wires: list[Wire]
    is_up: asyncio.Event = attrs.field(factory=asyncio.Event)
    _calls: int = 0

    @property
    def wire(self) -> Wire:
        """Calls the next."""
        self._calls += 1
        return self.wires[self._calls % len(self.wires)]

    def answered(self) -> None:
        """Nothing: nobody is started again."""


async def killed(
    url: str,
    branches: Sequence[Branch],
    apart: int,
    blow: Callable[[Branch], None] = Branch.kill,
    patience: float = TAKEN_OVER_SECONDS,
) -> tuple[list[Told], bool]:
    """
    Let writers write while the process that keeps time is killed, and then another one.

    What is to fall due is told to the others when the first is gone: however long all this takes,
    only they can see to it. Those that were halted instead go on when somebody else has.

    Args:
        url: Of the database.

        branches: The processes; the first was started alone.

        apart: Commands acknowledged before each kill.

        blow: What is done to them.

        patience: Seconds for what fell due to happen.

    Returns:
        All that was acknowledged, and whether what fell due afterwards happened.
    """
    dice = random.Random("processes")
    async with wired(branches) as wires:
        # The first version alone may reach back, to where the ownership begins that is to end.
        long_ago = datetime.now(UTC) - 2 * LAPSE
        await wires[0].call("ApplyDefinitions", toml=DEFINITIONS, effective_from=long_ago)
        await kills.prepare(wires[0])
        await wires[0].call("ApplyDefinitions", toml=DEFINITIONS)
        hasty = [attrs.evolve(wire, seconds=ANSWER_SECONDS) for wire in wires]
        front: Any = Front(list(hasty))
        front.is_up.set()
        load = Load(front)
        writers = [asyncio.create_task(load.write(writer)) for writer in range(WRITERS)]
        await told(load, writers, apart + dice.randrange(20))
        assert await comes_true(url, IS_HELD, KEEPING)
        holder = await kept(url, HOLDER, KEEPING)
        for victim in (0, dice.randrange(1, len(branches) - 1)):
            front.wires.remove(hasty[victim])
            blow(branches[victim])
            if victim == 0:
                await soon_due(wires[-1], "late")
            await told(load, writers, apart)
        load.is_over.set()
        happened = await comes_true(url, LAPSED, "late", seconds=patience)
        assert happened or holder == await kept(url, HOLDER, KEEPING)
        for branch in branches:
            if branch.process.poll() is None:
                branch.go_on()
        await asyncio.gather(*writers)
    return load.told, happened


async def soon_due(wire: Wire, client_id: str) -> None:
    """A client whose ownership ends by itself `DUE_IN` from now."""
    teller = wire.acting({**TILL, CLOCK_HEADER: OCCURRED})
    at = datetime.now(UTC) - LAPSE + DUE_IN
    await teller.call("RegisterClient", client_id=client_id, occurred_at=at)
    approach = {"client_id": client_id, "employee_id": "s-0", "channel": "phone"}
    await teller.call("Approach", **approach, occurred_at=at)


async def told(load: Load, writers: list[asyncio.Task[None]], more: int) -> None:
    """Return when so many more commands are acknowledged."""
    enough = len(load.told) + more
    while len(load.told) < enough:
        check_alive(writers)
        await asyncio.sleep(AGAIN_SECONDS)


async def amiss(url: str, folder: Path, told: Sequence[Told]) -> list[str]:
    """Everything that is wrong with the store, which nobody serves; *folder* holds its keys."""
    async with served(folder, database_url=url) as service:
        events = await history(service)
        ours = [e for e in events if e.journal.id != "late"]
        return [
            *(await service.wire.call("Verify")).problems,
            *lost_or_twice(folder, ours, told),
            *uncounted(ours, told),
            *await unequal(service, told),
            *await unlike(service, told),
        ]
