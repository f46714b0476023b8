"""
Courses: how stages follow from facts in the order in which they happened.

A course is folded from facts and moves. Which moves follow from which facts is the engine's
business, and what a late fact does to a course that of `track`.
"""

from __future__ import annotations

import enum

from collections.abc import Iterable
from datetime import datetime

import attrs

from clientela.domain.behaviour.fact import Fact
from clientela.domain.behaviour.figures import Behaviour, Figures, behaviour_since
from clientela.domain.behaviour.mark import Moment
from clientela.domain.ids import Code, Ref


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

    @property
    def counted_from(self) -> Moment:
        """From which moment on facts count for the figures of the stay."""
        return self.moment if self.counts_from is None else (self.counts_from, 1, 0)


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

    @property
    def begin(self) -> Moment:
        """From which moment on facts count for its figures."""
        return self.move.counted_from


_NOTHING_YET = Behaviour()


@attrs.frozen
class Course:
    """
    Where a client stands after some facts and moves.

    Attributes:
        life: Figures of the whole life.

        stays: Present stage by model.

        end: The last fact or move folded; None while there is none.
    """

    life: Behaviour = _NOTHING_YET
    stays: dict[Code, Stay] = attrs.field(factory=dict[Code, Stay])
    end: Moment | None = None

    def absorb(self, fact: Fact, known: Iterable[Fact]) -> Course:
        """This course with one more fact; as `CourseDraft.absorb`."""
        draft = CourseDraft(self)
        draft.absorb(fact, known)
        return draft.sealed()

    def enter(self, move: Move, fact: Fact | None, known: Iterable[Fact]) -> Course:
        """This course after *move*; as `CourseDraft.enter`."""
        draft = CourseDraft(self)
        draft.enter(move, fact, known)
        return draft.sealed()


class CourseDraft:
    """
    A course while facts and moves are folded into it, in place.

    Args:
        course: Where it starts; it stays as it is.
    """

    def __init__(self, course: Course) -> None:
        self.end = course.end
        self._course = course
        self._life: Figures | None = None
        self._stays = {
            model: _StayDraft(stay.move, stay.behaviour, stay=stay)
            for model, stay in course.stays.items()
        }

    def absorb(self, fact: Fact, known: Iterable[Fact]) -> None:
        """
        Fold in a fact, which may be older than the end.

        Args:
            fact: It.

            known: The facts before it that are remembered one by one.
        """
        moment, end = fact.moment, self.end
        is_last = end is None or moment >= end
        for stay in self._stays.values():
            if is_last or stay.move.moment <= moment:
                stay.absorb(fact, known)
        if self._life is None:
            self._life = Figures(self._course.life)
        self._life.add(fact, known)
        if is_last:
            self.end = moment

    def enter(self, move: Move, fact: Fact | None, known: Iterable[Fact]) -> None:
        """
        Fold in a move.

        Args:
            move: The stage entered.

            fact: The fact that did it, if one did and it is known.

            known: The facts that are remembered one by one.
        """
        behaviour = None
        if move.counts_from is not None:
            behaviour = behaviour_since(self.life(), known, (move.counts_from, 1, 0))
        self._stays[move.model] = _StayDraft(move, behaviour, by=fact)
        self.end = _later(self.end, move.moment)

    def life(self) -> Behaviour:
        """Figures of the whole life so far."""
        return self._course.life if self._life is None else self._life.sealed()

    def sealed(self) -> Course:
        """The course that it has come to."""
        stays: dict[Code, Stay] = {}
        for model, draft in self._stays.items():
            stay = draft.sealed()
            # Models that a client entered with the same fact have the same figures: kept once.
            for known in stays.values():
                if stay.behaviour == known.behaviour:
                    stay = Stay(stay.move, known.behaviour)
                    break
            stays[model] = stay
        return Course(self.life(), stays, self.end)


class _StayDraft:
    """
    A stay while facts are added to its figures, in place; these are made when the first one is,
    since many a stay ends with the fact that it began with.

    Args:
        move: How the client came into it.

        behaviour: Figures to start with; None for those of a stay that begins with *move*.

        by: The first fact to be added.

        stay: The stay as it is, if it is none that begins.
    """

    __slots__ = ("_behaviour", "_by", "_figures", "_stay", "move")

    def __init__(
        self,
        move: Move,
        behaviour: Behaviour | None,
        by: Fact | None = None,
        stay: Stay | None = None,
    ) -> None:
        self.move = move
        self._behaviour = behaviour
        self._by = by
        self._stay = stay
        self._figures: Figures | None = None

    def absorb(self, fact: Fact, known: Iterable[Fact]) -> None:
        self._begun().add(fact, known, self.move.counted_from)

    def sealed(self) -> Stay:
        if self._stay is not None and self._figures is None:
            return self._stay
        return Stay(self.move, self._begun().sealed())

    def _begun(self) -> Figures:
        if self._figures is None:
            self._figures = Figures(self._behaviour or Behaviour(began_at=self.move.at))
            if self._by is not None:
                self._figures.add(self._by)
        return self._figures


def _later(end: Moment | None, moment: Moment) -> Moment:
    return moment if end is None else max(end, moment)
