"""
Verdicts: what a condition says of a client, on which facts, and until when.

A verdict names a fact only if the condition would say otherwise without it. Facts count one by one:
where two facts could each do without the other, neither is named.
"""

from __future__ import annotations

import collections

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import assert_never

import attrs

from clientela.domain.behaviour import Behaviour, Mark, Tally, interaction_key
from clientela.domain.definitions.conditions import (
    All,
    Any,
    Approaches,
    Condition,
    ConflictHandledWell,
    IdleFor,
    InStage,
    InStageFor,
    Interactions,
    Leaf,
    Left,
    Not,
    Purchases,
    Signal,
    Spent,
    StageIs,
)
from clientela.domain.facts import Direction
from clientela.domain.ids import Code, Ref


Facts = frozenset[Ref]
NONE: Facts = frozenset()


@attrs.frozen(kw_only=True)
class Situation:
    """
    What a condition is asked of.

    Attributes:
        life: Figures of the client's whole life.

        stay: Figures of the present stage, for `in_stage`.

        since: When the present stage began, for `in_stage_for`.

        because: The facts that led into the present stage.

        stages: Per lifecycle model the present stage and the event that entered it, for `stage_is`.
    """

    life: Behaviour
    stay: Behaviour = attrs.field(factory=Behaviour)
    since: datetime | None = None
    because: tuple[Ref, ...] = ()
    stages: Mapping[Code, tuple[Code, Ref]] = attrs.field(factory=dict[Code, tuple[Code, Ref]])


@attrs.frozen(kw_only=True)
class Verdict:
    """
    What a condition says.

    Attributes:
        condition: The condition.

        holds: Whether it holds.

        facts: The facts without which it would say otherwise; each alone suffices to change it.

        measured: The count, the days or the minor units it compared; None where it compares none.

        operands: Verdicts of the conditions it is made of.

        changes_at: When it will say otherwise by time alone; None if it will not. Not told for a
            compound that is an operand of another one.
    """

    condition: Condition
    holds: bool
    facts: Facts = NONE
    measured: int | None = None
    operands: tuple[Verdict, ...] = ()
    changes_at: datetime | None = None


def evaluate(condition: Condition, situation: Situation, now: datetime) -> Verdict:
    """What *condition* says of *situation* at *now*."""
    verdict = _judge(condition, situation, now)
    if not verdict.operands:
        return verdict
    for moment in sorted(_moments(verdict)):
        if _judge(condition, situation, moment).holds != verdict.holds:
            return attrs.evolve(verdict, changes_at=moment)
    return verdict


def _moments(verdict: Verdict) -> Iterable[datetime]:
    if verdict.changes_at is not None:
        return {verdict.changes_at}
    return {moment for operand in verdict.operands for moment in _moments(operand)}


def _judge(condition: Condition, situation: Situation, now: datetime) -> Verdict:
    match condition:
        case All(operands=operands):
            return _compound(condition, operands, all, situation, now)
        case Any(operands=operands):
            return _compound(condition, operands, any, situation, now)
        case Not(operand=operand):
            return _compound(condition, (operand,), _none, situation, now)
        case InStage(operand=operand):
            within = attrs.evolve(situation, life=situation.stay)
            return _compound(condition, (operand,), all, within, now)
        case _:
            return _leaf(condition, situation, now)


def _none(holding: Iterable[bool]) -> bool:
    return not any(holding)


def _compound(
    condition: Condition,
    operands: tuple[Condition, ...],
    holds: Callable[[Iterable[bool]], bool],
    situation: Situation,
    now: datetime,
) -> Verdict:
    verdicts = tuple(_judge(operand, situation, now) for operand in operands)
    result = holds(verdict.holds for verdict in verdicts)
    named = NONE.union(*(verdict.facts for verdict in verdicts))
    facts = frozenset(fact for fact in named if holds(without(verdicts, fact)) != result)
    return Verdict(condition=condition, holds=result, facts=facts, operands=verdicts)


def without(verdicts: Iterable[Verdict], fact: Ref) -> Iterable[bool]:
    """What each verdict would be without *fact*."""
    return (verdict.holds != (fact in verdict.facts) for verdict in verdicts)


def _leaf(condition: Leaf, situation: Situation, now: datetime) -> Verdict:
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
        return tuple(life.interactions[key] for key in dict.fromkeys(keys) if key in life.interactions)
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
    undone = departures and (len(bought) == 1 or departures[-1].moment > bought[-2].moment)
    facts = frozenset((bought[-1].ref,)) if undone else NONE
    return Verdict(condition=condition, holds=False, facts=facts)


def _is_for(departure: Mark, condition: Left) -> bool:
    return not set(departure.causes).isdisjoint(condition.causes)


def _idle(condition: IdleFor, life: Behaviour, now: datetime) -> Verdict:
    marks = life.approaches.marks
    since = marks[-1].at if marks else life.began_at
    if since is None:
        return Verdict(condition=condition, holds=False)
    begin = max(since, life.began_at or since)
    ends_at = begin + timedelta(days=condition.days)
    holds = now >= ends_at
    facts = NONE
    if marks:
        before = marks[-2].at if len(marks) > 1 else life.began_at
        is_begin = len(marks) == 1 and before == since
        would_hold = not is_begin and before is not None and _passed(before, condition, now)
        facts = frozenset((marks[-1].ref,)) if would_hold != holds else NONE
    changes_at = None if holds else ends_at
    return Verdict(condition=condition, holds=holds, facts=facts, changes_at=changes_at)


def _passed(since: datetime, condition: IdleFor, now: datetime) -> bool:
    return now >= since + timedelta(days=condition.days)


def _stayed(
    condition: InStageFor, situation: Situation, term: timedelta, now: datetime
) -> Verdict:
    if situation.since is None:
        return Verdict(condition=condition, holds=False)
    ends_at = situation.since + term
    if now >= ends_at:
        return Verdict(condition=condition, holds=True, facts=frozenset(situation.because))
    return Verdict(condition=condition, holds=False, changes_at=ends_at)
