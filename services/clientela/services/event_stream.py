"""
The stream of events seen as a whole: compared with the store, and made anew.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

import attrs

from clientela.domain.errors import RefusedError
from clientela.services.bus import Bus, BusError, BusUnsuitableError, Held
from clientela.services.event_messages import (
    EPOCH,
    EVENT,
    JOURNAL,
    POSITION,
    VERSION,
    EventMessages,
)
from clientela.services.ports import PAGE_MAX, JournalStore, NewId
from clientela.services.relay import EPOCH as STORE_EPOCH
from clientela.services.relay import REBUILD, REBUILT, Relay
from clientela.services.rows import StoredEvent


PROBLEMS_MAX = 1_000
"""Problems that a check lists; more are counted only."""

TELL_EVERY = 10_000
"""Events between two reports of how far it is."""

CHECKED = (JOURNAL, EVENT, VERSION, POSITION, EPOCH)
"""Headers that must be what the store says; releases may add others."""


class NoBusError(RefusedError):
    """The service runs without a bus."""

    reason = "BUS_NONE"

    def __init__(self) -> None:
        super().__init__(
            "this service runs without a bus: start it with --bus", rule="operation.stream"
        )


@attrs.frozen(kw_only=True)
class StreamStatus:
    """
    How far a check or a rebuilding is.

    Attributes:
        done: Events that are known to be on the stream, in their place.

        total: Events that have to be.

        problems: What is wrong, at most `PROBLEMS_MAX`.

        count: How much is wrong.

        waiting: Events of the store that the relay has not sent yet.

        is_complete: Whether it is over.
    """

    done: int = 0
    total: int = 0
    problems: tuple[str, ...] = ()
    count: int = 0
    waiting: int = 0
    is_complete: bool = False


@attrs.define
class _Findings:
    """Problems as they are found."""

    listed: list[str] = attrs.field(factory=list[str])
    count: int = 0

    def add(self, problem: str) -> None:
        """One more."""
        self.count += 1
        if len(self.listed) < PROBLEMS_MAX:
            self.listed.append(problem)


class EventStream:
    """
    The stream beside the store it was made from.

    Args:
        store: Where events come from.

        bus: Where they went.

        messages: Makes messages of them.

        relay: Brings them there.

        new_id: Makes ids.
    """

    def __init__(
        self,
        store: JournalStore,
        bus: Bus,
        messages: EventMessages,
        relay: Relay,
        new_id: NewId,
    ) -> None:
        self._store = store
        self._bus = bus
        self._messages = messages
        self._new_id = new_id
        self.relay = relay

    async def check(self) -> AsyncGenerator[StreamStatus]:
        """
        Compare the stream with the store, message by message, up to where the stream ends now.

        Both are in the order of commits, so one pass finds what is missing, what is there twice or
        out of its order, what the store does not have, and what was changed. It reads only, and
        needs no lease: the relay may go on behind the end.

        Yields:
            How far it is, the last time with everything.

        Raises:
            BusUnavailableError: the stream cannot be read.
        """
        try:
            tail = await self._bus.join()
        except BusUnsuitableError as error:
            yield StreamStatus(problems=(str(error),), count=1, is_complete=True)
            return
        epoch = await self._store.note(STORE_EPOCH) or ""
        last = await self._store.last_position()
        rows = self._rows(tail.position)
        found, done = _Findings(), 0
        row = await anext(rows, None)
        async for held in self._bus.read():
            position = int(held.headers.get(POSITION, 0))
            while row is not None and row.position < position:
                found.add(f"{row.journal}@{row.version} is missing")
                row = await anext(rows, None)
            if row is None or row.position != position:
                found.add(_stray(held, position, last))
                continue
            if self._is_of(held, row, epoch):
                done += 1
            else:
                found.add(f"{row.journal}@{row.version} is not what the store has")
            row = await anext(rows, None)
            if done % TELL_EVERY == 0:
                yield StreamStatus(done=done, total=last, count=found.count)
        while row is not None:
            found.add(f"{row.journal}@{row.version} is missing")
            row = await anext(rows, None)
        waiting = await self._waiting(tail.position)
        yield StreamStatus(
            done=done,
            total=done + waiting,
            problems=tuple(found.listed),
            count=found.count,
            waiting=waiting,
            is_complete=True,
        )

    async def rebuild(self) -> AsyncGenerator[StreamStatus]:
        """
        Have the stream emptied and every event sent again, by the relay that is at work.

        It is asked for in the store: if this process dies, or another one's relay is at work, it is
        carried out all the same.

        Yields:
            How far it is whenever the caller looks, the last time when everything is sent.
        """
        await self._store.note(REBUILD, self._new_id())
        self.relay.look()
        total = await self._store.last_position()
        # Somebody may ask again before it is begun; what is begun then is for both.
        while await self._store.note(REBUILT) != await self._store.note(REBUILD):
            yield StreamStatus(total=total)
        while (position := await self._position()) < total:
            yield StreamStatus(done=position, total=total)
        yield StreamStatus(done=total, total=total, is_complete=True)

    async def _position(self) -> int:
        """Position of the last event on the stream; 0 while it cannot be told."""
        try:
            return (await self._bus.join()).position
        except BusError:
            return 0

    async def _rows(self, upto: int) -> AsyncIterator[StoredEvent]:
        after = 0
        while after < upto and (page := await self._store.read_all(after, PAGE_MAX)):
            for row in page:
                if row.position > upto:
                    return
                yield row
            after = page[-1].position

    async def _waiting(self, position: int) -> int:
        """Events above a position, counted up to a page."""
        return len(await self._store.read_all(position, PAGE_MAX))

    def _is_of(self, held: Held, row: StoredEvent, epoch: str) -> bool:
        made = self._messages.of(row, epoch)
        return (
            held.subject == made.subject
            and held.body == made.body
            and all(held.headers.get(name) == made.headers.get(name) for name in CHECKED)
        )


def _stray(held: Held, position: int, last: int) -> str:
    if not position:
        return f"message {held.sequence} is none of ours"
    if position > last:
        life = held.headers.get(EPOCH, "")
        return f"message {held.sequence} is of an event that the store does not have ({life})"
    return f"message {held.sequence} is there twice or out of its order"
