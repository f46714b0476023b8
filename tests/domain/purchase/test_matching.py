"""
Which purchases returned pieces came from, and what was paid back for each.
"""

from __future__ import annotations

from collections import Counter

import attrs
import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.facts import (
    PurchaseRecorded,
    ReturnedLine,
    ReturnMatched,
    ReturnRecorded,
    UnmatchedLine,
)
from clientela.domain.ids import Code, WalletId
from clientela.domain.money import Money
from tests.domain.purchase.pieces import PieceModel, nothing
from tests.domain.purchase.till import (
    CUP,
    DAY,
    PETRA,
    TEA,
    back,
    bought,
    came_from,
    eur,
    key,
    line,
    open_of,
    shop,
    wanted,
    without_purchase,
)
from tests.domain.spec import AT


@pytest.fixture
def company():
    """
    A client who bought tea three times, the second purchase being recorded last.
    """
    scenario = shop()
    scenario.when(
        bought("old", line("1", TEA, 2, 200), line("2", CUP, 1, 450), day=1),
        bought("new", line("1", TEA, 5, 1000), line("2", TEA, 5, 500), day=3),
        bought("mid", line("1", TEA, 3, 600), day=2),
    )
    return scenario


def test_named_line_comes_first(company):
    """
    LOY-10: a return that names purchase and line comes from that line, article or not.
    """
    by_line, by_both = (
        company.when(back(n, wanted(2, sku, purchase="new", line_id="2"), day=9))[0]
        for n, sku in enumerate((None, TEA))
    )

    assert [("new", "2", 2, 200)] == came_from(by_line)
    assert [("new", "2", 2, 200)] == came_from(by_both)


def test_named_purchase_gives_its_lines_of_the_article_in_their_order(company):
    """
    LOY-10: a return that names the purchase only comes from that purchase's lines of the article.
    """
    (returned,) = company.when(back(9, wanted(7, TEA, purchase="new"), day=9))

    assert [("new", "1", 5, 1000), ("new", "2", 2, 200)] == came_from(returned)


def test_without_a_name_the_oldest_purchase_with_pieces_left_gives(company):
    """
    LOY-10: a return that names no purchase comes from the oldest one, by when it was made and not
    by when it was recorded, and goes on to the next where pieces do not suffice.
    """
    (first,) = company.when(back(8, wanted(1, TEA), day=9))
    (second,) = company.when(back(9, wanted(6, TEA), day=9))

    assert [("old", "1", 1, 100)] == came_from(first)
    assert [("old", "1", 1, 100), ("mid", "1", 3, 600), ("new", "1", 2, 400)] == came_from(second)


def test_what_was_named_and_is_not_there_has_no_purchase(company):
    """
    A named purchase is meant: other purchases do not stand in for it.
    """
    (returned,) = company.when(
        back(
            9,
            wanted(3, TEA, refund=300, purchase="old"),
            wanted(1, CUP, refund=100, purchase="old", line_id="1"),
            wanted(1, refund=50, purchase="nowhere", line_id="1"),
            day=9,
        )
    )

    assert [("old", "1", 2, 200)] == came_from(returned)
    assert [("tea", 1, 100), ("cup", 1, 100), ("line 1", 1, 50)] == without_purchase(returned)


def test_pieces_of_one_return_are_taken_once(company):
    """
    Two lines of one return never take the same piece.
    """
    (returned,) = company.when(back(9, wanted(2, TEA), wanted(2, TEA), day=9))

    assert [("old", "1", 2, 200), ("mid", "1", 2, 400)] == came_from(returned)


def test_return_belongs_to_purchases_of_its_currency(company):
    """
    Loyalty invariant 24: pieces paid in another currency are not given back in this one.
    """
    (returned,) = company.when(attrs.evolve(back(9, wanted(1, TEA), day=9), currency="USD"))

    assert ([], [("tea", 1, 0)]) == (came_from(returned), without_purchase(returned))
    assert Money(0, "USD") == returned.refund


