"""
Events for the bus, and what a stream must be like that has taken them.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools

from collections.abc import Iterable

import attrs

from clientela.adapters.memory import MemoryStore
from clientela.domain.codec import Codec
from clientela.domain.ids import Blind, ClientId, EventId, JournalId, JournalKind, client_journal
from clientela.domain.standard import standard_rulebook
from clientela.services.bus import Bus, Held
from clientela.services.envelope import encode
from clientela.services.event_messages import JOURNAL, POSITION, VERSION, EventMessages, Message
from clientela.services.ports import PAGE_MAX, JournalStore
from clientela.services.rows import Append, Head, StoredEvent
from tests.domain.discovery import event_classes
from tests.domain.events.examples import example, recorded


CODEC = Codec(event_classes())

_CLAIMED = next(cls for cls in event_classes() if cls.__name__ == "ClientClaimed")


def hashed(scope: str, text: str) -> Blind:
    """A keyed hash under a key that everybody knows."""
    return Blind(hmac.new(b"tests", f"{scope}\0{text}".encode(), hashlib.sha256).hexdigest())


MESSAGES = EventMessages(standard_rulebook().event_classes, CODEC, hashed)


class History:
    """
    Events that go on, version by version, journal after journal in turn; the same in every process.

    Args:
        journals: How many journals.

        name: What their ids begin with.
    """

    def __init__(self, journals: int = 7, name: str = "c") -> None:
        ids = [client_journal(ClientId(f"{name}{n}")) for n in range(journals)]
        self._turns = itertools.cycle(ids)
        self._heads: dict[JournalId, Head] = {journal_id: Head() for journal_id in ids}

    def more(self, count: int) -> list[StoredEvent]:
        """The next events."""
        return [self._next(journal_id) for journal_id in itertools.islice(self._turns, count)]

    async def grow(self, store: JournalStore, count: int) -> None:
        """Append the next events, each by itself."""
        for row in self.more(count):
            await store.append(Append(expected={row.journal: row.version - 1}, events=(row,)))

    def _next(self, journal_id: JournalId) -> StoredEvent:
        head = self._heads[journal_id]
        version = head.version + 1
        made = attrs.evolve(
            recorded(example(_CLAIMED), JournalKind.CLIENT),
            event_id=EventId(f"{journal_id.id}-{version}"),
            journal=journal_id,
            version=version,
        )
        [row] = encode(CODEC, [made], {journal_id: head})
        self._heads[journal_id] = Head(row.version, row.hash, row.recorded_at)
        return row


async def filled(count: int, journals: int = 7) -> MemoryStore:
    """A store of so many events."""
    store = MemoryStore()
    await History(journals).grow(store, count)
    return store


def messages(count: int, first: int = 1, history: History | None = None) -> list[Message]:
    """Messages at positions from *first* on."""
    rows = (history or History()).more(count)
    return [MESSAGES.of(attrs.evolve(row, position=first + n)) for n, row in enumerate(rows)]


async def all_of(bus: Bus, after: int = 0) -> list[Held]:
    """Everything in the stream."""
    return [held async for held in bus.read(after)]


async def rows_of(store: JournalStore) -> list[StoredEvent]:
    """Everything in the store."""
    rows: list[StoredEvent] = []
    while page := await store.read_all(rows[-1].position if rows else 0, PAGE_MAX):
        rows.extend(page)
    return rows


def positions(held: Iterable[Held]) -> list[int]:
    """Positions of messages."""
    return [int(message.headers[POSITION]) for message in held]


def amiss(held: Iterable[Held]) -> list[str]:
    """What of a stream breaks its promise: every journal's versions from 1, one after the other."""
    versions: dict[str, int] = {}
    found: list[str] = []
    for message in held:
        journal, version = message.headers[JOURNAL], int(message.headers[VERSION])
        before = versions.get(journal, 0)
        if version != before + 1:
            found.append(f"{journal}: {version} after {before}")
        versions[journal] = max(version, before)
    return found


def effects(held: Iterable[Held]) -> list[tuple[str, int]]:
    """What a subscriber has applied who applies the next version and drops what is not above it."""
    versions: dict[str, int] = {}
    applied: list[tuple[str, int]] = []
    for message in held:
        journal, version = message.headers[JOURNAL], int(message.headers[VERSION])
        if version == versions.get(journal, 0) + 1:
            versions[journal] = version
            applied.append((journal, version))
    return applied


def refs(rows: Iterable[StoredEvent]) -> list[tuple[str, int]]:
    """Journal and version of events."""
    return [(str(row.journal), row.version) for row in rows]
