"""
Marks: facts as a figure remembers them, one by one.
"""

from __future__ import annotations

from datetime import date, datetime

import attrs

from clientela.domain.ids import Code, Ref


Moment = tuple[datetime, int, int]
"""Orders what happened: when, time alone (0) before facts (1), then by version."""


@attrs.frozen
class Mark:
    """
    One remembered fact of a figure.

    Attributes:
        at: When.

        ref: The event.

        day: Its calendar day.

        minor: Minor units it adds, negative for a refund.

        holds: Whether the signal holds from here on; for conflicts whether it was handled well,
            and None where one began.

        causes: Why the client left.
    """

    at: datetime
    ref: Ref
    day: date
    minor: int = 0
    holds: bool | None = None
    causes: tuple[Code, ...] = ()

    @property
    def moment(self) -> Moment:
        """Its place in the order of what happened."""
        return (self.at, 1, self.ref.version)
