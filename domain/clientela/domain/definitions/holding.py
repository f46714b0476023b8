"""
Holding: a condition as a function, for where only its answer counts and not the facts behind it.

Every purchase asks every exit of the present stages; almost all say no. A condition is therefore
made into a function once, and judged with its facts only where a client moves.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import assert_never

from clientela.domain.behaviour.figures import Behaviour
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
from clientela.domain.definitions.measures import (
    contact_keys,
    contacts,
    idle_since,
    is_gone,
    is_within,
    signal_holds,
    was_handled_well,
)
from clientela.domain.definitions.verdicts import Situation


Holds = Callable[[Behaviour, Situation, datetime], bool]
"""Whether a condition holds: the figures it is asked of, all else it may ask, and the moment."""


def holding(condition: Condition) -> Holds:
    """What `judge` says of *condition*, without the reasons."""
    match condition:
        case All(operands=operands):
            every = tuple(map(holding, operands))
            return lambda life, situation, now: all(holds(life, situation, now) for holds in every)
        case Any(operands=operands):
            some = tuple(map(holding, operands))
            return lambda life, situation, now: any(holds(life, situation, now) for holds in some)
        case Not(operand=operand):
            inner = holding(operand)
            return lambda life, situation, now: not inner(life, situation, now)
        case InStage(operand=operand):
            within = holding(operand)
            return lambda _life, situation, now: within(situation.stay, situation, now)
        case _:
            return _leaf(condition)


def _leaf(condition: Leaf) -> Holds:
    match condition:
        case Purchases() | Approaches():
            return _tallied(condition)
        case Interactions(at_least=least, kinds=kinds):
            keys, is_whole = contact_keys(condition), bool(kinds)
            return lambda life, _, __: contacts(life, keys, is_whole=is_whole) >= least
        case Spent(at_least=sum_):
            minor, currency = sum_.minor, sum_.currency
            return lambda life, _, __: life.spent.get(currency, 0) >= minor
        case Signal(name=name):
            return lambda life, _, __: signal_holds(life.signals.get(name, ()))
        case ConflictHandledWell():
            return lambda life, _, __: was_handled_well(life.conflicts)
        case Left():
            return lambda life, _, __: is_gone(condition, life)
        case IdleFor() | InStageFor():
            return _timed(condition)
        case StageIs(model=model, stage=stage):
            return lambda _, situation, __: situation.stages.get(model, (None,))[0] == stage
        case _:
            assert_never(condition)


def _tallied(condition: Purchases | Approaches) -> Holds:
    by_days = condition.on_distinct_days
    if isinstance(condition, Approaches):
        fewest = condition.at_least
        if by_days:
            return lambda life, _, __: life.approaches.days >= fewest
        return lambda life, _, __: life.approaches.count >= fewest
    bounds = (condition.at_least, condition.at_most)
    if by_days:
        return lambda life, _, __: is_within(life.purchases.days, bounds)
    return lambda life, _, __: is_within(life.purchases.count, bounds)


def _timed(condition: IdleFor | InStageFor) -> Holds:
    term = timedelta(days=condition.days)

    def idle(life: Behaviour, _: Situation, now: datetime) -> bool:
        since = idle_since(life)
        return since is not None and now >= since + term

    def stayed(_: Behaviour, situation: Situation, now: datetime) -> bool:
        return situation.since is not None and now >= situation.since + term

    return idle if isinstance(condition, IdleFor) else stayed
