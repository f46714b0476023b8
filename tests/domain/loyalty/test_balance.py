"""
Balances that name their events, and statements that add up.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs

from hypothesis import given, settings
from hypothesis.strategies import integers

from clientela.domain.backtest import without
from clientela.domain.facts import PurchaseRecorded, ReturnRecorded
from clientela.domain.ids import wallet_journal
from clientela.domain.loyalty.balance import Balance, LotStory, Movement, balance, explain
from clientela.domain.loyalty.lots import LotId
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.loyalty.statement import Axis, Statement, StatementLine, statement
from clientela.domain.loyalty.wallet import Wallet
from tests.domain.loyalty.shop import WALLET, Shop, bought, key, line, programme, returned
from tests.domain.spec import AT


JOURNAL = wallet_journal(WALLET)
ISSUED_AND_REPAID = ("PointsIssued", "DebtRepaid")
DAY = timedelta(days=1)


def spend(points: int, number: object) -> SpendPoints:
    """Petra pays with points."""
    return SpendPoints(wallet_id=WALLET, spend=key(number), points=points)


def busy_shop() -> Shop:
    """Petra buys, spends, returns, owes, repays, and something expires."""
    shop = Shop(programme(expires_after_months=1))
    shop.write(bought(1, line("a", 1000), line("b", 600)))
    shop.advance(AT + DAY)
    shop.when(spend(16, "s1"))
    shop.write(returned("r1", (1, "b", 1)))
    shop.advance(AT + 2 * DAY)
    shop.write(bought(2, line("a", 3000)))
    shop.when(spend(4, "s2"))
    shop.advance(AT + 20 * DAY)
    shop.write(bought(3, line("a", 700), line("b", 200)))
    return shop


def test_every_point_of_a_balance_names_its_events():
    """
    LOY-10: the balance is its lots, each the sum of named events: issue, repaid debt, spend (F1).
    """
    shop = busy_shop()
    at = {type(e.event).__name__ + f"@{e.occurred_at:%d}": e.ref for e in shop.journal}  # type: ignore[attr-defined]

    told = explain(shop.wallet, shop.journal, shop.now)  # type: ignore[arg-type]

    sold = [e.ref for e in shop.events if isinstance(e.event, PurchaseRecorded)]
    (back,) = [e.ref for e in shop.events if isinstance(e.event, ReturnRecorded)]
    issued, repaid, spent = (at[f"{name}@04"] for name in (*ISSUED_AND_REPAID, "PointsCaptured"))
    first_spent = at["PointsCaptured@03"]
    late = Movement(at["PointsIssued@22"], 7, (sold[2],))
    lots = shop.wallet.lots
    assert Balance(available=29, held=0, debt=0) == told.balance
    assert (
        LotStory(
            lot=lots[LotId("till:2/a")],
            movements=(
                Movement(issued, 30, (sold[1],)),
                Movement(repaid, -6, (sold[0], back, sold[1], first_spent)),
                Movement(spent, -4, (spent,)),
            ),
        ),
        LotStory(lot=lots[LotId("till:3/a")], movements=(late,)),
        LotStory(lot=lots[LotId("till:3/b")], movements=(attrs.evolve(late, points=2),)),
    ) == told.lots
    assert () == told.debt
    for story in told.lots:
        assert story.lot.remaining == sum(m.points for m in story.movements)


def test_a_debt_names_what_made_it():
    """
    LOY-10: points owed are explained by the returns that made them and by what had been spent, less
    what was repaid.
    """
    shop = Shop()
    shop.write(bought(1, line("a", 1000)))
    shop.when(spend(10, "s1"))
    spent = shop.events[-1].ref
    shop.write(returned("r1", (1, "a", 1)))
    made = shop.events[-1]
    shop.write(bought(2, line("a", 300)))
    facts = [e.ref for e in shop.events if isinstance(e.event, PurchaseRecorded | ReturnRecorded)]

    told = explain(shop.wallet, shop.journal, shop.now)  # type: ignore[arg-type]

    assert ((), 7) == (told.lots, told.balance.debt)
    assert (
        Movement(made.ref, 10, (facts[0], facts[1], spent)),
        Movement(shop.events[-1].ref, -3, (*facts, spent)),
    ) == told.debt
    assert (*facts, spent) == told.because


def test_without_any_named_fact_the_balance_would_differ():
    """
    LOY-10: take away any fact that explains a balance, and the balance is another.
    """
    shop = busy_shop()
    told = explain(shop.wallet, shop.journal, shop.now)  # type: ignore[arg-type]
    before = {lot_id: lot.remaining for lot_id, lot in shop.wallet.lots.items()}

    assert 6 == len(told.because)
    for named in told.because:
        rest = Shop(programme(expires_after_months=1))
        wallet = without(shop.events, rest, [named], shop.now).record(JOURNAL).of(Wallet)
        assert before != {lot_id: lot.remaining for lot_id, lot in wallet.lots.items()}


def test_statement_opens_moves_and_closes():
    """
    LOY-10: opening and movements make the closing balance, each line naming its event (F19).
    """
    shop = busy_shop()
    refs = [e.ref for e in shop.journal]  # type: ignore[attr-defined]
    day = AT + DAY

    made = statement(shop.journal, day, day + DAY, Axis.RECORDED)  # type: ignore[arg-type]

    def entry(version: int, name: str, points: int) -> StatementLine:
        return StatementLine(
            ref=refs[version - 1],
            name=name,  # type: ignore[arg-type]
            moment=day,
            points=points,
        )

    assert (
        Statement(
            opening=16,
            lines=(
                entry(3, "points-captured.v1", -16),
                entry(5, "debt-created.v1", -6),
            ),
            closing=-6,
        )
        == made
    )


def test_late_purchase_moves_the_axis_of_what_happened_only():
    """
    LOY-10: a purchase that arrives late is in last month's statement by when it happened, and in
    this month's by when it was written.
    """
    shop = Shop()
    shop.write(bought(1, line("a", 1000)), at=AT - 30 * DAY)
    period = (AT - 31 * DAY, AT - DAY)

    happened = statement(shop.journal, *period, Axis.OCCURRED)  # type: ignore[arg-type]
    written = statement(shop.journal, *period, Axis.RECORDED)  # type: ignore[arg-type]

    assert (0, 1, 10) == (happened.opening, len(happened.lines), happened.closing)
    assert (0, 0, 0) == (written.opening, len(written.lines), written.closing)


@given(begin=integers(0, 60), days=integers(0, 60))
@settings(deadline=None, max_examples=60)
def test_statements_of_any_periods_join(begin, days):
    """
    LOY-10: a period's closing is the next one's opening and, at the end, the balance (F19).
    """
    shop = busy_shop()
    shop.advance(AT + 50 * DAY)
    first, middle, last = (AT + n * DAY for n in (0, begin, begin + days))
    for_ever = datetime(2100, 1, 1, tzinfo=UTC)

    for axis in Axis:
        parts = [
            statement(shop.journal, *period, axis)  # type: ignore[arg-type]
            for period in ((first, middle), (middle, last), (last, for_ever))
        ]
        assert 0 == parts[0].opening
        assert [part.closing for part in parts[:2]] == [part.opening for part in parts[1:]]
        assert balance(shop.wallet, shop.now).points == parts[2].closing
