"""
The example of a subscriber, run as a process, killed and started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import sys
import time
import uuid

from pathlib import Path

import pytest

from google.type.money_pb2 import Money

from clientela.adapters.bootstrap import serving
from clientela.adapters.settings import NO_BUS, Settings
from clientela.sdk import connect
from clientela.services.event_messages import JOURNAL, MESSAGE_ID, EventMessages
from clientela.v1.client_pb2 import RegisterClientRequest
from clientela.v1.common_pb2 import BusinessKey
from clientela.v1.definition_pb2 import ApplyDefinitionsRequest
from clientela.v1.purchase_pb2 import Line, RecordPurchaseRequest
from tests.adapters.jetstream.brokers import broker
from tests.sdk.broker import events_stream, stream


EXAMPLE = Path(__file__).parents[2] / "examples" / "subscriber.py"
LINES_MAX = 80
SECONDS_MAX = 120.0
WHILE_SECONDS = 3.0
POLL_SECONDS = 0.01
CLIENTS = 4
PURCHASES = 8
KILLS = 3

PROGRAMME = """
[loyalty]
currency = "EUR"
never_expires = true
shortfall = "debt"
enrol = "on-first-purchase"
awards = [{ points = 1, per_minor = 100, rounding = "line" }]
"""


def test_example_stays_short():
    """
    A reader takes the example in at one look: at most 80 lines.
    """
    assert LINES_MAX >= len(EXAMPLE.read_text(encoding="utf-8").splitlines())


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A broker."""
    with broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


async def trade(client):
    """A programme, clients and what they bought; the points that each has earned."""
    await client.definitions.ApplyDefinitions(ApplyDefinitionsRequest(toml=PROGRAMME))
    earned: dict[str, int] = {}
    for number in range(CLIENTS):
        name = f"client-{number}"
        await client.clients.RegisterClient(RegisterClientRequest(client_id=name))
        for receipt in range(PURCHASES):
            line = Line(
                line_id="1",
                sku="tea",
                quantity=1,
                net=Money(currency_code="EUR", units=number + receipt + 1),
            )
            key = BusinessKey(source="till", id=f"{number}-{receipt}")
            request = RecordPurchaseRequest(client_id=name, purchase=key, lines=[line])
            await client.purchases.RecordPurchase(request)
            earned[name] = earned.get(name, 0) + number + receipt + 1
    return earned


async def messages_of(core):
    """Every event as the relay sends it."""
    codec = core.path.records.codec
    classes = core.path.records.rulebook.event_classes
    messages = EventMessages(classes, codec, core.sessions.blind)
    return [messages.of(row) for row in await core.store.read_all()]


def counted(path):
    """What the example has counted so far."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            return dict(connection.execute("SELECT wallet, earned FROM points"))
        except sqlite3.OperationalError:
            return {}


def spoilt(messages, order):
    """Messages lost, duplicated and reordered; the last one of every journal comes at the end."""
    sent = [message for message in messages for _ in range(order.choice((0, 1, 2)))]
    order.shuffle(sent)
    return [*sent, *{message.headers[JOURNAL]: message for message in messages}.values()]


async def publish(js, messages):
    """Publish messages; the broker remembers no id of any."""
    for message in messages:
        headers = {**message.headers, MESSAGE_ID: str(uuid.uuid4())}
        await js.publish(message.subject, message.body, headers=headers)


async def run_until(arguments, condition, seconds):
    """Run the example until *condition* holds or some time has passed, then kill it."""
    process = await asyncio.create_subprocess_exec(sys.executable, str(EXAMPLE), *arguments)
    deadline = time.monotonic() + seconds
    try:
        while not condition() and time.monotonic() < deadline:
            assert process.returncode is None, "the example ended"
            await asyncio.sleep(POLL_SECONDS)
    finally:
        process.kill()
        await process.wait()


async def test_example_counts_each_event_once_through_kills(served, tmp_path):
    """
    G13, F10: killed -9 again and again, with messages duplicated, reordered and lost on the way,
    the example counts what the service has issued, no point more or less.
    """
    order = random.Random(3)
    path, url = tmp_path / "points.db", served.account().urls[0]
    async with (
        serving(Settings(data_dir=tmp_path / "data", port=0, bus=NO_BUS)) as running,
        connect(running.target, actor="service/till") as client,
        stream(url) as js,
    ):
        await events_stream(js)
        earned = await trade(client)
        sent = spoilt(await messages_of(running.core), order)
        arguments = (running.target, url, str(path))
        share = len(sent) // KILLS
        for begin in range(0, len(sent), share):
            before = counted(path)
            await publish(js, sent[begin : begin + share])
            await run_until(arguments, lambda before=before: counted(path) != before, WHILE_SECONDS)
        await run_until(arguments, lambda: counted(path) == earned, SECONDS_MAX)

        assert earned == counted(path)
