"""
The check of read models: each row, what it is found by, and that there is none besides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from clientela.domain.event import RecordedEvent
from clientela.services.core import Core
from clientela.services.envelope import DamagedError, checked
from clientela.services.ports import JournalStore
from clientela.services.read_models import ReadModel, Row
from clientela.services.rows import StoredEvent
from clientela.services.store_errors import StoreError


PROBLEMS_MAX = 1_000
"""Problems that a check tells of."""

READINGS_MAX = 10
"""How often something is checked again because somebody has written meanwhile."""

ROWS_AT_ONCE = 100_000
"""Rows of one read model held in memory; the journal is read again for the next ones."""


class RowVerification:
    """
    Makes the rows of read models anew and compares.

    Args:
        core: Where they are kept.

        keys: Keys of the rows that there must be, by name of the model.

        rows_at_once: Rows of one read model held in memory.
    """

    def __init__(
        self, core: Core, keys: Mapping[str, Iterable[str]], rows_at_once: int = ROWS_AT_ONCE
    ) -> None:
        self._store = core.store
        self._reads = core.reads
        self._codec = core.path.records.codec
        self._keys = keys
        self._rows_at_once = rows_at_once

    async def problems(self, models: Iterable[ReadModel]) -> list[str]:
        """
        What is wrong with the rows of *models*, at most `PROBLEMS_MAX`.

        Raises:
            StoreError: the store cannot be reached.
        """
        problems: list[str] = []
        spans = {
            model.name: [
                _Span(model, after, last)
                for after, last in _ranges(self._keys[model.name], self._rows_at_once)
            ]
            for model in models
            if await self._is_up_to_date(model, problems)
        }
        for n in range(max(map(len, spans.values()), default=0)):
            here = [of[n] for of in spans.values() if n < len(of)]
            problems.extend(await self._faults(here))
            if len(problems) >= PROBLEMS_MAX:
                break
            for span in here:
                span.states.clear()
        return problems[:PROBLEMS_MAX]

    async def _is_up_to_date(self, model: ReadModel, problems: list[str]) -> bool:
        try:
            await self._reads.catch_up(model)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001  Whatever spoilt bytes make a decoder stumble over.
            problems.append(f"{model.name}: it cannot take the journal in")
            return False
        return True

    async def _faults(self, spans: Sequence[_Span]) -> list[str]:
        """What is wrong with the rows of spans, and not only because somebody writes meanwhile."""
        problems: list[str] = []
        for reading in range(READINGS_MAX):
            if not await self._take_in(spans) and reading:
                break
            problems = [problem for span in spans for problem in await self._differing(span)]
            if not problems:
                break
        return problems

    async def _take_in(self, spans: Sequence[_Span]) -> bool:
        """Fold what the read models have taken in since the last time; whether they have."""
        reached = [await self._reads.catch_up(span.model) for span in spans]
        begin = min(span.position for span in spans)
        has_moved = reached != [span.position for span in spans]
        async for row in rows_upto(self._store, begin, max(reached)):
            try:
                recorded = checked(self._codec, row)
            except DamagedError:
                continue
            for span, until in zip(spans, reached, strict=True):
                if span.position < row.position <= until:
                    span.take(recorded)
        for span, until in zip(spans, reached, strict=True):
            span.position = until
        return has_moved

    async def _differing(self, span: _Span) -> list[str]:
        """What is wrong with the rows of a span, at most `PROBLEMS_MAX`."""
        name, missing = span.model.name, set(span.states)
        problems: list[str] = []
        async for key, row in self._kept(span):
            missing.discard(key)
            if key not in span.states:
                problems.append(f"{name} {key}: the journal knows nothing of it")
            elif row != await self._reads.row_of(span.model, span.states[key]):
                problems.append(f"{name} {key}: not what the journal comes to")
            if len(problems) >= PROBLEMS_MAX:
                return problems
        return [*problems, *(f"{name} {key}: missing" for key in sorted(missing))][:PROBLEMS_MAX]

    async def _kept(self, span: _Span) -> AsyncIterator[tuple[str, Row]]:
        """The rows of a span as they are kept, by key."""
        after = span.after
        while page := await self._reads.kept(span.model, after=after):
            within = [(key, body) for key, body in page if span.holds(key)]
            terms = await self._reads.kept_terms(span.model, [key for key, _ in within])
            for key, body in within:
                yield key, Row(body, terms.get(key, frozenset()))
            if len(within) < len(page):
                return
            after = page[-1][0]


@attrs.define
class _Span:
    """
    A part of a read model, made of the journal anew.

    Attributes:
        model: Which read model.

        after: Key above which it begins.

        last: Its last key; None for the part that has no end.

        position: Up to where the journal is taken in.

        states: Of its rows.
    """

    model: ReadModel
    after: str
    last: str | None
    position: int = 0
    states: dict[str, Any] = attrs.field(factory=dict[str, Any])

    def holds(self, key: str) -> bool:
        """Whether a row is in this part."""
        return self.after < key and (self.last is None or key <= self.last)

    def take(self, recorded: RecordedEvent) -> None:
        """Fold an event in."""
        key = self.model.key(recorded)
        if key is not None and self.holds(key):
            self.states[key] = self.model.evolve(self.states.get(key), recorded)


def _ranges(keys: Iterable[str], size: int) -> Iterator[tuple[str, str | None]]:
    """Bounds of parts of at most *size* keys; together they hold every key there may be."""
    ends = sorted(keys)[size - 1 : -1 : size]
    yield from zip(("", *ends), (*ends, None), strict=True)


async def rows_upto(store: JournalStore, after: int, until: int) -> AsyncIterator[StoredEvent]:
    """Events above a position and up to another one, in order."""
    while after < until and (page := await store.read_all(after)):
        for row in page:
            if row.position > until:
                return
            yield row
        # A spoilt position must not make it go round in a circle.
        after = max(after + 1, page[-1].position)
