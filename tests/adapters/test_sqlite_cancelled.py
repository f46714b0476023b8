"""
Whoever goes away while the thread of the file writes for them spoils nothing of what others do.
"""

from __future__ import annotations

import asyncio
import threading

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from clientela.adapters.sqlite.jobs import Job, Outcome
from clientela.adapters.sqlite.reads import SqliteReads
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.sqlite.writer import Writer
from clientela.services.read_models import ReadModel, ReadModels, Row
from tests.domain.spec import TrimmedForms
from tests.services.firm import IVO, MARTA, Firm


ALL = "all"


class HeldWriter(Writer):
    """A writer that stops once in the middle of a transaction."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.is_to_stop = False
        self.has_stopped = threading.Event()
        self.may_go_on = threading.Event()
        self.has_committed = threading.Event()

    def _execute(self, group: list[Job]) -> list[Outcome]:
        outcomes = super()._execute(group)
        if self.is_to_stop:
            self.has_stopped.set()
            self.may_go_on.wait()
        return outcomes

    def _acknowledge(self, outcomes: list[Outcome]) -> None:
        if self.may_go_on.is_set():
            self.has_committed.set()
        super()._acknowledge(outcomes)


class HeldStore(SqliteStore):
    """A store with such a writer."""

    writer = HeldWriter


class LateReads(SqliteReads):
    """Rows of which the first are written slowly: they land while others are about to look."""

    def __init__(self, store: SqliteStore, writer: HeldWriter) -> None:
        super().__init__(store)
        self._writer = writer
        self._is_first = True

    async def rows(self, model: str, keys: Iterable[str]) -> Mapping[str, bytes]:
        """Bodies of those rows that exist, after what was under way has landed."""
        if self._writer.is_to_stop:
            self._writer.is_to_stop = False
            self._writer.may_go_on.set()
            await asyncio.to_thread(self._writer.has_committed.wait)
        return await super().rows(model, keys)

    async def write(self, model: str, position: int, rows: Mapping[str, Row]) -> None:
        """Put rows in and note the position."""
        self._writer.is_to_stop, self._is_first = self._is_first, False
        await super().write(model, position, rows)


@attrs.frozen
class Tally:
    """How many events there were."""

    count: int


TALLY = ReadModel(
    name="tally.v1",
    state=Tally,
    key=lambda _recorded: ALL,
    evolve=lambda tally, _recorded: Tally((tally.count if tally else 0) + 1),
    terms=lambda _tally, _naming: (),
)


async def test_event_is_taken_in_once_though_a_caller_goes_away(tmp_path: Path):
    """
    Design 4: whoever goes away while a page of events is being written for them leaves it taken in
    or not; who comes meanwhile takes no event in twice.
    """
    store = await HeldStore.open(tmp_path / "company.db")
    firm = await Firm(store).open(MARTA, IVO)  # type: ignore[arg-type]  # as good as one in memory
    writer = store._writer
    assert isinstance(writer, HeldWriter)
    reads = LateReads(store, writer)
    models = ReadModels(
        (TALLY,), store, reads, firm.codec, sessions=firm.sessions, forms=TrimmedForms()
    )

    leaver = asyncio.create_task(models.catch_up(TALLY))
    await asyncio.to_thread(writer.has_stopped.wait)
    leaver.cancel()
    await asyncio.wait({leaver})

    assert leaver.cancelled()
    assert Tally(await store.last_position()) == await models.get(TALLY, ALL)
    await store.close()
