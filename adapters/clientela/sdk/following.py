"""
Events followed without a message bus, for as long as the reader stays.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncGenerator

import grpc
import grpc.aio

from clientela.sdk.client import Client
from clientela.sdk.event import KIND_PREFIX, Event, event_of
from clientela.sdk.failures import failure, said_in
from clientela.sdk.positions import EpochChangedError
from clientela.sdk.retrying import backoff_s
from clientela.v1.common_pb2 import JournalKind
from clientela.v1.event_pb2 import FollowEventsRequest


ENDINGS = frozenset({grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE})
"""Codes after which a stream is taken up again: it lasts 30 minutes at most, a service may stop."""


async def follow(
    client: Client, after: int = 0, kinds: tuple[str, ...] = (), epoch: str = ""
) -> AsyncGenerator[Event]:
    """
    Every event after a position, in the order of commits, for ever; broken streams are taken up.

    With a `Reader` that takes each of them, effects are exactly once here as well. They say what
    they say on the bus.

    Args:
        client: Of the service.

        after: The last position that is known; 0 for the beginning.

        kinds: Kinds of journal that matter, for instance `("wallet",)`; all for none.

        epoch: The life of the store that *after* is of, `Event.epoch` of that event; empty for that
            of the first answer.

    Raises:
        EpochChangedError: the store was restored; its positions are not those known.

        CallError: the caller may not, or there is no such kind.
    """
    numbers = [JournalKind.Value(f"{KIND_PREFIX}{kind.upper()}") for kind in kinds]
    broken = 0
    while True:
        request = FollowEventsRequest(
            after_position=after, journal_kinds=numbers, as_published=True
        )
        try:
            async for told in client.events.FollowEvents(request):
                if told.epoch and told.epoch != (epoch := epoch or told.epoch):
                    raise EpochChangedError(epoch, told.epoch)
                after, broken = told.position, 0
                if told.HasField("event"):
                    yield event_of(told.event, epoch)
        except grpc.aio.AioRpcError as error:
            if error.code() not in ENDINGS:
                raise failure(error, said_in(error)) from None
        broken += 1
        await asyncio.sleep(backoff_s(broken))
