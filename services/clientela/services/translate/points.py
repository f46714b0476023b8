"""
LoyaltyService: cards, balances, statements and their explanations as messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from clientela.domain.event import RecordedEvent
from clientela.domain.ids import JournalId, Ref, WalletId
from clientela.domain.loyalty import balance as figures
from clientela.domain.loyalty.balance import Explanation, LotStory, Movement
from clientela.domain.loyalty.card import Card
from clientela.domain.loyalty.lots import Lot
from clientela.domain.loyalty.programme import PointValue
from clientela.domain.loyalty.statement import StatementLine
from clientela.domain.loyalty.wallet import Wallet
from clientela.services.translate.messages import (
    business_key_if_any,
    fact_ref,
    journal_versions,
    money,
    number,
    timestamp,
    timestamp_if_any,
)
from clientela.services.translate.opening import Opening
from clientela.v1 import loyalty_pb2


def balance(
    wallet_id: WalletId,
    wallet: Wallet,
    now: datetime,
    worth: PointValue | None,
    *,
    etag: str = "",
    versions: Mapping[JournalId, int],
) -> loyalty_pb2.Balance:
    """
    What a wallet holds.

    Args:
        wallet_id: The wallet.

        wallet: Its state, with time elapsed up to *now*.

        now: When.

        worth: What points are worth; None where they cannot be spent.

        etag: Of the wallet; empty for the past.

        versions: Of the journals it was read from.
    """
    held = figures.balance(wallet, now)
    live = [lot for lot in wallet.lots.values() if lot.is_live(now) and lot.free]
    expiry = min((lot.expires_at for lot in live if lot.expires_at), default=None)
    next_points = sum(lot.free for lot in live if expiry and lot.expires_at == expiry)
    return loyalty_pb2.Balance(
        wallet_id=wallet_id,
        client_id=wallet.client_id or "",
        available=held.available,
        held=held.held,
        debt=held.debt,
        points=held.points,
        worth=None if worth is None else money(worth.of(held.available)),
        next_expiry_at=timestamp_if_any(expiry),
        next_expiry_points=next_points,
        totals=_totals(wallet),
        etag=etag,
        versions=journal_versions(versions),
    )


def _totals(wallet: Wallet) -> loyalty_pb2.Balance.Totals:
    return loyalty_pb2.Balance.Totals(
        issued=wallet.issued,
        granted=wallet.granted,
        withdrawn=wallet.withdrawn,
        captured=wallet.captured,
        restored=wallet.restored,
        expired=wallet.expired,
        revoked=wallet.revoked,
        debt_repaid=wallet.debt_repaid,
        debt_created=wallet.debt_created,
        forgiven=wallet.forgiven,
        deducted=wallet.deducted,
    )


def card(value: Card, opening: Opening) -> loyalty_pb2.Card:
    """A card of a wallet."""
    return loyalty_pb2.Card(
        card_id=value.card_id,
        number=opening.text(value.number),
        kind=number(loyalty_pb2.CardKind, value.kind),
        status=number(loyalty_pb2.CardStatus, value.status),
        successor=value.successor or "",
        issued=fact_ref(value.issued),
        changed=fact_ref(value.changed),
        personal_withheld=opening.withholds(value.number),
    )


def statement_line(value: StatementLine) -> loyalty_pb2.Movement:
    """A line of a statement."""
    return loyalty_pb2.Movement(
        fact=fact_ref(value.ref),
        name=value.name.rpartition(".v")[0],
        points=value.points,
        moment=timestamp(value.moment),
    )


def explained(
    value: Explanation, balance_message: loyalty_pb2.Balance, events: Mapping[Ref, RecordedEvent]
) -> loyalty_pb2.ExplainBalanceResponse:
    """
    A balance with every event behind it.

    Args:
        value: The explanation.

        balance_message: The balance it explains.

        events: The wallet's journal, by reference.
    """
    return loyalty_pb2.ExplainBalanceResponse(
        balance=balance_message,
        lots=(_story(story, events) for story in value.lots),
        debt=(_movement(movement, events) for movement in value.debt),
    )


def _story(
    story: LotStory, events: Mapping[Ref, RecordedEvent]
) -> loyalty_pb2.ExplainBalanceResponse.LotStory:
    return loyalty_pb2.ExplainBalanceResponse.LotStory(
        lot=lot(story.lot),
        movements=(_movement(movement, events) for movement in story.movements),
    )


def _movement(movement: Movement, events: Mapping[Ref, RecordedEvent]) -> loyalty_pb2.Movement:
    recorded = events[movement.ref]
    return loyalty_pb2.Movement(
        fact=fact_ref(movement.ref),
        name=recorded.type.name,
        points=movement.points,
        moment=timestamp(recorded.occurred_at),
    )


def lot(value: Lot) -> loyalty_pb2.Lot:
    """Points that came together."""
    return loyalty_pb2.Lot(
        lot_id=value.lot_id,
        issued=value.issued,
        remaining=value.remaining,
        held=value.held,
        effective_at=timestamp(value.effective_at),
        expires_at=timestamp_if_any(value.expires_at),
        priority=value.priority,
        definition=value.definition or "",
        purchase=business_key_if_any(value.purchase),
        line_id=value.line_id or "",
        issue=fact_ref(value.issue),
    )
