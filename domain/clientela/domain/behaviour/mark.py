"""
Marks: facts that figures remember as they are, since not their number counts but what they said.
"""

from __future__ import annotations

import bisect

from datetime import datetime

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

        holds: Whether the signal holds from here on; for conflicts whether it was handled well,
            and None where one began.

        causes: Why the client left.
    """

    at: datetime
    ref: Ref
    holds: bool | None = None
    causes: tuple[Code, ...] = ()

    @property
    def moment(self) -> Moment:
        """Its place in the order of what happened."""
        return (self.at, 1, self.ref.version)


def with_mark(marks: tuple[Mark, ...], mark: Mark, most: int) -> tuple[Mark, ...]:
    """*marks* with *mark* in its place, the latest *most* of them."""
    placed = list(marks)
    bisect.insort(placed, mark, key=lambda known: known.moment)
    return tuple(placed[-most:])


def marks_since(marks: tuple[Mark, ...], moment: Moment) -> tuple[Mark, ...]:
    """Those of *marks* at *moment* or later."""
    return tuple(mark for mark in marks if mark.moment >= moment)
