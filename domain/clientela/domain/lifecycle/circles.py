"""
Circles: stages that time alone would lead round without end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

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
    Left,
    Not,
    Purchases,
    Signal,
    Spent,
    leaves,
)
from clientela.domain.ids import Code


class Leading(Protocol):
    """A way out of a stage."""

    @property
    def to(self) -> Code:
        """Where it leads."""
        ...

    @property
    def when(self) -> Condition:
        """Under what condition."""
        ...


def timed_circle(exits: Mapping[Code, Iterable[Leading]]) -> tuple[Code, ...]:
    """
    Stages that time alone could lead round without end, or nothing.

    Args:
        exits: The ways out of each stage.
    """
    lasting = {
        stage: tuple(way.to for way in ways if can_last(way.when)) for stage, ways in exits.items()
    }
    for stage, ways in exits.items():
        for way in ways:
            if is_timed(way.when) and can_last(way.when):
                path = _path(way.to, stage, lasting)
                if path:
                    return (stage, *path)
    return ()


def can_last(condition: Condition) -> bool:
    """
    Whether *condition* can hold for ever, at any begin of a stage, without a further fact.

    Exits that all can last and that lead in a circle would be taken by time alone, without end.
    """
    match condition:
        case InStage(operand=operand):
            return not any(isinstance(leaf, _OF_FACTS) for leaf in leaves(operand))
        case Not(operand=IdleFor()):
            return False
        case All(operands=operands):
            return all(can_last(operand) for operand in operands)
        case Any(operands=operands):
            return any(can_last(operand) for operand in operands)
        case _:
            return True


def is_timed(condition: Condition) -> bool:
    """Whether time alone can change what *condition* says."""
    return any(isinstance(leaf, IdleFor | InStageFor) for leaf in leaves(condition))


_OF_FACTS = (Purchases, Approaches, Spent, Signal, Interactions, Left, ConflictHandledWell)


def _path(start: Code, goal: Code, steps: Mapping[Code, Iterable[Code]]) -> tuple[Code, ...]:
    """A way from *start* to *goal*, both included; nothing if there is none."""
    known: dict[Code, tuple[Code, ...]] = {start: (start,)}
    waiting = [start]
    while waiting:
        here = waiting.pop()
        if here == goal:
            return known[here]
        for further in steps.get(here, ()):
            if further not in known:
                known[further] = (*known[here], further)
                waiting.append(further)
    return ()
