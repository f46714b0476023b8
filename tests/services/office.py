"""
The shop of the histories, run through the command path over stores in memory.
"""

from __future__ import annotations

import contextlib
import itertools

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from clientela.adapters.memory import MemoryStore
from clientela.adapters.memory_reads import MemoryReads
from clientela.adapters.vault import KeyVault
from clientela.domain.codec import Codec
from clientela.domain.context import Naming
from clientela.domain.definitions.versions import ApplyDefinitions
from clientela.domain.errors import DomainError
from clientela.domain.ruleset import Command
from clientela.domain.standard import PlainForms, standard_rulebook
from clientela.services.calls import Call, Outcome
from clientela.services.cards import CARDS, TOTALS
from clientela.services.clocks import VirtualClock
from clientela.services.command_path import CommandPath
from clientela.services.ports import PAGE_MAX
from clientela.services.read_models import ReadModels, Row
from clientela.services.records import Records
from clientela.services.rows import StoredEvent
from tests.adapters.keys.company import MemorySecrets
from tests.domain.insight.histories import AT, BEGIN, TEXT


class PagedStore(MemoryStore):
    """A store that hands out all events in pages of other sizes than asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: Sequence[int] = (PAGE_MAX,)
        self._pages = itertools.count()

    async def read_all(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[StoredEvent]:
        size = self.sizes[next(self._pages) % len(self.sizes)]
        return await super().read_all(after, min(size, limit))


class KeptReads(MemoryReads):
    """Rows in dicts that a test can look at whole."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, dict[str, Row]] = {}

    async def write(self, model: str, position: int, rows: Mapping[str, Row]) -> None:
        await super().write(model, position, rows)
        self.kept.setdefault(model, {}).update(rows)


class Office:
    """
    The shop with keys, a command path and read models.

    Args:
        store: Where its journals are.
    """

    def __init__(self, store: PagedStore | None = None) -> None:
        self.store = store or PagedStore()
        self.kept = KeptReads()
        self.vault = KeyVault(MemorySecrets())
        self.clock = VirtualClock(AT)
        self.rulebook = standard_rulebook()
        self.codec = Codec(self.rulebook.event_classes)
        self.forms = PlainForms()
        ids = itertools.count(1)
        self.path = CommandPath(
            Records(self.rulebook, self.codec, self.store),
            self.store,
            sessions=self.vault,
            forms=self.forms,
            clock=self.clock,
            new_id=lambda: f"e{next(ids):06}",
        )
        self.reads = self.read_models(self.kept)

    def read_models(self, kept: MemoryReads) -> ReadModels:
        """Read models over the shop's journal, kept in *kept*."""
        return ReadModels(
            (CARDS, TOTALS),
            self.store,
            kept,
            self.codec,
            sessions=self.vault,
            forms=self.forms,
        )

    @property
    def naming(self) -> Naming:
        """What look-ups are made with."""
        return Naming(vault=self.vault.session({}), forms=self.forms)

    async def open(self) -> Office:
        """Put the definitions in force and let the sellers in."""
        await self.run(ApplyDefinitions.of(TEXT), *BEGIN)
        return self

    async def run(self, *commands: Command) -> Outcome:
        """Carry out commands; what the last one came to."""
        outcomes = [await self.path.execute(command, Call()) for command in commands]
        return outcomes[-1]

    async def live(self, told: Iterable[tuple[datetime, Command]]) -> None:
        """Carry out what is told; what is refused does not happen."""
        for now, command in told:
            self.clock.move(now)
            with contextlib.suppress(DomainError):
                await self.run(command)
