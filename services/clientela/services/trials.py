"""
Trials of other definitions over the real history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from clientela.domain.backtest import Difference, backtest
from clientela.domain.company import Company
from clientela.domain.context import Definitions
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import ClientId, JournalId, JournalKind
from clientela.services.core import Core
from clientela.services.envelope import decode
from clientela.services.rows import KeyRow
from clientela.services.translate.opening import sealed_values


EVENTS_MAX = 5_000_000
"""Events that one trial may hold in memory; beyond it name clients."""

STAFF = {JournalKind.UNIT, JournalKind.EMPLOYEE}
"""Journals that every trial needs, for whom rules ask about."""


class Trials:
    """
    Compares histories.

    Args:
        core: Where the history is.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._key_rows: dict[JournalId, KeyRow | None] = {}

    async def events(self, client_ids: Iterable[ClientId] = ()) -> list[RecordedEvent]:
        """The whole history, or that of these clients and of the organisation, in order."""
        wanted = frozenset(client_ids)
        found: list[RecordedEvent] = []
        position = 0
        while page := await self._core.store.read_all(position):
            position = page[-1].position
            found.extend(
                decode(self._core.path.records.codec, row)
                for row in page
                if not wanted or row.journal.id in wanted or row.journal.kind in STAFF
            )
        await self._load_keys(found)
        return found

    def compare(
        self,
        events: Sequence[RecordedEvent],
        before: Definitions,
        after: Definitions,
        until: datetime | None,
    ) -> tuple[Difference, ...]:
        """
        What would have differed up to *until*, or to the last recording.

        Long work, to be done on a thread of its own.
        """
        return backtest(events, self._company(), before, after, until=until)

    def _company(self) -> _Makes:
        return _Makes(self._core, self._key_rows)

    async def _load_keys(self, events: Iterable[RecordedEvent]) -> None:
        """Keys of everybody whose values the history holds: some decisions open them."""
        for recorded in events:
            for _, sealed in sealed_values(recorded.event):
                if sealed.person not in self._key_rows:
                    row = await self._core.store.key_row(sealed.person)
                    self._key_rows[sealed.person] = row


class _Makes:
    """Makes empty companies over the rulebook and the keys of the core."""

    def __init__(self, core: Core, key_rows: Mapping[JournalId, KeyRow | None]) -> None:
        self._core = core
        self._key_rows = key_rows

    def __call__(self, definitions: Definitions) -> Company:
        return Company(
            self._core.path.records.rulebook,
            definitions=definitions,
            vault=self._core.sessions.session(self._key_rows),
            forms=self._core.forms,
            now=datetime.min.replace(tzinfo=self._core.now().tzinfo),
        )
