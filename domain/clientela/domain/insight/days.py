"""
Days: on how many calendar days a client bought something.
"""

from __future__ import annotations

from datetime import date

import attrs


DAYS_KEPT = 64
"""Days remembered one by one, the latest ones."""


@attrs.frozen(kw_only=True)
class Days:
    """
    Distinct calendar days, as the branches call them, in whatever order they become known.

    Exact up to `DAYS_KEPT` days. Beyond, one that becomes known late and lies before all that are
    remembered counts as a further day, even if it was counted before.

    Attributes:
        count: How many.

        first: The earliest.

        recent: The latest ones, at most `DAYS_KEPT`, in order.
    """

    count: int = 0
    first: date | None = None
    recent: tuple[date, ...] = ()

    @property
    def last(self) -> date | None:
        """The latest."""
        return self.recent[-1] if self.recent else None

    def after(self, day: date) -> Days:
        """These days and *day*."""
        if day in self.recent:
            return self
        return Days(
            count=self.count + 1,
            first=day if self.first is None else min(self.first, day),
            recent=tuple(sorted((*self.recent, day)))[-DAYS_KEPT:],
        )
