"""
A statement: opening balance, every movement of a period, closing balance (loyalty F19).
"""

from __future__ import annotations

import enum

from collections.abc import Iterable
from datetime import datetime

import attrs

from clientela.domain.event import RecordedEvent
from clientela.domain.ids import Code, Ref
from clientela.domain.loyalty.entries import Account, entries


class Axis(enum.Enum):
    """Which of an event's two times a statement goes by."""

    OCCURRED = "occurred"
    """When it happened."""

    RECORDED = "recorded"
    """When it was written; a statement by this one never changes afterwards."""


@attrs.frozen(kw_only=True)
class StatementLine:
    """
    One movement.

    Attributes:
        ref: The event.

        name: Its stored name.

        moment: When, by the statement's axis.

        points: What it added to the balance, or took from it.
    """

    ref: Ref
    name: Code
    moment: datetime
    points: int


@attrs.frozen(kw_only=True)
class Statement:
    """
    The movements of a period; opening and movements sum to closing.

    Attributes:
        opening: Balance before the period, debt taken off.

        lines: Events that moved points, by time.

        closing: Balance after it.
    """

    opening: int
    lines: tuple[StatementLine, ...]
    closing: int


def statement(
    events: Iterable[RecordedEvent], begin: datetime, end: datetime, axis: Axis
) -> Statement:
    """
    The statement of a wallet from *begin* up to and without *end*.

    Args:
        events: The wallet's whole journal, in order of version.

        begin: First moment of the period.

        end: First moment after it.

        axis: Which time counts.
    """
    moved = (_line(recorded, axis) for recorded in events if entries(recorded.event))
    in_order = sorted(moved, key=lambda line: (line.moment, line.ref))
    opening = sum(line.points for line in in_order if line.moment < begin)
    lines = tuple(line for line in in_order if begin <= line.moment < end)
    return Statement(
        opening=opening, lines=lines, closing=opening + sum(line.points for line in lines)
    )


def _line(recorded: RecordedEvent, axis: Axis) -> StatementLine:
    own = {Account.WALLET, Account.DEBT}
    points = sum(entry.points for entry in entries(recorded.event) if entry.account in own)
    moment = recorded.occurred_at if axis is Axis.OCCURRED else recorded.recorded_at
    name = Code(recorded.type.stored_name)
    return StatementLine(ref=recorded.ref, name=name, moment=moment, points=points)
