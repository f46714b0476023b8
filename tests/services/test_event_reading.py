"""
Events of all journals, read page by page.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from clientela.domain.ids import Code, JournalKind, UnitId
from clientela.domain.organisation.units import RegisterUnit, UnitKind
from clientela.services.event_service import SCANS_MAX, EventServicer
from clientela.services.ports import PAGE_MAX
from clientela.services.rows import StoredEvent
from clientela.v1 import common_pb2, event_pb2
from tests.domain.insight.histories import AT, PETRA, buy, register
from tests.services.office import Office, PagedStore
from tests.services.test_operations import core_of


class CountedStore(PagedStore):
    """
    A store whose pages hold one event.

    Attributes:
        pages: How many were read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sizes = (1,)
        self.pages = 0

    async def read_all(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[StoredEvent]:
        self.pages += 1
        return await super().read_all(after, limit)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (JournalKind.UNIT, common_pb2.JOURNAL_KIND_UNIT),
        (JournalKind.WALLET, common_pb2.JOURNAL_KIND_WALLET),
        (JournalKind.QUOTA, common_pb2.JOURNAL_KIND_QUOTA),
    ],
)
async def test_rare_events_are_found_answer_by_answer(kind, number):
    """
    However many others lie before them, events of a kind are found: one answer looks so far and no
    further and tells where to go on; no event is left out or told twice.
    """
    store = CountedStore()
    office = await Office(store).open()
    await office.run(register(PETRA, "Petra"))
    for receipt in range(SCANS_MAX // 2):
        await office.run(buy(PETRA, receipt, 100, AT))
    await office.run(RegisterUnit(unit_id=UnitId("late"), kind=UnitKind.BRANCH, label=Code("Late")))
    rows = [row async for row in _rows(store)]
    servicer = EventServicer(core_of(office))
    request = event_pb2.ReadEventsRequest(page_size=7, journal_kinds=[number])
    found: list[str] = []
    answers = 0

    while not answers or request.page_token:
        before = store.pages
        answer = await servicer.ReadEvents(request, None)
        assert store.pages - before <= SCANS_MAX
        assert len(answer.events) <= request.page_size
        found.extend(event.event_id for event in answer.events)
        request.page_token = answer.next_page_token
        answers += 1

    assert [row.event_id for row in rows if row.journal.kind is kind] == found
    assert answers > len(rows) // SCANS_MAX >= 1


async def _rows(store: PagedStore):
    after = 0
    while page := await store.read_all(after):
        for row in page:
            yield row
        after = page[-1].position
