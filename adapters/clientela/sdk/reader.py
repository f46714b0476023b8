"""
The reader: events in, each one's effect stored exactly once, in the order of its journal.

    messages of one life -> positions known -> gaps fetched -> one transaction -> done
                                                           effects and positions

It knows no message bus; whoever brings the events acknowledges what is `done` and brings `later`
again.
"""

from __future__ import annotations

import inspect

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs

from clientela.sdk.course import Gap, contiguous, course
from clientela.sdk.event import Event
from clientela.sdk.message import Announced
from clientela.sdk.positions import (
    EpochChangedError,
    Position,
    PositionMovedError,
    Positions,
    Work,
    problem_of,
)


FAILURES_MAX = 5
"""Failures of a journal in a row after which it is parked."""

FAILING_MAX = 10_000
"""Journals whose failures are counted; with so many, all of them begin anew."""

FETCHED_MAX = 200
"""Events fetched at once when a journal is resumed."""

Connection = TypeVar("Connection")

Fetch = Callable[[str, Gap], Awaitable[Sequence[Event]]]
"""Brings the events of a gap in a journal, or as many of them as there are."""


@attrs.frozen
class Taken:
    """
    What came of some events, each named by its journal and version.

    Attributes:
        applied: Effects stored, in the order of each journal; fetched ones included.

        dropped: Came before, or stand in a parked journal.

        fetched: Gaps that were asked for.

        later: Bring these again after a while.

        parked: Journals parked just now, each with the type of what its handler raised.
    """

    applied: list[tuple[str, int]] = attrs.field(factory=list[tuple[str, int]])
    dropped: list[tuple[str, int]] = attrs.field(factory=list[tuple[str, int]])
    fetched: list[tuple[str, Gap]] = attrs.field(factory=list[tuple[str, Gap]])
    later: set[tuple[str, int]] = attrs.field(factory=set[tuple[str, int]])
    parked: dict[str, str] = attrs.field(factory=dict[str, str])


@attrs.frozen
class _Chain:
    """Events of one journal that follow on what is known."""

    journal: str
    known: int
    events: tuple[Event, ...]


