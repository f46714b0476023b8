"""
Timelines: everything that happened to a client, by either of its two clocks (REC-2, REC-3).
"""

from __future__ import annotations

from clientela.domain.event import RecordedEvent
from clientela.domain.ids import JournalId
from clientela.services.core import Core
from clientela.services.envelope import decode
from clientela.services.rows import StoredEvent
from clientela.services.translate.reads import AsOf
from clientela.services.translate.search import Clock, TimelineQuery


Entry = tuple[RecordedEvent, StoredEvent]
"""An event and the row it is kept in."""


async def timeline(
    core: Core, query: TimelineQuery, journals: tuple[JournalId, ...]
) -> list[Entry]:
    """
    The entries that *query* asks for, in its order.

    Args:
        core: What servicers work with.

        query: Names, order and moment.

        journals: Whose entries.
    """
    found: list[Entry] = []
    for journal_id in journals:
        found.extend(await _entries(core, journal_id, query.as_of))
    if query.names:
        found = [entry for entry in found if entry[0].type.name in query.names]
    if query.clock is Clock.OCCURRED:
        found.sort(key=lambda entry: (entry[0].occurred_at, entry[1].position))
    else:
        found.sort(key=lambda entry: entry[1].position)
    return found[::-1] if query.newest_first else found


async def _entries(core: Core, journal_id: JournalId, as_of: AsOf) -> list[Entry]:
    found: list[Entry] = []
    last = 0
    while page := await core.store.read(journal_id, last):
        found.extend((decode(core.path.records.codec, row), row) for row in page)
        last = page[-1].version
    if as_of.known_at is not None:
        upto = as_of.known_at.get(journal_id, 0)
        found = [entry for entry in found if entry[0].version <= upto]
    if as_of.effective_at is not None:
        found = [entry for entry in found if entry[0].occurred_at <= as_of.effective_at]
    return found
