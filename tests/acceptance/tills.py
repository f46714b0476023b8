"""
Tills: they tell a service over its own broker what they sold long ago, and wait until it knows.
"""

from __future__ import annotations

import asyncio
import json
import time

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

import nats

from nats.js import JetStreamContext

from clientela.sdk import Client, connect
from clientela.v1.client_pb2 import RegisterClientRequest
from tests.acceptance.histories import History, Message
from tests.e2e.process import Shop


HISTORY = {"x-clientela-clock": "occurred"}
"""Says that what is told is decided as if it came when it happened."""

STREAM = "clientela-in"

AT_ONCE = 16
"""Clients registered at once."""

TAKEN_SECONDS_MAX = 1_800.0
"""How long a service may take to carry everything out, on a busy machine."""

POLL_SECONDS = 0.1


async def tell(shop: Shop, history: History) -> None:
    """Register every client when it first came, tell everything, and return when it is taken."""
    address = json.loads((shop.folder / "service.json").read_text("utf-8"))["address"]
    async with connect(address, actor="service/till") as client:
        ids = await registered(client, history)
    async with broker(shop) as stream:
        await told(stream, history.messages, ids)
        await taken(stream)


async def registered(client: Client, history: History) -> dict[str, str]:
    """Ids of the clients by what the shop calls them."""
    first: dict[str, Message] = {}
    for message in history.messages:
        first.setdefault(message.customer, message)
    room = asyncio.Semaphore(AT_ONCE)
    ids: dict[str, str] = {}

    async def one(customer: str, message: Message) -> None:
        request = RegisterClientRequest(request_id=f"{history.source}-{customer}")
        request.source.source, request.source.id = history.source, customer
        request.occurred_at.FromDatetime(message.at)
        async with room:
            answer = await client.clients.RegisterClient(request, metadata=tuple(HISTORY.items()))
        ids[customer] = answer.client.client_id

    async with asyncio.TaskGroup() as group:
        for customer, message in first.items():
            group.create_task(one(customer, message))
    return ids


async def told(stream: JetStreamContext, messages: Iterable[Message], ids: dict[str, str]) -> None:
    """Tell *messages*, each one acknowledged before the next."""
    for message in messages:
        body = {"clientId": ids[message.customer], **message.body}
        subject = f"clientela.in.v1.{message.kind}"
        await stream.publish(subject, json.dumps(body).encode(), headers=HISTORY)


async def taken(stream: JetStreamContext) -> None:
    """Return when nothing that was told is left on the bus."""
    deadline = time.monotonic() + TAKEN_SECONDS_MAX
    while (await stream.stream_info(STREAM)).state.messages:
        assert time.monotonic() < deadline, "the messages are not taken"
        await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def broker(shop: Shop) -> AsyncGenerator[JetStreamContext]:
    """A connection to the broker that the service of *shop* started."""
    folder = shop.folder / "nats"
    port = json.loads((folder / "server.json").read_text("utf-8"))["port"]
    token = (folder / "token").read_text("utf-8").strip()
    connection = await nats.connect(f"nats://127.0.0.1:{port}", token=token)
    try:
        yield connection.jetstream()
    finally:
        await connection.close()
