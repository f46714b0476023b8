"""
Servicer of EventService.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncIterator
from typing import Any

from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.ids import JournalKind
from clientela.services.core import Core
from clientela.services.envelope import decode
from clientela.services.rows import StoredEvent
from clientela.services.translate.event import envelope, journal_kinds
from clientela.services.translate.fields import journal_id
from clientela.services.translate.pages import next_page_token, page
from clientela.services.translate.reads import check_read
from clientela.v1 import event_pb2 as pb
from clientela.v1 import event_pb2_grpc


PAUSE_S = 0.2
"""Seconds between two looks for new events while somebody follows."""


SILENCE_S_MAX = 15.0
"""Seconds without an event after which a position alone is sent."""


class EventServicer(event_pb2_grpc.EventServiceServicer):
    """
    Reads journals out.

    Args:
        core: What servicers work with.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def ReadJournal(
        self, request: pb.ReadJournalRequest, context: Any
    ) -> pb.ReadJournalResponse:
        check_read(request)
        wanted = page(request)
        after = wanted.number or _natural("after_version", request.after_version)
        journal = journal_id(request.journal, "journal")
        rows = await self._core.store.read(journal, after, wanted.size + 1)
        if not rows and not await self._core.store.read(journal, 0, 1):
            raise UnknownError(journal.kind.value, journal.id)
        shown = rows[: wanted.size]
        token = next_page_token(request, str(shown[-1].version)) if len(rows) > len(shown) else ""
        return pb.ReadJournalResponse(events=map(self._event, shown), next_page_token=token)

    async def ReadEvents(
        self, request: pb.ReadEventsRequest, context: Any
    ) -> pb.ReadEventsResponse:
        check_read(request)
        wanted = page(request)
        kinds = journal_kinds(request.journal_kinds)
        after = wanted.number or _natural("after_position", request.after_position)
        found: list[StoredEvent] = []
        while len(found) <= wanted.size and (rows := await self._core.store.read_all(after)):
            found.extend(row for row in rows if _is_of(row, kinds))
            after = rows[-1].position
        shown = found[: wanted.size]
        token = next_page_token(request, str(shown[-1].position)) if found[len(shown) :] else ""
        return pb.ReadEventsResponse(events=map(self._event, shown), next_page_token=token)

    async def FollowEvents(
        self, request: pb.FollowEventsRequest, context: Any
    ) -> AsyncIterator[pb.FollowEventsResponse]:
        kinds = journal_kinds(request.journal_kinds)
        after = _natural("after_position", request.after_position)
        loop = asyncio.get_running_loop()
        told_at = loop.time()
        while True:
            rows = await self._core.store.read_all(after)
            for row in rows:
                after = row.position
                if _is_of(row, kinds):
                    yield pb.FollowEventsResponse(event=self._event(row), position=after)
                    told_at = loop.time()
            if loop.time() - told_at >= SILENCE_S_MAX:
                yield pb.FollowEventsResponse(position=after)
                told_at = loop.time()
            if not rows:
                await asyncio.sleep(PAUSE_S)

    def _event(self, row: StoredEvent) -> pb.EventEnvelope:
        codec = self._core.path.records.codec
        return envelope(decode(codec, row), row, codec)


def _natural(field: str, number: int) -> int:
    if number < 0:
        raise InvalidValueError(field, "0 or more")
    return number


def _is_of(row: StoredEvent, kinds: frozenset[JournalKind]) -> bool:
    return not kinds or row.journal.kind in kinds
