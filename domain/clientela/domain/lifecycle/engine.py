"""
The engine: which stage is next, and because of which facts (LIFE-12).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from clientela.domain.behaviour.fact import Fact
from clientela.domain.context import Definitions, DefinitionVersion
from clientela.domain.definitions.evaluation import judge
from clientela.domain.definitions.verdicts import Situation, Verdict, without
from clientela.domain.ids import Code, Ref
from clientela.domain.lifecycle.course import Course, Means, Move, Stay
from clientela.domain.lifecycle.model import LifecycleDefinition, LifecycleModel, Way


SECTION = "lifecycle"
"""Name of the rule set and of its section."""

INSTANT = timedelta(microseconds=1)
"""The least time there is."""


@attrs.frozen(kw_only=True)
class Choice:
    """
    Which way out of a stage is taken.

    Attributes:
        way: The way; None if the client stays.

        ways: All ways, in the order in which they were tried.

        verdicts: What the condition of each says.
    """

    way: Way | None
    ways: tuple[Way, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def facts(self) -> frozenset[Ref]:
        """The facts without which another stage would come next."""
        named = frozenset[Ref]().union(*(verdict.facts for verdict in self.verdicts))
        return frozenset(fact for fact in named if self._differs(fact))

    def _differs(self, fact: Ref) -> bool:
        other = _first(self.ways, without(self.verdicts, fact))
        return (other and other.exit.to) != (self.way and self.way.exit.to)


def situation_of(course: Course, stay: Stay, known: Iterable[Fact] = ()) -> Situation:
    """
    What the exits of the stage of *stay* are asked of.

    Args:
        course: Where the client stands.

        stay: The stay.

        known: Facts that are remembered, for verdicts to name; none where only their answer counts.
    """
    return Situation(
        life=course.life,
        stay=stay.behaviour,
        since=stay.move.at,
        because=stay.move.because,
        facts=known,
        begin=stay.begin,
    )


def way_out(model: LifecycleModel, stay: Stay, course: Course, now: datetime) -> Way | None:
    """The way that *model* takes out of the stage of *stay* at *now*, without the reasons."""
    situation = situation_of(course, stay)
    for way in model.ways(stay.move.stage):
        if way.holds(course.life, situation, now):
            return way
    return None


def choose(
    model: LifecycleModel, stay: Stay, course: Course, now: datetime, known: Iterable[Fact]
) -> Choice:
    """The way that *model* takes out of the stage of *stay* at *now*, and why."""
    ways = model.ways(stay.move.stage)
    situation = situation_of(course, stay, known)
    verdicts = tuple(judge(way.exit.when, situation, now) for way in ways)
    taken = _first(ways, (verdict.holds for verdict in verdicts))
    return Choice(way=taken, ways=ways, verdicts=verdicts)


def _first(ways: Iterable[Way], holding: Iterable[bool]) -> Way | None:
    return next((way for way, holds in zip(ways, holding, strict=True) if holds), None)


def next_move(
    course: Course,
    model: LifecycleModel,
    version: DefinitionVersion,
    at: datetime,
    by: Fact | None,
    passed: frozenset[Code],
    known: Iterable[Fact],
) -> Move | None:
    """
    The next move in one model, or None if the client stays where it is.

    Args:
        course: Where the client stands, the fact included.

        model: The model, as in force at the moment.

        version: The version it belongs to.

        at: The moment.

        by: The fact that did it; None if time did.

        passed: Stages left at this very moment: no stage is entered twice by one fact.

        known: The facts that are remembered one by one, for the move to name.
    """
    stay = course.stays.get(model.id)
    if stay is None or model.stage(stay.move.stage) is None:
        return _entry(model, stay, version, at, by)
    way = way_out(model, stay, course, at)
    if way is None or way.exit.to in passed:
        return None
    # Unpacked once, for every condition that looks at them.
    facts = tuple(known)
    because = choose(model, stay, course, at, facts).facts
    if by is None:
        because |= choose(model, stay, course, at - INSTANT, facts).facts
    return Move(
        model=model.id,
        stage=way.exit.to,
        previous=stay.move.stage,
        at=at,
        means=Means.FACT if by else Means.TIME,
        by=by.ref if by else None,
        because=tuple(sorted(because | _trigger(by))),
        causes=_causes(model, way, course),
        cycle=stay.move.cycle + model.is_end(stay.move.stage),
        rule=way.rule,
        definition=Code(version.label(SECTION)),
    )


def _entry(
    model: LifecycleModel,
    stay: Stay | None,
    version: DefinitionVersion,
    at: datetime,
    by: Fact | None,
) -> Move:
    """The move to where every client begins; also out of a stage that the model no longer has."""
    return Move(
        model=model.id,
        stage=model.entry,
        previous=stay.move.stage if stay else None,
        at=at,
        means=Means.FACT if by else Means.TIME,
        by=by.ref if by else None,
        because=tuple(_trigger(by)),
        cycle=stay.move.cycle if stay else 1,
        rule=Code(f"{SECTION}.{model.id}.entry"),
        definition=Code(version.label(SECTION)),
    )


def _trigger(by: Fact | None) -> frozenset[Ref]:
    return frozenset((by.ref,)) if by else frozenset()


def _causes(model: LifecycleModel, way: Way, course: Course) -> tuple[Code, ...]:
    """Why the client is gone: the exit's own cause, or those of the last departure (LIFE-23)."""
    if not model.is_end(way.exit.to):
        return ()
    if way.exit.cause is not None:
        return (way.exit.cause,)
    return course.life.departures[-1].causes if course.life.departures else ()


def hand_move(course: Course, fact: Fact, definitions: Definitions) -> Move | None:
    """The move of a stage set by hand; None if that model or stage is not in force."""
    assert fact.code is not None
    assert fact.stage is not None
    version = definitions.at(fact.at)
    model = version.of(LifecycleDefinition).model(fact.code)
    if model is None or model.stage(fact.stage) is None:
        return None
    stay = course.stays.get(fact.code)
    ended = stay is not None and model.is_end(stay.move.stage)
    return Move(
        model=fact.code,
        stage=fact.stage,
        previous=stay.move.stage if stay else None,
        at=fact.at,
        means=Means.HAND,
        by=fact.ref,
        because=(fact.ref,),
        causes=fact.causes,
        cycle=(stay.move.cycle if stay else 1) + ended,
        rule=Code(f"{SECTION}.{fact.code}.by_hand"),
        definition=Code(version.label(SECTION)),
    )
