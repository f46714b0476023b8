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

    def add(self, fact: Fact, others: Iterable[Fact]) -> Tally:
        """
        This tally with one more.

        Args:
            fact: It.

            others: Those counted that are remembered; looked at only where its day is not the
                latest.
        """
        moment = (fact.at, 1, fact.ref.version)
        day = fact.day
        if self.last is None or self.day is None:
            return Tally(1, 1, moment, day)
        is_new = day > self.day or (day < self.day and all(day != o.day for o in others))
        return Tally(self.count + 1, self.days + is_new, max(moment, self.last), max(day, self.day))
