"""
Civil time: calendar days and months in a named time zone.

Instants are kept in UTC. A day, a month and "the end of a day" exist only in a zone, and a day
there may last 23 or 25 hours, begin twice, or not exist at all.
"""

from __future__ import annotations

import functools

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clientela.domain.errors import InvalidValueError


MONTHS_MAX = 1200
"""Most months one step may span: a century."""

DAYS_MAX = 36_500
"""Most days one step may span: a century."""

DAY_ENDS_CACHED = 8192

_MONTHS_A_YEAR = 12
_BEYOND_A_MONTH = timedelta(days=31)
_RESOLUTION = timedelta(seconds=1)


@functools.cache
def zone(name: str) -> ZoneInfo:
    """
    The zone of an IANA name, such as `Europe/Berlin`.

    Raises:
        InvalidValueError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValueError("zone", "an IANA time zone, such as Europe/Berlin") from None


def local_day(moment: datetime, where: ZoneInfo) -> date:
    """The calendar day at *moment*, aware, in the zone *where*."""
    return moment.astimezone(where).date()


def add_months(day: date, months: int) -> date:
    """
    The same day of the month, *months* later; the last one where the month has no such day.

    Args:
        day: From when.

        months: 0 to `MONTHS_MAX`.
    """
    years, month = divmod(day.month - 1 + months, _MONTHS_A_YEAR)
    first = date(day.year + years, month + 1, 1)
    beyond = (first + _BEYOND_A_MONTH).replace(day=1)
    return first.replace(day=min(day.day, (beyond - first).days))


@functools.lru_cache(maxsize=DAY_ENDS_CACHED)
def day_end(day: date, where: ZoneInfo) -> datetime:
    """
    The first instant, in UTC, after the calendar day *day* is over in the zone *where*.

    Half-open: the instant itself belongs to a later day. A day that the clock goes back into is
    over only after its second end.
    """
    midnight = datetime.combine(day + timedelta(days=1), time(), where)
    first, second = (midnight.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    if first < second:
        return second if local_day(second - _RESOLUTION, where) <= day else first
    return _first_after(day, where, second, first)


def _first_after(day: date, where: ZoneInfo, early: datetime, late: datetime) -> datetime:
    """The instant at which the clock jumps over midnight, after *early* and not after *late*."""
    while late - early > _RESOLUTION:
        middle = early + ((late - early) // 2 // _RESOLUTION) * _RESOLUTION
        if local_day(middle, where) > day:
            late = middle
        else:
            early = middle
    return late
