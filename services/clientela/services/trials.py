"""
Trials of other definitions over the real history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product

from clientela.domain.backtest import Difference, backtest
from clientela.domain.company import Company
from clientela.domain.context import Definitions
from clientela.domain.errors import InvalidValueError
from clientela.domain.event import RecordedEvent
from clientela.domain.facts import PurchaseRecorded
from clientela.domain.ids import (
    ClientId,
    JournalId,
    JournalKind,
    client_journal,
    own_journals,
    wallet_journal,
)
from clientela.services.core import Core
from clientela.services.envelope import decode
from clientela.services.key_rows import KeyRow
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

        events_max: Events that one trial may hold.
    """

    def __init__(self, core: Core, events_max: int = EVENTS_MAX) -> None:
        self._core = core
        self._events_max = events_max
        self._key_rows: dict[JournalId, KeyRow | None] = {}

    async def events(self, client_ids: Iterable[ClientId] = ()) -> list[RecordedEvent]:
        """
        The whole history, or that of some clients and of the organisation, in order.

        A wallet that several share makes them one: its history is that of all of them. What was
        appended together stays together.

        Args:
            client_ids: Whose; nothing means everybody's.

        Raises:
            InvalidValueError: it is more than one trial may hold.
        """
        wanted = await self._together(frozenset(client_ids))
        found: list[RecordedEvent] = []
        async for append in self._appends():
            whole = not wanted or any(recorded.journal in wanted for recorded in append)
            found.extend(e for e in append if whole or e.journal.kind in STAFF)
            if len(found) > self._events_max:
                expected = f"clients with at most {self._events_max} events in all"
                raise InvalidValueError("client_ids", expected)
        await self._load_keys(found)
        return found

    async def _together(self, client_ids: frozenset[ClientId]) -> frozenset[JournalId]:
        """Journals of clients, of the wallets they bought into, and of all who did so too."""
        if not client_ids:
            return frozenset()
        shared: defaultdict[JournalId, set[JournalId]] = defaultdict(set)
        async for append in self._appends():
            clients, wallets = _parties(append)
            for one, other in product(clients, wallets):
                if one.id != other.id:
                    shared[one].add(other)
                    shared[other].add(one)
        found: set[JournalId] = set()
        left = [client_journal(client_id) for client_id in client_ids]
        while left:
            journal_id = left.pop()
            if journal_id not in found:
                found.add(journal_id)
                # A client's own wallet bears the client's id, and is always theirs.
                left.extend(own_journals(client_journal(ClientId(journal_id.id))))
                left.extend(shared[journal_id])
        return frozenset(found)

    async def _appends(self) -> AsyncIterator[list[RecordedEvent]]:
        """What was appended together, in order."""
        append: list[RecordedEvent] = []
        position = 0
        while page := await self._core.store.read_all(position):
            position = page[-1].position
            for row in page:
                if append and append[0].append_id != row.append_id:
                    yield append
                    append = []
                append.append(decode(self._core.path.records.codec, row))
        if append:
            yield append

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


def _parties(append: Iterable[RecordedEvent]) -> tuple[set[JournalId], set[JournalId]]:
    """Clients and wallets of one append; a purchase names its wallet though nothing came of it."""
    parties: defaultdict[JournalKind, set[JournalId]] = defaultdict(set)
    for recorded in append:
        parties[recorded.journal.kind].add(recorded.journal)
        if isinstance(recorded.event, PurchaseRecorded):
            parties[JournalKind.WALLET].add(wallet_journal(recorded.event.wallet_id))
    return parties[JournalKind.CLIENT], parties[JournalKind.WALLET]


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
