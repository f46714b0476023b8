"""
A service in this process, what tills tell it, and the broker that they tell it over.
"""

from __future__ import annotations

import json
import time

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from google.protobuf.json_format import MessageToDict, ParseDict
from nats.aio.client import Client as Nats
from nats.js import JetStreamContext

from clientela.adapters.bootstrap import Running, serving
from clientela.adapters.consumers.consumer import Consumer
from clientela.adapters.consumers.sender import Sender
from clientela.adapters.consumers.stream import STREAM, SUBJECT, ensure
from clientela.adapters.jetstream.connection import Broker
from clientela.adapters.memory_leases import MemoryLeases
from clientela.adapters.messages_in import MessagesIn
from clientela.adapters.settings import NO_BUS, Settings
from clientela.adapters.tokens.development import DevelopmentAuthenticator
from clientela.domain.ids import Code
from clientela.sdk import Client, connect
from clientela.services.bus import BusUnavailableError
from clientela.services.inbound import KINDS
from clientela.v1.client_pb2 import ListClientsRequest, RegisterClientRequest
from clientela.v1.definition_pb2 import ApplyDefinitionsRequest
from clientela.v1.insight_pb2 import GetStatsRequest
from clientela.v1.interaction_pb2 import RecordInteractionRequest
from clientela.v1.loyalty_pb2 import GetBalanceRequest
from clientela.v1.purchase_pb2 import RecordPurchaseRequest, RecordReturnRequest


AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

ANSWER_SECONDS_MAX = 60.0

PROGRAMME = """
[loyalty]
currency = "EUR"
enrol = "on-first-purchase"
never_expires = true
shortfall = "debt"
awards = [{ points = 1, per_minor = 100, rounding = "line" }]
"""


@attrs.frozen
class Told:
    """
    Something that a till tells.

    Attributes:
        kind: Of message.

        body: As plain data of the request.
    """

    kind: str
    body: dict[str, Any]

    @property
    def raw(self) -> bytes:
        """As it goes over the bus."""
        return json.dumps(self.body).encode()


def moment(hours: float) -> str:
    """Hours after the shop opened, as proto JSON has it."""
    return f"{(AT + timedelta(hours=hours)).isoformat().removesuffix('+00:00')}Z"


def purchase(client: str, receipt: str, euros: int, hours: float = 0.0, **more: Any) -> Told:
    """A purchase of one thing."""
    return Told(
        "purchase",
        {
            "clientId": client,
            "purchase": {"source": "till-7", "id": receipt},
            "occurredAt": moment(hours),
            "lines": [
                {
                    "lineId": "1",
                    "sku": "kettle",
                    "quantity": "1",
                    "net": {"currencyCode": "EUR", "units": str(euros)},
                }
            ],
            **more,
        },
    )


def returned(client: str, slip: str, receipt: str, hours: float = 1.0) -> Told:
    """The thing bought with a receipt comes back."""
    return Told(
        "return",
        {
            "clientId": client,
            "returnKey": {"source": "till-7", "id": slip},
            "occurredAt": moment(hours),
            "currency": "EUR",
            "lines": [
                {
                    "quantity": "1",
                    "purchase": {"source": "till-7", "id": receipt},
                    "lineId": "1",
                }
            ],
        },
    )


def interaction(client: str, call: str, hours: float = 0.0, **more: Any) -> Told:
    """A call that the client made."""
    return Told(
        "interaction",
        {
            "clientId": client,
            "interaction": {"source": "telephony", "id": call},
            "occurredAt": moment(hours),
            "channel": "phone",
            "direction": "DIRECTION_INBOUND",
            "purpose": "PURPOSE_SERVICE",
            "kind": "enquiry",
            **more,
        },
    )


def visit(client: str, number: str, hours: float = 0.0) -> Told:
    """A visit, as a counter at the door tells it."""
    told = interaction(client, number, hours)
    body = {name: value for name, value in told.body.items() if name != "channel"}
    return Told("visit", {**body, "interaction": {"source": "door", "id": number}})


