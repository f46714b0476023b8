from datetime import timedelta

from google.type.date_pb2 import Date
from google.type.money_pb2 import Money as WireMoney

from clientela.domain.ids import Ref
from clientela.domain.purchase.purchases import Purchases
from clientela.services.translate import purchase
from clientela.services.translate.messages import business_key, fact_ref, timestamp
from clientela.v1 import common_pb2, purchase_pb2
from tests.services.translate.shop import (
    AT,
    CLIENT,
    EARLY_RETURN,
    OLGA,
    RECEIPT,
    RETURN,
    WALLET,
    shop,
)


def euro(units, nanos=0) -> WireMoney:
    """An amount."""
    return WireMoney(currency_code="EUR", units=units, nanos=nanos)


def test_a_purchase_is_told_with_what_came_back():
    """
    REC-3: lines, tenders, days, and of each line the pieces that came back and what was refunded.
    """
    history = shop().history(CLIENT)

    expected = purchase_pb2.Purchase(
        purchase=business_key(RECEIPT),
        client_id="olga",
        wallet_id="olga",
        lines=[
            purchase_pb2.Line(
                line_id="1", sku="tea", quantity=2, net=euro(12), tax=euro(0, 790_000_000)
            ),
            purchase_pb2.Line(line_id="2", sku="pot", quantity=1, net=euro(30)),
        ],
        tenders=[purchase_pb2.Tender(kind=purchase_pb2.TENDER_KIND_MONEY, amount=euro(42))],
        total=euro(42),
        local_date=Date(year=2026, month=3, day=3),
        unit_id="north",
        seller_id="marta",
        returnable_until=Date(year=2026, month=4, day=2),
        occurred_at=timestamp(AT + timedelta(days=1)),
        recorded=fact_ref(Ref(CLIENT, 8)),
        back=[purchase_pb2.Purchase.Back(line_id="1", quantity=1, refund=euro(6))],
    )
    assert expected == purchase.purchase(history[7], history)


def test_a_return_tells_pieces_refund_and_points():
    """
    LOY-10, DEV-5: what came back, what was paid back, and the points that went with it.
    """
    company = shop()
    outcome = common_pb2.Outcome(replayed=True)

    answer = purchase.recorded_return(
        outcome, RETURN, (*company.history(CLIENT), *company.history(WALLET))
    )

    expected = purchase_pb2.RecordReturnResponse(
        outcome=outcome,
        matched=[
            purchase_pb2.ReturnedLine(
                purchase=business_key(RECEIPT),
                line_id="1",
                sku="tea",
                quantity=1,
                refund=euro(6),
            )
        ],
        refund=euro(6),
        points_revoked=60,
    )
    assert expected == answer


def test_what_another_return_did_is_passed_over():
    """
    LOY-10: of a whole journal only the return asked about is told.
    """
    company = shop()

    answer = purchase.recorded_return(
        common_pb2.Outcome(), EARLY_RETURN, (*company.history(CLIENT), *company.history(WALLET))
    )

    cup = purchase_pb2.UnmatchedLine(sku="cup", quantity=1, refund=euro(3))
    expected = purchase_pb2.RecordReturnResponse(
        outcome=common_pb2.Outcome(), unmatched=[cup], refund=euro(3)
    )
    assert expected == answer


def test_points_of_a_purchase_are_summed():
    """
    LOY-10: 42.00 EUR at one point for ten cents.
    """
    assert 420 == purchase.points_issued(RECEIPT, shop().history(WALLET))
    assert 0 == purchase.points_issued(RETURN, shop().history(WALLET))


def test_a_waiting_return_tells_what_it_waits_for():
    """
    DEV-5: a return of a cup that nobody knows of is listed until its purchase comes.
    """
    [waiting] = shop().record(CLIENT).of(Purchases).waiting.values()

    expected = purchase_pb2.WaitingReturn(
        return_key=business_key(EARLY_RETURN),
        client_id="olga",
        occurred_at=timestamp(AT + timedelta(hours=1)),
        local_date=Date(year=2026, month=3, day=2),
        lines=[purchase_pb2.UnmatchedLine(sku="cup", quantity=1, refund=euro(3))],
        recorded=fact_ref(Ref(CLIENT, 7)),
    )
    assert expected == purchase.waiting_return(OLGA, waiting)
