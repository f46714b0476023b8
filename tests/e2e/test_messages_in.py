"""
Messages in: the service with a broker of its own, killed while tills tell it what they sold.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
import subprocess
import sys
import time

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nats
import nats.errors
import pytest

from nats.js import JetStreamContext

from clientela.sdk import connect
from clientela.v1.client_pb2 import RegisterClientRequest
from clientela.v1.insight_pb2 import GetStatsRequest, Stats
from tests.adapters.consumers.shop import PROGRAMME, Told, purchase, returned
from tests.e2e.process import Shop, kill


CLIENTS = tuple(f"client-{number}" for number in range(5))
RECEIPTS = 24
KILLS = 3
SECONDS_MAX = 180.0
POLL_SECONDS = 0.05
EXAMPLE = Path(__file__).parents[2] / "examples" / "subscriber.py"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A data folder of a service in real time."""
    return Shop(tmp_path / "data", is_virtual=False)


def day() -> list[Told]:
    """What the tills tell: purchases of every client, of which every third thing comes back."""
    said = [
        purchase(client, f"{client}-{number}", number + 1, number / 10)
        for number in range(RECEIPTS)
        for client in CLIENTS
    ]
    back = [
        returned(client, f"s-{client}-{number}", f"{client}-{number}", 5.0)
        for number in range(0, RECEIPTS, 3)
        for client in CLIENTS
    ]
    return said + back


POINTS = sum(number + 1 for number in range(RECEIPTS))
"""Points that each client earns."""

REVOKED = sum(number + 1 for number in range(0, RECEIPTS, 3))
"""Points that each client loses again."""


@contextlib.asynccontextmanager
async def broker(shop: Shop) -> Any:
    """A connection to the broker of the shop, wherever it listens at the moment."""
    folder = shop.folder / "nats"
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        try:
            port = json.loads((folder / "server.json").read_text("utf-8"))["port"]
            token = (folder / "token").read_text("utf-8").strip()
            connection = await nats.connect(
                f"nats://127.0.0.1:{port}", token=token, allow_reconnect=False, connect_timeout=2
            )
            break
        except (OSError, nats.errors.Error, ValueError):
            assert time.monotonic() < deadline, "the broker does not come back"
            await asyncio.sleep(POLL_SECONDS)
    try:
        yield connection.jetstream()
    finally:
        with contextlib.suppress(nats.errors.Error, OSError):
            await connection.close()


async def publish(js: JetStreamContext, said: list[Told]) -> None:
    """Tell everything in *said*, taking out what is acknowledged."""
    while said:
        await js.publish(f"clientela.in.v1.{said[0].kind}", said[0].raw, timeout=5)
        said.pop(0)


async def told(shop: Shop, said: list[Told]) -> None:
    """Tell everything, however often the broker goes away meanwhile."""
    deadline = time.monotonic() + SECONDS_MAX
    while said:
        assert time.monotonic() < deadline, "not everything can be told"
        async with broker(shop) as js:
            with contextlib.suppress(nats.errors.Error, OSError):
                await publish(js, said)


def address(shop: Shop) -> str:
    """Where the service listens."""
    return str(json.loads((shop.folder / "service.json").read_text("utf-8"))["address"])


async def begun(shop: Shop) -> None:
    """Apply the programme and register the clients."""
    (shop.folder / "shop.toml").write_text(PROGRAMME)
    await asyncio.to_thread(shop.run, "apply", shop.folder / "shop.toml", "--yes")
    async with connect(address(shop), actor="service/till") as client:
        for name in CLIENTS:
            await client.clients.RegisterClient(RegisterClientRequest(client_id=name))


@contextlib.contextmanager
def following(shop: Shop, path: Path) -> Iterator[None]:
    """The example of a subscriber at work."""
    port = json.loads((shop.folder / "nats" / "server.json").read_text("utf-8"))["port"]
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLE), address(shop), f"nats://127.0.0.1:{port}", str(path)],
        env={"NATS_TOKEN_FILE": str(shop.folder / "nats" / "token"), "PATH": ""},
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def counted(path: Path) -> dict[str, int]:
    """What the example has counted so far."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            return dict(connection.execute("SELECT wallet, earned FROM points"))
        except sqlite3.OperationalError:
            return {}


async def figures(shop: Shop) -> Stats:
    """What the service knows."""
    async with connect(address(shop), actor="service/till") as client:
        return await client.insight.GetStats(GetStatsRequest())


async def reached(shop: Shop) -> Stats:
    """The figures, as soon as everything told is in them."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        found = await figures(shop)
        is_in = found.trade.purchases == len(CLIENTS) * RECEIPTS
        if is_in and found.points.revoked == len(CLIENTS) * REVOKED:
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(POLL_SECONDS)


async def work(shop: Shop, dice: random.Random, said: list[Told]) -> None:
    """Serve and be killed, again and again, while the tills tell."""
    telling = asyncio.create_task(told(shop, said))
    for _ in range(KILLS):
        await asyncio.sleep(dice.uniform(0.2, 1.0))
        service = await asyncio.to_thread(shop.begin, "serve", "--port", 0, "--bus", "embedded")
        await asyncio.to_thread(shop.wait_for_service, service)
        await asyncio.sleep(dice.uniform(0.1, 1.5))
        await asyncio.to_thread(kill, service)
    with shop.served("--bus", "embedded"):
        await telling
        found = await reached(shop)
        assert len(CLIENTS) * POINTS == found.points.issued
        assert len(CLIENTS) * (POINTS - REVOKED) == found.points.outstanding
        assert [] == (await asyncio.to_thread(shop.run, "parked", "list", "-o", "json")).json


def test_killed_service_takes_every_message_once(shop: Shop, tmp_path: Path):
    """
    F1, F10, G13: killed -9 with messages in hand, the service and its broker come back and take
    every message once; a subscriber of its events counts the same points.
    """
    dice = random.Random(11)
    said = [each for each in day() for _ in range(dice.choice((1, 1, 2)))]
    with shop.served("--bus", "embedded"):
        asyncio.run(begun(shop))
    asyncio.run(work(shop, dice, said))
    verified = shop.run("verify", code=None)
    assert 0 == verified.code, verified.out

    path = tmp_path / "points.db"
    deadline = time.monotonic() + SECONDS_MAX
    with shop.served("--bus", "embedded"), following(shop, path):
        while counted(path) != dict.fromkeys(CLIENTS, POINTS):
            assert time.monotonic() < deadline, counted(path)
            time.sleep(POLL_SECONDS)


def test_messages_are_left_on_the_bus_when_they_are_not_wanted(shop: Shop):
    """
    `--no-inbound` takes nothing; what waits is taken by the next service that does.
    """
    with shop.served("--bus", "embedded"):
        asyncio.run(begun(shop))
    said = [purchase(CLIENTS[0], "r-1", 7)]
    with shop.served("--bus", "embedded", "--no-inbound"):
        asyncio.run(told(shop, said))
        assert 0 == asyncio.run(figures(shop)).trade.purchases
    with shop.served("--bus", "embedded"):
        deadline = time.monotonic() + SECONDS_MAX
        while asyncio.run(figures(shop)).trade.purchases != 1:
            assert time.monotonic() < deadline, "the message is not taken"
    refused = shop.run("serve", "--bus", "none", "--inbound", code=2)
    assert "a bus" in refused.errors
