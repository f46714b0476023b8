"""
The subscriber: a durable consumer of the stream whose every event has its effect exactly once.

    fetch up to 256 -> apply in one transaction with positions -> acknowledge

Killed anywhere, it goes on: what was applied and not acknowledged comes again and is found done.
"""

from __future__ import annotations

import asyncio
import logging

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import attrs
import nats.errors

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from clientela.sdk.event import Event
from clientela.sdk.message import Announced, MalformedMessageError, event_in, subjects_of
from clientela.sdk.positions import EpochChangedError, Positions
from clientela.sdk.reader import Fetch, Reader, Taken
from clientela.sdk.retrying import DOUBLINGS_MAX, backoff_s


FETCHED_MAX = 256
"""Messages fetched, applied and committed at once."""

FETCH_SECONDS = 5.0
"""How long a fetch waits for a first message."""

ACK_SECONDS = 60.0
"""Seconds after which a message that was not acknowledged comes again: several transactions."""

PENDING_MAX = 4 * FETCHED_MAX
"""Messages under way to all processes of one consumer."""

DELIVERIES_MAX = -1
"""How often a message comes: until it is applied, however long a database is away."""

Connection = TypeVar("Connection")

_LOG = logging.getLogger(__name__)


@attrs.frozen
class _Delivery:
    """A message and the event in it."""

    message: Msg
    event: Event | Announced

    @property
    def name(self) -> tuple[str, int]:
        """Journal and version."""
        return (self.event.journal, self.event.version)


class Subscriber(Generic[Connection]):
    """
    Applies every event of the stream.

    Args:
        stream: Of the broker, connected.

        consumer: Name of the durable consumer, that of *positions*; made if it is not there.

        positions: Where effects and positions are kept.

        handler: `(connection, event)`, awaited if it has to be; writes the effect through the
            connection and neither commits nor rolls back. What it raises undoes the event; after
            five times in a row the journal is parked and the rest goes on.

        fetch: Brings what a gap lacks, for instance `gaps_of(client)`.

        kinds: Kinds of journal that matter, for instance `("wallet",)`; all for none.
    """

    def __init__(
        self,
        stream: JetStreamContext,
        consumer: str,
        positions: Positions[Connection],
        handler: Callable[[Connection, Event], Any],
        fetch: Fetch,
        *,
        kinds: tuple[str, ...] = (),
    ) -> None:
        self.reader = Reader(positions, handler, fetch)
        self._stream = stream
        self._consumer = consumer
        self._subjects = subjects_of(kinds)
        self._failures = 0

    async def run(self) -> None:
        """
        Keep going until cancelled.

        Raises:
            EpochChangedError: the store was restored; somebody has to see to it.

            nats.errors.Error: there is no such stream, or the broker refuses the consumer.
        """
        subscription = await self.bound()
        own = asyncio.current_task()
        assert own is not None
        # A wait that ends in the moment it is cancelled may swallow that; the task still knows.
        while not own.cancelling():
            try:
                messages = await _fetched(subscription)
                if messages:
                    await self.take(messages)
            except (EpochChangedError, nats.errors.ConnectionClosedError):
                raise
            except Exception as error:  # noqa: BLE001  # the broker or the database is away
                # By type: the text of an error may hold what somebody typed.
                _LOG.warning("%s waits: %s", self._consumer, type(error).__name__)
                await asyncio.sleep(self._backoff_s())
            else:
                self._failures = 0
        raise asyncio.CancelledError

    async def bound(self) -> JetStreamContext.PullSubscription:
        """
        The durable consumer, made if it is not there.

        Raises:
            nats.errors.Error: there is no such stream, or the broker refuses the consumer.
        """
        name = await self._stream.find_stream_name_by_subject(self._subjects[0])
        config = ConsumerConfig(
            durable_name=self._consumer,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_SECONDS,
            max_deliver=DELIVERIES_MAX,
            max_ack_pending=PENDING_MAX,
            filter_subjects=self._subjects,
        )
        stream: Any = self._stream
        await stream.add_consumer(name, config)
        return await self._stream.pull_subscribe_bind(durable=self._consumer, stream=name)

    async def take(self, messages: Sequence[Msg]) -> Taken:
        """
        Apply messages, then acknowledge those that are done.

        Raises:
            EpochChangedError: the store was restored; all of them come again.

            Exception: the transaction failed; all of them come again.
        """
        deliveries = [d for message in messages if (d := await self._read(message)) is not None]
        try:
            taken = await self.reader.take([delivery.event for delivery in deliveries])
        except BaseException:
            for delivery in deliveries:
                await _put_back(delivery.message)
            raise
        for journal, problem in taken.parked.items():
            kind = journal.partition("/")[0]
            _LOG.error("%s parks a journal of kind %s: %s", self._consumer, kind, problem)
        for delivery in deliveries:
            if delivery.name in taken.later:
                await _put_back(delivery.message)
            else:
                await delivery.message.ack()
        return taken

    async def _read(self, message: Msg) -> _Delivery | None:
        try:
            return _Delivery(message, event_in(message.headers, message.data))
        except MalformedMessageError:
            _LOG.error("%s drops a message that is no event", self._consumer)
            await message.term()
            return None

    def _backoff_s(self) -> float:
        self._failures = min(self._failures + 1, DOUBLINGS_MAX)
        return backoff_s(self._failures)


async def _fetched(subscription: JetStreamContext.PullSubscription) -> Sequence[Msg]:
    """The next messages; none when none come."""
    try:
        return await subscription.fetch(FETCHED_MAX, FETCH_SECONDS)
    except TimeoutError:
        # The client raises its own, which is one of these, or the plain one.
        return ()


async def _put_back(message: Msg) -> None:
    """Have a message brought again, later each time."""
    await message.nak(backoff_s(message.metadata.num_delivered))
