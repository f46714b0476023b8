"""
Servicer of LoyaltyService.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from clientela.domain.errors import UnknownError
from clientela.domain.event import RecordedEvent
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import JournalKind, Ref, WalletId, wallet_journal
from clientela.domain.loyalty.balance import explain
from clientela.domain.loyalty.card import CardId
from clientela.domain.loyalty.card_use import card_of
from clientela.domain.loyalty.ledger import LOYALTY
from clientela.domain.loyalty.programme import Programme
from clientela.domain.loyalty.spending import SPEND_SCOPE, PointsCaptured
from clientela.domain.loyalty.statement import statement
from clientela.domain.loyalty.wallet import Wallet
from clientela.services.calls import Outcome
from clientela.services.core import Core, Told, check_exists
from clientela.services.translate import loyalty as asked
from clientela.services.translate import points as wire
from clientela.services.translate.fields import named
from clientela.services.translate.messages import money
from clientela.services.translate.pages import page, page_of_moment, paged, sliced_at
from clientela.services.translate.reads import AsOf, as_of, check_read, consistency
from clientela.services.views import View
from clientela.v1 import loyalty_pb2 as pb
from clientela.v1 import loyalty_pb2_grpc


END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)
BEGIN_OF_TIME = datetime(1, 1, 1, tzinfo=UTC)


class LoyaltyServicer(loyalty_pb2_grpc.LoyaltyServiceServicer):
    """
    Translates between the wire and the rules of loyalty.

    Args:
        core: What servicers work with.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def OpenWallet(
        self, request: pb.OpenWalletRequest, context: Any
    ) -> pb.OpenWalletResponse:
        done, outcome = await self._core.mutate(request, asked.open_wallet(request), LOYALTY)
        return pb.OpenWalletResponse(outcome=outcome, balance=self._balance(done, done.at))

    async def IssueCard(self, request: pb.IssueCardRequest, context: Any) -> pb.IssueCardResponse:
        command = asked.issue_card(request)
        done, outcome = await self._core.mutate(request, command, LOYALTY)
        card = await self._card(done, command.card_id)
        return pb.IssueCardResponse(outcome=outcome, card=card)

    async def BlockCard(self, request: pb.BlockCardRequest, context: Any) -> pb.BlockCardResponse:
        command = asked.block_card(request)
        done, outcome = await self._core.mutate(request, command, LOYALTY)
        card = await self._card(done, command.card_id)
        return pb.BlockCardResponse(outcome=outcome, card=card)

    async def UnblockCard(
        self, request: pb.UnblockCardRequest, context: Any
    ) -> pb.UnblockCardResponse:
        command = asked.unblock_card(request)
        done, outcome = await self._core.mutate(request, command, LOYALTY)
        card = await self._card(done, command.card_id)
        return pb.UnblockCardResponse(outcome=outcome, card=card)

    async def ReplaceCard(
        self, request: pb.ReplaceCardRequest, context: Any
    ) -> pb.ReplaceCardResponse:
        command = asked.replace_card(request)
        done, outcome = await self._core.mutate(request, command, LOYALTY)
        card = await self._card(done, command.new_card_id)
        return pb.ReplaceCardResponse(outcome=outcome, card=card)

    async def ListCards(self, request: pb.ListCardsRequest, context: Any) -> pb.ListCardsResponse:
        view = await self._view(request)
        wanted = page(request)
        cards = sorted(view.record.of(Wallet).cards.values(), key=lambda each: each.card_id)
        later = [each for each in cards if each.card_id > wanted.after]
        shown, token = paged(request, wanted, later, lambda each: each.card_id)
        opening = await self._core.opening(*self._core.persons(view.record), told=view)
        return pb.ListCardsResponse(
            cards=[wire.card(each, opening) for each in shown], next_page_token=token
        )

    async def SpendPoints(
        self, request: pb.SpendPointsRequest, context: Any
    ) -> pb.SpendPointsResponse:
        command = asked.spend_points(request)
        done, outcome = await self._core.mutate(request, command, LOYALTY)
        captured = await self._captured(done, command.spend)
        return pb.SpendPointsResponse(
            outcome=outcome,
            worth=money(captured.worth),
            balance=self._balance(done, done.at),
        )

    async def AdjustPoints(
        self, request: pb.AdjustPointsRequest, context: Any
    ) -> pb.AdjustPointsResponse:
        done, outcome = await self._core.mutate(request, asked.adjust_points(request), LOYALTY)
        return pb.AdjustPointsResponse(outcome=outcome, balance=self._balance(done, done.at))

    async def GetBalance(self, request: pb.GetBalanceRequest, context: Any) -> pb.Balance:
        moment = as_of(request, by_effect=False)
        view = await self._view(request, moment)
        return await self._balance_of(view, moment)

    async def GetStatement(
        self, request: pb.GetStatementRequest, context: Any
    ) -> pb.GetStatementResponse:
        query = asked.statement_query(request)
        wanted, upto = page_of_moment(request)
        events = await self._core.history(await self._view(request), JournalKind.WALLET)
        upto = len(events) if upto is None else upto
        begin, end = query.begin or BEGIN_OF_TIME, query.end or END_OF_TIME
        found = statement(events[:upto], begin, end, query.axis)
        shown, token = sliced_at(request, wanted, found.lines, upto)
        return pb.GetStatementResponse(
            opening=found.opening,
            movements=map(wire.statement_line, shown),
            closing=found.closing,
            next_page_token=token,
        )

    async def ExplainBalance(
        self, request: pb.ExplainBalanceRequest, context: Any
    ) -> pb.ExplainBalanceResponse:
        moment = as_of(request, by_effect=False)
        view = await self._view(request, moment)
        events = await self._core.history(view, JournalKind.WALLET)
        at = await self._core.moment(view, JournalKind.WALLET, moment)
        told = explain(view.record.of(Wallet), events, at)
        by_ref: dict[Ref, RecordedEvent] = {recorded.ref: recorded for recorded in events}
        return wire.explained(told, await self._balance_of(view, moment), by_ref)

    async def _view(self, request: Any, moment: AsOf | None = None) -> View:
        check_read(request)
        view = await self._core.view(
            wallet_journal(named(WalletId, request.wallet_id, "wallet_id")),
            consistency=consistency(request),
            as_of=moment,
        )
        check_exists(view.record, JournalKind.WALLET)
        return view

    async def _balance_of(self, view: View, moment: AsOf) -> pb.Balance:
        at = await self._core.moment(view, JournalKind.WALLET, moment)
        return self._balance(view, at, moment)

    def _balance(self, told: Told, at: datetime, moment: AsOf | None = None) -> pb.Balance:
        journal = told.record.journal(JournalKind.WALLET)
        return wire.balance(
            WalletId(journal.id.id),
            told.record.of(Wallet),
            at,
            told.definitions.at(at).of(Programme).point_value,
            etag=self._core.etag(told.record, LOYALTY, moment),
            versions=told.versions,
        )

    async def _captured(self, done: Outcome, identity: BusinessKey) -> PointsCaptured:
        """The payment of this identity, made now or before."""
        for event in (recorded.event for recorded in done.events):
            if isinstance(event, PointsCaptured) and event.spend == identity:
                return event
        key = self._core.naming().business_key(SPEND_SCOPE, identity.source, identity.id)
        holder = await self._core.store.holder(key)
        assert holder is not None
        event = (await self._core.event(holder.ref)).event
        assert isinstance(event, PointsCaptured)
        return event

    async def _card(self, done: Outcome, card_id: CardId) -> pb.Card:
        wallet = done.record.of(Wallet)
        if card_id not in wallet.cards:
            raise UnknownError("card", card_id)
        opening = await self._core.opening(*self._core.persons(done.record), told=done)
        return wire.card(card_of(wallet, card_id), opening)
