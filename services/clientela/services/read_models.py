"""
Read models: rows kept from the journal by position, found by terms, rebuildable at any time.

A read catches up to everything committed before it, so a caller reads its own writes. Rows hold
sealed values and ids; terms hold codes and keyed hashes. An erased person's values no longer open,
so their terms are gone as soon as the erasure is taken in.
"""

from __future__ import annotations

import asyncio
import json

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import attrs

from clientela.domain.codec import Codec, canonical
from clientela.domain.context import Naming, NormalForms
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import JournalId
from clientela.services.envelope import decode
from clientela.services.key_rows import KeyRow
from clientela.services.ports import PAGE_MAX, JournalStore, Sessions
from clientela.services.store_errors import KeyNeededError, ModelMovedError


Term = tuple[str, str]
"""A field and a value by which a row is found."""


@attrs.frozen
class Row:
    """
    One row of a read model.

    Attributes:
        body: Its state as canonical JSON.

        terms: By what it is found.
    """

    body: bytes
    terms: frozenset[Term]


@attrs.frozen(kw_only=True)
class ReadModel:
    """
    How rows come about.

    Attributes:
        name: Unique; a new shape of the rows is a new name, built from the start.

        state: Class of a row's state.

        key: The row an event belongs to; None if to none.

        evolve: `(state or None, recorded)` to the new state.

        terms: `(state, naming)` to the terms of a row; may open sealed values.
    """

    name: str
    state: type
    key: Callable[[RecordedEvent], str | None]
    evolve: Callable[[Any, RecordedEvent], Any]
    terms: Callable[[Any, Naming], Iterable[Term]]


class ReadStore(Protocol):
    """Keeps the rows of read models."""

    async def position(self, model: str) -> int:
        """Position up to which *model* has taken in the journal; 0 for a new one."""
        ...

    async def rows(self, model: str, keys: Iterable[str]) -> Mapping[str, bytes]:
        """Bodies of those rows that exist."""
        ...

    async def write(self, model: str, position: int, rows: Mapping[str, Row]) -> None:
        """
        Put rows in and note the position, in one transaction.

        Raises:
            ModelMovedError: somebody has moved the model on since its position was asked: another
                process, or one who went away while they wrote.
        """
        ...

    async def find(
        self, model: str, terms: Sequence[Term], after: str, limit: int
    ) -> Sequence[tuple[str, bytes]]:
        """Rows that have all of *terms*, in order of their keys above *after*, at most *limit*."""
        ...

    async def count(self, model: str, field: str) -> Mapping[str, int]:
        """How many rows have each value of *field*."""
        ...

    async def terms(self, model: str, keys: Iterable[str]) -> Mapping[str, frozenset[Term]]:
        """All that those rows that exist are found by."""
        ...

    async def drop(self, model: str) -> None:
        """Throw the model away; it is built anew at the next read."""
        ...


class ReadModels:
    """
    Keeps read models up to date and answers from them.

    Args:
        models: Which.

        store: Where events come from.

        reads: Where rows go.

        codec: Decodes events, encodes states.

        sessions: Open sealed values.

        forms: Normal forms of identifiers.
    """

    def __init__(
        self,
        models: Iterable[ReadModel],
        store: JournalStore,
        reads: ReadStore,
        codec: Codec,
        *,
        sessions: Sessions,
        forms: NormalForms,
    ) -> None:
        self._models = {model.name: model for model in models}
        self._store = store
        self._reads = reads
        self._codec = codec
        self._sessions = sessions
        self._forms = forms
        self._locks = {name: asyncio.Lock() for name in self._models}

    async def get(self, model: ReadModel, key: str) -> Any | None:
        """The state of one row, everything committed before the call taken in."""
        await self.catch_up(model)
        found = await self._reads.rows(model.name, [key])
        return self._state(model, found[key]) if key in found else None

    async def find(
        self, model: ReadModel, *terms: Term, after: str = "", limit: int = PAGE_MAX
    ) -> list[tuple[str, Any]]:
        """Keys and states of rows with all of *terms*, by key above *after*, at most *limit*."""
        await self.catch_up(model)
        rows = await self._reads.find(model.name, terms, after, min(limit, PAGE_MAX))
        return [(key, self._state(model, body)) for key, body in rows]

    async def kept(
        self, model: ReadModel, *terms: Term, after: str = "", limit: int = PAGE_MAX
    ) -> Sequence[tuple[str, bytes]]:
        """Keys and bodies as `find` finds them, as they are kept: nothing is taken in or read."""
        return await self._reads.find(model.name, terms, after, min(limit, PAGE_MAX))

    async def kept_terms(
        self, model: ReadModel, keys: Iterable[str]
    ) -> Mapping[str, frozenset[Term]]:
        """All that rows are found by, as it is kept."""
        return await self._reads.terms(model.name, keys)

    async def count(self, model: ReadModel, field: str) -> Mapping[str, int]:
        """How many rows have each value of *field*, everything committed taken in."""
        await self.catch_up(model)
        return await self._reads.count(model.name, field)

    async def catch_up_all(self) -> None:
        """Take everything committed into every model."""
        for model in self._models.values():
            await self.catch_up(model)

    async def catch_up(self, model: ReadModel) -> int:
        """
        Take in everything committed.

        Returns:
            The position reached.
        """
        async with self._locks[model.name]:
            position = await self._reads.position(model.name)
            if position >= await self._store.last_position():
                return position
            while page := await self._store.read_all(position):
                events = [decode(self._codec, row) for row in page]
                try:
                    await self._take_in(model, events, page[-1].position)
                except ModelMovedError:
                    position = await self._reads.position(model.name)
                else:
                    position = page[-1].position
            return position

    async def _take_in(
        self, model: ReadModel, events: Sequence[RecordedEvent], position: int
    ) -> None:
        keyed = [(key, e) for e in events if (key := model.key(e)) is not None]
        found = await self._reads.rows(model.name, {key for key, _ in keyed})
        states = {key: self._state(model, body) for key, body in found.items()}
        for key, recorded in keyed:
            states[key] = model.evolve(states.get(key), recorded)
        rows = {key: await self.row_of(model, state) for key, state in states.items()}
        await self._reads.write(model.name, position, rows)

    async def row_of(self, model: ReadModel, state: Any) -> Row:
        """The row that is kept for a state."""
        key_rows: dict[JournalId, KeyRow | None] = {}
        while True:
            naming = Naming(vault=self._sessions.session(key_rows), forms=self._forms)
            try:
                terms = frozenset(model.terms(state, naming))
            except KeyNeededError as needed:
                key_rows[needed.person] = await self._store.key_row(needed.person)
            else:
                return Row(canonical(self._codec.plain(state)), terms)

    def _state(self, model: ReadModel, body: bytes) -> Any:
        cls: type[Any] = model.state
        return self._codec.value(json.loads(body), cls)
