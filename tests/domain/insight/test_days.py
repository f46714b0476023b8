"""
On how many days a client bought.
"""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.insight.days import DAYS_KEPT, Days


BEGIN = date(1997, 1, 1)


def days_of(*numbers: int) -> Days:
    """Days of these numbers, one after the other."""
    days = Days()
    for number in numbers:
        days = days.after(BEGIN + timedelta(days=number))
    return days


@given(st.lists(st.integers(0, DAYS_KEPT - 1), max_size=200))
def test_days_are_counted_exactly_up_to_a_bound(numbers):
    """
    REC-3: in whatever order and however often up to 64 different days become known, each counts
    once, and first and last are the earliest and the latest.
    """
    days = days_of(*numbers)

    assert len(set(numbers)) == days.count
    assert [BEGIN + timedelta(days=number) for number in sorted(set(numbers))] == list(days.recent)
    assert (days.first, days.last) == (
        (days.recent[0], days.recent[-1]) if numbers else (None, None)
    )


def test_days_beyond_the_bound_are_counted_and_not_kept():
    """
    A client of many years keeps its count and the latest 64 days only.
    """
    days = days_of(*range(1000))

    assert (1000, BEGIN, BEGIN + timedelta(days=999), DAYS_KEPT) == (
        days.count,
        days.first,
        days.last,
        len(days.recent),
    )


def test_day_before_all_that_is_kept_counts():
    """
    A day told late, before the 64 remembered ones, is a further day and may be the first.
    """
    days = days_of(*range(10, 10 + DAYS_KEPT), 0)

    assert (DAYS_KEPT + 1, BEGIN) == (days.count, days.first)
