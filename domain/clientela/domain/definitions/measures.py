"""
Measures: what each single condition compares, and which facts tip it.
"""

from __future__ import annotations

import collections

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import assert_never

from clientela.domain.behaviour.figures import Behaviour, interaction_key
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


def measure(condition: Leaf, situation: Situation, now: datetime) -> Verdict:
    """What a condition that is not made of conditions says of *situation* at *now*."""
    life = situation.life
    match condition:
        case Purchases(at_least=least, at_most=most, on_distinct_days=by_days):
            return _counted(condition, (life.purchases,), (least, most), by_days=by_days)
        case Approaches(at_least=least, on_distinct_days=by_days):
            return _counted(condition, (life.approaches,), (least, None), by_days=by_days)
        case Interactions(at_least=least):
            return _counted(condition, _tallies(condition, life), (least, None))
        case Spent():
            return _spent(condition, life)
        case Signal(name=name):
            return _turned(condition, life.signals.get(name, ()), _signal_holds)
        case ConflictHandledWell():
            return _turned(condition, life.conflicts, _was_handled_well)
        case Left():
            return _left(condition, life)
        case IdleFor():
            return _idle(condition, life, now)
        case InStageFor(days=days):
            return _stayed(condition, situation, timedelta(days=days), now)
        case StageIs(model=model, stage=stage):
            held, ref = situation.stages.get(model, (None, None))
            facts = frozenset((ref,)) if ref and held == stage else NONE
            return Verdict(condition=condition, holds=held == stage, facts=facts)
        case _:
            assert_never(condition)


def _tallies(condition: Interactions, life: Behaviour) -> tuple[Tally, ...]:
    ways = [condition.direction] if condition.direction else list(Direction)
    inbound = [direction is Direction.INBOUND for direction in ways]
    if condition.kinds:
        keys = [interaction_key(k, inbound=way) for way in inbound for k in condition.kinds]
        return tuple(
            life.interactions[key] for key in dict.fromkeys(keys) if key in life.interactions
        )
    prefixes = tuple(interaction_key(Code(""), inbound=way) for way in inbound)
    return tuple(t for key, t in life.interactions.items() if key.startswith(prefixes))


def _counted(
    condition: Leaf,
    tallies: tuple[Tally, ...],
    bounds: tuple[int | None, int | None],
    *,
    by_days: bool = False,
) -> Verdict:
    number = sum(tally.days if by_days else tally.count for tally in tallies)
    holds = _is_within(number, bounds)
    facts = NONE
    if number and _is_within(number - 1, bounds) != holds:
        facts = frozenset(
            mark.ref for tally in tallies for mark in (_sole(tally) if by_days else tally.marks)
        )
    return Verdict(condition=condition, holds=holds, facts=facts, measured=number)


def _is_within(number: int, bounds: tuple[int | None, int | None]) -> bool:
    least, most = bounds
    return (least is None or number >= least) and (most is None or number <= most)


def _sole(tally: Tally) -> tuple[Mark, ...]:
    """The facts that are alone on their day; the oldest remembered day may hide forgotten ones."""
    days = collections.Counter(mark.day for mark in tally.marks)
    if tally.count > len(tally.marks):
        days[tally.marks[0].day] += 1
    return tuple(mark for mark in tally.marks if days[mark.day] == 1)


def _spent(condition: Spent, life: Behaviour) -> Verdict:
    least = condition.at_least
    tally = life.spent.get(least.currency, Tally())
    holds = tally.minor >= least.minor
    facts = frozenset(
        mark.ref for mark in tally.marks if (tally.minor - mark.minor >= least.minor) != holds
    )
    return Verdict(condition=condition, holds=holds, facts=facts, measured=tally.minor)


def _turned(
    condition: Leaf, turns: tuple[Mark, ...], rule: Callable[[tuple[Mark, ...]], bool]
) -> Verdict:
    holds = rule(turns)
    facts = frozenset(
        turn.ref for i, turn in enumerate(turns) if rule(turns[:i] + turns[i + 1 :]) != holds
    )
    return Verdict(condition=condition, holds=holds, facts=facts)


def _signal_holds(turns: tuple[Mark, ...]) -> bool:
    return bool(turns) and turns[-1].holds is True


def _was_handled_well(turns: tuple[Mark, ...]) -> bool:
    is_open = was_well = False
    for turn in turns:
        if turn.holds is None:
            is_open, was_well = True, False
        elif is_open:
            is_open, was_well = False, turn.holds
    return was_well


def _left(condition: Left, life: Behaviour) -> Verdict:
    departures = [d for d in life.departures if not condition.causes or _is_for(d, condition)]
    bought = life.purchases.marks
    open_ones = [d for d in departures if not bought or d.moment > bought[-1].moment]
    if open_ones:
        facts = frozenset(d.ref for d in open_ones) if len(open_ones) == 1 else NONE
        return Verdict(condition=condition, holds=True, facts=facts)
    facts = NONE
    if departures and bought:
        undone = len(bought) == 1 or departures[-1].moment > bought[-2].moment
        facts = frozenset((bought[-1].ref,)) if undone else NONE
    return Verdict(condition=condition, holds=False, facts=facts)


def _is_for(departure: Mark, condition: Left) -> bool:
    return not set(departure.causes).isdisjoint(condition.causes)


def _idle(condition: IdleFor, life: Behaviour, now: datetime) -> Verdict:
    last = life.approaches.marks[-1] if life.approaches.marks else None
    since = last.at if last else life.began_at
    if since is None:
        return Verdict(condition=condition, holds=False)
    holds = _passed(since, condition, now)
    changes_at = None if holds else since + timedelta(days=condition.days)
    facts = NONE
    if last is not None and _idle_without_last(condition, life, now) != holds:
        facts = frozenset((last.ref,))
    return Verdict(condition=condition, holds=holds, facts=facts, changes_at=changes_at)


def _idle_without_last(condition: IdleFor, life: Behaviour, now: datetime) -> bool:
    """What it would be without the last approach; without the only one nothing would have begun."""
    *earlier, last = life.approaches.marks
    before = earlier[-1].at if earlier else life.began_at
    is_begin = not earlier and before == last.at
    return before is not None and not is_begin and _passed(before, condition, now)


def _passed(since: datetime, condition: IdleFor, now: datetime) -> bool:
    return now >= since + timedelta(days=condition.days)


def _stayed(condition: InStageFor, situation: Situation, term: timedelta, now: datetime) -> Verdict:
    if situation.since is None:
        return Verdict(condition=condition, holds=False)
    ends_at = situation.since + term
    if now >= ends_at:
        return Verdict(condition=condition, holds=True, facts=frozenset(situation.because))
    return Verdict(condition=condition, holds=False, changes_at=ends_at)
