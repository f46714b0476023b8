"""
Servicer of PurchaseService.
"""

from __future__ import annotations

from typing import Any

from clientela.domain.errors import UnknownError
from clientela.domain.event import RecordedEvent
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import ClientId, JournalId, JournalKind, Ref, client_journal
from clientela.domain.purchase.purchases import Purchases
from clientela.domain.purchase.recording import PURCHASE
from clientela.services.calls import Outcome
from clientela.services.cards import UNMATCHED
from clientela.services.core import Core, check_exists
from clientela.services.directory import JournalDirectory
from clientela.services.listing import listed
from clientela.services.request_context import current
from clientela.services.scope import sees_client
from clientela.services.translate import purchase as wire
from clientela.services.translate.fields import business_key, named
from clientela.services.translate.pages import page, sliced
from clientela.services.translate.reads import check_read, consistency
from clientela.v1 import purchase_pb2 as pb
from clientela.v1 import purchase_pb2_grpc


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
            events = await self._told(done)
            recorded = await self._purchase(command.purchase, events)
            response.purchase.CopyFrom(wire.purchase(recorded, events))
            response.points_issued = wire.points_issued(command.purchase, events)
        return response

    async def RecordReturn(
        self, request: pb.RecordReturnRequest, context: Any
    ) -> pb.RecordReturnResponse:
        command = wire.record_return(request)
        done, outcome = await self._core.mutate(request, command, PURCHASE)
        events = done.events if request.validate_only else await self._told(done)
        return wire.recorded_return(outcome, command.return_key, events)

    async def ListUnmatchedReturns(
        self, request: pb.ListUnmatchedReturnsRequest, context: Any
    ) -> pb.ListUnmatchedReturnsResponse:
        check_read(request)
        if request.client_id:
            return await self._unmatched_of(request)
        cards, token = await listed(self._core, request, UNMATCHED)
        returns = [
            wire.waiting_return(card.client_id, waiting)
            for card in cards
            for waiting in (await self._purchases(card.client_id)).waiting.values()
        ]
        return pb.ListUnmatchedReturnsResponse(returns=returns, next_page_token=token)

    async def GetPurchase(self, request: pb.GetPurchaseRequest, context: Any) -> pb.Purchase:
        check_read(request)
        identity = business_key(request.purchase, "purchase")
        ref = await self._held(identity)
        directory = JournalDirectory(self._core.path.records, self._core.reads)
        client_id = ClientId(ref.journal.id)
        if not await sees_client(current().reach, client_id, directory):
            raise UnknownError("purchase", identity.id)
        await self._core.view(ref.journal, consistency=consistency(request))
        events = await self._core.path.records.history(ref.journal)
        return wire.purchase(await self._core.event(ref), events)

    async def _told(self, done: Outcome) -> tuple[RecordedEvent, ...]:
        """The events of the append; for what was so already, all that the journals say."""
        if done.events:
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

    async def _unmatched_of(
        self, request: pb.ListUnmatchedReturnsRequest
    ) -> pb.ListUnmatchedReturnsResponse:
        journal_id = client_journal(named(ClientId, request.client_id, "client_id"))
        view = await self._core.view(journal_id, consistency=consistency(request))
        check_exists(view.record, JournalKind.CLIENT)
        waiting = view.record.of(Purchases).waiting.values()
        shown, token = sliced(request, page(request), waiting)
        client_id = ClientId(request.client_id)
        return pb.ListUnmatchedReturnsResponse(
            returns=[wire.waiting_return(client_id, each) for each in shown],
            next_page_token=token,
        )

    async def _purchases(self, client_id: ClientId) -> Purchases:
        journal_id: JournalId = client_journal(client_id)
        return (await self._core.view(journal_id)).record.of(Purchases)
