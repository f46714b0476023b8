"""
A year of a wholesale shop with cancellations, run by the library alone and counted by hand.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from clientela.domain.backtest import Kind, backtest
from clientela.domain.facts import PurchaseRecorded, ReturnMatched, ReturnRecorded
from clientela.domain.ids import Code, JournalKind
from clientela.domain.lifecycle.stages import Lifecycle
from clientela.domain.loyalty.debt import DebtCreated, DebtRepaid
from clientela.domain.loyalty.earning import EarningDeclined, PointsIssued
from clientela.domain.loyalty.expiry import PointsExpired
from clientela.domain.loyalty.revocation import PointsRevoked
from clientela.domain.loyalty.spending import PointsCaptured
from clientela.domain.loyalty.wallet import Wallet
from tests.acceptance.online_retail import by_customer, ladder, presets, rows, slips
from tests.acceptance.online_retail_count import Count
from tests.acceptance.online_retail_shop import SHOP, definitions, made, online_retail_shop


END = datetime(2010, 12, 31, tzinfo=UTC)
LATE = 200


def counted(arrivals, **rules):
    """The independent count at the end."""
    count = Count(months=3, **rules)
    for slip, now in arrivals:
        count.take_in(slip, now)
    for customer in tuple(count.minted):
        count.pass_time(customer, END)
    return count


@pytest.fixture(scope="module")
def found(data):
    """Every row of the file."""
    return rows(data)


@pytest.fixture(scope="module")
def arrivals(found):
    """Every invoice, known when it happens."""
    return [(slip, slip.at) for slip in slips(found)]


@pytest.fixture(scope="module")
def count(arrivals):
    """The independent count of what happened."""
    return counted(arrivals)


@pytest.fixture(scope="module")
def shop(arrivals, count):
    """The shop at the end of 2010."""
    return online_retail_shop(arrivals, count.spent, END)


@pytest.fixture(scope="module")
def late(arrivals, count):
    """200 purchases: all of which pieces came back, and the first of the others."""
    with_returns = sorted({bought for _, _, bought, _ in count.found})
    others = [slip.invoice for slip, _ in arrivals if not slip.is_return]
    return list(dict.fromkeys((*with_returns, *others)))[:LATE]


@pytest.fixture(scope="module")
def late_arrivals(arrivals, count, late):
    """
    The same with these purchases known late: every second one right after the last return that
    belongs to it, the others after everything else.
    """
    place = {slip.invoice: n for n, (slip, _) in enumerate(arrivals)}
    last: dict[str, int] = {}
    for returned, _, bought, _ in count.found:
        last[bought] = max(last.get(bought, 0), place[returned])
    times = [*(now for _, now in arrivals), END.replace(day=10)]
    order = [(n, 0, arrivals[n][0]) for name, n in place.items() if name not in late]
    for n, name in enumerate(late, start=1):
        after = last.get(name, len(arrivals)) if n % 2 else len(arrivals)
        order.append((after, n, arrivals[place[name]][0]))
    return [(slip, times[n]) for n, _, slip in sorted(order, key=lambda each: each[:2])]


@pytest.fixture(scope="module")
def late_count(late_arrivals):
    """The independent count in the order of arrival."""
    return counted(late_arrivals)


@pytest.fixture(scope="module")
def late_shop(late_arrivals, late_count):
    """The shop that heard of 200 purchases late."""
    return online_retail_shop(late_arrivals, late_count.spent, END)


def of(shop, *kinds):
    """Events of some classes, as they were recorded."""
    return [recorded.event for recorded in shop.events if isinstance(recorded.event, kinds)]


def matches(shop):
    """Pieces by return, purchase and line of it, whenever they were matched."""
    pieces: Counter[tuple[object, ...]] = Counter()
    for event in of(shop, ReturnRecorded, ReturnMatched):
        for line in event.matched:
            pieces[event.return_key.id, line.purchase.id, int(line.line_id)] += line.quantity
    return pieces


def matches_counted(count):
    """The same by the independent count."""
    pieces: Counter[tuple[object, ...]] = Counter()
    for (returned, _, bought, row), number in count.found.items():
        pieces[returned, bought, row] += number
    return pieces


def unmatched(shop):
    """Pieces by return and article that were never matched."""
    pieces: Counter[tuple[object, ...]] = Counter()
    for event in of(shop, ReturnRecorded):
        pieces.update({(event.return_key.id, r.sku): 0 for r in event.unmatched})
        for rest in event.unmatched:
            pieces[event.return_key.id, rest.sku] += rest.quantity
    for event in of(shop, ReturnMatched):
        for line in event.matched:
            pieces[event.return_key.id, line.sku] -= line.quantity
    return +pieces


def unmatched_counted(count):
    """The same by the independent count."""
    waiting = (piece for pieces in count.waiting.values() for piece in pieces)
    return Counter((piece["slip"].invoice, piece["row"].code) for piece in waiting)


def points(shop):
    """Sums of points, as in the journals and wallets."""
    wallets = [shop.record(j).of(Wallet) for j in shop.journal_ids(JournalKind.WALLET)]
    return {
        "issued": sum(event.points for event in of(shop, PointsIssued)),
        "spent": sum(event.points for event in of(shop, PointsCaptured)),
        "revoked": sum(event.charged for event in of(shop, PointsRevoked)),
        "expired": sum(event.points for event in of(shop, PointsExpired)),
        "owed": sum(event.points for event in of(shop, DebtCreated)),
        "repaid": sum(event.points for event in of(shop, DebtRepaid)),
        "debt": sum(wallet.debt for wallet in wallets),
        "outstanding": sum(lot.remaining for w in wallets for lot in w.lots.values()),
    }


def points_counted(count):
    """The same by the independent count."""
    names = ("issued", "spent", "revoked", "expired", "owed", "repaid")
    sums = {name: count.totals[name] for name in names}
    return {**sums, "debt": sum(count.owed.values()), "outstanding": count.free()}


def told(recorded):
    """What happened to a wallet, in the words of the independent count; None if nothing did."""
    event = recorded.event
    head = (recorded.type.name, recorded.journal.id, recorded.occurred_at)
    match event:
        case PointsIssued(purchase=bought):
            lots = ((f"{bought.id}/{x.line_id}", x.quantity, x.points) for x in event.lines)
            return (*head, bought.id, tuple(lots))
        case EarningDeclined(purchase=bought):
            return (*head, bought.id, ())
        case PointsCaptured(spend=spend):
            return (*head, spend.id, lots_of(event))
        case PointsExpired() | DebtRepaid():
            return (*head, lots_of(event))
        case DebtCreated(purchase=bought, return_key=back):
            return (*head, back.id, bought.id, event.points)
        case PointsRevoked(purchase=bought, return_key=back):
            lines = tuple(
                (
                    f"{bought.id}/{line.line_id}",
                    line.quantity,
                    line.points,
                    lots_of(line),
                    line.excused,
                    line.shortfall,
                )
                for line in event.lines
            )
            return (*head, back.id, bought.id, lines)
        case _:
            return None


def lots_of(taken):
    """Points by lot, without the name of the till."""
    return tuple((a.lot_id.partition(":")[2], a.points) for a in taken.allocations)


def stages(shop, model):
    """How many clients stand in each stage of a model."""
    lives = (shop.record(j).of(Lifecycle) for j in shop.journal_ids(JournalKind.CLIENT))
    return Counter(life.stage(Code(model)) for life in lives)


def stages_counted(arrivals):
    """The same by the independent count, in all three models."""
    own = by_customer(sorted((slip for slip, _ in arrivals), key=lambda slip: slip.at)).values()
    return (
        Counter(presets(each)[0] for each in own),
        Counter(presets(each)[1] for each in own),
        Counter(ladder(each, END, 180, 2)[-1][3] for each in own),
    )


def listed(differences):
    """Differences by kind, name, journal and moment."""
    return Counter((d.kind, d.name, d.journal.id, d.occurred_at) for d in differences)


def test_the_file_is_the_one_we_know(found, arrivals):
    """
    The slice has 18,727 rows in 1,103 invoices of 214 clients, 469 rows of 218 cancelled; one
    invoice spans two moments, and six do not stand together.
    """
    own = [slip for slip, _ in arrivals]
    back = [slip for slip in own if slip.is_return]

    assert (18_727, 1_103) == (len(found), len(own))
    assert 214 == len({row.customer for row in found})
    assert (218, 469) == (len(back), sum(len(slip.rows) for slip in back))
    assert ["528588"] == [s.invoice for s in own if len({row.at for row in s.rows}) > 1]
    assert 6 == sum(s.rows[-1].number - s.rows[0].number >= len(s.rows) for s in own)


def test_every_row_is_in_the_journal(shop, found):
    """
    REC-3: each row that was sold is one line; each article that came back is there, piece by piece.
    """
    lines = {
        int(line.line_id): (bought.purchase.id, line.sku, line.quantity, line.net.minor)
        for bought in of(shop, PurchaseRecorded)
        for line in bought.lines
    }
    back: Counter[tuple[str, str, str]] = Counter()
    for event in of(shop, ReturnRecorded):
        for line in (*event.matched, *event.unmatched):
            back[event.return_key.id, line.sku, "pieces"] += line.quantity
            back[event.return_key.id, line.sku, "pence"] += line.refund.minor
    expected: Counter[tuple[str, str, str]] = Counter()
    for row in found:
        if row.invoice.startswith("C"):
            expected[row.invoice, row.code, "pieces"] += row.pieces
            expected[row.invoice, row.code, "pence"] += row.pence

    sold = [row for row in found if not row.invoice.startswith("C")]
    assert {row.number: (row.invoice, row.code, row.pieces, row.pence) for row in sold} == lines
    assert expected == back
    assert 18_727 == len(lines) + 469
    assert 214 == len(list(shop.journal_ids(JournalKind.CLIENT)))


def test_revenue_refunds_and_quantities_equal_the_file(shop, found):
    """
    REC-3, DEV-5: revenue and pieces are the file's; a return lowers revenue, matched or not.
    """
    bought, back = of(shop, PurchaseRecorded), of(shop, ReturnRecorded)
    refunds = sum(event.refund.minor for event in back)
    revenue = sum(event.total.minor for event in bought)
    signed = sum(row.pence * (-1 if row.invoice.startswith("C") else 1) for row in found)

    assert (885, 218) == (len(bought), len(back))
    assert (39_069_156, 3_463_103) == (revenue, refunds)
    assert signed == revenue - refunds
    assert 264_059 == sum(line.quantity for event in bought for line in event.lines)
    assert 1_765 == sum(x.quantity for e in back for x in (*e.matched, *e.unmatched))


def test_returns_find_the_purchases_that_an_independent_count_finds(shop, count):
    """
    DEV-5: a piece that came back is of the client's oldest purchase of the article with one left;
    where there is none it stays without a purchase.
    """
    lines = [line for event in of(shop, ReturnRecorded) for line in event.matched]
    rest = [line for event in of(shop, ReturnRecorded) for line in event.unmatched]
    waiting = (piece for pieces in count.waiting.values() for piece in pieces)

    assert matches_counted(count) == matches(shop)
    assert unmatched_counted(count) == unmatched(shop)
    assert (1_637, 128) == (matches(shop).total(), unmatched(shop).total())
    assert len(count.found) == len(lines) == 444
    assert len({piece["row"] for piece in waiting}) == len(rest) == 61


def test_points_equal_an_independent_count(shop, count):
    """
    LOY-10: issued, spent, revoked, expired, owed, repaid and outstanding points are those that
    counting point by point gives, and no return without a purchase takes any.
    """
    assert points_counted(count) == points(shop)
    assert all(points(shop).values())


def test_everything_that_happened_to_points_equals_an_independent_count(shop, count):
    """
    LOY-10: each issue, spend, expiry, revocation and debt is the one counted, lot by lot.
    """
    wallets = (recorded for recorded in shop.events if recorded.journal.kind is JournalKind.WALLET)
    happened = [each for recorded in wallets if (each := told(recorded))]

    assert Counter(count.log) == Counter(happened)
    assert 1_671 < len(happened)


def test_stages_equal_an_independent_count(shop, arrivals):
    """
    LIFE-4, LIFE-6, LIFE-19, LIFE-20: orders make clients loyal, visits make them regular, silence
    makes them former; who only brought something back has not begun.
    """
    by_order, by_visit, by_silence = stages_counted(arrivals)

    assert by_order == stages(shop, "clm")
    assert by_visit == stages(shop, "efremova")
    assert by_silence == stages(shop, "ladder")
    assert (5, 5) == (by_order["attraction"], by_visit["potential"])


def test_late_purchases_take_the_returns_that_waited_for_them(
    late_shop, late_count, late_arrivals, late, count
):
    """
    DEV-5: a purchase that becomes known late takes the pieces that waited for it, oldest return
    first; what had already found another purchase stays there.
    """
    place = {slip.invoice: n for n, (slip, _) in enumerate(late_arrivals)}
    caught_up = [line for event in of(late_shop, ReturnMatched) for line in event.matched]

    assert LATE == len(late) == 182 + sum(name not in {k[2] for k in count.found} for name in late)
    assert all(place[returned] < place[bought] for returned, _, bought, _ in count.found)
    assert matches_counted(late_count) == matches(late_shop)
    assert unmatched_counted(late_count) == unmatched(late_shop)
    assert matches(late_shop) != matches_counted(count)
    assert 1_000 < sum(line.quantity for line in caught_up)


def test_late_purchases_earn_and_lose_points_as_counted(late_shop, late_count):
    """
    LOY-10: points of a purchase known late are issued, expire, repay debt and go with its return as
    counting point by point in the order of arrival says.
    """
    assert points_counted(late_count) == points(late_shop)


def test_late_purchases_lead_to_the_stages_they_would_have_led_to(late_shop, late_arrivals):
    """
    LIFE-1, LIFE-12: stages follow from when things happened, not from when we heard of them.
    """
    expected = stages_counted(late_arrivals)

    assert expected == tuple(stages(late_shop, m) for m in ("clm", "efremova", "ladder"))


def test_backtest_under_the_same_definitions_is_empty(shop):
    """
    A backtest with unchanged definitions lists nothing.
    """
    same = definitions()

    assert () == backtest(shop.events, made(), same, same, until=END)


def test_backtest_with_another_rate_lists_what_an_independent_count_lists(shop, arrivals, count):
    """
    With a point for each pound and a half, every issue, spend, expiry, revocation and debt that
    would have differed is listed, and every spend for which there would not have been the points.
    """
    text = SHOP.replace("per_minor = 100", "per_minor = 150")
    other = counted(arrivals, per=150, plan=count.spent)
    was, would = Counter(count.log), Counter(other.log)
    expected: Counter[tuple[object, ...]] = Counter()
    for entry, number in (was - would).items():
        is_refused = entry[0] == "points-captured" and entry[3] in other.refused
        kind = Kind.REFUSED if is_refused else Kind.GONE
        expected[kind, f"{entry[0]}.v1", *entry[1:3]] += number
    for entry, number in (would - was).items():
        expected[Kind.NEW, f"{entry[0]}.v1", *entry[1:3]] += number

    found = backtest(shop.events, made(), definitions(), definitions(text), until=END)

    assert expected == listed(found)
    assert len(other.refused) == sum(d.reason == "INSUFFICIENT_POINTS" for d in found)
    assert 74 == len(other.refused)


def test_backtest_with_another_lifecycle_lists_what_an_independent_count_lists(shop, arrivals):
    """
    With three visits for a regular and 120 days of silence for an end, each stage that would have
    been entered otherwise, or at another time, is listed.
    """
    text = SHOP.replace("days = 180", "days = 120").replace("at_least = 2", "at_least = 3")
    expected: Counter[tuple[object, ...]] = Counter()
    for customer, own in by_customer(slip for slip, _ in arrivals).items():
        was, would = Counter(ladder(own, END, 180, 2)), Counter(ladder(own, END, 120, 3))
        for kind, steps in ((Kind.GONE, was - would), (Kind.NEW, would - was)):
            for means, at, *_ in steps:
                name = "stage-entered.v1" if means == "fact" else "stage-entered-by-time.v1"
                expected[kind, name, customer, at] += 1

    found = backtest(shop.events, made(), definitions(), definitions(text), until=END)

    assert expected == listed(found)
    assert {"ladder"} == {difference.value()["model"] for difference in found}
    assert 200 < expected.total()
