"""
Facts as the figures count them.
"""

from __future__ import annotations

import enum

from datetime import date, datetime

import attrs

from clientela.domain.behaviour.mark import Moment
from clientela.domain.event import RecordedEvent
from clientela.domain.facts import (
    ClientLeft,
    ConflictRecorded,
    ConflictResolved,
    Direction,
    InteractionRecorded,
    PurchaseRecorded,
    ReturnRecorded,
    SignalRecorded,
)
from clientela.domain.ids import Code, Ref
from clientela.domain.money import Money


class FactKind(enum.Enum):
    """What a fact is to the figures."""

    BEGIN = "begin"
    PURCHASE = "purchase"
    RETURN = "return"
    INTERACTION = "interaction"
    CONFLICT = "conflict"
    RESOLUTION = "resolution"
    LEFT = "left"
    SIGNAL = "signal"
    STAGE = "stage"

    # Members are single: identity is their hash, and every fact asks for it.
    __hash__ = object.__hash__


@attrs.frozen(kw_only=True)
class Fact:
    """
    What the figures need of one event.

    Attributes:
        kind: What it is.

        at: When it happened.

        ref: The event.

        day: Calendar day: the branch's for a purchase, otherwise that of *at* in UTC.

        code: Kind of interaction, name of the signal, or lifecycle model.

        inbound: Whether the client began it.

        amount: Total of a purchase; refund of a return.

        holds: Whether a signal holds from now on, or a conflict was handled well.

        causes: Why the client left, or why a stage was set.

        stage: The stage set by hand.
    """

    kind: FactKind
    at: datetime
    ref: Ref
    day: date
    code: Code | None = None
    inbound: bool = False
    amount: Money | None = None
    holds: bool = True
    causes: tuple[Code, ...] = ()
    stage: Code | None = None

    @property
    def moment(self) -> Moment:
        """Its place in the order of what happened."""
        return (self.at, 1, self.ref.version)


def fact_of(recorded: RecordedEvent) -> Fact | None:
    """What the figures need of *recorded*; None if they do not count it."""
    event = recorded.event
    at, ref = recorded.occurred_at, recorded.ref
    day = at.date()
    match event:
        case PurchaseRecorded(total=total, local_date=day):
            return Fact(kind=FactKind.PURCHASE, at=at, ref=ref, day=day, inbound=True, amount=total)
        case ReturnRecorded(refund=refund, local_date=day):
            return Fact(kind=FactKind.RETURN, at=at, ref=ref, day=day, amount=refund)
        case InteractionRecorded(kind=code, direction=direction):
            inbound = direction is Direction.INBOUND
            kind = FactKind.INTERACTION
            return Fact(kind=kind, at=at, ref=ref, day=day, code=code, inbound=inbound)
        case ConflictRecorded():
            return Fact(kind=FactKind.CONFLICT, at=at, ref=ref, day=day)
        case ConflictResolved(handled_well=holds):
            return Fact(kind=FactKind.RESOLUTION, at=at, ref=ref, day=day, holds=holds)
        case ClientLeft(causes=causes):
            return Fact(kind=FactKind.LEFT, at=at, ref=ref, day=day, causes=causes)
        case SignalRecorded(signal=code, holds=holds):
            return Fact(kind=FactKind.SIGNAL, at=at, ref=ref, day=day, code=code, holds=holds)
        case _:
            return None


COUNTED = (
    PurchaseRecorded,
    ReturnRecorded,
    InteractionRecorded,
    ConflictRecorded,
    ConflictResolved,
    ClientLeft,
    SignalRecorded,
)
"""Event classes of which `fact_of` makes facts."""
