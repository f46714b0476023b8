"""
The consumer of inbound messages: fetch, carry out or park, acknowledge.

    lease -> consumer made anew -> fetch up to 64 -> inbox -> acknowledge each as it is durable

Made anew at every start, the consumer hands out everything that was not acknowledged at once and
in the order of the stream; so nothing overtakes what a killed process had in hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import attrs
import nats.errors

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from clientela.adapters.consumers.sender import Sender, kept, lowered
from clientela.adapters.consumers.stream import STREAM, consumer_config, ensure
from clientela.adapters.jetstream.connection import ANSWER_S, Connects, let_go, translated
from clientela.services.background import Sleep, keep_going
from clientela.services.inbound import Inbound, Reading, kind_in
from clientela.services.inbox import Fate, Inbox
from clientela.services.leases import Lease, Leases
from clientela.services.metrics import NO_METRICS, Count, Level, Metrics
from clientela.services.ports import JournalStore
from clientela.services.store_errors import StoreError


LEASE = "inbound"
"""Name of the lease: one process consumes at a time."""

LEASE_TTL = timedelta(seconds=10)
"""How long a process that died keeps others from consuming."""

FETCHED_MAX = 64
"""Messages fetched at once."""

FETCH_SECONDS = 2.0
"""How long a fetch waits for a first message."""

ERASE_TRIES_MAX = 3
"""Tries in a row to overwrite a message; then it is told of and the rest goes on."""

PAUSE_S = 0.02
"""Seconds between two fetches when there was nothing: a fetch waits by itself."""

POLL_S = 1.0
"""Seconds between two tries to get the lease of another process; each is a write."""

STORE_WAIT_S = 1.0
"""Seconds between two tries while the store cannot be reached."""

BEGUN = "inbound-begun"
"""Note: sequence of the message that the last start began with, and how many starts did."""

_LOG = logging.getLogger(__name__)


@attrs.define
class _Bound:
    """A connection and the consumer on it."""

    client: Client
    context: JetStreamContext
    subscription: JetStreamContext.PullSubscription
    starts: int = 0
    is_first: bool = True


@attrs.frozen(eq=False)
class _Delivery:
    """A message of the broker and what we make of it."""

    message: Msg
    inbound: Inbound


class Consumer:
    """
    Consumes.

    Args:
        connects: To the broker.

        inbox: Takes messages.

        sender: Tells who sends.

        leases: Let one process consume.

        store: Where it is noted what a start began with.

        holder: Who we are among the processes.

        may_create: Whether the stream is made if there is none.

        replicas: Copies of a stream that is made here.

    Attributes:
        metrics: Keeps figures.

        sleep: Lets seconds pass between steps.
    """

    def __init__(
        self,
        connects: Connects,
        inbox: Inbox,
        sender: Sender,
        *,
        leases: Leases,
        store: JournalStore,
        holder: str,
        may_create: bool = True,
        replicas: int = 1,
    ) -> None:
        self.metrics: Metrics = NO_METRICS
        self.sleep: Sleep = asyncio.sleep
        self._connects = connects
        self._inbox = inbox
        self._sender = sender
        self._leases = leases
        self._store = store
        self._holder = holder
        self._may_create = may_create
        self._replicas = replicas
        self._bound: _Bound | None = None
        self._lease: Lease | None = None
        self._unerased = 0

    async def run(self) -> None:
        """Keep going until cancelled."""
        try:
            await keep_going("inbound messages", self.step, PAUSE_S, self._rest)
        finally:
            await asyncio.shield(self._left())

    async def step(self) -> int:
        """
        Take what there is, if it is on us.

        Returns:
            How many messages were taken.

        Raises:
            BusError: the broker cannot be reached, or its stream must not be used.

            StoreError: the store cannot be reached.
        """
        self._lease = await self._leases.acquire(LEASE, self._holder, LEASE_TTL)
        if self._lease is None:
            await self.close()
            return 0
        try:
            bound = self._bound or await self._opened()
            with translated("inbound messages cannot be fetched"):
                messages = await self._fetched(bound)
            waiting = messages[-1].metadata.num_pending if messages else 0
            self.metrics.level(Level.CONSUMER_LAG, waiting, STREAM)
            return await self._take(bound, messages)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the broker."""
        bound, self._bound = self._bound, None
        if bound is not None:
            await let_go(bound.client)

    async def _rest(self, seconds: float) -> None:
        await self.sleep(seconds if self._lease is not None else max(seconds, POLL_S))

    async def _left(self) -> None:
        """Let the next process begin at once."""
        await self.close()
        if self._lease is not None:
            with contextlib.suppress(StoreError):
                await self._leases.release(self._lease)

    async def _opened(self) -> _Bound:
        client = await self._connects.connect(_ignored)
        try:
            with translated("inbound messages cannot be consumed"):
                context = JetStreamContext(client, timeout=ANSWER_S)
                await ensure(context, may_create=self._may_create, replicas=self._replicas)
                with contextlib.suppress(NotFoundError):
                    await context.delete_consumer(STREAM, STREAM)
                untyped: Any = context
                await untyped.add_consumer(STREAM, consumer_config(4 * FETCHED_MAX))
                subscription = await context.pull_subscribe_bind(durable=STREAM, stream=STREAM)
        except BaseException:
            await let_go(client)
            raise
        self._bound = _Bound(client, context, subscription)
        return self._bound

    async def _fetched(self, bound: _Bound) -> Sequence[Msg]:
        if bound.client.is_closed:
            raise nats.errors.ConnectionClosedError
        try:
            return await bound.subscription.fetch(FETCHED_MAX, FETCH_SECONDS)
        except TimeoutError:
            # The client raises its own, which is one of these, or the plain one when time runs out
            # between two of its requests.
            return ()

    async def _take(self, bound: _Bound, messages: Sequence[Msg]) -> int:
        if not messages:
            return 0
        if bound.is_first:
            bound.starts = await self._starts(messages[0].metadata.sequence.stream)
            bound.is_first = False
        left = {id(d.inbound): d for d in (self._delivery(m, bound) for m in messages)}
        bound.starts = 0

        async def told(inbound: Inbound, reading: Reading, fate: Fate) -> None:
            self.metrics.count(Count.TAKEN_IN, fate.value)
            delivery = left.pop(id(inbound))
            with translated("a message cannot be acknowledged"):
                if reading.is_personal:
                    await self._erase(bound, delivery.message)
                await delivery.message.ack()

        while left:
            try:
                await self._inbox.take([delivery.inbound for delivery in left.values()], told)
            except StoreError as error:
                _LOG.warning("inbound messages wait for the store: %s", type(error).__name__)
                for delivery in left.values():
                    with translated("messages cannot be kept"):
                        await delivery.message.in_progress()
                await asyncio.sleep(STORE_WAIT_S)
        return len(messages)

    async def _starts(self, sequence: int) -> int:
        """How often we have begun with this message before: it may be what ends us."""
        noted, _, count = (await self._store.note(BEGUN) or "0 0").partition(" ")
        starts = int(count) + 1 if int(noted) == sequence else 0
        await self._store.note(BEGUN, f"{sequence} {starts}")
        return starts

    def _delivery(self, message: Msg, bound: _Bound) -> _Delivery:
        headers = lowered(message.headers)
        inbound = Inbound(
            kind=kind_in(message.subject),
            body=message.data,
            headers=kept(headers),
            principal=self._sender.principal(headers),
            tries=bound.starts,
        )
        return _Delivery(message, inbound)

    async def _erase(self, bound: _Bound, message: Msg) -> None:
        """Overwrite a message in the files of the broker: personal values have no place there."""
        sequence = message.metadata.sequence.stream
        try:
            with contextlib.suppress(NotFoundError):
                await bound.context.delete_msg(STREAM, sequence)
        except (APIError, TimeoutError):
            # One message that may not be overwritten must not hold up all others for ever.
            self._unerased += 1
            if self._unerased < ERASE_TRIES_MAX:
                raise
            _LOG.error(
                "a %s bore personal values, which stay in the files of the broker: let this "
                "identity delete messages of %s",
                message.subject,
                STREAM,
            )
            return
        self._unerased = 0
        _LOG.warning("a %s bore personal values, which do not belong on the bus", message.subject)


async def _ignored() -> None:
    """A closed connection is found closed by the next fetch."""
