"""
Tallies: how often something happened, on how many days, and when last.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import attrs

from clientela.domain.behaviour.fact import Fact
from clientela.domain.behaviour.mark import Moment


@attrs.frozen
class Tally:
    """
    How often something happened.

    Attributes:
        count: All of them.

        days: On how many calendar days; exact while no more than `MARKS_MAX` happened or they
            arrived in order.

        last: The latest one's place in the order of what happened; None while there is none.

        day: The latest calendar day.
    """

    count: int = 0
    days: int = 0
    last: Moment | None = None
    day: date | None = None

    def draft(self) -> TallyDraft:
        """A tally that starts where this one stands."""
        return TallyDraft(self.count, self.days, self.last, self.day)


@attrs.define
class TallyDraft:
    """
    A tally while facts are added to it.

    Attributes:
        count: As of `Tally`; the following likewise.

        days: On how many calendar days.

        last: The latest one's place.

        day: The latest calendar day.
    """

    count: int
    days: int
    last: Moment | None
    day: date | None

    def add(self, fact: Fact, others: Iterable[Fact]) -> None:
        """
        Count one more.

        Args:
            fact: It.

            others: Those counted that are remembered; looked at only where its day is not the
                latest.
        """
        moment, day, latest = fact.moment, fact.day, self.day
        self.count += 1
        if self.last is None or latest is None or day > latest:
            self.days += 1
            self.day = day
        elif day < latest and all(day != o.day for o in others):
            self.days += 1
        if self.last is None or moment > self.last:
            self.last = moment

    def sealed(self) -> Tally:
        """The tally that it has come to."""
        return Tally(self.count, self.days, self.last, self.day)
