"""
The broker's answers to messages, counted as they come in over an inbox of our own.
"""

from __future__ import annotations

import asyncio
import json

from typing import Any

import attrs

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from clientela.adapters.jetstream.connection import ANSWER_S, unsubscribed
from clientela.services.bus import BusUnavailableError


@attrs.frozen
class Ack:
    """
    An answer of the broker.

    Attributes:
        sequence: Where the message stands in the stream; 0 if it does not.

        is_duplicate: Whether the broker says that it has it already, at *sequence*.

        code: Number of the error; 0 for none.

        error: What the broker says is wrong; empty when nothing is.

        count: Messages that are in with it, if it was the last one of a batch.
    """

    sequence: int = 0
    is_duplicate: bool = False
    code: int = 0
    error: str = ""
    count: int = 0


def ack_of(message: Msg) -> Ack:
    """What an answer says."""
    if not message.data:
        return Ack(error="there is no stream", code=int((message.headers or {}).get("Status", 0)))
    said: dict[str, Any] = json.loads(message.data)
    error: dict[str, Any] = said.get("error", {})
    return Ack(
        sequence=said.get("seq", 0),
        is_duplicate=said.get("duplicate", False),
        code=error.get("err_code", 0),
        error=error.get("description", ""),
        count=said.get("count", 0),
    )


class Acks:
    """
    Waits for the answers to many messages at once; made by `open`.

    Args:
        client: The connection.
    """

    def __init__(self, client: Client) -> None:
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self._round = 0
        self._left = 0
        self._poor: dict[int, Ack] = {}
        self._is_broken = False
        self._changed = asyncio.Event()

    @classmethod
    async def open(cls, client: Client) -> Acks:
        """An inbox of its own."""
        acks = cls(client)
        untyped: Any = client
        acks._subscription = await untyped.subscribe(f"{acks._inbox}.*.*", cb=acks._take)
        return acks

    async def close(self) -> None:
        """Give the inbox back."""
        if self._subscription is not None:
            await unsubscribed(self._subscription)

    def expect(self, count: int) -> str:
        """Begin to wait for *count* answers; where they go, but for a dot and their number."""
        self._round += 1
        self._left = count
        self._poor = {}
        self._changed.clear()
        return f"{self._inbox}.{self._round}"

    def break_off(self) -> None:
        """Nothing more will come."""
        self._is_broken = True
        self._changed.set()

    async def all(self) -> dict[int, Ack]:
        """
        Wait for all answers.

        Returns:
            By number those that are not plain consent.

        Raises:
            BusUnavailableError: some do not come.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._changed.wait()
        except TimeoutError:
            raise BusUnavailableError("the stream does not answer") from None
        if self._left:
            raise BusUnavailableError("the connection to the broker broke")
        return self._poor

    async def _take(self, message: Msg) -> None:
        _, round_, number = message.subject.rsplit(".", 2)
        if int(round_) != self._round:
            return
        data = message.data
        # Reading the few answers that say more than where the message stands is enough.
        if not data or b'"error"' in data or b'"duplicate"' in data or b'"batch"' in data:
            self._poor[int(number)] = ack_of(message)
        self._left -= 1
        if not self._left:
            self._changed.set()
