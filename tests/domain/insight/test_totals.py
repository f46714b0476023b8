"""
The sums of the company.
"""

from __future__ import annotations

import itertools

from collections import Counter
from collections.abc import Iterable

import attrs

from hypothesis import given, settings

from clientela.domain.codec import Codec
from clientela.domain.event import RecordedEvent
from clientela.domain.facts import PurchaseRecorded, ReturnRecorded
from clientela.domain.ids import JournalKind, WalletId, wallet_journal
from clientela.domain.insight.card import Card
from clientela.domain.insight.card import evolve as evolve_card
from clientela.domain.insight.points import _SUMS, Points
from clientela.domain.insight.totals import COMPANY, Totals, evolve, key_of
from clientela.domain.insight.trade import Trade
from clientela.domain.loyalty.earning import PointsIssued
from clientela.domain.loyalty.entries import Account
from clientela.domain.loyalty.expiry import PointsExpired
from clientela.domain.loyalty.spending import PointsCaptured
from clientela.domain.loyalty.wallet import Wallet
from tests.domain.insight.histories import CLIENTS, buy, company, lived, plans, register


def totals_of(events: Iterable[RecordedEvent]) -> Totals:
    """The totals folded from what belongs to them."""
    totals = Totals()
    for recorded in events:
        if key_of(recorded) == COMPANY:
            totals = evolve(totals, recorded)
    return totals


@settings(max_examples=60, deadline=None)
@given(plans)
def test_totals_tie_out_with_a_plain_count(plan):
    """
    REC-3, LOY-10: sums of purchases, returns and points equal those counted plainly over the same
    events, and those of the wallets.
    """
    shop = lived(plan)
    events = [recorded.event for recorded in shop.events]
    totals = totals_of(shop.events)
    bought = [e for e in events if isinstance(e, PurchaseRecorded)]
    back = [e for e in events if isinstance(e, ReturnRecorded)]
    revenue: Counter[str] = Counter()
    for purchase in bought:
        revenue[purchase.total.currency] += purchase.total.minor

    assert (len(bought), revenue, len(back)) == (
        totals.trade.purchases,
        totals.trade.revenue,
        totals.trade.returns,
    )
    assert sum(e.refund.minor for e in back) == sum(totals.trade.refunds.values())
    assert (
        sum(line.points for e in events if isinstance(e, PointsIssued) for line in e.lines),
        sum(e.points for e in events if isinstance(e, PointsCaptured)),
        sum(e.points for e in events if isinstance(e, PointsExpired)),
    ) == (totals.points.issued, totals.points.spent, totals.points.expired)
    wallets = [shop.record(wallet_journal(WalletId(c))).of(Wallet) for c in CLIENTS]
    assert (
        sum(lot.remaining for wallet in wallets for lot in wallet.lots.values()),
        sum(wallet.debt for wallet in wallets),
    ) == (totals.points.outstanding, totals.points.debt)


@settings(max_examples=40, deadline=None)
@given(plans)
def test_totals_are_the_sum_of_the_cards(plan):
    """
    REC-1: the company's sums are those of its clients, nothing beside and nothing twice.
    """
    shop = lived(plan)
    cards: dict[str, Card] = dict.fromkeys(CLIENTS, Card(client_id=CLIENTS[0]))
    for recorded in shop.events:
        if recorded.journal.kind in {JournalKind.CLIENT, JournalKind.WALLET}:
            cards[recorded.journal.id] = evolve_card(cards[recorded.journal.id], recorded)
    totals = totals_of(shop.events)

    for field in attrs.fields(Points):
        assert getattr(totals.points, field.name) == sum(
            getattr(card.points, field.name) for card in cards.values()
        )
    for field in attrs.fields(Trade):
        parts = [getattr(card.trade, field.name) for card in cards.values()]
        total = sum(map(Counter, parts), Counter()) if isinstance(parts[0], dict) else sum(parts)
        assert total == _without_nothing(getattr(totals.trade, field.name))


def _without_nothing(value: int | dict[str, int]) -> int | dict[str, int]:
    if isinstance(value, dict):
        return {currency: minor for currency, minor in value.items() if minor}
    return value


@settings(max_examples=40, deadline=None)
@given(plans)
def test_points_balance(plan):
    """
    LOY-10: what is outstanding less debt is what came less what went.
    """
    points = totals_of(lived(plan).events).points

    came = points.issued + points.granted + points.restored + points.forgiven + points.deducted
    went = points.withdrawn + points.spent + points.expired + points.revoked
    assert points.outstanding - points.debt == came - went


def test_every_movement_of_every_account_has_a_sum():
    """
    LOY-10: whatever an event does to an account, a sum says so.
    """
    assert set(itertools.product(Account, (True, False))) == set(_SUMS)


def test_events_that_sum_nothing_belong_to_no_row():
    """
    Registrations, stages and cards leave the totals alone; a purchase and its points do not.
    """
    shop = company()
    shop.run(register())
    before = [key_of(recorded) for recorded in shop.events]
    shop.run(buy(CLIENTS[0], 1, 2000, shop.now))

    assert {None} == set(before)
    summed = {e.event_class.__name__ for e in shop.events if key_of(e) == COMPANY}
    assert {"PurchaseRecorded", "PointsIssued"} == summed


def test_totals_survive_storage():
    """
    Totals are the same after storing them as plain data.
    """
    shop = company()
    shop.run(register())
    shop.run(buy(CLIENTS[0], 1, 2000, shop.now))
    codec = Codec(shop.rulebook.event_classes)
    totals = totals_of(shop.events)

    assert totals == codec.value(codec.plain(totals), Totals)
    assert Points(issued=20, outstanding=20) == totals.points
