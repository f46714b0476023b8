"""
Samples of what is bought and earned: purchases, stages, points.
"""

from datetime import date

from clientela.domain.facts import (
    Tender,
    TenderKind,
)
from clientela.domain.ids import Code, WalletId
from clientela.domain.lifecycle.stages import SetStage
from clientela.domain.loyalty.adjustment import AdjustPoints
from clientela.domain.loyalty.card import CardId
from clientela.domain.loyalty.cards import BlockCard, IssueCard, ReplaceCard, UnblockCard
from clientela.domain.loyalty.membership import OpenWallet
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.money import Money
from clientela.domain.personal import Personal
from clientela.domain.purchase.matching import Wanted
from clientela.domain.purchase.recording import RecordPurchase, RecordReturn
from clientela.services.translate import (
    lifecycle,
    loyalty,
    purchase,
)
from clientela.v1 import (
    lifecycle_pb2,
    loyalty_pb2,
    purchase_pb2,
)
from tests.services.translate.samples import (
    AT,
    EURO_0_81,
    EURO_12_50,
    FOR_OLGA,
    FOR_WALLET,
    MARCH_SECOND,
    MARTA,
    NORTH,
    OLGA,
    RECEIPT,
    RETURN,
    TEA,
    WALLET,
    Sample,
    key,
)


TRADE_SAMPLES = {
    "RecordPurchase": Sample(
        purchase.record_purchase,
        purchase_pb2.RecordPurchaseRequest(
            **FOR_OLGA,
            purchase=key(RECEIPT),
            lines=[
                purchase_pb2.Line(
                    line_id="1",
                    sku="tea",
                    quantity=2,
                    net=EURO_12_50,
                    tax=EURO_0_81,
                    category="drinks",
                )
            ],
            tenders=[
                purchase_pb2.Tender(
                    kind=purchase_pb2.TENDER_KIND_POINTS, amount=EURO_12_50, points=1250
                )
            ],
            local_date=MARCH_SECOND,
            wallet_id="family",
            unit_id=NORTH,
            seller_id=MARTA,
        ),
        RecordPurchase(
            client_id=OLGA,
            purchase=RECEIPT,
            lines=(TEA,),
            tenders=(Tender(kind=TenderKind.POINTS, amount=Money(1250, "EUR"), points=1250),),
            local_date=date(2026, 3, 2),
            wallet_id=WalletId("family"),
            unit_id=NORTH,
            seller_id=MARTA,
            occurred_at=AT,
        ),
    ),
    "RecordReturn": Sample(
        purchase.record_return,
        purchase_pb2.RecordReturnRequest(
            **FOR_OLGA,
            return_key=key(RETURN),
            currency="EUR",
            lines=[
                purchase_pb2.RecordReturnRequest.Line(
                    quantity=1,
                    refund=EURO_0_81,
                    sku="tea",
                    purchase=key(RECEIPT),
                    line_id="1",
                )
            ],
            local_date=MARCH_SECOND,
            wallet_id="family",
            unit_id=NORTH,
        ),
        RecordReturn(
            client_id=OLGA,
            return_key=RETURN,
            currency="EUR",
            lines=(
                Wanted(
                    quantity=1,
                    refund=Money(81, "EUR"),
                    sku=Code("tea"),
                    purchase=RECEIPT,
                    line_id=Code("1"),
                ),
            ),
            local_date=date(2026, 3, 2),
            wallet_id=WalletId("family"),
            unit_id=NORTH,
            occurred_at=AT,
        ),
    ),
    "SetStage": Sample(
        lifecycle.set_stage,
        lifecycle_pb2.SetStageRequest(
            **FOR_OLGA, model="efremova", stage="regular", reason="renewed"
        ),
        SetStage(
            client_id=OLGA,
            model=Code("efremova"),
            stage=Code("regular"),
            reason=Code("renewed"),
            occurred_at=AT,
        ),
    ),
    "OpenWallet": Sample(
        loyalty.open_wallet,
        loyalty_pb2.OpenWalletRequest(**FOR_OLGA),
        OpenWallet(client_id=OLGA, occurred_at=AT),
    ),
    "IssueCard": Sample(
        loyalty.issue_card,
        loyalty_pb2.IssueCardRequest(**FOR_WALLET, card_id="first", number="4711"),
        IssueCard(
            wallet_id=WALLET, card_id=CardId("first"), number=Personal("4711"), occurred_at=AT
        ),
    ),
    "BlockCard": Sample(
        loyalty.block_card,
        loyalty_pb2.BlockCardRequest(**FOR_WALLET, card_id="first", reason="lost"),
        BlockCard(wallet_id=WALLET, card_id=CardId("first"), reason=Code("lost"), occurred_at=AT),
    ),
    "UnblockCard": Sample(
        loyalty.unblock_card,
        loyalty_pb2.UnblockCardRequest(**FOR_WALLET, card_id="first"),
        UnblockCard(wallet_id=WALLET, card_id=CardId("first"), occurred_at=AT),
    ),
    "ReplaceCard": Sample(
        loyalty.replace_card,
        loyalty_pb2.ReplaceCardRequest(
            **FOR_WALLET, card_id="first", new_card_id="second", number="4712", reason="lost"
        ),
        ReplaceCard(
            wallet_id=WALLET,
            card_id=CardId("first"),
            new_card_id=CardId("second"),
            number=Personal("4712"),
            reason=Code("lost"),
            occurred_at=AT,
        ),
    ),
    "SpendPoints": Sample(
        loyalty.spend_points,
        loyalty_pb2.SpendPointsRequest(
            **FOR_WALLET,
            spend=key(RETURN),
            points=300,
            purchase=key(RECEIPT),
            card_id="first",
        ),
        SpendPoints(
            wallet_id=WALLET,
            spend=RETURN,
            points=300,
            purchase=RECEIPT,
            card_id=CardId("first"),
            occurred_at=AT,
        ),
    ),
    "AdjustPoints": Sample(
        loyalty.adjust_points,
        loyalty_pb2.AdjustPointsRequest(
            **FOR_WALLET,
            adjustment=key(RETURN),
            points=-40,
            reason="goodwill",
            expires_on=MARCH_SECOND,
            priority=-3,
        ),
        AdjustPoints(
            wallet_id=WALLET,
            adjustment=RETURN,
            points=-40,
            reason=Code("goodwill"),
            expires_on=date(2026, 3, 2),
            priority=-3,
            occurred_at=AT,
        ),
    ),
}
