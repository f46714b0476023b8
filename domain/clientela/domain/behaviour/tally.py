"""
Tallies: how often something happened, and the last facts it was counted from.
"""

from __future__ import annotations

import bisect

from operator import attrgetter

import attrs

from clientela.domain.behaviour.mark import Mark, Moment


MARKS_MAX = 32
"""Facts a tally remembers one by one, the latest; older ones are only counted."""


@attrs.frozen
class Tally:
    """
    How often something happened.

    Attributes:
        count: All of them.

        days: On how many calendar days; exact while no more than `MARKS_MAX` happened or they
            arrived in order.

        minor: Minor units they sum to.

        first: The earliest.

        marks: The latest `MARKS_MAX`, oldest first.
    """

    count: int = 0
    days: int = 0
    minor: int = 0
    first: Mark | None = None
    marks: tuple[Mark, ...] = ()

    def add(self, mark: Mark) -> Tally:
        """This tally with one more."""
        is_new_day = mark.day not in map(_DAY, self.marks)
        is_first = self.first is None or mark.moment < self.first.moment
        return Tally(
            count=self.count + 1,
            days=self.days + is_new_day,
            minor=self.minor + mark.minor,
            first=mark if is_first else self.first,
            marks=with_mark(self.marks, mark, MARKS_MAX),
        )


_DAY = attrgetter("day")


def with_mark(marks: tuple[Mark, ...], mark: Mark, most: int) -> tuple[Mark, ...]:
    """*marks* with *mark* in its place, the latest *most* of them."""
    if not marks or marks[-1].at < mark.at or marks[-1].moment < mark.moment:
        return (*marks, mark)[-most:]
    placed = list(marks)
    bisect.insort(placed, mark, key=lambda known: known.moment)
    return tuple(placed[-most:])


def marks_since(marks: tuple[Mark, ...], moment: Moment) -> tuple[Mark, ...]:
    """Those of *marks* at *moment* or later."""
    return tuple(mark for mark in marks if mark.moment >= moment)


def tally_since(tally: Tally, moment: Moment) -> Tally:
    """A tally of what *tally* remembers at *moment* or later."""
    since = Tally()
    for mark in marks_since(tally.marks, moment):
        since = since.add(mark)
    return since