@attrs.define
class Shop:
    """
    A service that runs.

    Attributes:
        running: The service.

        client: A caller of it.

        messages: Its inbox.
    """

    running: Running
    client: Client
    messages: MessagesIn

    def consumer(self, account: Broker, holder: str = "one", **more: Any) -> Consumer:
        """A consumer of the shop's messages."""
        options = {"leases": MemoryLeases(), "store": self.running.core.store, **more}
        authenticator = DevelopmentAuthenticator(frozenset({Code("purchase.write")}))
        sender = Sender(authenticator=authenticator, own=self.messages.own)
        inbox = self.messages.replays.inbox
        return Consumer(account, inbox, sender, holder=holder, **options)

    async def register(self, *names: str) -> None:
        """Register clients."""
        for name in names:
            await self.client.clients.RegisterClient(RegisterClientRequest(client_id=name))

    async def call(self, told: Told) -> None:
        """Tell it by rpc."""
        kind = KINDS[told.kind]
        body = dict(told.body)
        if told.kind == "visit":
            body["channel"] = "visit"
        request = ParseDict(body, kind.request())
        match request:
            case RecordPurchaseRequest():
                await self.client.purchases.RecordPurchase(request)
            case RecordReturnRequest():
                await self.client.purchases.RecordReturn(request)
            case RecordInteractionRequest():
                await self.client.interactions.RecordInteraction(request)

    async def figures(self) -> dict[str, Any]:
        """What the shop knows: figures of all, and of every client the points."""
        found: dict[str, Any] = {
            "": MessageToDict(await self.client.insight.GetStats(GetStatsRequest()))
        }
        listed = await self.client.clients.ListClients(ListClientsRequest(page_size=200))
        for card in listed.clients:
            try:
                request = GetBalanceRequest(wallet_id=card.client_id)
                balance = await self.client.loyalty.GetBalance(request)
            except Exception as error:  # noqa: BLE001  # no wallet yet
                found[card.client_id] = type(error).__name__
            else:
                found[card.client_id] = {"available": balance.available}
        return found

    async def parked(self) -> list[tuple[str, str, str]]:
        """Lane, kind and reason of everything parked."""
        kept = await self.messages.replays.inbox.parked.page()
        return [(each.lane, each.kind, each.reason) for each in kept]


@asynccontextmanager
async def shop(folder: Path, *clients: str) -> AsyncIterator[Shop]:
    """A shop with a programme and clients."""
    settings = Settings(data_dir=folder, port=0, bus=NO_BUS)
    async with (
        serving(settings) as running,
        connect(running.target, actor="service/till") as client,
    ):
        messages = MessagesIn.of(settings, running.core, running.keeper.store)
        made = Shop(running, client, messages)
        await client.definitions.ApplyDefinitions(ApplyDefinitionsRequest(toml=PROGRAMME))
        await made.register(*clients)
        yield made


@asynccontextmanager
async def till(account: Broker) -> AsyncIterator[Nats]:
    """A connection that tells, over a stream that is there."""

    async def closed() -> None:
        """Nothing."""

    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    while True:
        try:
            connection = await account.connect(closed)
            break
        except BusUnavailableError:
            if time.monotonic() > deadline:
                raise
    try:
        await ensure(stream_of(connection), may_create=True, replicas=1)
        yield connection
    finally:
        await connection.close()


def stream_of(connection: Nats) -> JetStreamContext:
    """The way to the stream, with time for a machine that is busy with other tests."""
    return JetStreamContext(connection, timeout=ANSWER_SECONDS_MAX)


async def tell(connection: Nats, said: Iterable[Told], **headers: str) -> None:
    """Tell something over the bus."""
    js = stream_of(connection)
    for told in said:
        await js.publish(f"{SUBJECT}.{told.kind}", told.raw, headers=headers or None)


async def waiting(connection: Nats) -> int:
    """Messages that are neither carried out nor parked."""
    info = await stream_of(connection).stream_info(STREAM)
    return int(info.state.messages)


async def drained(consumer: Consumer, connection: Nats) -> None:
    """Let a consumer take everything there is; a broker slow to answer is asked again."""
    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    try:
        while await waiting(connection):
            try:
                await consumer.step()
                # Acknowledged is what the broker knows of; a further step would wait for nothing.
                if consumer._bound is not None:
                    await consumer._bound.client.flush(int(ANSWER_SECONDS_MAX))
            except BusUnavailableError:
                if time.monotonic() > deadline:
                    raise
    finally:
        await consumer.close()


def shuffled(said: Sequence[Told], order: Any) -> list[Told]:
    """Everything once or more, in another order; that of each client's own kept or not."""
    sent = [told for told in said for _ in range(order.choice((1, 1, 2, 3)))]
    order.shuffle(sent)
    return sent
