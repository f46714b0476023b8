"""
Measures: what each single condition compares, and which facts tip it.
"""

from __future__ import annotations

import collections

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import assert_never

from clientela.domain.behaviour.fact import Fact, FactKind
from clientela.domain.behaviour.figures import (
    Behaviour,
    interaction_key,
    is_approach,
    is_purchase,
)
from clientela.domain.behaviour.kept import MARKS_MAX
from clientela.domain.behaviour.mark import Mark
from clientela.domain.behaviour.tally import Tally
from clientela.domain.definitions.conditions import (
    Approaches,
    ConflictHandledWell,
    IdleFor,
    InStageFor,
    Interactions,
    Leaf,
    Left,
    Purchases,
    Signal,
    Spent,
    StageIs,
)
from clientela.domain.definitions.verdicts import NONE, Situation, Verdict
from clientela.domain.facts import Direction
from clientela.domain.ids import Code


Bounds = tuple[int | None, int | None]
"""The least and the most; None without."""


def measure(condition: Leaf, situation: Situation, now: datetime) -> Verdict:
    """What a condition that is not made of conditions says of *situation* at *now*."""
    life, facts = situation.life, situation.facts
    match condition:
        case Purchases(at_least=least, at_most=most, on_distinct_days=by_days):
            bounds = (least, most)
            return _tallied(condition, life.purchases, is_purchase, facts, bounds, by_days=by_days)
        case Approaches(at_least=least, on_distinct_days=by_days):
            bounds = (least, None)
            return _tallied(condition, life.approaches, is_approach, facts, bounds, by_days=by_days)
        case Interactions(at_least=least):
            return _contacts(condition, life, facts, (least, None))
        case Spent():
            return _spent(condition, life, facts)
        case Signal(name=name):
            return _turned(condition, life.signals.get(name, ()), signal_holds)
        case ConflictHandledWell():
            return _turned(condition, life.conflicts, was_handled_well)
        case Left():
            return _left(condition, life, facts)
        case IdleFor():
            return _idle(condition, life, facts, now)
        case InStageFor(days=days):
            return _stayed(condition, situation, timedelta(days=days), now)
        case StageIs(model=model, stage=stage):
            held, ref = situation.stages.get(model, (None, None))
            named = frozenset((ref,)) if ref and held == stage else NONE
            return Verdict(condition=condition, holds=held == stage, facts=named)
        case _:
            assert_never(condition)


def _latest(facts: Iterable[Fact], counts: Callable[[Fact], bool]) -> tuple[Fact, ...]:
    return tuple(fact for fact in facts if counts(fact))[-MARKS_MAX:]


def _tallied(
    condition: Leaf,
    tally: Tally,
    counts: Callable[[Fact], bool],
    facts: Iterable[Fact],
    bounds: Bounds,
    *,
    by_days: bool,
) -> Verdict:
    number = tally.days if by_days else tally.count
    named: tuple[Fact, ...] = ()
    if tips(number, bounds):
        marks = _latest(facts, counts)
        named = _sole(marks, tally.count) if by_days else marks
    return _counted(condition, number, bounds, named)


def _counted(condition: Leaf, number: int, bounds: Bounds, named: Iterable[Fact]) -> Verdict:
    return Verdict(
        condition=condition,
        holds=is_within(number, bounds),
        facts=frozenset(fact.ref for fact in named),
        measured=number,
    )


def is_within(number: int, bounds: Bounds) -> bool:
    """Whether *number* lies within *bounds*, both included."""
    least, most = bounds
    return (least is None or number >= least) and (most is None or number <= most)


def tips(number: int, bounds: Bounds) -> bool:
    """Whether one less would lie on the other side of a bound."""
    return number > 0 and is_within(number - 1, bounds) != is_within(number, bounds)


def _sole(marks: tuple[Fact, ...], number: int) -> tuple[Fact, ...]:
    """The facts that are alone on their day; the oldest remembered day may hide forgotten ones."""
    days = collections.Counter(fact.day for fact in marks)
    if marks and number > len(marks):
        days[marks[0].day] += 1
    return tuple(fact for fact in marks if days[fact.day] == 1)


def contact_keys(condition: Interactions) -> tuple[Code, ...]:
    """
    The figures of interactions that *condition* adds up.

    Returns:
        Whole keys where it names kinds, otherwise what they begin with.
    """
    ways = [condition.direction] if condition.direction else list(Direction)
    kinds = condition.kinds or (Code(""),)
    return tuple(
        dict.fromkeys(
            interaction_key(kind, inbound=way is Direction.INBOUND)
            for way in ways
            for kind in kinds
        )
    )


def _contacts(
    condition: Interactions, life: Behaviour, facts: Iterable[Fact], bounds: Bounds
) -> Verdict:
    keys = contact_keys(condition)
    number = contacts(life, keys, is_whole=bool(condition.kinds))
    named: list[Fact] = []
    if tips(number, bounds):
        known = collections.defaultdict[Code, list[Fact]](list)
        for fact in facts:
            if fact.kind is FactKind.INTERACTION:
                known[interaction_key(fact.code or Code(""), inbound=fact.inbound)].append(fact)
        for key, marks in known.items():
            if key in keys or (not condition.kinds and key.startswith(keys)):
                named += marks[-MARKS_MAX:]
    return _counted(condition, number, bounds, named)


