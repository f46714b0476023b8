"""
Returns whose purchase becomes known later.
"""

from __future__ import annotations

import itertools

from datetime import date

import attrs
import pytest

from clientela.domain.facts import (
    PurchaseRecorded,
    ReturnedLine,
    ReturnMatched,
    ReturnRecorded,
    UnmatchedLine,
)
from clientela.domain.ids import Code
from clientela.domain.purchase.recording import PURCHASE
from tests.domain.purchase.till import (
    CUP,
    OLGA,
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
from tests.domain.spec import Scenario


@pytest.fixture
def company():
    """A company with two clients."""
    return shop()


def waits(company) -> list[str]:
    """Returns that wait."""
    return [waiting.return_key.id for waiting in open_of(company).waiting.values()]


def test_return_waits_for_its_purchase_and_is_matched_when_it_comes(company):
    """
    DEV-5: a return that is known before its purchase is recorded and waits; the purchase takes it
    as soon as it becomes known, and names both facts as the reason.
    """
    (returned,) = company.when(back("r", wanted(2, TEA, refund=200), day=5))
    assert [("tea", 2, 200)] == without_purchase(returned)
    assert ["r"] == waits(company)

    purchase, matched = company.when(bought("late", line("1", TEA, 3, 330), day=4))

    assert PurchaseRecorded is type(purchase)
    assert (
        ReturnMatched(
            return_key=key("r"),
            matched=(
                ReturnedLine(
                    purchase=key("late"), line_id=Code("1"), sku=TEA, quantity=2, refund=eur(200)
                ),
            ),
        )
        == matched
    )
    recorded, derived = company.events[-2:]
    waiting = next(r for r in company.events if isinstance(r.event, ReturnRecorded))
    assert ("DEV-5", (recorded.ref, waiting.ref)) == (derived.rule, derived.because)
    assert [] == waits(company)
    assert [1] == [each.left for each in open_of(company).open[key("late")].lines]


@pytest.mark.parametrize("local_date", [date.min, date(2062, 1, 1), date.max], ids=str)
@pytest.mark.parametrize("returnable_days", [None, 10])
def test_purchase_with_a_wrong_day_does_not_close_others(returnable_days, local_date):
    """
    LOY-10: a day far from the moment of a purchase, a till's mistake or an intent, is recorded and
    keeps no other purchase from coming back.
    """
    company = shop(returnable_days=returnable_days)
    wrong = attrs.evolve(bought(2, line("1", CUP, 1, 100)), local_date=local_date)
    company.when(bought(1, line("1", TEA, 1, 330)), wrong)

    (returned,) = company.when(back("r", wanted(1, TEA), day=5))

    assert [("1", "1", 1, 330)] == came_from(returned)


def test_later_purchase_never_takes_an_earlier_return(company):
    """
    DEV-5: pieces cannot come from a purchase made after they came back, whichever of the two
    becomes known first.
    """
    assert 1 == len(company.when(back("r", wanted(1, TEA), day=5)))
    assert 1 == len(company.when(bought("after", line("1", TEA, 1, 100), day=6)))
    assert ["r"] == waits(company)

    (late,) = company.when(back("s", wanted(1, TEA), day=4))
    assert [] == came_from(late)
    assert ["r", "s"] == waits(company)

    _, first = company.when(bought("before", line("1", TEA, 1, 100), day=3))
    assert "s" == first.return_key.id


def test_purchase_of_the_same_moment_counts_as_earlier(company):
    """
    Files often tell the day only: a purchase and a return of one moment belong together.
    """
    company.when(back("r", wanted(1, TEA), day=5))

    assert 2 == len(company.when(bought("same", line("1", TEA, 1, 100), day=5)))


def test_named_purchase_is_taken_even_if_its_clock_was_wrong(company):
    """
    Who names the purchase means it, whatever the clocks of two tills say.
    """
    company.when(back("r", wanted(1, TEA, purchase="named"), day=5))

    _, matched = company.when(bought("named", line("1", TEA, 1, 100), day=6))

    assert [("named", "1", 1, 0)] == came_from(matched)


def test_named_purchase_is_waited_for(company):
    """
    A return that names its purchase is not given to another one meanwhile.
    """
    company.when(back("r", wanted(1, TEA, purchase="named"), day=5))

    assert 1 == len(company.when(bought("other", line("1", TEA, 1, 100), day=1)))
    assert 2 == len(company.when(bought("named", line("1", TEA, 1, 100), day=2)))


@pytest.mark.parametrize(
    ("wants", "lines"),
    [
        (wanted(1, purchase="p", line_id="2"), ["2"]),
        (wanted(1, TEA, purchase="p"), ["1"]),
        (wanted(2, TEA, purchase="p"), ["1", "3"]),
        (wanted(1, TEA, line_id="3"), ["3"]),
        (wanted(1, CUP, line_id="1"), []),
        (wanted(1, CUP, purchase="p", line_id="1"), []),
    ],
)
def test_late_purchase_gives_what_it_would_have_given_in_time(wants, lines):
    """
    DEV-5: article, purchase and line are heeded alike whether the purchase is known before the
    return or after it, and a return that was served waits no longer.
    """
    purchase = bought("p", line("1", TEA, 1, 10), line("2", CUP, 1, 20), line("3", TEA, 1, 30))
    returned = back("r", wants, day=1)

    in_time = shop()
    in_time.when(purchase)
    (known,) = in_time.when(returned)

    late = shop()
    late.when(returned)
    matched = late.when(purchase)[1:]

    assert lines == [each.line_id for each in known.matched]
    assert lines == [each.line_id for event in matched for each in event.matched]
    assert bool(lines) is not bool(waits(late))
    assert open_of(in_time).waiting.keys() == open_of(late).waiting.keys()


def test_oldest_return_is_served_first(company):
    """
    Where pieces do not suffice for all that wait, the oldest return gets them, by when it happened
    and not by when it became known.
    """
    company.when(
        back("second", wanted(2, TEA), day=6),
        back("first", wanted(2, TEA), day=5),
        back("third", wanted(2, TEA), day=7),
    )

    _, first, second = company.when(bought("late", line("1", TEA, 3, 300), day=1))

    assert [("first", 2), ("second", 1)] == [
        (event.return_key.id, event.matched[0].quantity) for event in (first, second)
    ]
    assert {"second": 1, "third": 2} == {
        waiting.return_key.id: waiting.lines[0].quantity
        for waiting in open_of(company).waiting.values()
    }


def test_return_is_served_piece_by_piece_by_several_purchases(company):
    """
    What one purchase cannot give goes on waiting, and says so; the refund is spread over all of
    them and sums exactly.
    """
    company.when(back("r", wanted(7, TEA, refund=100), day=9))
    matches = [
        company.when(bought(number, line("1", TEA, quantity, 0), day=1))[1]
        for number, quantity in (("a", 2), ("b", 3), ("c", 9))
    ]

    assert [(2, 28), (3, 43), (2, 29)] == [
        (event.matched[0].quantity, event.matched[0].refund.minor) for event in matches
    ]
    assert [
        (UnmatchedLine(sku=TEA, quantity=5, refund=eur(72)),),
        (UnmatchedLine(sku=TEA, quantity=2, refund=eur(29)),),
        (),
    ] == [event.unmatched for event in matches]
    assert [] == waits(company)


def test_lines_of_one_return_do_not_stand_for_each_other(company):
    """
    A line that names another purchase goes on waiting for it when its neighbour of the same
    article is served, and no piece is served twice.
    """
    company.when(back("r", wanted(1, TEA, 10, "named"), wanted(3, TEA, 60), day=9))

    _, first = company.when(bought("other", line("1", TEA, 3, 90), day=1))
    assert [("other", "1", 3, 60)] == came_from(first)
    assert (UnmatchedLine(sku=TEA, quantity=1, refund=eur(10), purchase=key("named")),) == (
        first.unmatched
    )

    _, second = company.when(bought("named", line("1", TEA, 9, 90), day=2))
    assert [("named", "1", 1, 10)] == came_from(second)
    assert [] == waits(company)


def test_term_counts_from_the_day_the_pieces_came_back():
    """
    A return within the term is matched however late its purchase becomes known; one after it is
    not.
    """
    company = shop(returnable_days=14)
    company.when(back("in-time", wanted(1, TEA), day=14), back("too-late", wanted(1, TEA), day=15))

    _, *matched = company.when(bought("p", line("1", TEA, 5, 500), day=0))

    assert ["in-time"] == [event.return_key.id for event in matched]
    assert ["too-late"] == waits(company)


def test_returns_of_one_client_do_not_wait_for_purchases_of_another(company):
    """
    Each client brings back what they bought.
    """
    company.when(back("r", wanted(1, TEA), day=5))

    assert 1 == len(company.when(bought("p", line("1", TEA, 1, 100), client=OLGA)))
    assert ["r"] == waits(company)


def test_fact_is_folded_whatever_the_state_says():
    """
    A recorded event is a fact: pieces of a purchase that is long forgotten, and a match of a return
    that no longer waits, are folded without complaint.
    """
    first = shop()
    first.when(
        back("r", wanted(1, TEA), day=5),
        bought("p", line("1", TEA, 2, 100)),
        back("s", wanted(1, TEA), day=6),
    )
    known = {ReturnMatched, ReturnRecorded}
    other = Scenario(PURCHASE)

    other.restore(r for r in first.events if r.event_class in known and r.version > 2)

    assert ({}, {}) == (open_of(other).open, open_of(other).waiting)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_order_of_becoming_known_does_not_matter_where_purchases_are_named(order):
    """
    DEV-5: whatever the order in which purchases and returns that name them arrive, the same pieces
    have come back in the end, for the same refunds, and nothing waits.
    """
    commands = [
        bought("p", line("1", TEA, 3, 100), day=1),
        bought("q", line("1", TEA, 3, 200), day=2),
        back("r", wanted(2, TEA, 70, "p"), wanted(1, TEA, 66, "q"), day=3),
        back("s", wanted(1, refund=30, purchase="p", line_id="1"), day=4),
    ]
    company = shop()

    company.when(*(commands[i] for i in order))

    assert ({key("q"): [(2, 66)]}, []) == (
        {
            purchase: [(each.left, each.refunded_minor) for each in found.lines]
            for purchase, found in open_of(company).open.items()
        },
        waits(company),
    )
