"""
Servicer of PurchaseService.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

from clientela.domain.errors import UnknownError
from clientela.domain.event import RecordedEvent
from clientela.domain.facts import BusinessKey, PurchaseRecorded, ReturnRecorded
from clientela.domain.ids import ClientId, JournalKind, Ref, client_journal, is_id
from clientela.domain.purchase.purchases import Purchases, WaitingReturn
from clientela.domain.purchase.recording import PURCHASE
from clientela.services.calls import Outcome
from clientela.services.cards import UNMATCHED
from clientela.services.core import Core, check_exists
from clientela.services.directory import JournalDirectory
from clientela.services.listing import seen_with
from clientela.services.request_context import current
from clientela.services.scope import sees_client
from clientela.services.translate import purchase as wire
from clientela.services.translate.fields import business_key, named
from clientela.services.translate.pages import page, paged
from clientela.services.translate.reads import check_read, consistency
from clientela.v1 import purchase_pb2 as pb
from clientela.v1 import purchase_pb2_grpc


PLACE_MARK = " "
"""Parts the places of waiting returns; sorts before every character of an id."""

VERSION_DIGITS = 12
"""Digits of a version in such a place."""


class PurchaseServicer(purchase_pb2_grpc.PurchaseServiceServicer):
    """
    Translates between the wire and the rules of purchases.

    Args:
        core: What servicers work with.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def RecordPurchase(
        self, request: pb.RecordPurchaseRequest, context: Any
    ) -> pb.RecordPurchaseResponse:
        command = wire.record_purchase(request)
        done, outcome = await self._core.mutate(request, command, PURCHASE)
        response = pb.RecordPurchaseResponse(outcome=outcome)
        if not request.validate_only:
            events = await self._told(done, command.purchase)
            recorded = await self._purchase(command.purchase, events)
            response.purchase.CopyFrom(wire.purchase(recorded, events))
            response.points_issued = wire.points_issued(command.purchase, events)
        return response

    async def RecordReturn(
        self, request: pb.RecordReturnRequest, context: Any
    ) -> pb.RecordReturnResponse:
        command = wire.record_return(request)
        done, outcome = await self._core.mutate(request, command, PURCHASE)
        events = await self._told(done, command.return_key)
        return wire.recorded_return(outcome, command.return_key, events)

    async def ListUnmatchedReturns(
        self, request: pb.ListUnmatchedReturnsRequest, context: Any
    ) -> pb.ListUnmatchedReturnsResponse:
        check_read(request)
        await self._core.check_fresh(request)
        wanted = page(request)
        found: list[tuple[str, pb.WaitingReturn]] = []
        async for client_id in self._returning(request, wanted.after.partition(PLACE_MARK)[0]):
            found.extend(
                (place, wire.waiting_return(client_id, waiting))
                for place, waiting in await self._waiting(client_id)
                if place > wanted.after
            )
            if len(found) > wanted.size:
                break
        shown, token = paged(request, wanted, found[: wanted.size + 1], lambda item: item[0])
        returns = [waiting for _, waiting in shown]
        return pb.ListUnmatchedReturnsResponse(returns=returns, next_page_token=token)

    async def GetPurchase(self, request: pb.GetPurchaseRequest, context: Any) -> pb.Purchase:
        check_read(request)
        identity = business_key(request.purchase, "purchase")
        ref = await self._held(identity)
        if not await self._is_seen(ClientId(ref.journal.id)):
            raise UnknownError("purchase", identity.id)
        await self._core.view(ref.journal, consistency=consistency(request))
        events = await self._core.path.records.history(ref.journal)
        return wire.purchase(await self._core.event(ref), events)

    async def _told(self, done: Outcome, identity: BusinessKey) -> tuple[RecordedEvent, ...]:
        """The events of the append; for what was so already, all that the journals say."""
        # Time may have gone on in the same append: that something was appended says nothing.
        if any(_records(recorded, identity) for recorded in done.events):
            return done.events
        events: list[RecordedEvent] = []
        for journal_id, version in done.versions.items():
            events.extend(await self._core.path.records.history(journal_id, version))
        return tuple(events)

    async def _purchase(
        self, identity: BusinessKey, events: tuple[RecordedEvent, ...]
    ) -> RecordedEvent:
        found = (e for e in events if getattr(e.event, "purchase", None) == identity)
        recorded = next(found, None)
        return recorded or await self._core.event(await self._held(identity))

    async def _held(self, identity: BusinessKey) -> Ref:
        key = self._core.naming().business_key("purchase", identity.source, identity.id)
        holder = await self._core.store.holder(key)
        if holder is None:
            raise UnknownError("purchase", identity.id)
        return holder.ref

    async def _returning(
        self, request: pb.ListUnmatchedReturnsRequest, after: str
    ) -> AsyncIterator[ClientId]:
        """Clients with waiting returns whom the caller sees, that of *after* first, by ids."""
        if request.client_id:
            client_id = named(ClientId, request.client_id, "client_id")
            await self._check_seen(client_id)
            yield client_id
            return
        # A token is no secret: whoever stands in it must be seen like everybody else.
        if after and await self._is_seen(ClientId(after)):
            yield ClientId(after)
        while True:
            found = await seen_with(self._core, UNMATCHED, after=after)
            for card in found.cards:
                yield card.client_id
            after = found.after
            if not after:
                return

    async def _check_seen(self, client_id: ClientId) -> None:
        view = await self._core.view(client_journal(client_id))
        if not await self._is_seen(client_id):
            raise UnknownError("client", client_id)
        check_exists(view.record, JournalKind.CLIENT)

    async def _is_seen(self, client_id: ClientId) -> bool:
        directory = JournalDirectory(self._core.path.records, self._core.reads)
        return is_id(client_id) and await sees_client(current().reach, client_id, directory)

    async def _waiting(self, client_id: ClientId) -> list[tuple[str, WaitingReturn]]:
        """Waiting returns of a client with their places, in order of when they came back."""
        record = (await self._core.view(client_journal(client_id))).record
        waiting = sorted(
            record.of(Purchases).waiting.values(), key=lambda each: (each.occurred_at, each.ref)
        )
        return [(_place(client_id, each), each) for each in waiting]


def _records(recorded: RecordedEvent, identity: BusinessKey) -> bool:
    """Whether *recorded* put the purchase or return of this identity on record."""
    match recorded.event:
        case PurchaseRecorded(purchase=known) | ReturnRecorded(return_key=known):
            return known == identity
        case _:
            return False


def _place(client_id: ClientId, waiting: WaitingReturn) -> str:
    """Where a waiting return stands in the list: places are in the order of the list."""
    moment = waiting.occurred_at.astimezone(UTC).isoformat(timespec="microseconds")
    return PLACE_MARK.join((client_id, moment, f"{waiting.ref.version:0{VERSION_DIGITS}}"))
