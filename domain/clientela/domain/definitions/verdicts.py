"""
Verdicts: what a condition says of a client, on which facts, and until when.

A verdict names a fact only if the condition would say otherwise without it. Facts count one by one:
where two facts could each do without the other, neither is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from clientela.domain.behaviour.fact import Fact
from clientela.domain.behaviour.figures import Behaviour
from clientela.domain.behaviour.mark import Moment
from clientela.domain.definitions.conditions import Condition
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

        facts: The facts behind the figures that are remembered one by one, in the order in which
            they happened: those that a verdict may name.

        begin: From which of them on they count for the stay; None if all do.
    """

    life: Behaviour
    stay: Behaviour = attrs.field(factory=Behaviour)
    since: datetime | None = None
    because: tuple[Ref, ...] = ()
    stages: Mapping[Code, tuple[Code, Ref]] = attrs.field(factory=dict[Code, tuple[Code, Ref]])
    facts: Iterable[Fact] = ()
    begin: Moment | None = None

    def within(self) -> Situation:
        """The same, with nothing of the life but the present stage."""
        begin = self.begin
        facts = (f for f in self.facts if begin is None or f.moment >= begin)
        return attrs.evolve(self, life=self.stay, facts=tuple(facts))


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


def without(verdicts: Iterable[Verdict], fact: Ref) -> Iterable[bool]:
    """What each verdict would be without *fact*."""
    return (verdict.holds != (fact in verdict.facts) for verdict in verdicts)
