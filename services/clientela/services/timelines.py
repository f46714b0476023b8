"""
Timelines: everything that happened to a client, by either of its two clocks (REC-2, REC-3).

What is shown is chosen by the columns of rows; only a page of them is ever decoded.
"""

from __future__ import annotations

from clientela.domain.ids import JournalId
from clientela.services.core import Core
from clientela.services.rows import StoredEvent
from clientela.services.translate.reads import AsOf
from clientela.services.translate.search import Clock, TimelineQuery


async def timeline(
    core: Core, query: TimelineQuery, journals: tuple[JournalId, ...]
) -> list[StoredEvent]:
    """
    The rows of the events that *query* asks for, in its order.

    Args:
        core: What servicers work with.

        query: Names, order and moment.

        journals: Whose events.
    """
    found: list[StoredEvent] = []
    for journal_id in journals:
        found.extend(await _rows(core, journal_id, query.as_of))
    if query.names:
        found = [row for row in found if _type_name(row) in query.names]
    if query.clock is Clock.OCCURRED:
        found.sort(key=lambda row: (row.occurred_at, row.position))
    else:
        found.sort(key=lambda row: row.position)
    return found[::-1] if query.newest_first else found


async def _rows(core: Core, journal_id: JournalId, as_of: AsOf) -> list[StoredEvent]:
    found: list[StoredEvent] = []
    last = 0
    while page := await core.store.read(journal_id, last):
        found.extend(page)
        last = page[-1].version
    if as_of.known_at is not None:
        upto = as_of.known_at.get(journal_id, 0)
        found = [row for row in found if row.version <= upto]
    if as_of.effective_at is not None:
        found = [row for row in found if row.occurred_at <= as_of.effective_at]
    return found


def _type_name(row: StoredEvent) -> str:
    """The name of its event without the version, in which alone versions of an event differ."""
    return row.name.rpartition(".v")[0]
