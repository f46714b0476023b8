"""
The definitions in memory: all versions of them up to the end of their journal.

Answers of the store may come in another order than they were asked for: what is known never goes
back, and whoever is told that the journal has moved on doubts what is known until it is read again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from clientela.domain.context import Definitions
from clientela.domain.definitions.versions import definitions_of
from clientela.domain.event import RecordedEvent
from clientela.services.rows import Head


class DefinitionsCache:
    """
    Keeps definitions.

    Args:
        sections: What they are made of, by name.

        history: Events of their journal up to a version, oldest first.
    """

    def __init__(
        self,
        sections: Mapping[str, type],
        history: Callable[[int], Awaitable[Sequence[RecordedEvent]]],
    ) -> None:
        self._sections = sections
        self._history = history
        self._head: Head | None = None
        self._end = 0
        self.known = definitions_of((), sections)
        """As far as they are known; to be decided on only where there is a `head`."""

    @property
    def head(self) -> Head | None:
        """Where their journal ended when they were read; None if they must be read again."""
        head = self._head
        return None if head is None or head.version < self._end else head

    def moved(self, version: int) -> None:
        """Note that their journal has come to *version*, at least."""
        self._end = max(self._end, version)

    async def at(self, head: Head) -> Definitions:
        """The definitions up to this end of their journal; read only if it is another one."""
        if self._head is not None and self._head.version == head.version:
            return self.known
        definitions = definitions_of(await self._history(head.version), self._sections)
        if self._head is None or self._head.version < head.version:
            self.known, self._head = definitions, head
        return definitions
