"""
Servicer of ParkedService.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.ids import ClientId, JournalKind, client_journal
from clientela.services.parked import Parked, ParkedMessage
from clientela.services.passage import principal_in
from clientela.services.replays import Replays
from clientela.services.request_context import current
from clientela.services.translate.fields import named
from clientela.services.translate.messages import timestamp
from clientela.services.translate.pages import next_page_token, page
from clientela.services.translate.reads import check_read
from clientela.v1 import parked_pb2 as pb
from clientela.v1 import parked_pb2_grpc


KIND = "parked-message"
"""What is not found."""


class ParkedServicer(parked_pb2_grpc.ParkedServiceServicer):
    """
    Shows parked messages to operators and carries them out.

    Args:
        replays: Carries out.
    """

    def __init__(self, replays: Replays) -> None:
        self._replays = replays

    async def ListParkedMessages(
        self, request: pb.ListParkedMessagesRequest, context: Any
    ) -> pb.ListParkedMessagesResponse:
        check_read(request)
        wanted, lane = page(request), ""
        if request.client_id:
            lane = str(client_journal(named(ClientId, request.client_id, "client_id")))
        found = await self._parked.page(wanted.number, wanted.size + 1, lane)
        shown = found[: wanted.size]
        token = next_page_token(request, str(shown[-1].number)) if found[len(shown) :] else ""
        messages = [await self._told(each) for each in shown]
        return pb.ListParkedMessagesResponse(messages=messages, next_page_token=token)

    async def GetParkedMessage(
        self, request: pb.GetParkedMessageRequest, context: Any
    ) -> pb.GetParkedMessageResponse:
        kept = await self._kept(request.number)
        response = pb.GetParkedMessageResponse(message=await self._told(kept))
        if current().shows_personal:
            body = await self._replays.inbox.parcels.opened(kept.id, kept.body)
            response.body = (body or b"").decode("utf-8", errors="replace")
        else:
            response.personal_withheld = True
        return response

    async def ReplayParkedMessage(
        self, request: pb.ReplayParkedMessageRequest, context: Any
    ) -> pb.ReplayParkedMessageResponse:
        kept = await self._kept(request.number)
        came_to = await self._replays.replay(kept.lane, is_answered=True)
        stuck = None if came_to.stuck is None else await self._told(came_to.stuck)
        return pb.ReplayParkedMessageResponse(replayed=came_to.done, stuck=stuck)

    async def DropParkedMessage(
        self, request: pb.DropParkedMessageRequest, context: Any
    ) -> pb.DropParkedMessageResponse:
        kept = await self._kept(request.number)
        async with self._replays.inbox.lock(kept.lane):
            if not await self._parked.drop(kept.number):
                raise UnknownError(KIND, str(kept.number))
        return pb.DropParkedMessageResponse()

    @property
    def _parked(self) -> Parked:
        return self._replays.inbox.parked

    async def _told(self, kept: ParkedMessage) -> pb.ParkedMessage:
        """A parked message without what it says."""
        until = await self._replays.kept_until(kept)
        return _told(kept, None if until is None else timestamp(until))

    async def _kept(self, number: int) -> ParkedMessage:
        if number < 1:
            raise InvalidValueError("number", "1 or more")
        kept = await self._parked.get(number)
        if kept is None:
            raise UnknownError(KIND, str(number))
        return kept


def _told(kept: ParkedMessage, kept_until: Timestamp | None) -> pb.ParkedMessage:
    kind, _, id_ = kept.lane.partition("/")
    principal = principal_in(kept.principal)
    return pb.ParkedMessage(
        number=kept.number,
        client_id=id_ if kind == JournalKind.CLIENT.value else "",
        kind=kept.kind,
        reason=kept.reason,
        problem=kept.problem,
        parked_at=timestamp(kept.parked_at),
        tried_at=timestamp(kept.tried_at),
        tries=kept.tries,
        sender="" if principal is None else str(principal.actor),
        kept_until=kept_until,
    )
