"""
The check that everything kept agrees: rows, chains, states, snapshots, due moments, read models.

The journal is read once for its chains, once for each journal's states and once for every so many
rows of read models; only ends of journals and keys of rows stay in memory. Others may write
meanwhile: what they write is no fault.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

import attrs

from clientela.domain.ids import JournalId
from clientela.services.core import Core
from clientela.services.envelope import BrokenChainError, DamagedError, check_chain, checked
from clientela.services.journal_verification import JournalVerification
from clientela.services.ports import GAPS
from clientela.services.read_models import ReadModel
from clientela.services.row_verification import (
    PROBLEMS_MAX,
    ROWS_AT_ONCE,
    RowVerification,
    rows_upto,
)
from clientela.services.rows import Head, StoredEvent


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


class Verification:
    """
    One check of everything kept.

    Args:
        core: Where it is kept.

        models: Read models to be checked.

        rows_at_once: Rows of one read model held in memory.
    """

    def __init__(
        self, core: Core, models: Sequence[ReadModel], rows_at_once: int = ROWS_AT_ONCE
    ) -> None:
        self._core = core
        self._store = core.store
        self._records = core.path.records
        self._models = models
        self._rows_at_once = rows_at_once
        self._heads: dict[JournalId, Head] = {}
        self._keys: dict[str, set[str]] = {model.name: set() for model in models}
        self._problems: list[str] = []

    async def run(self) -> Findings:
        """
        Check everything that is there when it begins.

        Raises:
            StoreError: the store cannot be reached.
        """
        events = await self._check_events(await self._store.last_position())
        journals = {*self._heads, *[journal_id async for journal_id in self._listed()]}
        checking = JournalVerification(self._core, self._heads)
        async for problem in checking.problems(sorted(journals)):
            self._note([problem])
            if self._is_full:
                break
        if not self._is_full:
            rows = RowVerification(self._core, self._keys, self._rows_at_once)
            self._note(await rows.problems(self._models))
        return Findings(problems=tuple(self._problems), journals=len(journals), events=events)

    @property
    def _is_full(self) -> bool:
        return len(self._problems) >= PROBLEMS_MAX

    def _note(self, problems: Iterable[str]) -> None:
        for problem in problems:
            if not self._is_full:
                self._problems.append(problem)

    async def _check_events(self, until: int) -> int:
        """Positions, chains and columns of all events up to a position; how many there are."""
        count = position = 0
        may_skip = bool(await self._store.note(GAPS))
        async for row in rows_upto(self._store, 0, until):
            if row.position <= position or (row.position != position + 1 and not may_skip):
                self._note([f"position {row.position} does not follow on {position}"])
            position = row.position
            count += 1
            self._check_event(row)
        if position < until:
            self._note([f"nothing follows on position {position}, though {until} is the last"])
        return count

    def _check_event(self, row: StoredEvent) -> None:
        try:
            self._heads[row.journal] = check_chain([row], self._heads.get(row.journal))
        except BrokenChainError as broken:
            self._note([str(broken)])
            self._heads[row.journal] = Head(row.version, row.hash, row.recorded_at)
        try:
            recorded = checked(self._records.codec, row)
        except DamagedError as damaged:
            self._note([str(damaged)])
            return
        for model in self._models:
            key = model.key(recorded)
            if key is not None:
                self._keys[model.name].add(key)

    async def _listed(self) -> AsyncIterator[JournalId]:
        """All journals that have an end."""
        after = ""
        while page := await self._store.journals(after):
            for journal_id in page:
                yield journal_id
            after = str(page[-1])
