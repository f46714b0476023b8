"""
Points expire by time alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs

from clientela.domain.draft import thaw
from clientela.domain.ids import wallet_journal
from clientela.domain.loyalty import expiry
from clientela.domain.loyalty.balance import Balance, balance
from clientela.domain.loyalty.expiry import PointsExpired
from clientela.domain.loyalty.lots import Allocation, LotId
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.loyalty.wallet import put
from tests.domain.loyalty.shop import WALLET, Shop, bought, key, line, programme
from tests.domain.spec import AT


JOURNAL = wallet_journal(WALLET)
END = datetime(2026, 4, 2, 22, 0, tzinfo=UTC)
"""End of 2 April in Berlin."""


def shop_of_a_month() -> Shop:
    """Points of 10 and 5, which end together after a month."""
    shop = Shop(programme(expires_after_months=1))
    shop.write(bought(1, line("a", 1000), line("b", 500)))
    return shop


def test_points_expire_together_at_the_exact_moment():
    """
    LOY-10: a moment before its end a point can be spent, at its end it is gone, in one event.
    """
    shop = shop_of_a_month()

    assert () == shop.at(END - timedelta(microseconds=1)).elapse(JOURNAL)
    assert (
        PointsExpired(
            points=15,
            allocations=(
                Allocation(lot_id=LotId("till:1/a"), points=10),
                Allocation(lot_id=LotId("till:1/b"), points=5),
            ),
        ),
    ) == shop.at(END).elapse(JOURNAL)
    assert () == shop.elapse(JOURNAL)
    assert END == shop.events[-1].occurred_at
    assert Balance(available=0, held=0, debt=0) == balance(shop.wallet, END)


def test_a_late_look_finds_what_a_punctual_one_did():
    """
    LOY-10: however late anybody looks, points expired when they did (loyalty invariant 10).
    """
    punctual, late = shop_of_a_month(), shop_of_a_month()

    punctual.advance(END + timedelta(days=90))
    late.at(END + timedelta(days=90)).elapse(JOURNAL)

    assert punctual.wallet == late.wallet
    assert punctual.events[-1].occurred_at == late.events[-1].occurred_at


def test_nothing_expired_is_shown_between_looks():
    """
    LOY-10: a balance read after the end shows nothing of what has ended, though nobody looked yet.
    """
    shop = shop_of_a_month()
    wallet = shop.wallet

    assert 15 == balance(wallet, END - timedelta(seconds=1)).available
    assert 0 == balance(wallet, END).available


def test_spent_points_do_not_expire():
    """
    LOY-10: what was spent in time cannot expire any more, and an empty lot has no end to wait for.
    """
    shop = shop_of_a_month()
    shop.when(SpendPoints(wallet_id=WALLET, spend=key("s1"), points=15))

    assert None is expiry.due(shop.wallet)
    assert () == shop.at(END).elapse(JOURNAL)


def test_held_points_outlive_their_end():
    """
    LOY-10: of a lot of 10 with 6 held, 4 expire; the held ones wait for their reservation (F3).
    """
    shop = shop_of_a_month()
    draft = thaw(shop.wallet)
    put(draft, attrs.evolve(draft.lots[LotId("till:1/a")], held=6))
    assert 9 == draft.expiring[END]

    (pending,) = expiry.elapse(draft, attrs.evolve(shop.context(), now=END))
    expiry.fold_expired(draft, pending.event, JOURNAL)  # type: ignore[arg-type]

    assert 9 == pending.event.points
    assert None is expiry.due(draft)
    assert () == expiry.elapse(draft, attrs.evolve(shop.context(), now=END))
    assert Balance(available=0, held=6, debt=0) == balance(draft, END)


def test_expiry_names_the_events_that_issued_the_points():
    """
    LOY-10: an expiry rests on the issue of the points, and takes away what that gave.
    """
    shop = shop_of_a_month()
    issue = shop.events[-1].ref

    shop.advance(END)

    assert (issue,) == shop.events[-1].because
    assert 15 == shop.wallet.expired
    assert AT < END
