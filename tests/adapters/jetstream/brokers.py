"""
Real brokers for tests: `nats-server` processes on loopback, which can be killed and started anew.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import time

from collections.abc import Iterator
from pathlib import Path

import attrs

from clientela.adapters.jetstream.connection import Broker
from clientela.adapters.jetstream.stream import MESSAGE_BYTES_MAX
from clientela.adapters.nats_server import executable


STARTED_SECONDS_MAX = 60.0
POLL_SECONDS = 0.02

ACCOUNTS = 300
"""Accounts of a broker: every test gets one, and with it a stream that is its own."""

PORTS = range(20_000, 30_000)
"""Below those that systems give to connections: nobody takes the port of a broker that is down."""

PORT_TRIES_MAX = 100


@attrs.define
class RealBroker:
    """
    A broker process.

    Attributes:
        folder: Its files.

        port: Where it listens.

        is_synced: Whether it syncs every message.

        payload_max: Bytes of a message that it takes.
    """

    folder: Path
    port: int
    is_synced: bool = True
    payload_max: int = MESSAGE_BYTES_MAX
    _process: subprocess.Popen[bytes] | None = None
    _given: int = 0

    def start(self) -> None:
        """Start it, and return when it listens."""
        config = self.folder / "broker.conf"
        config.write_text(self._config(), encoding="utf-8")
        self._process = subprocess.Popen(
            [str(executable()), "--config", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + STARTED_SECONDS_MAX
        while not self._listens():
            assert self._process.poll() is None, "the broker ended"
            assert time.monotonic() < deadline, "the broker does not listen"
            time.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """Kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Stop it where it is; it answers nobody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def wipe(self) -> None:
        """Throw its store away; it must not run."""
        shutil.rmtree(self.folder / "store")

    def account(self) -> Broker:
        """A way in that nobody else has been given."""
        number, self._given = self._given, self._given + 1
        assert number < ACCOUNTS
        return Broker(urls=(f"nats://t{number}:t@127.0.0.1:{self.port}",))

    def _config(self) -> str:
        accounts = "".join(
            f"  T{n}: {{ jetstream: enabled, users: [{{ user: t{n}, password: t }}] }}\n"
            for n in range(ACCOUNTS)
        )
        synced = "  sync_interval: always\n" if self.is_synced else ""
        return (
            f'listen: "127.0.0.1:{self.port}"\n'
            f"max_payload: {self.payload_max}\n"
            f'jetstream {{\n  store_dir: "{self.folder / "store"}"\n'
            f"  max_file_store: 1000TB\n{synced}}}\n"
            f"accounts {{\n{accounts}}}\n"
        )

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            # One that is paused would not hear of it.
            self._process.send_signal(signal.SIGCONT)
            self._process.wait()
            self._process = None


def free_ports(count: int) -> list[int]:
    """Different ports on loopback where nobody listens."""
    with contextlib.ExitStack() as held:
        found: list[int] = []
        for _ in range(PORT_TRIES_MAX):
            probe = held.enter_context(socket.socket())
            port = random.SystemRandom().choice(PORTS)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
            if len(found) == count:
                return found
    raise AssertionError("no port is free")


@contextlib.contextmanager
def broker(
    folder: Path, *, is_synced: bool = True, payload_max: int = MESSAGE_BYTES_MAX
) -> Iterator[RealBroker]:
    """A running broker over a folder, ended with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    [port] = free_ports(1)
    made = RealBroker(folder, port, is_synced, payload_max)
    made.start()
    try:
        yield made
    finally:
        made.stop()