class Reader(Generic[Connection]):
    """
    Applies events.

    Args:
        positions: Where effects and positions are kept.

        handler: `(connection, event)`, awaited if it has to be; writes the effect through the
            connection and neither commits nor rolls back. What it raises undoes the event.

        fetch: Brings what a gap lacks.
    """

    def __init__(
        self,
        positions: Positions[Connection],
        handler: Callable[[Connection, Event], Any],
        fetch: Fetch,
    ) -> None:
        self._positions = positions
        self._handler = handler
        self._fetch = fetch
        self._failures: dict[str, int] = {}
        self._epoch = ""

    async def take(self, events: Sequence[Event | Announced]) -> Taken:
        """
        Apply events; afterwards those that are not `later` are done for good.

        Raises:
            EpochChangedError: the store was restored; nothing was applied, nothing is done.

            Exception: the transaction failed; nothing of it was stored.
        """
        taken = Taken()
        self._epoch = self._epoch or await self._positions.epoch()
        epoch = one_epoch(self._epoch, events)
        grouped: dict[str, list[Event | Announced]] = {}
        for event in events:
            grouped.setdefault(event.journal, []).append(event)
        known = await self._positions.known(grouped)
        chains = [
            chain
            for journal in sorted(grouped)
            if (chain := await self._chain(journal, known, grouped[journal], taken)) is not None
        ]
        if chains or epoch != self._epoch:
            await self._apply_all(epoch, chains, taken)
        return taken

    async def resume(self, journal: str) -> Taken:
        """
        Let a parked journal go on: fetch what it has missed and apply it.

        Raises:
            EpochChangedError: the store was restored.

            Exception: it could not be fetched, or the transaction failed; nothing was stored.
        """
        self._epoch = self._epoch or await self._positions.epoch()
        await self._positions.resume(journal)
        taken = Taken()
        known = (await self._positions.known([journal])).get(journal, Position()).version
        while missed := await self._fetch(journal, Gap(known, known + FETCHED_MAX)):
            taken.fetched.append((journal, Gap(known, missed[-1].version)))
            chain = _Chain(journal, known, tuple(missed))
            await self._apply_all(self._epoch, [chain], taken)
            if taken.later or taken.parked:
                break
            known = missed[-1].version
        return taken

    async def _chain(
        self,
        journal: str,
        positions: Mapping[str, Position],
        events: Sequence[Event | Announced],
        taken: Taken,
    ) -> _Chain | None:
        position = positions.get(journal, Position())
        if position.parked:
            taken.dropped.extend((journal, event.version) for event in events)
            return None
        whole = [event for event in events if isinstance(event, Event)]
        announced = {event.version for event in events if isinstance(event, Announced)}
        found = {event.version: event for event in whole}
        steps = course(position.version, (event.version for event in whole), announced)
        taken.dropped.extend((journal, version) for version in steps.old)
        for gap in steps.gaps:
            taken.fetched.append((journal, gap))
            try:
                fetched = await self._fetch(journal, gap)
            except Exception:  # noqa: BLE001  # whatever it is, the journal waits and the rest goes on
                break
            found.update((event.version, event) for event in fetched)
        end = contiguous(position.version, found)
        wanted = announced.union(steps.fresh)
        taken.later.update((journal, version) for version in wanted if version > end)
        chain = tuple(found[version] for version in range(position.version + 1, end + 1))
        return _Chain(journal, position.version, chain) if chain else None

    async def _apply_all(self, epoch: str, chains: Sequence[_Chain], taken: Taken) -> None:
        # What was fetched may come from another life than the messages around it.
        epoch = one_epoch(epoch, (event for chain in chains for event in chain.events))
        failures = dict(self._failures)
        async with self._positions.work() as work:
            if epoch != self._epoch:
                await work.keep_epoch(epoch)
            for chain in chains:
                await self._apply(work, chain, taken, failures)
        self._epoch = epoch
        self._failures = failures if len(failures) < FAILING_MAX else {}

    async def _apply(
        self, work: Work[Connection], chain: _Chain, taken: Taken, failures: dict[str, int]
    ) -> None:
        """Apply a chain whole; if that fails, as much of it as there is before what fails."""
        try:
            async with work.part():
                await work.advance(chain.journal, chain.known, chain.events[-1].version)
                for event in chain.events:
                    await self._handle(work.connection, event)
        except PositionMovedError:
            taken.later.update((chain.journal, event.version) for event in chain.events)
        except Exception:  # noqa: BLE001  # what a handler raises is told apart one by one
            await self._apply_singly(work, chain, taken, failures)
        else:
            taken.applied.extend((chain.journal, event.version) for event in chain.events)
            failures.pop(chain.journal, None)

    async def _apply_singly(
        self, work: Work[Connection], chain: _Chain, taken: Taken, failures: dict[str, int]
    ) -> None:
        journal = chain.journal
        for event in chain.events:
            try:
                async with work.part():
                    await work.advance(journal, event.version - 1, event.version)
                    await self._handle(work.connection, event)
            except Exception as error:  # noqa: BLE001  # a handler may raise anything
                failures[journal] = failures.get(journal, 0) + 1
                left = [(journal, e.version) for e in chain.events if e.version >= event.version]
                if failures[journal] < FAILURES_MAX:
                    taken.later.update(left)
                    return
                await work.park(journal, problem_of(error))
                failures.pop(journal)
                taken.parked[journal] = problem_of(error)
                taken.dropped.extend(left)
                return
            taken.applied.append((journal, event.version))

    async def _handle(self, connection: Connection, event: Event) -> None:
        came = self._handler(connection, event)
        if inspect.isawaitable(came):
            await came


def one_epoch(known: str, events: Iterable[Event | Announced]) -> str:
    """
    The one life of the store that positions and *events* are of; empty where none is told.

    Args:
        known: Of the positions; empty if that is not known yet.

        events: Those of them that tell no life are of any.

    Raises:
        EpochChangedError: they are of more than one.
    """
    for event in events:
        if event.epoch and event.epoch != (known := known or event.epoch):
            raise EpochChangedError(known, event.epoch)
    return known
