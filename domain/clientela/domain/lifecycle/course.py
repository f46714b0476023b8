"""
Courses: how stages follow from facts in the order in which they happened.

A course is folded from facts and moves. Facts may arrive late, so the state keeps the last
`TAIL_MAX` of them and the course before these; a late fact is put in its place and what follows is
folded anew. Which moves follow from which facts is the engine's business.
"""

from __future__ import annotations

import enum

from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs

from clientela.domain.behaviour.fact import Fact, FactKind
from clientela.domain.behaviour.figures import Behaviour, behaviour_since
from clientela.domain.behaviour.mark import Moment
from clientela.domain.ids import Code, Ref
from clientela.domain.variant import variant


TAIL_MAX = 64
"""Facts kept one by one; a fact older than all of them is judged on the whole journal."""

TAIL_KEPT = TAIL_MAX // 2
"""Facts kept when the tail is cut."""

MOVES_MAX = 256
"""Moves kept one by one, before the tail is cut on their account."""


class Means(enum.Enum):
    """What brought a stage about."""

    FACT = "fact"
    TIME = "time"
    HAND = "hand"


@attrs.frozen(kw_only=True)
class Move:
    """
    A client entered a stage.

    Attributes:
        model: In which model.

        stage: The stage entered.

        previous: The stage left; None at the begin.

        at: When.

        means: By a fact, by time alone, or by hand.

        by: The fact that did it; None if time did.

        because: The facts without which it would not have happened then.

        causes: Why the relationship ended, or the reason for setting a stage by hand.

        cycle: 1 at first, one more each time an end stage is left (LIFE-27).

        rule: Catalogue id or place in the model.

        definition: The definition applied, for instance `lifecycle@3`.

        counts_from: From when on the figures of the stay count, if that is before *at*: a model
            that came into force later judges a client by all that happened.

        ref: The event that recorded it; None while nothing has.
    """

    model: Code
    stage: Code
    previous: Code | None
    at: datetime
    means: Means
    by: Ref | None = attrs.field(default=None, eq=False)
    because: tuple[Ref, ...] = ()
    causes: tuple[Code, ...] = ()
    cycle: int = 1
    rule: Code
    definition: Code
    counts_from: datetime | None = None
    ref: Ref | None = attrs.field(default=None, eq=False)

    @property
    def moment(self) -> Moment:
        """Its place in the order of what happened, that of the fact that did it."""
        if self.means is Means.TIME:
            return (self.at, 0, 0)
        return (self.at, 1, self.by.version if self.by else 0)


@attrs.frozen
class Stay:
    """
    The present stage in one model.

    Attributes:
        move: How the client came into it.

        behaviour: Figures since then, the fact that led into it included.
    """

    move: Move
    behaviour: Behaviour


@attrs.frozen
class Course:
    """
    Where a client stands after some facts and moves.

    Attributes:
        life: Figures of the whole life.

        stays: Present stage by model.

        end: The last fact or move folded; None while there is none.
    """

    life: Behaviour = attrs.field(factory=Behaviour)
    stays: dict[Code, Stay] = attrs.field(factory=dict[Code, Stay])
    end: Moment | None = None

    def absorb(self, fact: Fact) -> Course:
        """This course with one more fact, which may be older than its end."""
        moment = fact.moment
        stays = {
            model: _absorbed(stay, fact) if stay.move.moment <= moment else stay
            for model, stay in self.stays.items()
        }
        return Course(self.life.add(fact), stays, _later(self.end, moment))

    def enter(self, move: Move, fact: Fact | None) -> Course:
        """
        This course after *move*.

        Args:
            move: The stage entered.

            fact: The fact that did it, if one did and it is known.
        """
        if move.counts_from is None:
            behaviour = Behaviour(began_at=move.at)
        else:
            behaviour = behaviour_since(self.life, (move.counts_from, 1, 0))
        stay = Stay(move, behaviour.add(fact) if fact else behaviour)
        return Course(self.life, {**self.stays, move.model: stay}, _later(self.end, move.moment))


def _absorbed(stay: Stay, fact: Fact) -> Stay:
    return Stay(stay.move, stay.behaviour.add(fact))


def _later(end: Moment | None, moment: Moment) -> Moment:
    return moment if end is None else max(end, moment)