def test_return_is_recorded_whole(company):
    """
    A return repeats what a reader needs: who, which wallet, what from where, and all paid back.
    """
    (returned,) = company.when(back(9, wanted(3, CUP, refund=1000), day=9))

    assert (
        ReturnRecorded(
            return_key=key(9),
            client_id=PETRA,
            wallet_id=WalletId("petra"),
            matched=(
                ReturnedLine(
                    purchase=key("old"), line_id=Code("2"), sku=CUP, quantity=1, refund=eur(333)
                ),
            ),
            unmatched=(UnmatchedLine(sku=CUP, quantity=2, refund=eur(667)),),
            refund=eur(1000),
            local_date=(AT + 9 * DAY).date(),
        )
        == returned
    )


# What is paid back


def test_stated_refund_is_spread_by_pieces_and_sums_exactly(company):
    """
    A refund stated for several purchases is spread by pieces; not a cent is lost in rounding.
    """
    (returned,) = company.when(back(9, wanted(16, TEA, refund=1000), day=9))

    assert [
        ("old", "1", 2, 125),
        ("mid", "1", 3, 187),
        ("new", "1", 5, 313),
        ("new", "2", 5, 312),
    ] == (came_from(returned))
    assert [("tea", 1, 63)] == without_purchase(returned)
    assert eur(1000) == returned.refund


@pytest.mark.parametrize(
    "returns",
    [[[3]], [[1], [1], [1]], [[1, 1, 1]], [[2, 1]], [[1], [2]]],
    ids=["at once", "one by one", "three lines of one return", "two lines", "one, then two"],
)
def test_all_pieces_back_give_all_of_the_price(returns):
    """
    Without a stated refund each piece gets its share; however the pieces come back, together they
    get exactly what the line cost.
    """
    company = shop()
    company.when(bought(1, line("1", TEA, 3, 100)))

    refunds = [
        company.when(back(f"r{n}", *[wanted(q, TEA) for q in quantities], day=1))[0].refund
        for n, quantities in enumerate(returns)
    ]

    assert 100 == sum(refund.minor for refund in refunds)


def test_last_piece_gets_no_more_than_is_left_of_the_price():
    """
    Where more than a piece's share was paid back before, the rest is what is left and never less
    than nothing: all pieces together never get more than the line cost.
    """
    company = shop()
    company.when(bought(1, line("1", TEA, 3, 300)))

    generous, rest, none = (
        company.when(back(f"r{n}", wanted(1, TEA, refund=refund), day=1))[0].refund.minor
        for n, refund in enumerate((250, None, None))
    )

    assert (250, 50, 0) == (generous, rest, none)


def test_pieces_without_purchase_and_stated_refund_were_paid_nothing_back():
    """
    What pieces cost whose purchase is not known nobody can tell; nothing is made up.
    """
    (returned,) = shop().when(back(1, wanted(2, TEA), day=1))

    assert ([("tea", 2, 0)], eur(0)) == (without_purchase(returned), returned.refund)


# Until when


@pytest.mark.parametrize(("day", "is_matched"), [(14, True), (15, False)])
def test_lines_come_back_up_to_the_last_day(day, is_matched):
    """
    With a term lines may come back up to its last calendar day; a later return is recorded all
    the same, without purchase, named or not.
    """
    company = shop(returnable_days=14)
    company.when(bought(1, line("1", TEA, 5, 500)))

    found = [
        bool(company.when(back(n, wanted(1, TEA, purchase=purchase), day=day))[0].matched)
        for n, purchase in (("a", None), ("b", 1))
    ]

    assert [is_matched, is_matched] == found


def test_term_counts_from_the_local_date():
    """
    The branch's calendar counts on both sides, not the clock of the company.
    """
    company = shop(returnable_days=0)
    today = AT.date()
    company.when(attrs.evolve(bought(1, line("1", TEA, 5, 500), day=3), local_date=today))

    command = back("a", wanted(1, TEA), day=5)
    (returned,) = company.when(attrs.evolve(command, local_date=today))

    assert [("1", "1", 1, 100)] == came_from(returned)


def test_return_that_becomes_known_late_still_finds_its_purchase():
    """
    A purchase made meanwhile does not close one whose return is still on its way.
    """
    company = shop(returnable_days=14)
    company.when(
        bought(1, line("1", TEA, 1, 100)),
        bought(2, line("1", CUP, 1, 100), day=40),
    )

    (returned,) = company.when(back("a", wanted(1, TEA), day=10))

    assert [("1", "1", 1, 100)] == came_from(returned)


