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
from clientela.domain.behaviour.figures import Behaviour, behaviour_since
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
        move = self.move
        return move.moment if move.counts_from is None else (move.counts_from, 1, 0)

    def absorb(self, fact: Fact, known: Iterable[Fact]) -> Stay:
        """This stay with one more fact."""
        return Stay(self.move, self.behaviour.add(fact, known, self.begin))


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
        """
        This course with one more fact, which may be older than its end.

        Args:
            fact: It.

            known: The facts before it that are remembered one by one.
        """
        moment, end = fact.moment, self.end
        is_last = end is None or moment >= end
        stays = {
            model: stay.absorb(fact, known) if is_last or stay.move.moment <= moment else stay
            for model, stay in self.stays.items()
        }
        return Course(self.life.add(fact, known), stays, moment if is_last else end)

    def enter(self, move: Move, fact: Fact | None, known: Iterable[Fact]) -> Course:
        """
        This course after *move*.

        Args:
            move: The stage entered.

            fact: The fact that did it, if one did and it is known.

            known: The facts that are remembered one by one.
        """
        if move.counts_from is None:
            behaviour = Behaviour(began_at=move.at)
        else:
            behaviour = behaviour_since(self.life, known, (move.counts_from, 1, 0))
        stay = Stay(move, behaviour.add(fact) if fact else behaviour)
        return Course(self.life, {**self.stays, move.model: stay}, _later(self.end, move.moment))


def _later(end: Moment | None, moment: Moment) -> Moment:
    return moment if end is None else max(end, moment)
