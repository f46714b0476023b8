"""
A run: parts that measure, the rounds they take turns in, and what they share.
"""

from __future__ import annotations

import itertools

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import attrs

from benchmarks.rounds import Figures


@attrs.define(kw_only=True)
class Run:
    """
    One run.

    Attributes:
        folder: Where data goes; on the disk that is to be measured.

        seconds: How long one figure is taken.

        is_quick: Whether sizes are small: to see that everything works, not to judge by.

        clients: Clients of 20 events that commands go to.
    """

    folder: Path
    seconds: float
    is_quick: bool
    clients: int = 2_000
    _seeds: Iterator[int] = attrs.field(factory=lambda: itertools.count(1), init=False)

    def seed(self) -> int:
        """A number that is not given twice in the run."""
        return next(self._seeds)

    def place(self, name: str) -> Path:
        """A folder of this name."""
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path


Round = Callable[[], Figures]
"""Measures everything of one part once."""


@attrs.frozen(kw_only=True)
class Part:
    """
    Something that is measured.

    Attributes:
        name: By which it is chosen.

        about: What it measures, in a line.

        open: Prepares it for a run and takes it down afterwards.

        is_long: Whether it is left out unless it is asked for.
    """

    name: str
    about: str
    open: Callable[[Run], AbstractContextManager[Round]]
    is_long: bool = False


def rounds_of(
    run: Run, parts: tuple[Part, ...], count: int, done: Callable[[int, str, Figures], None]
) -> list[Figures]:
    """
    What every round measured; the parts take turns.

    Args:
        run: The run.

        parts: Which.

        count: How many rounds.

        done: Called after each turn with the number of the round, the part and its figures.
    """
    with ExitStack() as opened:
        turns = [(part.name, opened.enter_context(part.open(run))) for part in parts]
        measured: list[Figures] = []
        for number in range(1, count + 1):
            figures: Figures = {}
            for name, measure in turns:
                taken = measure()
                done(number, name, taken)
                figures.update(taken)
            measured.append(figures)
        return measured
