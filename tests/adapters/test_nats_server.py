"""
The broker that a service starts for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from clientela.adapters.events_out import EmbeddedBroker
from clientela.adapters.jetstream.bus import JetStreamBus
from clientela.adapters.jetstream.connection import Broker
from clientela.adapters.nats_server import EmbeddedServer
from clientela.services.bus import BusError, BusUnavailableError
from tests.services.streams import all_of, messages, positions


SECONDS_MAX = 60.0

PARENT = """
import asyncio, sys
from pathlib import Path
from clientela.adapters.nats_server import EmbeddedServer

async def main():
    server = EmbeddedServer(Path(sys.argv[1]))
    await server.start()
    print(server.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """A server that has started."""
    made = EmbeddedServer(tmp_path / "nats")
    await made.start()
    yield made
    await made.stop()


@contextlib.asynccontextmanager
async def kept_running(server: EmbeddedServer) -> AsyncIterator[None]:
    """A server that is started again when it ends."""
    task = asyncio.create_task(server.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def process(*command: str) -> subprocess.Popen[str]:
    """A process whose output can be read."""
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + SECONDS_MAX
    while not await is_so():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and not only what is left of it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def reached(server: EmbeddedServer) -> int:
    """Position of the last event in the server's stream."""
    bus = JetStreamBus(EmbeddedBroker(server))
    try:
        return (await bus.join()).position
    finally:
        await bus.close()


async def test_it_serves_a_stream_to_whoever_has_the_token(server: EmbeddedServer):
    """R12: a server of our own takes events, and lets nobody in who cannot read its token file."""
    bus = JetStreamBus(EmbeddedBroker(server))
    await (await bus.join()).publish(messages(50))
    held = await all_of(bus)
    await bus.close()
    stranger = JetStreamBus(Broker(urls=(server.url,)))
    with pytest.raises(BusUnavailableError):
        await stranger.join()

    assert list(range(1, 51)) == positions(held)


async def test_its_files_are_for_the_owner_only(server: EmbeddedServer):
    """S9: folder, token and configuration are readable by the owner alone."""
    modes = {
        name: stat.S_IMODE((server.folder / name).stat().st_mode)
        for name in ("token", "server.conf", "server.json", "lock")
    }

    assert dict.fromkeys(modes, 0o600) == modes
    assert 0o700 == stat.S_IMODE(server.folder.stat().st_mode)


async def test_it_syncs_always_and_listens_on_loopback(server: EmbeddedServer):
    """R12, G3: without syncing always acknowledged events go in a power cut."""
    said = (server.folder / "server.conf").read_text("utf-8")

    assert "sync_interval: always" in said
    assert 'listen: "127.0.0.1:' in said
    assert server.url.startswith("nats://127.0.0.1:")


async def test_stopping_ends_it_and_what_it_took_stays(server: EmbeddedServer):
    """The next server over the same files has the same stream, at the same address."""
    bus = JetStreamBus(EmbeddedBroker(server))
    await (await bus.join()).publish(messages(50))
    await bus.close()
    pid, url = server.pid, server.url
    await server.stop()
    assert pid is not None
    assert not is_alive(pid)
    again = EmbeddedServer(server.folder)
    await again.start()

    assert url == again.url
    assert 50 == await reached(again)
    await again.stop()


async def test_server_that_was_killed_is_started_again(server: EmbeddedServer):
    """F8: killed -9, the server is back at the same address with everything it took."""
    bus = JetStreamBus(EmbeddedBroker(server))
    await (await bus.join()).publish(messages(50))
    await bus.close()
    killed, url = server.pid, server.url
    assert killed is not None
    async with kept_running(server):
        os.kill(killed, signal.SIGKILL)

        async def is_back() -> bool:
            if server.pid in {None, killed}:
                return False
            with contextlib.suppress(BusError):
                return await reached(server) == 50
            return False

        await until(is_back)

    assert url == server.url


async def test_of_two_processes_one_runs_it_and_both_use_it(server: EmbeddedServer):
    """G9: two never serve the same files; when the one that ran it ends, the other runs it."""
    other = EmbeddedServer(server.folder)
    await other.start()
    assert other.pid is None
    assert server.url == other.url
    async with kept_running(other):
        await server.stop()

        async def has_taken_over() -> bool:
            return other.pid is not None and is_alive(other.pid)

        await until(has_taken_over)

        async def answers() -> bool:
            with contextlib.suppress(BusError):
                return await reached(other) == 0
            return False

        await until(answers)
    await other.stop()


async def test_who_does_not_run_it_makes_no_token(server: EmbeddedServer):
    """Of two processes that begin at once only the one that runs the server says what lets in."""
    server.token_file.unlink()
    second = EmbeddedServer(server.folder)
    await second.start()
    await second.stop()

    assert not server.token_file.exists()


async def test_files_are_not_served_twice_while_the_server_lives(server: EmbeddedServer):
    """G9: who ran the server has gone without ending it: the next one uses it, as it is."""
    os.close(server._lock)
    server._lock = -1
    other = EmbeddedServer(server.folder)
    await other.start()

    assert other.pid is None
    assert server.url == other.url
    await other.stop()


async def test_no_foreign_process_is_killed(tmp_path: Path):
    """What an old address file says of a process is not believed: that process lives on."""
    foreign = process("sleep", "600")
    try:
        folder = tmp_path / "nats"
        folder.mkdir()
        said = {"port": 1, "pid": foreign.pid, "parent": foreign.pid}
        (folder / "server.json").write_text(json.dumps(said), encoding="utf-8")
        server = EmbeddedServer(folder)
        await server.start()
        await server.stop()

        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.communicate()


async def test_it_ends_with_its_parent(tmp_path: Path):
    """A service killed -9 leaves no server behind, and its files can be served again."""
    folder = tmp_path / "nats"
    parent = process(sys.executable, "-c", PARENT, str(folder))
    assert parent.stdout is not None
    pid = int(await asyncio.to_thread(parent.stdout.readline))
    assert is_alive(pid)
    parent.kill()
    parent.communicate()

    async def is_gone() -> bool:
        return not is_alive(pid)

    await until(is_gone)
    server = EmbeddedServer(folder)
    await server.start()

    async def is_served() -> bool:
        try:
            return await reached(server) == 0
        except BusUnavailableError:
            # A busy machine; whoever uses a broker asks again as well.
            return False

    await until(is_served)
    await server.stop()


async def test_spoilt_address_file_is_no_address(tmp_path: Path):
    """An address file that says nothing sensible is as good as none."""
    folder = tmp_path / "nats"
    folder.mkdir()
    (folder / "server.json").write_text("{", encoding="utf-8")
    server = EmbeddedServer(folder)
    with pytest.raises(BusUnavailableError):
        _ = server.url
    await server.start()
    await server.stop()
