"""
The inbox: messages of other systems carried out as commands, each with its effect exactly once.

    message -> is its lane free? -> the same checks and the same command as by rpc -> done
                    |                              |
                    +--> behind what is parked     +--> refused: parked, and its lane waits

One lane a client: its messages are carried out in order, those of many clients at once. A second
delivery of anything is a no-op by its business identity. No refusal is stored as an answer, so what
is parked can be carried out once its cause is mended.
"""

from __future__ import annotations

import asyncio
import enum
import json
import logging

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from clientela.domain.ids import Blind, ClientId, JournalId, client_journal
from clientela.services.bus import BusError
from clientela.services.core import Core
from clientela.services.entrance import CORRELATION_HEADER
from clientela.services.inbound import Inbound, Reading, read
from clientela.services.inbound_failures import DeliveredTooOftenError, problem_of, reason_of
from clientela.services.parcels import COMPANY, Parcels
from clientela.services.parked import WAITING, Parked, ParkedMessage
from clientela.services.passage import Passage, principal_text
from clientela.services.store_errors import StoreError


LANES_AT_ONCE = 16
"""Clients whose messages are carried out at once."""

SUSPECT_DELIVERIES = 3
"""From so many deliveries on messages are carried out one by one: one of them may kill us."""

DELIVERIES_MAX = 5
"""Deliveries after which the first in line is parked untried: it is the one that kills."""

UNREAD = "unread"
"""Lanes of messages that name no client; each has its own."""

_LOG = logging.getLogger(__name__)


class Fate(enum.Enum):
    """What became of a message; either way it need not be delivered again."""

    DONE = "done"
    """Carried out, or found carried out."""

    PARKED = "parked"
    """Kept, and its lane waits."""

    DROPPED = "dropped"
    """About somebody who was erased, of whom nothing may be kept."""


def person_in(lane: str) -> JournalId | None:
    """Of whom the messages of a lane are; None where they name no client."""
    kind, _, id_ = lane.partition("/")
    return None if kind == UNREAD else client_journal(ClientId(id_))


Told = Callable[[Inbound, Reading, Fate], Awaitable[None]]
"""Called with every message as soon as what became of it is durable."""


class Inbox:
    """
    Takes messages.

    Args:
        core: What servicers work with.

        parked: Keeps what cannot be carried out.

        now: Tells when something was tried.
    """

    def __init__(
        self,
        core: Core,
        parked: Parked,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.parked = parked
        self.parcels = Parcels(core.store, core.sessions, core.path.records.cache.forget)
        self.passage = Passage(core)
        self.now = now
        self._core = core
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take(self, messages: Sequence[Inbound], told: Told) -> None:
        """
        Carry out messages, or park them.

        Args:
            messages: In the order they came in.

            told: Called with each.

        Raises:
            StoreError: the store cannot be reached; those not told of are to be taken again.

            BusError: likewise, raised by *told*.
        """
        lanes: dict[str, list[tuple[Inbound, Reading]]] = {}
        for message in messages:
            reading = read(message)
            lanes.setdefault(self._lane(message, reading), []).append((message, reading))
        occupied = await self.parked.lanes(lanes)
        if any(message.tries >= SUSPECT_DELIVERIES for message in messages):
            await self._take_singly(messages, occupied, told)
            return
        room = asyncio.Semaphore(LANES_AT_ONCE)

        async def one(lane: str) -> None:
            async with room, self.lock(lane):
                is_free = lane not in occupied
                for message, reading in lanes[lane]:
                    fate = await self._settle(message, reading, lane, is_free=is_free)
                    is_free = is_free and fate is not Fate.PARKED
                    await told(message, reading, fate)

        try:
            async with asyncio.TaskGroup() as group:
                for lane in lanes:
                    group.create_task(one(lane))
        except* (StoreError, BusError) as errors:
            raise errors.exceptions[0] from None

    async def _take_singly(
        self, messages: Sequence[Inbound], occupied: frozenset[str], told: Told
    ) -> None:
        """Carry out messages one by one, so that the one that kills us is the first in line."""
        blocked = set(occupied)
        for index, message in enumerate(messages):
            reading = read(message)
            lane = self._lane(message, reading)
            async with self.lock(lane):
                if index == 0 and message.tries >= DELIVERIES_MAX and lane not in blocked:
                    fate = await self._park(message, reading, lane, DeliveredTooOftenError())
                else:
                    is_free = lane not in blocked
                    fate = await self._settle(message, reading, lane, is_free=is_free)
                if fate is Fate.PARKED:
                    blocked.add(lane)
            await told(message, reading, fate)

    def lock(self, lane: str) -> asyncio.Lock:
        """Held by whoever works on a lane."""
        return self._locks.setdefault(lane, asyncio.Lock())

    def _lane(self, message: Inbound, reading: Reading) -> str:
        if reading.lane is not None:
            return str(reading.lane)
        return f"{UNREAD}/{self._mark(message)[:32]}"

    def _mark(self, message: Inbound) -> str:
        """The same for a repetition; sent again with other headers that matter it is none."""
        sender = "" if message.principal is None else str(message.principal.actor)
        told = {n: v for n, v in message.headers.items() if n != CORRELATION_HEADER}
        said = f"{message.kind}\0{message.body.hex()}\0{json.dumps([sender, sorted(told.items())])}"
        return self._core.sessions.blind("inbound", said)

    async def _settle(
        self, message: Inbound, reading: Reading, lane: str, *, is_free: bool
    ) -> Fate:
        if not is_free:
            return await self._park(message, reading, lane, None)
        error = await self.passage.error(message, reading, message.principal)
        if error is None:
            return Fate.DONE
        return await self._park(message, reading, lane, error)

    async def _park(
        self, message: Inbound, reading: Reading, lane: str, error: Exception | None
    ) -> Fate:
        """Keep a message; without an error it only waits for one before it."""
        owner = await self.parcels.owner(reading.lane) if reading.lane is not None else COMPANY
        if owner is None:
            _LOG.warning("a %s of somebody erased is dropped", message.kind)
            return Fate.DROPPED
        now, id_ = self.now(), self._core.new_id()
        parked = ParkedMessage(
            id=id_,
            mark=Blind(self._mark(message)),
            lane=lane,
            kind=message.kind,
            headers=message.headers,
            principal=principal_text(message.principal),
            reason=WAITING if error is None else reason_of(error),
            problem="waits for the one before it" if error is None else problem_of(error),
            parked_at=now,
            tried_at=now,
            tries=0 if error is None else 1,
            body=await self.parcels.sealed(id_, owner, message.body),
        )
        if await self.parked.park(parked) and error is not None:
            _LOG.error("a %s is parked: %s", message.kind, parked.reason)
        return Fate.PARKED
