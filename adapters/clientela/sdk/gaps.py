"""
Gaps fetched from the service, which has every event for ever.
"""

from __future__ import annotations

from collections.abc import Sequence

from clientela.sdk.client import Client
from clientela.sdk.course import Gap
from clientela.sdk.event import Event, event_of, journal_of
from clientela.sdk.reader import Fetch
from clientela.v1.event_pb2 import ReadJournalRequest


PAGE_SIZE = 200
"""Events asked for at once, as many as a page holds."""

GAP_MAX = 10_000
"""Events of one gap fetched in one go; the rest comes with the next message of the journal."""


def gaps_of(client: Client) -> Fetch:
    """Brings the events of gaps from the service of *client*, as they were on the bus."""

    async def fetch(journal: str, gap: Gap) -> Sequence[Event]:
        found: list[Event] = []
        request = ReadJournalRequest(
            journal=journal_of(journal),
            after_version=gap.after,
            page_size=PAGE_SIZE,
            as_published=True,
        )
        while len(found) < GAP_MAX:
            page = await client.events.ReadJournal(request)
            wanted = (each for each in page.events if each.version <= gap.upto)
            found.extend(event_of(each, page.epoch) for each in wanted)
            if not page.next_page_token or page.events[-1].version >= gap.upto:
                break
            request.page_token = page.next_page_token
        return found

    return fetch
