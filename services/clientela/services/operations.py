"""
Operations: moving virtual time, and checking that everything kept agrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import attrs

from clientela.domain.errors import RefusedError
from clientela.services.clocks import VirtualClock
from clientela.services.core import Core
from clientela.services.read_models import ReadModel
from clientela.services.row_verification import PROBLEMS_MAX
from clientela.services.verification import Findings, Verification


CLOCK = "clock"
"""Note: the moment at which virtual time stands; nothing while the store runs in real time."""


class RealClockError(RefusedError):
    """The store runs in real time, which nobody moves."""

    reason = "CLOCK_REAL"

    def __init__(self) -> None:
        super().__init__(
            "this store runs in real time: start it with a virtual clock", rule="operation.clock"
        )


class Keeper(Protocol):
    """What only the keeper of files and keys can do."""

    @property
    def data_dir(self) -> Path:
        """Where the store is."""
        ...

    async def rotate_keys(self, now: datetime) -> int:
        """Replace the key-encryption key; how many keys of persons were wrapped anew."""
        ...

    async def back_up(self, path: Path) -> None:
        """
        Copy the store to a new file.

        Raises:
            InvalidValueError: the path is not absolute, or there is something already.
        """
        ...

    async def faults(self) -> tuple[str, ...]:
        """What is wrong with the file itself."""
        ...


async def advance(core: Core, to: datetime) -> int:
    """
    Move virtual time to *to*.

    Returns:
        How many journals were moved.

    Raises:
        RealClockError: the store runs in real time.
    """
    clock = core.clock
    if not isinstance(clock, VirtualClock):
        raise RealClockError
    await core.due_times.catch_up()
    moved = await core.scheduler.advance(max(to, clock.now()))
    clock.move(to)
    await core.store.note(CLOCK, clock.now().isoformat())
    return moved


async def verify(core: Core, models: Sequence[ReadModel], keeper: Keeper) -> Findings:
    """Check the file, and hashes, states, due moments and read models against the journal."""
    faults = await keeper.faults()
    findings = await Verification(core, models).run()
    problems = (*faults, *findings.problems)[:PROBLEMS_MAX]
    return attrs.evolve(findings, problems=problems)
