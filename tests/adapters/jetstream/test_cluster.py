"""
A cluster of three brokers that loses the one that leads.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import time

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import attrs
import nats
import pytest

from clientela.adapters.jetstream.bus import JetStreamBus
from clientela.adapters.jetstream.connection import Broker
from clientela.adapters.jetstream.stream import MESSAGE_BYTES_MAX, STREAM, StreamShape
from clientela.adapters.memory import MemoryStore
from clientela.adapters.memory_leases import MemoryLeases
from clientela.adapters.nats_server import executable
from clientela.services.bus import BusError
from clientela.services.relay import Relay
from tests.adapters.jetstream.brokers import free_ports
from tests.services.streams import (
    MESSAGES,
    History,
    all_of,
    amiss,
    effects,
    positions,
    refs,
    rows_of,
)


NODES = 3
EVENTS = int(os.environ.get("CLIENTELA_STREAM_EVENTS", "1500"))
SECONDS_MAX = 120.0
POLL_SECONDS = 0.2


@attrs.define
class Cluster:
    """
    Three brokers on loopback.

    Attributes:
        folder: Their files.

        ports: Where they listen, for callers and for each other.
    """

    folder: Path
    ports: list[tuple[int, int]]
    _processes: dict[str, subprocess.Popen[bytes]] = attrs.field(
        factory=dict[str, subprocess.Popen[bytes]]
    )

    @property
    def broker(self) -> Broker:
        """A way in, through any of them."""
        return Broker(urls=tuple(f"nats://127.0.0.1:{port}" for port, _ in self.ports))

    def start(self) -> None:
        """Start all that do not run."""
        routes = ", ".join(f'"nats://127.0.0.1:{route}"' for _, route in self.ports)
        for number, (port, route) in enumerate(self.ports):
            name = f"n{number}"
            if name in self._processes:
                continue
            config = self.folder / f"{name}.conf"
            config.write_text(
                f'server_name: {name}\nlisten: "127.0.0.1:{port}"\n'
                f"max_payload: {MESSAGE_BYTES_MAX}\n"
                f'jetstream {{\n  store_dir: "{self.folder / name}"\n'
                "  sync_interval: always\n  max_file_store: 1TB\n}\n"
                f'cluster {{\n  name: tests\n  listen: "127.0.0.1:{route}"\n'
                f"  routes: [{routes}]\n}}\n",
                encoding="utf-8",
            )
            self._processes[name] = subprocess.Popen(
                [str(executable()), "--config", str(config)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL,
            )
        time.sleep(POLL_SECONDS)
        assert {None} == {process.poll() for process in self._processes.values()}

    def kill(self, name: str) -> None:
        """Kill -9 one of them."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End all of them."""
        for process in self._processes.values():
            process.kill()
            process.wait()

    async def leader(self) -> str:
        """Who leads the stream, as soon as somebody does."""
        deadline = time.monotonic() + SECONDS_MAX
        while not (name := await self._elected()):
            assert time.monotonic() < deadline, "nobody leads"
            await asyncio.sleep(POLL_SECONDS)
        return name

    async def _elected(self) -> str:
        for port, _ in self.ports:
            with contextlib.suppress(Exception):
                client = await nats.connect(f"nats://127.0.0.1:{port}", allow_reconnect=False)
                try:
                    info = await client.jetstream().stream_info(STREAM)
                finally:
                    await client.close()
                if info.cluster is not None and info.cluster.leader:
                    return info.cluster.leader
        return ""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A running cluster."""
    free = free_ports(2 * NODES)
    made = Cluster(tmp_path, list(zip(free[:NODES], free[NODES:], strict=True)))
    made.start()
    yield made
    made.stop()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + SECONDS_MAX
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[None]:
    """A relay at work."""
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_cluster_that_loses_its_leader_loses_no_event(cluster: Cluster):
    """
    G13, F8, R12: the leader of a stream of three copies is killed -9 under load; commands go on,
    and every event arrives, in order and once.
    """
    bus = JetStreamBus(cluster.broker, StreamShape(replicas=NODES))
    store, history, rng = MemoryStore(), History(20), random.Random(5)
    relay = Relay(store, MemoryLeases(), bus, MESSAGES, "a")
    async with running(relay):
        await until(lambda: relay.position == 0)
        for kill in range(2):
            for _ in range(EVENTS // 20):
                await history.grow(store, 5)
                relay.wake()
                await asyncio.sleep(rng.random() / 100)
            await asyncio.to_thread(cluster.kill, await cluster.leader())
            for _ in range(EVENTS // 20):
                await history.grow(store, 5)
                relay.wake()
                await asyncio.sleep(rng.random() / 100)
            last = await store.last_position()
            await until(lambda last=last: relay.position == last)  # type: ignore[misc]
            if not kill:
                cluster.start()
                await asyncio.sleep(0)
    held = await readable(bus, await store.last_position())
    await bus.close()
    rows = await rows_of(store)

    assert [row.position for row in rows] == positions(held)
    assert [] == amiss(held)
    assert refs(rows) == effects(held)


async def readable(bus: JetStreamBus, last: int) -> list:  # type: ignore[type-arg]
    """The stream, once what is left of the cluster has found its leader."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        with contextlib.suppress(BusError):
            held = await all_of(bus)
            if positions(held)[-1:] == [last]:
                return held
        await asyncio.sleep(0.1)
    raise AssertionError("the stream cannot be read")