@attrs.frozen(kw_only=True)
class Track:
    """
    A course that late facts can be put into.

    Attributes:
        base: The course before the tail.

        tail: The latest facts, in the order in which they happened.

        moves: The moves since the base, in the same order.

        now: The course after all of them.
    """

    base: Course = attrs.field(factory=Course)
    tail: tuple[Fact, ...] = ()
    moves: tuple[Move, ...] = ()
    now: Course = attrs.field(factory=Course)

    def with_fact(self, fact: Fact) -> Track:
        """This track with one more fact in its place."""
        if self.now.end is None or fact.moment > self.now.end:
            longer = variant(self, tail=(*self.tail, fact), now=self.now.absorb(fact))
            if len(longer.tail) <= TAIL_MAX:
                return longer
            return longer.cut(longer.tail[-TAIL_KEPT - 1].moment)
        if self.is_beyond(fact):
            return attrs.evolve(self, base=self.base.absorb(fact)).refolded()
        first, *rest = sorted((*self.tail, fact), key=lambda known: known.moment)
        counted = (known for known in rest if known.kind is not FactKind.BEGIN)
        return attrs.evolve(self, tail=(first, *counted)).refolded()

    def with_move(self, move: Move) -> Track:
        """This track with one more move in its place."""
        if self.now.end is None or move.moment >= self.now.end:
            moved = variant(
                self, moves=(*self.moves, move), now=self.now.enter(move, self.fact(move.by))
            )
            end = moved.moves[-TAIL_KEPT].moment if len(moved.moves) > MOVES_MAX else move.moment
            return moved if end == move.moment else moved.cut(end)
        moves = sorted((*self.moves, move), key=lambda known: known.moment)
        return attrs.evolve(self, moves=tuple(moves)).refolded()

    def corrected(self, model: Code, since: datetime, moves: Iterable[Move]) -> Track:
        """
        This track after the moves of *model* from *since* on were replaced.

        Args:
            model: Which.

            since: Moves at this moment and later are dropped.

            moves: What comes in their place, in order.
        """
        others = [m for m in self.moves if m.model != model or m.at < since]
        end = self.base.end
        old = [m for m in moves if end is not None and m.moment <= end]
        new = [m for m in moves if end is None or m.moment > end]
        merged = tuple(sorted((*others, *new), key=lambda known: known.moment))
        base = (
            self.base if end is None or since > end[0] else _rebased(self.base, model, since, old)
        )
        return attrs.evolve(self, base=base, moves=merged).refolded()

    def is_beyond(self, fact: Fact) -> bool:
        """Whether *fact* is older than everything kept one by one."""
        return self.base.end is not None and fact.moment <= self.base.end

    def moves_at(self, moment: Moment) -> Iterator[Move]:
        """The kept moves of one moment, the last one first."""
        for move in reversed(self.moves):
            if move.at < moment[0]:
                return
            if move.moment == moment:
                yield move

    def fact(self, ref: Ref | None) -> Fact | None:
        """The kept fact of this event, if it is kept."""
        return next((fact for fact in reversed(self.tail) if fact.ref == ref), None)

    def refolded(self) -> Track:
        """This track with its present course folded anew from the base."""
        return attrs.evolve(self, now=folded(self.base, self.tail, self.moves))

    def cut(self, end: Moment) -> Track:
        """This track with facts and moves up to *end* folded into the base."""
        base = folded(
            self.base,
            (fact for fact in self.tail if fact.moment <= end),
            (move for move in self.moves if move.moment <= end),
        )
        return attrs.evolve(
            self,
            base=base,
            tail=tuple(fact for fact in self.tail if fact.moment > end),
            moves=tuple(move for move in self.moves if move.moment > end),
        )


def folded(base: Course, facts: Iterable[Fact], moves: Iterable[Move]) -> Course:
    """*base* after *facts* and *moves*, each in the order in which they happened."""
    known = {fact.ref: fact for fact in facts}
    steps: list[tuple[Moment, Fact | Move]] = [(fact.moment, fact) for fact in known.values()]
    steps += [(move.moment, move) for move in moves]
    course = base
    for _, step in sorted(steps, key=lambda pair: pair[0]):
        if isinstance(step, Fact):
            course = course.absorb(step)
        else:
            course = course.enter(step, known.get(step.by) if step.by else None)
    return course


def _rebased(base: Course, model: Code, since: datetime, moves: list[Move]) -> Course:
    """*base* with the stay in *model* that *moves* lead to, its figures from what is remembered."""
    stays = {known: stay for known, stay in base.stays.items() if known != model}
    if model in base.stays and base.stays[model].move.at < since:
        stays[model] = base.stays[model]
    if moves:
        last = moves[-1]
        stays[model] = Stay(last, behaviour_since(base.life, last.moment))
    return attrs.evolve(base, stays=stays)
