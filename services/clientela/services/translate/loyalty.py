"""
LoyaltyService: what wallets, cards and points are asked to do, as commands.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import ID_LENGTH_MAX, ClientId, WalletId
from clientela.domain.loyalty.adjustment import AdjustPoints
from clientela.domain.loyalty.card import CardId
from clientela.domain.loyalty.cards import BlockCard, IssueCard, ReplaceCard, UnblockCard
from clientela.domain.loyalty.membership import OpenWallet
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.loyalty.statement import Axis
from clientela.domain.personal import Personal
from clientela.services.translate.fields import (
    business_key,
    code,
    day_if_any,
    member_if_any,
    moment_if_any,
    named,
)
from clientela.services.translate.mutations import check_mutation, occurred_at
from clientela.services.translate.reads import check_read
from clientela.v1 import loyalty_pb2


def open_wallet(request: loyalty_pb2.OpenWalletRequest) -> OpenWallet:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return OpenWallet(
        client_id=named(ClientId, request.client_id, "client_id"), occurred_at=occurred_at(request)
    )


def issue_card(request: loyalty_pb2.IssueCardRequest) -> IssueCard:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return IssueCard(
        wallet_id=named(WalletId, request.wallet_id, "wallet_id"),
        card_id=_card_id(request.card_id, "card_id"),
        number=Personal(request.number),
        occurred_at=occurred_at(request),
    )


def block_card(request: loyalty_pb2.BlockCardRequest) -> BlockCard:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return BlockCard(
        wallet_id=named(WalletId, request.wallet_id, "wallet_id"),
        card_id=_card_id(request.card_id, "card_id"),
        reason=code(request.reason, "reason"),
        occurred_at=occurred_at(request),
    )


def unblock_card(request: loyalty_pb2.UnblockCardRequest) -> UnblockCard:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return UnblockCard(
        wallet_id=named(WalletId, request.wallet_id, "wallet_id"),
        card_id=_card_id(request.card_id, "card_id"),
        occurred_at=occurred_at(request),
    )


def replace_card(request: loyalty_pb2.ReplaceCardRequest) -> ReplaceCard:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return ReplaceCard(
        wallet_id=named(WalletId, request.wallet_id, "wallet_id"),
        card_id=_card_id(request.card_id, "card_id"),
        new_card_id=_card_id(request.new_card_id, "new_card_id"),
        number=Personal(request.number),
        reason=code(request.reason, "reason"),
        occurred_at=occurred_at(request),
    )


def spend_points(request: loyalty_pb2.SpendPointsRequest) -> SpendPoints:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    purchase = None
    if request.HasField("purchase"):
        purchase = business_key(request.purchase, "purchase")
    return SpendPoints(
        wallet_id=named(WalletId, request.wallet_id, "wallet_id"),
        spend=business_key(request.spend, "spend"),
        points=request.points,
        purchase=purchase,
        card_id=_card_id(request.card_id, "card_id") if request.card_id else None,
        occurred_at=occurred_at(request),
    )


def adjust_points(request: loyalty_pb2.AdjustPointsRequest) -> AdjustPoints:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return AdjustPoints(
        wallet_id=named(WalletId, request.wallet_id, "wallet_id"),
        adjustment=business_key(request.adjustment, "adjustment"),
        points=request.points,
        reason=code(request.reason, "reason"),
        expires_on=day_if_any(request, "expires_on"),
        priority=request.priority,
        occurred_at=occurred_at(request),
    )


def _card_id(text: str, path: str) -> CardId:
    if not 1 <= len(text) <= ID_LENGTH_MAX:
        raise InvalidValueError(path, f"1 to {ID_LENGTH_MAX} characters")
    return CardId(text)


@attrs.frozen(kw_only=True)
class StatementQuery:
    """
    Which movements of points are wanted.

    Attributes:
        wallet_id: Whose.

        begin: First moment of the period; None for the beginning.

        end: First moment after it; None for now.

        axis: Which of an event's times counts.
    """

    wallet_id: WalletId
    begin: datetime | None = None
    end: datetime | None = None
    axis: Axis = Axis.OCCURRED


def statement_query(request: loyalty_pb2.GetStatementRequest) -> StatementQuery:
    """
    What a request asks for.

    Raises:
        InvalidValueError: a field is malformed, or the period ends before it begins.
    """
    check_read(request)
    begin, end = moment_if_any(request, "begin"), moment_if_any(request, "end")
    if begin is not None and end is not None and end <= begin:
        raise InvalidValueError("end", "after begin")
    axis = loyalty_pb2.GetStatementRequest.Axis
    return StatementQuery(
        wallet_id=named(WalletId, request.wallet_id, "wallet_id"),
        begin=begin,
        end=end,
        axis=member_if_any(Axis, axis, request.axis, "axis") or Axis.OCCURRED,
    )
