"""
A JetStream broker of our own on loopback, for one benchmark.
"""

from __future__ import annotations

import socket
import subprocess
import time

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from benchmarks.processes import ChildError, cpu_seconds, resident_bytes, stop
from clientela.adapters.jetstream.stream import MESSAGE_BYTES_MAX
from clientela.adapters.nats_server import executable


STARTED_SECONDS_MAX = 60.0
POLL_SECONDS = 0.02
HOST = "127.0.0.1"


@attrs.frozen(kw_only=True)
class BareBroker:
    """
    A broker that runs.

    Attributes:
        pid: Its process.

        url: Where it listens.
    """

    pid: int
    url: str

    def cpu_seconds(self) -> float:
        """CPU time of it so far."""
        return cpu_seconds(self.pid)

    def resident_bytes(self) -> int:
        """Memory of it that is in RAM."""
        return resident_bytes(self.pid)


@contextmanager
def broker(folder: Path, *, is_synced: bool = False) -> Iterator[BareBroker]:
    """
    A broker with its files in *folder*, from here to the end of the block.

    Args:
        folder: Made if need be.

        is_synced: Whether it syncs every message to disk, as the one that a service starts for
            itself; else it does as it comes, every two minutes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    binary = executable()
    if binary is None:
        raise ChildError("nats-server")
    port = _free_port()
    config = folder / "broker.conf"
    synced = "  sync_interval: always\n" if is_synced else ""
    config.write_text(
        f'listen: "{HOST}:{port}"\n'
        f"max_payload: {MESSAGE_BYTES_MAX}\n"
        f'jetstream {{\n  store_dir: "{folder / "store"}"\n  max_file_store: 1TB\n{synced}}}\n',
        encoding="utf-8",
    )
    with (folder / "broker.log").open("a") as log:
        process = subprocess.Popen(  # noqa: S603 (the one of this environment)
            [str(binary), "--config", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            text=True,
        )
    try:
        _await_listening(process, port)
        yield BareBroker(pid=process.pid, url=f"nats://{HOST}:{port}")
    finally:
        stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _await_listening(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + STARTED_SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(POLL_SECONDS)
    raise ChildError("nats-server")
