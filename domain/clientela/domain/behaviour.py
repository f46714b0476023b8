"""
Figures of a client's behaviour: what conditions are asked about.

Adding a fact does not depend on the order in which facts arrive, so a late one is simply added. A
figure keeps its totals for ever and the last `MARKS_MAX` facts it was made from: they are what an
explanation names.
"""

from __future__ import annotations

import bisect
import enum

from collections.abc import Callable
from datetime import date, datetime

import attrs

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


MARKS_MAX = 32
"""Facts a figure remembers one by one, the latest; older ones are only counted."""

TURNS_MAX = 8
"""Facts remembered of each signal, of conflicts and of departures."""

SIGNALS_MAX = 128
"""Different signals of one client; further ones are not kept."""

KINDS_MAX = 64
"""Different kinds of interaction of one client; further ones are counted together."""

OTHER_KIND = Code("*")
"""Under what interactions beyond `KINDS_MAX` kinds are counted."""

Moment = tuple[datetime, int, int]
"""Orders what happened: when, time alone (0) before facts (1), then by version."""


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
        is_new_day = all(mark.day != known.day for known in self.marks)
        is_first = self.first is None or mark.moment < self.first.moment
        return Tally(
            count=self.count + 1,
            days=self.days + is_new_day,
            minor=self.minor + mark.minor,
            first=mark if is_first else self.first,
            marks=_with(self.marks, mark, MARKS_MAX),
        )


@attrs.frozen(kw_only=True)
class Behaviour:
    """
    All figures of one client, over the whole life or over the stay in one stage.

    A purchase stays counted when everything of it comes back, since the order was made; what comes
    back lowers *spent*. A return is no approach.

    Attributes:
        began_at: The first fact of the client, or the begin of the stay.

        purchases: Purchases.

        approaches: Approaches of the client to us, «обращение» (LIFE-20): purchases and
            interactions that the client began, whatever their purpose.

        interactions: By direction and kind, see `interaction_key`.

        spent: Purchases less refunds, by currency.

        signals: By name, the last few facts of each.

        conflicts: Begins and resolutions, the last few.

        departures: The last few.
    """

    began_at: datetime | None = None
    purchases: Tally = Tally()
    approaches: Tally = Tally()
    interactions: dict[Code, Tally] = attrs.field(factory=dict[Code, Tally])
    spent: dict[str, Tally] = attrs.field(factory=dict[str, Tally])
    signals: dict[Code, tuple[Mark, ...]] = attrs.field(factory=dict[Code, tuple[Mark, ...]])
    conflicts: tuple[Mark, ...] = ()
    departures: tuple[Mark, ...] = ()

    def add(self, fact: Fact) -> Behaviour:
        """These figures with one more fact."""
        began_at = fact.at if self.began_at is None else min(self.began_at, fact.at)
        changed = attrs.evolve(self, began_at=began_at) if began_at != self.began_at else self
        adder = _ADDERS.get(fact.kind)
        return adder(changed, fact) if adder else changed


def interaction_key(kind: Code, *, inbound: bool) -> Code:
    """Under what `Behaviour.interactions` counts interactions of *kind*."""
    return Code(f"{'inbound' if inbound else 'outbound'}:{kind}")


def behaviour_since(whole: Behaviour, moment: Moment) -> Behaviour:
    """
    The figures of a stay that began at *moment*, as far as remembered facts tell.

    Exact while no more than `MARKS_MAX` facts of a kind lie after *moment*; beyond that counts stop
    there. Only needed when a fact older than all that is remembered moves the begin of a stay.

    Args:
        whole: The figures of the whole life.

        moment: From this fact on, itself included.
    """
    return Behaviour(
        began_at=moment[0],
        purchases=_tally_since(whole.purchases, moment),
        approaches=_tally_since(whole.approaches, moment),
        interactions={k: _tally_since(t, moment) for k, t in whole.interactions.items()},
        spent={k: _tally_since(t, moment) for k, t in whole.spent.items()},
        signals={k: _since(marks, moment) for k, marks in whole.signals.items()},
        conflicts=_since(whole.conflicts, moment),
        departures=_since(whole.departures, moment),
    )


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


def _purchase(old: Behaviour, fact: Fact) -> Behaviour:
    mark = Mark(fact.at, fact.ref, fact.day)
    return attrs.evolve(
        old,
        purchases=old.purchases.add(mark),
        approaches=old.approaches.add(mark),
        spent=_spent(old, fact, 1),
    )


def _return(old: Behaviour, fact: Fact) -> Behaviour:
    return attrs.evolve(old, spent=_spent(old, fact, -1))


def _spent(old: Behaviour, fact: Fact, sign: int) -> dict[str, Tally]:
    assert fact.amount is not None
    mark = Mark(fact.at, fact.ref, fact.day, minor=sign * fact.amount.minor)
    known = old.spent.get(fact.amount.currency, Tally())
    return {**old.spent, fact.amount.currency: known.add(mark)}


def _interaction(old: Behaviour, fact: Fact) -> Behaviour:
    assert fact.code is not None
    mark = Mark(fact.at, fact.ref, fact.day)
    key = interaction_key(fact.code, inbound=fact.inbound)
    if key not in old.interactions and len(old.interactions) >= KINDS_MAX:
        key = interaction_key(OTHER_KIND, inbound=fact.inbound)
    tally = old.interactions.get(key, Tally()).add(mark)
    return attrs.evolve(
        old,
        interactions={**old.interactions, key: tally},
        approaches=old.approaches.add(mark) if fact.inbound else old.approaches,
    )


def _signal(old: Behaviour, fact: Fact) -> Behaviour:
    assert fact.code is not None
    if fact.code not in old.signals and len(old.signals) >= SIGNALS_MAX:
        return old
    mark = Mark(fact.at, fact.ref, fact.day, holds=fact.holds)
    turns = _with(old.signals.get(fact.code, ()), mark, TURNS_MAX)
    return attrs.evolve(old, signals={**old.signals, fact.code: turns})


def _conflict(old: Behaviour, fact: Fact) -> Behaviour:
    holds = fact.holds if fact.kind is FactKind.RESOLUTION else None
    mark = Mark(fact.at, fact.ref, fact.day, holds=holds)
    return attrs.evolve(old, conflicts=_with(old.conflicts, mark, TURNS_MAX))


def _departure(old: Behaviour, fact: Fact) -> Behaviour:
    mark = Mark(fact.at, fact.ref, fact.day, causes=fact.causes)
    return attrs.evolve(old, departures=_with(old.departures, mark, TURNS_MAX))


_ADDERS: dict[FactKind, Callable[[Behaviour, Fact], Behaviour]] = {
    FactKind.PURCHASE: _purchase,
    FactKind.RETURN: _return,
    FactKind.INTERACTION: _interaction,
    FactKind.SIGNAL: _signal,
    FactKind.CONFLICT: _conflict,
    FactKind.RESOLUTION: _conflict,
    FactKind.LEFT: _departure,
}


def _with(marks: tuple[Mark, ...], mark: Mark, most: int) -> tuple[Mark, ...]:
    if not marks or marks[-1].moment < mark.moment:
        return (*marks, mark)[-most:]
    placed = list(marks)
    bisect.insort(placed, mark, key=lambda known: known.moment)
    return tuple(placed[-most:])


def _since(marks: tuple[Mark, ...], moment: Moment) -> tuple[Mark, ...]:
    return tuple(mark for mark in marks if mark.moment >= moment)


def _tally_since(tally: Tally, moment: Moment) -> Tally:
    since = Tally()
    for mark in _since(tally.marks, moment):
        since = since.add(mark)
    return since
