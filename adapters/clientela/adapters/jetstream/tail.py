"""
Writing after the end of the stream, and nowhere else.
"""

from __future__ import annotations

import time

from collections.abc import Mapping, Sequence

from nats.aio.client import Client
from nats.js import JetStreamContext

from clientela.adapters.jetstream.acks import Ack, Acks
from clientela.adapters.jetstream.connection import translated
from clientela.adapters.jetstream.pace import Pace
from clientela.services.bus import BusUnavailableError, FencedError
from clientela.services.event_messages import MESSAGE_ID, Message


EXPECTED = "Nats-Expected-Last-Sequence"
"""Header: which message the writer takes for the last one; the broker refuses if it is not."""

BATCH_ID, BATCH_SEQUENCE, BATCH_COMMIT = (
    "Nats-Batch-Id",
    "Nats-Batch-Sequence",
    "Nats-Batch-Commit",
)
"""Headers of a batch that is in whole or not at all (nats-server 2.12 and newer)."""

WRONG_LAST_SEQUENCE = 10_071
"""Error: the stream ends elsewhere."""

FAILED = "the stream does not take events"


class JetStreamTail:
    """
    The end of a stream.

    Args:
        client: The connection.

        stream: Name of the stream.

        sequence: Of its last message.

        position: Of the last event in it.

        epoch: Of that event.

        acks: Answers to what is written.

        pace: What was measured of the broker; None where it knows no batches.
    """

    fence = EXPECTED
    """The header that fences; another name is sabotage."""

    def __init__(
        self,
        client: Client,
        stream: str,
        *,
        sequence: int,
        position: int,
        epoch: str,
        acks: Acks,
        pace: Pace | None,
    ) -> None:
        self._client = client
        self._stream = stream
        self._sequence = sequence
        self._position = position
        self._epoch = epoch
        self._acks = acks
        self._pace = pace

    @property
    def position(self) -> int:
        """Position of the last event in the stream."""
        return self._position

    @property
    def epoch(self) -> str:
        """The life of the store which that event is of."""
        return self._epoch

    async def publish(self, messages: Sequence[Message]) -> None:
        """Write messages in this order, each once."""
        with translated(FAILED):
            pace = self._pace
            is_in = (
                pace is not None
                and pace.prefers_batch(len(messages))
                and await self._as_batch(messages, pace)
            )
            if not is_in:
                await self._one_by_one(messages)

    async def check(self) -> None:
        """Check that the stream still ends here."""
        with translated("the stream cannot be looked at"):
            info = await JetStreamContext(self._client).stream_info(self._stream)
        if info.state.last_seq != self._sequence:
            raise FencedError

    async def _as_batch(self, messages: Sequence[Message], pace: Pace) -> bool:
        """Write all or none; False if the broker takes no such batch."""
        begun_s = time.monotonic()
        reply = self._acks.expect(1)
        batch_id = reply.rpartition("_INBOX.")[2]
        for number, message in enumerate(messages, start=1):
            headers = {**message.headers, BATCH_ID: batch_id, BATCH_SEQUENCE: str(number)}
            if number == 1:
                headers[self.fence] = str(self._sequence)
            if number == len(messages):
                headers[BATCH_COMMIT] = "1"
            last = f"{reply}.0" if number == len(messages) else ""
            await self._client.publish(message.subject, message.body, reply=last, headers=headers)
        ack = (await self._acks.all()).get(0, Ack())
        _check_fence(ack)
        if ack.error or ack.count != len(messages):
            return False
        pace.note_batch(time.monotonic() - begun_s)
        self._sequence = ack.sequence
        self._position = messages[-1].position
        return True

    async def _one_by_one(self, messages: Sequence[Message], *, has_ids: bool = True) -> None:
        """Write without waiting in between: after one that is refused no other is taken."""
        begun_s = time.monotonic()
        reply = self._acks.expect(len(messages))
        for number, message in enumerate(messages):
            headers = {**message.headers, self.fence: str(self._sequence + number)}
            if not has_ids:
                del headers[MESSAGE_ID]
            await self._client.publish(
                message.subject, message.body, reply=f"{reply}.{number}", headers=headers
            )
        poor = await self._acks.all()
        written = min(poor, default=len(messages))
        self._sequence += written
        if written:
            self._position = messages[written - 1].position
        if poor:
            await self._after_refusal(messages[written:], poor, has_ids=has_ids)
        elif self._pace is not None:
            self._pace.note_messages(len(messages), time.monotonic() - begun_s)

    async def _after_refusal(
        self, rest: Sequence[Message], poor: Mapping[int, Ack], *, has_ids: bool
    ) -> None:
        """Go on without ids if the broker remembers one of a message that was dropped since."""
        first = poor[min(poor)]
        _check_fence(first)
        if not first.is_duplicate or not has_ids:
            raise BusUnavailableError(f"{FAILED}: {first.error}")
        await self._one_by_one(rest, has_ids=False)


def _check_fence(ack: Ack) -> None:
    if ack.code == WRONG_LAST_SEQUENCE:
        raise FencedError
