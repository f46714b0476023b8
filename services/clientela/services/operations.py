"""
Operations: moving virtual time, and checking that everything kept agrees.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import attrs

from clientela.domain.codec import canonical
from clientela.domain.errors import RefusedError
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import JournalId
from clientela.domain.record import Journal, Record
from clientela.services.clocks import VirtualClock
from clientela.services.core import Core
from clientela.services.envelope import BrokenChainError, check_chain, decode
from clientela.services.read_models import ReadModel
from clientela.services.rows import Head
from clientela.services.views import Needs


PROBLEMS_MAX = 1_000

READINGS_MAX = 10
"""How often something is checked again because somebody has written meanwhile."""

CLOCK = "clock"
"""Note: the moment at which virtual time stands; nothing while the store runs in real time."""


class RealClockError(RefusedError):
    """The store runs in real time, which nobody moves."""

    reason = "CLOCK_REAL"

    def __init__(self) -> None:
        super().__init__(
            "this store runs in real time: start it with a virtual clock", rule="operation.clock"
        )


class Keeper(Protocol):
    """What only the keeper of files and keys can do."""

    @property
    def data_dir(self) -> Path:
        """Where the store is."""
        ...

    async def rotate_keys(self, now: datetime) -> int:
        """Replace the key-encryption key; how many keys of persons were wrapped anew."""
        ...

    async def back_up(self, path: Path) -> None:
        """
        Copy the store to a new file.

        Raises:
            InvalidValueError: the path is not absolute, or there is something already.
        """
        ...

    async def faults(self) -> tuple[str, ...]:
        """What is wrong with the file itself."""
        ...


@attrs.frozen(kw_only=True)
class Findings:
    """
    What a check found.

    Attributes:
        problems: What is wrong, at most `PROBLEMS_MAX`.

        journals: Journals checked.

        events: Events checked.
    """

    problems: tuple[str, ...]
    journals: int
    events: int


async def advance(core: Core, to: datetime) -> int:
    """
    Move virtual time to *to*.

    Returns:
        How many journals were moved.

    Raises:
        RealClockError: the store runs in real time.
    """
    clock = core.clock
    if not isinstance(clock, VirtualClock):
        raise RealClockError
    moved = await core.scheduler.advance(max(to, clock.now()))
    clock.move(to)
    await core.store.note(CLOCK, clock.now().isoformat())
    return moved


async def verify(core: Core, models: tuple[ReadModel, ...], keeper: Keeper) -> Findings:
    """Check hashes, states, due moments, read models and the file against the journal."""
    checking = _Checking(core, models)
    await checking.read()
    problems = [*await keeper.faults()]
    for journal_id in sorted(checking.heads):
        problems.extend(await checking.lasting(checking.journal, journal_id))
    for model in models:
        for key in checking.keys(model):
            problems.extend(await checking.lasting(checking.row, model, key))
    return Findings(
        problems=(*checking.problems, *problems)[:PROBLEMS_MAX],
        journals=len(checking.heads),
        events=checking.events,
    )


class _Checking:
    """One reading of the whole journal, and what it must come to."""

    def __init__(self, core: Core, models: tuple[ReadModel, ...]) -> None:
        self._core = core
        self._rulebook = core.path.records.rulebook
        self._rows: dict[str, dict[str, Any]] = {model.name: {} for model in models}
        self._models = models
        self._folded: dict[JournalId, Journal] = {}
        self.heads: dict[JournalId, Head] = {}
        self.problems: list[str] = []
        self.events = 0
        self._position = 0

    async def read(self) -> bool:
        """Read every event not read yet: hashes, states, rows of read models; whether any came."""
        begin = self._position
        while page := await self._core.store.read_all(self._position):
            for row in page:
                self._position = row.position
                self.events += 1
                try:
                    self.heads[row.journal] = check_chain([row], self.heads.get(row.journal))
                except BrokenChainError as broken:
                    self.problems.append(str(broken))
                    self.heads[row.journal] = Head(row.version, row.hash, row.recorded_at)
                self._fold(decode(self._core.path.records.codec, row))
        return self._position > begin

    async def lasting(self, check: Callable[..., Awaitable[list[str]]], *of: Any) -> list[str]:
        """What *check* finds wrong, and not only because something was written meanwhile."""
        problems = await check(*of)
        for _ in range(READINGS_MAX):
            if not problems or not await self.read():
                break
            problems = await check(*of)
        return problems

    def _fold(self, recorded: RecordedEvent) -> None:
        journal_id = recorded.journal
        if journal_id not in self._folded:
            self._folded[journal_id] = self._rulebook.empty(journal_id).thaw()
        self._rulebook.evolve(self._folded[journal_id], recorded)
        for model in self._models:
            key = model.key(recorded)
            if key is not None:
                rows = self._rows[model.name]
                rows[key] = model.evolve(rows.get(key), recorded)

    async def journal(self, journal_id: JournalId) -> list[str]:
        """What is wrong with a journal as it is kept."""
        view = await self._core.path.records.load(Needs(journals=(journal_id,)))
        kept = view.record.journal(journal_id.kind)
        folded = self._folded[journal_id].thaw().seal()
        problems: list[str] = []
        if view.heads[journal_id] != self.heads[journal_id]:
            problems.append(f"{journal_id}: its head is not its last event")
        if self._plain(kept) != self._plain(folded):
            problems.append(f"{journal_id}: what is kept of it is not what its events come to")
        due = self._rulebook.due(Record([folded]), view.definitions)
        if due != await self._core.store.due_at(journal_id):
            problems.append(f"{journal_id}: its due moment is not what its events come to")
        return problems

    def keys(self, model: ReadModel) -> tuple[str, ...]:
        """Keys of the rows that a read model must have."""
        return tuple(self._rows[model.name])

    async def row(self, model: ReadModel, key: str) -> list[str]:
        """What is wrong with a row of a read model."""
        kept = await self._core.reads.get(model, key)
        if kept is not None and self._bytes(kept) == self._bytes(self._rows[model.name][key]):
            return []
        return [f"{model.name} {key}: not what the journal comes to"]

    def _plain(self, journal: Journal) -> bytes:
        states = {kind.__name__: state for kind, state in journal.states.items()}
        return self._bytes_of({name: self._codec_plain(s) for name, s in states.items()})

    def _bytes(self, state: Any) -> bytes:
        return self._bytes_of(self._codec_plain(state))

    def _codec_plain(self, state: Any) -> Any:
        return self._core.path.records.codec.plain(state)

    @staticmethod
    def _bytes_of(plain: Any) -> bytes:
        return canonical(plain)
