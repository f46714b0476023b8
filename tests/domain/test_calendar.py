"""
Civil time in a named zone: days, their ends, and months.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest

from hypothesis import given, settings
from hypothesis.strategies import dates, integers, sampled_from

from clientela.domain.calendar import MONTHS_MAX, add_months, day_end, local_day, zone
from clientela.domain.errors import InvalidValueError


BERLIN = zone("Europe/Berlin")


def utc(*parts: int) -> datetime:
    """An instant."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 1, 31), 13, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_months_are_added_by_the_calendar_and_clamped(day, months, expected):
    """
    LOY-10: a month later is the same day, or the last one of a month that is too short.
    """
    assert expected == add_months(day, months)


@given(day=dates(date(1900, 1, 1), date(2200, 1, 1)), months=integers(0, MONTHS_MAX))
@settings(deadline=None)
def test_a_month_step_lands_in_the_month_meant(day, months):
    """
    LOY-10: however long the step, it lands in the right month, on the day or before it.
    """
    later = add_months(day, months)

    assert months == (later.year - day.year) * 12 + later.month - day.month
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("name", "day", "expected"),
    [
        ("Europe/Berlin", date(2026, 3, 29), utc(2026, 3, 29, 22)),
        ("Europe/Berlin", date(2026, 2, 28), utc(2026, 2, 28, 23)),
        ("Europe/Berlin", date(2026, 10, 25), utc(2026, 10, 25, 23)),
        ("UTC", date(2026, 2, 28), utc(2026, 3, 1)),
        # Midnight does not exist: the day begins at 01:00.
        ("America/Sao_Paulo", date(2018, 11, 3), utc(2018, 11, 4, 3)),
        # The clock jumps from 23:30 to 00:30.
        ("America/Toronto", date(1919, 3, 30), utc(1919, 3, 31, 4, 30)),
        # At 00:01 the clock goes back into the day before.
        ("America/St_Johns", date(1990, 10, 27), utc(1990, 10, 28, 3, 30)),
        # At 01:00 the clock goes back to midnight.
        ("America/Havana", date(2020, 10, 31), utc(2020, 11, 1, 4)),
        # The 30th did not take place.
        ("Pacific/Apia", date(2011, 12, 29), utc(2011, 12, 30, 10)),
        ("Pacific/Apia", date(2011, 12, 30), utc(2011, 12, 30, 10)),
    ],
)
def test_a_day_ends_when_its_zone_says_so(name, day, expected):
    """
    LOY-10: the end of a day is the first instant after it, whatever the clock does at midnight.
    """
    assert expected == day_end(day, zone(name))


ZONES = sorted(name for name in available_timezones() if "/" in name)


@given(name=sampled_from(ZONES), day=dates(date(1990, 1, 1), date(2030, 1, 1)))
@settings(deadline=None)
def test_the_end_of_a_day_parts_it_from_the_next(name, day):
    """
    LOY-10: at the end it is a later day, a second before it is not, in every zone there is.
    """
    where = zone(name)
    end = day_end(day, where)

    assert local_day(end, where) > day
    assert local_day(end - timedelta(seconds=1), where) <= day


def test_the_day_is_that_of_the_zone():
    """
    LOY-10: late in the evening in UTC it is tomorrow in Berlin.
    """
    assert date(2026, 3, 3) == local_day(utc(2026, 3, 2, 23, 30), BERLIN)


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(name):
    """
    LOY-10: a zone is one of the IANA database.
    """
    with pytest.raises(InvalidValueError, match="zone: expected an IANA time zone"):
        zone(name)
