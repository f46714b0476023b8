"""
How far a subscriber has come, journal by journal, kept in the transaction of what it does.

    positions(consumer, journal, version, parked)      position_epochs(consumer, epoch)

The effect of an event and the version that says it is done are one transaction: after a kill
either both are there or neither is, and what is redelivered is found done.

Versions are those of one life of the service's store. A restored store goes on from an older
state, in another life: what it lost may stand among the effects, and other events take its
versions. So the life is kept beside the positions, and nothing of another one is taken.

    PositionMovedError      another process of the same consumer was faster
    EpochChangedError       the store was restored
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol, TypeVar

import attrs


JOURNALS_MAX = 1_000
"""Journals asked for at once."""

PARKED_SHOWN_MAX = 1_000
"""Parked journals listed at once."""

PROBLEM_LENGTH_MAX = 200
"""Characters kept of why a journal is parked."""

Connection_co = TypeVar("Connection_co", covariant=True)


class PositionMovedError(Exception):
    """
    Another process of the same consumer was faster; what it did stands, this is undone.

    Attributes:
        journal: Which one.
    """

    def __init__(self, journal: str) -> None:
        self.journal = journal
        super().__init__(f"{journal} was moved on by another process of this consumer")


class EpochChangedError(Exception):
    """
    The store was restored from a copy: versions known and versions told are of two lives of it.

    Nothing of the batch is applied, dropped or acknowledged. Effects of events that the restored
    store does not have cannot be told from others: rebuild the stream (`clientela stream rebuild`),
    empty what the consumer wrote, and start it under another name, so that everything comes again.

    Attributes:
        reason: `EPOCH_CHANGED`.

        known: The life that the positions are of.

        told: Another one that an event came from.
    """

    reason: Final = "EPOCH_CHANGED"

    def __init__(self, known: str, told: str) -> None:
        self.known = known
        self.told = told
        super().__init__(
            f"{self.reason}: the store was restored: what is known is of its life {known}, what "
            f"comes of {told}; run `clientela stream rebuild` for the service, empty what this "
            "consumer wrote, and start it under another name"
        )


@attrs.frozen
class Position:
    """
    How far a consumer has come in a journal.

    Attributes:
        version: The last version whose effect is stored; 0 for none.

        parked: Why nothing more is applied: the type of what its handler raised; empty while
            things go on.
    """

    version: int = 0
    parked: str = ""


class Work(Protocol[Connection_co]):
    """One transaction over what a subscriber keeps."""

    @property
    def connection(self) -> Connection_co:
        """What the handler writes through; it neither commits nor rolls back."""
        ...

    def part(self) -> AbstractAsyncContextManager[None]:
        """A part of the transaction that is undone alone if something in it is raised."""
        ...

    async def keep_epoch(self, epoch: str) -> None:
        """
        Note that positions are of the life *epoch*, for ever.

        Raises:
            EpochChangedError: they are of another one.
        """
        ...

    async def advance(self, journal: str, known: int, to: int) -> None:
        """
        Note that *journal* has come from the version *known* to the version *to*.

        Raises:
            PositionMovedError: it does not stand at *known*.
        """
        ...

    async def park(self, journal: str, problem: str) -> None:
        """Note that nothing more of *journal* is applied."""
        ...


class Positions(Protocol[Connection_co]):
    """Keeps positions of one consumer beside its effects."""

    async def epoch(self) -> str:
        """The life of the store that positions are of; empty before the first one is kept."""
        ...

    async def known(self, journals: Iterable[str]) -> Mapping[str, Position]:
        """Positions of those of *journals*, at most `JOURNALS_MAX`, that have one."""
        ...

    def work(self) -> AbstractAsyncContextManager[Work[Connection_co]]:
        """A transaction: committed at the end of the block, undone if something is raised."""
        ...

    async def parked(self) -> Mapping[str, Position]:
        """Parked journals, at most `PARKED_SHOWN_MAX`."""
        ...

    async def resume(self, journal: str) -> None:
        """Let *journal* go on where it stands."""
        ...


def problem_of(error: Exception) -> str:
    """What is kept of an error: its type alone, since its text may hold what somebody typed."""
    return type(error).__name__[:PROBLEM_LENGTH_MAX]
