"""
A year and a half of a real shop, run by the library alone and counted by hand.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from clientela.domain.backtest import Kind, backtest
from clientela.domain.facts import PurchaseRecorded
from clientela.domain.ids import Code, JournalKind
from clientela.domain.lifecycle.stages import Lifecycle
from clientela.domain.loyalty.earning import PointsIssued
from clientela.domain.loyalty.expiry import PointsExpired
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.standard import definitions_from
from tests.acceptance.cdnow import counts, ladder, sales
from tests.acceptance.library import SHOP, cdnow_shop, empty_company


END = date(1998, 6, 30)


@pytest.fixture(scope="module")
def found(data):
    """Every sale of the file."""
    return sales(data)


@pytest.fixture(scope="module")
def shop(found):
    """The shop at the end of June 1998."""
    return cdnow_shop(found, END)


def stages(shop, model):
    """How many clients stand in each stage of a model."""
    lives = (shop.record(j).of(Lifecycle) for j in shop.journal_ids(JournalKind.CLIENT))
    return Counter(life.stage(Code(model)) for life in lives)


def test_the_file_is_the_one_we_know(found):
    """
    The sample has 2,357 customers, 6,919 purchases and 244,091.94 dollars.
    """
    expected = counts(found, END)

    assert (2_357, 6_919, 24_409_194) == (expected.clients, expected.purchases, expected.cents)
    assert 1_139 == sum(len(days) > 1 for days in expected.days.values())
    assert 1_152 == sum(number > 1 for number in expected.orders.values())


def test_clients_purchases_and_revenue_equal_the_file(shop, found):
    """
    REC-3: every row is one purchase, equal rows included, and the sums are the file's.
    """
    purchases = [e.event for e in shop.events if isinstance(e.event, PurchaseRecorded)]

    assert 2_357 == len(list(shop.journal_ids(JournalKind.CLIENT)))
    assert 6_919 == len(purchases)
    assert 24_409_194 == sum(purchase.total.minor for purchase in purchases)


def test_points_equal_an_independent_count(shop, found):
    """
    LOY-10: issued, expired and outstanding points are those that plain arithmetic gives.
    """
    expected = counts(found, END)
    wallets = [shop.record(j).of(Wallet) for j in shop.journal_ids(JournalKind.WALLET)]
    issued = [e.event for e in shop.events if isinstance(e.event, PointsIssued)]
    expired = [e.event for e in shop.events if isinstance(e.event, PointsExpired)]

    assert expected.issued == sum(each.points for each in issued)
    assert expected.expired == sum(each.points for each in expired)
    assert expected.outstanding == sum(
        lot.remaining for wallet in wallets for lot in wallet.lots.values()
    )


def test_stages_equal_an_independent_count(shop, found):
    """
    LIFE-4, LIFE-6, LIFE-19, LIFE-20: a second order ends *developing*; a second visit makes a
    regular, so two receipts of one day are one visit.
    """
    expected = counts(found, END)
    walked = Counter(ladder(days, END, 180) for days in expected.days.values())

    assert {"purchase": 2_357 - 1_152, "loyalty": 1_152} == stages(shop, "clm")
    assert {"buyer": 2_357 - 1_139, "regular": 1_139} == stages(shop, "efremova")
    assert walked == stages(shop, "ladder")


def test_backtest_under_the_same_definitions_is_empty(shop):
    """
    A backtest with unchanged definitions lists nothing.
    """
    made = empty_company()
    same = definitions_from(SHOP, shop.rulebook)

    assert () == backtest(shop.events, made, same, same, until=shop.now)


def test_backtest_with_another_rate_lists_what_would_differ(shop, found):
    """
    With two points a dollar, each issue and each expiry is listed once as it was and once as it
    would have been, and the points differ as plain arithmetic says.
    """
    made = empty_company()
    after = definitions_from(SHOP.replace("points = 1\n", "points = 2\n"), shop.rulebook)
    twice = sum(sale.cents * 2 // 100 for sale in found)
    earning = sum(sale.cents >= 50 for sale in found)

    listed = backtest(
        shop.events, made, definitions_from(SHOP, shop.rulebook), after, until=shop.now
    )

    of_issues = [each for each in listed if each.name == "points-issued.v1"]
    gone = sum(each.kind is Kind.GONE for each in of_issues)
    new = [each for each in of_issues if each.kind is Kind.NEW]
    assert sum(sale.cents >= 100 for sale in found) == gone
    assert earning == len(new)
    assert twice == sum(points_in(each) for each in new)
    assert {"points-issued.v1", "points-expired.v1", "earning-declined.v1"} >= {
        each.name for each in listed
    }


def points_in(difference):
    """Points of an issue in a difference."""
    return sum(line["points"] for line in difference.value()["lines"])


def test_backtest_with_another_lifecycle_lists_what_would_differ(shop, found):
    """
    With a year of silence instead of half a year, the listed ends of the ladder are those that
    plain arithmetic gives.
    """
    made = empty_company()
    after = definitions_from(SHOP.replace("days = 180", "days = 365"), shop.rulebook)
    expected = counts(found, END)
    spans = [
        (later - day).days
        for days in expected.days.values()
        for day, later in zip(days, [*days[1:], END], strict=True)
    ]

    listed = backtest(
        shop.events, made, definitions_from(SHOP, shop.rulebook), after, until=shop.now
    )

    by_time = [each for each in listed if each.name == "stage-entered-by-time.v1"]
    ends = Counter(each.kind for each in by_time)
    assert sum(span >= 180 for span in spans) == ends[Kind.GONE]
    assert sum(span >= 365 for span in spans) == ends[Kind.NEW]
