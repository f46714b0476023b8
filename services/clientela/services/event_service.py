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
from clientela.services.disclosure import Disclose, disclosure_of
from clientela.services.envelope import decode
from clientela.services.relay import EPOCH
from clientela.services.rows import StoredEvent
from clientela.services.translate.event import envelope, journal_kinds
from clientela.services.translate.fields import journal_id
from clientela.services.translate.pages import next_page_token, page
from clientela.services.translate.reads import check_read
from clientela.v1 import event_pb2 as pb
from clientela.v1 import event_pb2_grpc


PAUSE_S = 0.2
"""Seconds between two looks for new events while somebody follows."""


SCANS_MAX = 100
"""Pages of the store looked through for one answer: where what is asked for is rare, it may hold
fewer events than asked for, or none, and the token of the next page."""

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
        self._disclosures: dict[type, Disclose | None] = {}

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
        return pb.ReadJournalResponse(
            events=[self._event(row, as_published=request.as_published) for row in shown],
            next_page_token=token,
            epoch=await self._epoch(),
        )

    async def ReadEvents(
        self, request: pb.ReadEventsRequest, context: Any
    ) -> pb.ReadEventsResponse:
        check_read(request)
        wanted = page(request)
        kinds = journal_kinds(request.journal_kinds)
        after = wanted.number or _natural("after_position", request.after_position)
        found, after = await self._found(kinds, after, wanted.size + 1)
        shown = found[: wanted.size]
        if found[len(shown) :]:
            after = shown[-1].position
        token = next_page_token(request, str(after)) if after else ""
        return pb.ReadEventsResponse(
            events=[self._event(row, as_published=request.as_published) for row in shown],
            next_page_token=token,
            epoch=await self._epoch(),
        )

    async def FollowEvents(
        self, request: pb.FollowEventsRequest, context: Any
    ) -> AsyncIterator[pb.FollowEventsResponse]:
        kinds = journal_kinds(request.journal_kinds)
        after = _natural("after_position", request.after_position)
        loop = asyncio.get_running_loop()
        told_at = loop.time()
        while True:
            rows = await self._core.store.read_all(after)
            epoch = await self._epoch() if rows else ""
            for row in rows:
                after = row.position
                if _is_of(row, kinds):
                    event = self._event(row, as_published=request.as_published)
                    yield pb.FollowEventsResponse(event=event, position=after, epoch=epoch)
                    told_at = loop.time()
            if loop.time() - told_at >= SILENCE_S_MAX:
                yield pb.FollowEventsResponse(position=after, epoch=await self._epoch())
                told_at = loop.time()
            if not rows:
                await asyncio.sleep(PAUSE_S)

    async def _found(
        self, kinds: frozenset[JournalKind], after: int, limit: int
    ) -> tuple[list[StoredEvent], int]:
        """Events of *kinds*, *limit* or a few more; where to look on, 0 at the end."""
        found: list[StoredEvent] = []
        for _ in range(SCANS_MAX):
            rows = await self._core.store.read_all(after)
            if not rows:
                return found, 0
            found.extend(row for row in rows if _is_of(row, kinds))
            after = rows[-1].position
            if len(found) >= limit:
                break
        return found, after

    async def _epoch(self) -> str:
        return await self._core.store.note(EPOCH) or ""

    def _event(self, row: StoredEvent, *, as_published: bool) -> pb.EventEnvelope:
        codec = self._core.path.records.codec
        recorded = decode(codec, row)
        disclose = self._disclose(recorded.event_class) if as_published else None
        return envelope(recorded, row, codec, disclose)

    def _disclose(self, cls: type) -> Disclose | None:
        """What makes of events of *cls* what leaves on the bus."""
        if cls not in self._disclosures:
            self._disclosures[cls] = disclosure_of(cls, self._core.sessions.blind)
        return self._disclosures[cls]


def _natural(field: str, number: int) -> int:
    if number < 0:
        raise InvalidValueError(field, "0 or more")
    return number


def _is_of(row: StoredEvent, kinds: frozenset[JournalKind]) -> bool:
    return not kinds or row.journal.kind in kinds
