"""
Telling: which moves follow from facts and from time, in the order in which they happen.

The same functions decide as facts come in and when history is told again, so a late fact leads
where it would have led in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import attrs

from clientela.domain.behaviour.fact import Fact, FactKind
from clientela.domain.behaviour.kept import Memory
from clientela.domain.context import Definitions, DefinitionVersion
from clientela.domain.definitions.evaluation import evaluate
from clientela.domain.ids import Code
from clientela.domain.lifecycle.course import Course, Means, Move
from clientela.domain.lifecycle.engine import hand_move, next_move, situation_of, way_out
from clientela.domain.lifecycle.model import LifecycleDefinition, LifecycleModel


STEPS_MAX = 10_000
"""Moves by time alone between two facts; definitions that lead round in time are refused."""

Told = Callable[[], Iterable[Fact]]
"""Gives all facts of a client in order; asked only when a model came into force."""


class ForgottenError(Exception):
    """A model came into force, and facts are needed that are no longer kept one by one."""


def joins(course: Course, model: LifecycleModel) -> bool:
    """Whether the client has no stage in *model* as it is now: it, or its stage, is new or gone."""
    stay = course.stays.get(model.id)
    return stay is None or model.stage(stay.move.stage) is None


def joining_move(
    course: Course,
    model: LifecycleModel,
    version: DefinitionVersion,
    at: datetime,
    facts: Iterable[Fact],
) -> Move:
    """
    The move into a model that came into force: to where its rules lead on all that happened.

    Args:
        course: Where the client stands.

        model: The model.

        version: The version it came with.

        at: When it came into force.

        facts: All of them up to then, in order; at least one.
    """
    alone = LifecycleDefinition(models=(model,))
    ruled = attrs.evolve(version, sections={LifecycleDefinition: alone})
    *_, last = replay(Course(), Memory(), facts, Definitions((ruled,)), at)
    stay = course.stays.get(model.id)
    return attrs.evolve(
        last,
        previous=stay.move.stage if stay else None,
        at=at,
        means=Means.TIME,
        by=None,
        counts_from=last.at,
    )


def settle(
    course: Course,
    definitions: Definitions,
    at: datetime,
    by: Fact | None,
    told: Told,
    known: Iterable[Fact],
    held: Code | None = None,
) -> Iterator[Move]:
    """
    Every move at one moment, in all models.

    Args:
        course: Where the client stands, the fact included.

        definitions: All versions.

        at: The moment.

        by: The fact that did it; None if time did.

        told: All facts up to then, for a model that came into force.

        known: Those that are remembered one by one.

        held: A model that stays as it is, since its stage was set by hand at this moment.
    """
    version = definitions.at(at)
    for model in version.of(LifecycleDefinition).models:
        if by is None and joins(course, model):
            joining = joining_move(course, model, version, at, told())
            yield joining
            course = course.enter(joining, None, known)
            continue
        passed: frozenset[Code] = frozenset()
        while model.id != held:
            move = next_move(course, model, version, at, by, passed, known)
            if move is None:
                break
            yield move
            passed |= frozenset((move.previous,)) if move.previous else frozenset[Code]()
            course = course.enter(move, by, known)


def due_at(course: Course, definitions: Definitions) -> datetime | None:
    """The next moment after the end of *course* at which time alone moves the client."""
    if course.end is None:
        return None
    after = course.end[0]
    if _moves_by_time(course, definitions, after, joining_only=True):
        return after
    moments = {v.effective_from for v in definitions.versions if v.effective_from > after}
    for _ in range(STEPS_MAX):
        later = {m for m in (_changes_at(course, definitions, after), *moments) if m and m > after}
        if not later:
            return None
        after = min(later)
        if _moves_by_time(course, definitions, after):
            return after
    return None


def _moves_by_time(
    course: Course, definitions: Definitions, at: datetime, *, joining_only: bool = False
) -> bool:
    version = definitions.at(at)
    models = version.of(LifecycleDefinition).models
    if any(joins(course, model) for model in models):
        return True
    return not joining_only and any(
        way_out(model, course.stays[model.id], course, at) for model in models
    )


def _changes_at(course: Course, definitions: Definitions, now: datetime) -> datetime | None:
    moments: list[datetime] = []
    for model in definitions.at(now).of(LifecycleDefinition).models:
        stay = course.stays.get(model.id)
        if stay is not None and model.is_timed(stay.move.stage):
            situation = situation_of(course, stay)
            for way in model.ways(stay.move.stage):
                changes_at = evaluate(way.exit.when, situation, now).changes_at
                if changes_at is not None:
                    moments.append(changes_at)
    return min(moments, default=None)


def replay(
    course: Course,
    memory: Memory,
    facts: Iterable[Fact],
    definitions: Definitions,
    until: datetime,
) -> Iterator[Move]:
    """
    Every move that follows from *facts*, in the order in which they happen.

    Args:
        course: Where the client stood before them.

        memory: The facts before them that are remembered; those told are added to it.

        facts: In order.

        definitions: All versions; at each moment the one in force then is applied.

        until: Up to when time passes after the last fact.

    Raises:
        ForgottenError: a model came into force on the way, and *course* is not the very begin.
    """
    heard: list[Fact] = []
    is_begin = course.end is None

    def told() -> Iterable[Fact]:
        if not is_begin:
            raise ForgottenError
        return tuple(heard)

    for fact in facts:
        for move in _elapsed(course, definitions, fact.at, told, memory):
            yield move
            course = course.enter(move, None, memory)
        course = course.absorb(fact, memory)
        heard.append(fact)
        memory.add(fact)
        by_hand = hand_move(course, fact, definitions) if fact.kind is FactKind.STAGE else None
        if by_hand is not None:
            yield by_hand
            course = course.enter(by_hand, fact, memory)
        held = by_hand.model if by_hand else None
        for move in settle(course, definitions, fact.at, fact, told, memory, held):
            yield move
            course = course.enter(move, fact, memory)
    yield from _elapsed(course, definitions, until, told, memory)


def _elapsed(
    course: Course, definitions: Definitions, until: datetime, told: Told, memory: Memory
) -> Iterator[Move]:
    for _ in range(STEPS_MAX):
        moment = due_at(course, definitions)
        if moment is None or moment > until:
            return
        for move in settle(course, definitions, moment, None, told, memory):
            yield move
            course = course.enter(move, None, memory)
