"""
Evaluation: a condition, asked of a client's situation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import attrs

from clientela.domain.definitions.conditions import All, Any, Condition, InStage, Not
from clientela.domain.definitions.measures import measure
from clientela.domain.definitions.verdicts import NONE, Situation, Verdict, without


def evaluate(condition: Condition, situation: Situation, now: datetime) -> Verdict:
    """What *condition* says of *situation* at *now*, and when it will say otherwise by itself."""
    verdict = judge(condition, situation, now)
    if not verdict.operands:
        return verdict
    for moment in sorted(_moments(verdict)):
        if judge(condition, situation, moment).holds != verdict.holds:
            return attrs.evolve(verdict, changes_at=moment)
    return verdict


def _moments(verdict: Verdict) -> Iterable[datetime]:
    if verdict.changes_at is not None:
        return {verdict.changes_at}
    return {moment for operand in verdict.operands for moment in _moments(operand)}


def judge(condition: Condition, situation: Situation, now: datetime) -> Verdict:
    """What *condition* says of *situation* at *now*; a compound does not tell when it changes."""
    match condition:
        case All(operands=operands):
            return _compound(condition, operands, all, situation, now)
        case Any(operands=operands):
            return _compound(condition, operands, any, situation, now)
        case Not(operand=operand):
            return _compound(condition, (operand,), _none, situation, now)
        case InStage(operand=operand):
            return _compound(condition, (operand,), all, situation.within(), now)
        case _:
            return measure(condition, situation, now)


def _none(holding: Iterable[bool]) -> bool:
    return not any(holding)


def _compound(
    condition: Condition,
    operands: tuple[Condition, ...],
    holds: Callable[[Iterable[bool]], bool],
    situation: Situation,
    now: datetime,
) -> Verdict:
    verdicts = tuple(judge(operand, situation, now) for operand in operands)
    result = holds(verdict.holds for verdict in verdicts)
    named = NONE.union(*(verdict.facts for verdict in verdicts))
    facts = frozenset(fact for fact in named if holds(without(verdicts, fact)) != result)
    return Verdict(condition=condition, holds=result, facts=facts, operands=verdicts)
