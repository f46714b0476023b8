from datetime import UTC, datetime

import pytest

from google.type.money_pb2 import Money as WireMoney

from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import Code, Ref, WalletId
from clientela.domain.loyalty.balance import explain
from clientela.domain.loyalty.cards import BlockCard
from clientela.domain.loyalty.programme import Programme
from clientela.domain.loyalty.statement import Axis, statement
from clientela.domain.loyalty.wallet import Wallet
from clientela.services.translate import loyalty, points
from clientela.services.translate.messages import (
    business_key,
    fact_ref,
    journal_versions,
    timestamp,
)
from clientela.v1 import loyalty_pb2
from tests.services.translate.shop import (
    AT,
    CARD,
    RECEIPT,
    WALLET,
    hidden,
    shop,
    shown,
)


EXPIRES_AT = datetime(2027, 3, 3, 23, 0, tzinfo=UTC)
OLGA = WalletId("olga")


def balance_of(company) -> loyalty_pb2.Balance:
    """Olga's balance now."""
    worth = company.definitions.at(company.now).of(Programme).point_value
    wallet = company.record(WALLET).of(Wallet)
    return points.balance(OLGA, wallet, company.now, worth, etag="loyalty-4", versions={WALLET: 4})


def test_a_balance_tells_points_worth_and_the_next_expiry():
    """
    LOY-10: 420 earned, 60 taken back by the return, the rest worth 3.60 EUR until its day ends.
    """
    expected = loyalty_pb2.Balance(
        wallet_id="olga",
        client_id="olga",
        available=360,
        points=360,
        worth=WireMoney(currency_code="EUR", units=3, nanos=600_000_000),
        next_expiry_at=timestamp(EXPIRES_AT),
        next_expiry_points=360,
        totals=loyalty_pb2.Balance.Totals(issued=420, revoked=60),
        etag="loyalty-4",
        versions=journal_versions({WALLET: 4}),
    )
    assert expected == balance_of(shop())


def test_points_without_a_worth_have_none():
    """
    LOY-10: where points cannot be spent they are worth nothing, which is not zero money.
    """
    company = shop()
    wallet = company.record(WALLET).of(Wallet)

    answer = points.balance(OLGA, wallet, company.now, None, versions={})

    assert not answer.HasField("worth")


def test_an_explanation_sums_to_the_balance():
    """
    LOY-10: the movements of each lot sum to what remains, all lots to the balance.
    """
    company = shop()
    wallet, events = company.record(WALLET).of(Wallet), company.history(WALLET)

    answer = points.explained(
        explain(wallet, events, company.now),
        balance_of(company),
        {recorded.ref: recorded for recorded in events},
    )

    assert [60, 300] == sorted(story.lot.remaining for story in answer.lots)
    for story in answer.lots:
        assert story.lot.remaining == sum(movement.points for movement in story.movements)
    tea = next(story for story in answer.lots if story.lot.line_id == "1")
    assert business_key(RECEIPT) == tea.lot.purchase
    assert [("points-issued", 120), ("points-revoked", -60)] == [
        (movement.name, movement.points) for movement in tea.movements
    ]


def test_a_statement_names_events_without_their_shape():
    """
    LOY-10: a line of a statement bears the event's name, moment and points.
    """
    company = shop()
    told = statement(company.history(WALLET), AT, company.now, Axis.RECORDED)

    [issued] = map(points.statement_line, told.lines)

    expected = loyalty_pb2.Movement(
        fact=fact_ref(Ref(WALLET, 2)),
        name="points-issued",
        points=420,
        moment=timestamp(told.lines[0].moment),
    )
    assert expected == issued


def test_a_card_shows_its_number_to_those_who_may_see_it():
    """
    LOY-5: a card's number is personal.
    """
    company = shop()
    card = company.record(WALLET).of(Wallet).cards[CARD]

    expected = loyalty_pb2.Card(
        card_id="first",
        number="4711",
        kind=loyalty_pb2.CARD_KIND_PERSONAL,
        status=loyalty_pb2.CARD_STATUS_ACTIVE,
        issued=fact_ref(Ref(WALLET, 3)),
        changed=fact_ref(Ref(WALLET, 3)),
    )
    assert expected == points.card(card, shown(company))
    assert ("", True) == (
        points.card(card, hidden(company)).number,
        points.card(card, hidden(company)).personal_withheld,
    )


def test_a_blocked_card_says_so():
    """
    LOY-4: a blocked card names the event that stopped it.
    """
    company = shop()
    company.run(BlockCard(wallet_id=OLGA, card_id=CARD, reason=Code("lost")))

    card = points.card(company.record(WALLET).of(Wallet).cards[CARD], shown(company))

    assert loyalty_pb2.CARD_STATUS_BLOCKED == card.status
    assert fact_ref(Ref(WALLET, 5)) == card.changed


def test_a_statement_goes_by_when_things_happened_unless_it_says_otherwise():
    """
    LOY-10: the axis may be left unspecified, and the period open.
    """
    query = loyalty.statement_query(loyalty_pb2.GetStatementRequest(wallet_id="olga"))

    assert loyalty.StatementQuery(wallet_id=OLGA) == query


def test_a_period_does_not_end_before_it_begins():
    """
    LOY-10: begin and end are a half-open interval.
    """
    request = loyalty_pb2.GetStatementRequest(
        wallet_id="olga",
        begin=timestamp(AT),
        end=timestamp(AT),
        axis=loyalty_pb2.GetStatementRequest.AXIS_RECORDED,
    )

    with pytest.raises(InvalidValueError) as refused:
        loyalty.statement_query(request)

    assert "end" == refused.value.field