def contacts(life: Behaviour, keys: tuple[Code, ...], *, is_whole: bool) -> int:
    """How many interactions *life* has of *keys*, whole ones or what they begin with."""
    if is_whole:
        return sum(life.interactions.get(key, 0) for key in keys)
    return sum(count for key, count in life.interactions.items() if key.startswith(keys))


def _spent(condition: Spent, life: Behaviour, facts: Iterable[Fact]) -> Verdict:
    least = condition.at_least
    minor = life.spent.get(least.currency, 0)
    holds = minor >= least.minor

    def counts(fact: Fact) -> bool:
        return fact.amount is not None and fact.amount.currency == least.currency

    named = frozenset(
        fact.ref for fact in _latest(facts, counts) if (minor - _paid(fact) >= least.minor) != holds
    )
    return Verdict(condition=condition, holds=holds, facts=named, measured=minor)


def _paid(fact: Fact) -> int:
    """Minor units it adds: a purchase adds its amount, a return takes it off."""
    assert fact.amount is not None
    return -fact.amount.minor if fact.kind is FactKind.RETURN else fact.amount.minor


def _turned(
    condition: Leaf, turns: tuple[Mark, ...], rule: Callable[[tuple[Mark, ...]], bool]
) -> Verdict:
    holds = rule(turns)
    facts = frozenset(
        turn.ref for i, turn in enumerate(turns) if rule(turns[:i] + turns[i + 1 :]) != holds
    )
    return Verdict(condition=condition, holds=holds, facts=facts)


def signal_holds(turns: tuple[Mark, ...]) -> bool:
    """Whether a signal of these turns, in order, holds after them."""
    return bool(turns) and turns[-1].holds is True


def was_handled_well(turns: tuple[Mark, ...]) -> bool:
    """Whether the last conflict of these begins and resolutions is over and was handled well."""
    is_open = was_well = False
    for turn in turns:
        if turn.holds is None:
            is_open, was_well = True, False
        elif is_open:
            is_open, was_well = False, turn.holds
    return was_well


def is_gone(condition: Left, life: Behaviour) -> bool:
    """Whether the client left, for such a cause, and has not bought since."""
    return bool(life.departures and _open_departures(condition, life))


def _open_departures(condition: Left, life: Behaviour) -> list[Mark]:
    bought = life.purchases.last
    return [d for d in _departures(condition, life) if bought is None or d.moment > bought]


def _departures(condition: Left, life: Behaviour) -> list[Mark]:
    causes = condition.causes
    return [d for d in life.departures if not causes or not set(causes).isdisjoint(d.causes)]


def _left(condition: Left, life: Behaviour, facts: Iterable[Fact]) -> Verdict:
    open_ones = _open_departures(condition, life)
    if open_ones:
        named = frozenset(d.ref for d in open_ones) if len(open_ones) == 1 else NONE
        return Verdict(condition=condition, holds=True, facts=named)
    named, departures = NONE, _departures(condition, life)
    bought = _latest(facts, is_purchase) if departures else ()
    if bought:
        undone = len(bought) == 1 or departures[-1].moment > bought[-2].moment
        named = frozenset((bought[-1].ref,)) if undone else NONE
    return Verdict(condition=condition, holds=False, facts=named)


def idle_since(life: Behaviour) -> datetime | None:
    """Since when the client has not approached us: the last approach, or the begin."""
    last = life.approaches.last
    return last[0] if last else life.began_at


def _idle(condition: IdleFor, life: Behaviour, facts: Iterable[Fact], now: datetime) -> Verdict:
    since = idle_since(life)
    if since is None:
        return Verdict(condition=condition, holds=False)
    term = timedelta(days=condition.days)
    holds = now >= since + term
    named = NONE
    approaches = _latest(facts, is_approach) if life.approaches.last else ()
    if approaches and _idle_without_last(approaches, life, now - term) != holds:
        named = frozenset((approaches[-1].ref,))
    return Verdict(
        condition=condition, holds=holds, facts=named, changes_at=None if holds else since + term
    )


def _idle_without_last(approaches: tuple[Fact, ...], life: Behaviour, latest: datetime) -> bool:
    """What it would be without the last approach; without the only one nothing would have begun."""
    *earlier, last = approaches
    before = earlier[-1].at if earlier else life.began_at
    is_begin = not earlier and before == last.at
    return before is not None and not is_begin and latest >= before


def _stayed(condition: InStageFor, situation: Situation, term: timedelta, now: datetime) -> Verdict:
    if situation.since is None:
        return Verdict(condition=condition, holds=False)
    ends_at = situation.since + term
    if now >= ends_at:
        return Verdict(condition=condition, holds=True, facts=frozenset(situation.because))
    return Verdict(condition=condition, holds=False, changes_at=ends_at)