def test_what_can_no_longer_come_back_is_forgotten():
    """
    The state holds what is open: what is long past its term is left to the history.
    """
    company = shop(returnable_days=14)
    company.when(
        bought(1, line("1", TEA, 1, 100)),
        bought(2, line("1", TEA, 1, 100), day=14 + 366),
    )
    assert {key(1), key(2)} == set(open_of(company).open)

    company.when(bought(3, line("1", TEA, 1, 100), day=14 + 367))

    assert {key(2), key(3)} == set(open_of(company).open)


# Against the model of single pieces

SKUS = st.sampled_from([TEA, CUP])
NUMBERS = st.sampled_from(list("01234"))
bought_lines = st.lists(
    st.tuples(SKUS, st.integers(1, 4), st.integers(0, 50)), min_size=1, max_size=3
)
wanted_lines = st.lists(
    st.tuples(
        st.none() | SKUS,
        st.integers(1, 6),
        st.none() | st.integers(0, 99),
        st.none() | NUMBERS,
        st.none() | st.sampled_from(["0", "1", "2"]),
    ).filter(lambda w: w[0] is not None or (w[3] is not None and w[4] is not None)),
    min_size=1,
    max_size=3,
)
happenings = st.lists(
    st.tuples(st.integers(0, 30), bought_lines) | st.tuples(st.integers(0, 30), wanted_lines),
    min_size=1,
    max_size=12,
    unique_by=lambda happening: happening[0],
)


@given(happenings)
def test_every_piece_goes_where_the_model_of_single_pieces_puts_it(happened):
    """
    LOY-10, over random purchases and returns in any order of becoming known: pieces, refunds and
    what waits are those of an independent model that moves single pieces; no piece comes back
    twice, and refunds sum exactly.
    """
    company, model = shop(), PieceModel()
    purchases = 0
    for number, (day, lines) in enumerate(happened):
        if len(lines[0]) == 3 and purchases <= 4:
            purchases += 1
            _buy(company, model, str(purchases - 1), day, lines)
        elif len(lines[0]) == 5:
            _bring_back(company, model, f"r{number}", day, lines)
    _check_open(company, model)


def _buy(company, model, number, day, lines):
    named = [(str(i), sku, quantity, net) for i, (sku, quantity, net) in enumerate(lines)]
    expected = model.buy(number, day, named)

    purchase, *matched = company.when(bought(number, *[line(*each) for each in named], day=day))

    assert PurchaseRecorded is type(purchase)
    assert all(isinstance(event, ReturnMatched) for event in matched)
    assert list(expected.items()) == [(event.return_key.id, _grouped(event)) for event in matched]


def _bring_back(company, model, number, day, lines):
    pieces, refunds, without, rest = model.bring_back(number, day, lines)

    (event,) = company.when(
        back(number, *[wanted(q, s, r, p, i) for s, q, r, p, i in lines], day=day)
    )

    assert (pieces, refunds) == _grouped(event)
    assert (without, rest) == (
        sum(each.quantity for each in event.unmatched),
        sum(each.refund.minor for each in event.unmatched),
    )
    assert sum(refunds.values()) + rest == event.refund.minor
    stated = [refund for _, _, refund, _, _ in lines]
    if None not in stated:
        assert sum(stated) == event.refund.minor


def _grouped(event):
    pieces, refunds = nothing()
    for each in event.matched:
        pieces[each.purchase.id, each.line_id] += each.quantity
        refunds[each.purchase.id, each.line_id] += each.refund.minor
    return pieces, refunds


def _check_open(company, model):
    kept = Counter((p.purchase, p.line_id) for p in model.pieces if not p.is_back)
    state = open_of(company)
    assert kept == Counter(
        {
            (purchase.purchase.id, each.line_id): each.left
            for purchase in state.open.values()
            for each in purchase.lines
            if each.left
        }
    )
    assert {
        name: [(rest.quantity, rest.refund) for rest in rests]
        for name, rests in model.waiting.items()
    } == {
        waiting.return_key.id: [(rest.quantity, rest.refund.minor) for rest in waiting.lines]
        for waiting in state.waiting.values()
    }
