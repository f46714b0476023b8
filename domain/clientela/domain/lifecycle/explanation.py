"""
Explanations: why a client stands where it stands, and what would lead on (LIFE-12).
"""

from __future__ import annotations

from datetime import datetime

import attrs

from clientela.domain.context import Definitions
from clientela.domain.definitions.evaluation import evaluate
from clientela.domain.definitions.verdicts import Verdict
from clientela.domain.errors import UnknownError
from clientela.domain.ids import Code, Ref
from clientela.domain.lifecycle.course import Means, Move
from clientela.domain.lifecycle.engine import situation_of
from clientela.domain.lifecycle.model import LifecycleDefinition
from clientela.domain.lifecycle.stages import Lifecycle
from clientela.domain.lifecycle.telling import ForgottenError, replay
from clientela.domain.lifecycle.track import Track
from clientela.domain.record import Record


@attrs.frozen
class WayOut:
    """
    An exit of the present stage.

    Attributes:
        to: Where it leads.

        rule: Catalogue id or place in the model.

        verdict: What its condition says now, operand by operand.
    """

    to: Code
    rule: Code
    verdict: Verdict


@attrs.frozen(kw_only=True)
class Explanation:
    """
    Why a client stands in a stage.

    Attributes:
        model: The lifecycle model.

        stage: The present stage.

        top: The stage it is counted under (LIFE-11).

        since: When it was entered.

        means: What brought it about.

        rule: Catalogue id or place in the model of the rule that did.

        definition: The definition applied, for instance `lifecycle@3`.

        facts: The facts without which it would not have been entered then. Where two facts could
            each do without the other, neither is named; why the stage before was entered is told
            by that visit.

        causes: Why the relationship ended, or the reason for setting the stage by hand.

        cycle: 1 at first, one more each time an end stage was left (LIFE-27).

        recorded: The event that entered it.

        ways: What would lead on, in the order in which it is tried.
    """

    model: Code
    stage: Code
    top: Code
    since: datetime
    means: Means
    rule: Code
    definition: Code
    facts: tuple[Ref, ...]
    causes: tuple[Code, ...]
    cycle: int
    recorded: Ref | None
    ways: tuple[WayOut, ...]


def explain(record: Record, model: Code, definitions: Definitions, now: datetime) -> Explanation:
    """
    Why the client of *record* stands where it stands in *model*.

    Args:
        record: The client's, with time elapsed up to *now*.

        model: A lifecycle model.

        definitions: All versions.

        now: For what the exits say.

    Raises:
        UnknownError: the client is not followed in such a model.
    """
    track = record.of(Lifecycle).track
    course = track.now
    stay = course.stays.get(model)
    if stay is None:
        raise UnknownError("lifecycle model", model)
    move = stay.move
    known = definitions.at(now).of(LifecycleDefinition).model(model)
    situation = situation_of(course, stay, track.known)
    return Explanation(
        model=model,
        stage=move.stage,
        top=known.top(move.stage) if known else move.stage,
        since=move.at,
        means=move.means,
        rule=move.rule,
        definition=move.definition,
        facts=tuple(fact for fact in move.because if _is_needed(fact, move, track, definitions)),
        causes=move.causes,
        cycle=move.cycle,
        recorded=move.ref,
        ways=tuple(
            WayOut(way.exit.to, way.rule, evaluate(way.exit.when, situation, now))
            for way in (known.ways(move.stage) if known else ())
        ),
    )


def _is_needed(fact: Ref, move: Move, track: Track, definitions: Definitions) -> bool:
    """
    Whether *move* would not have happened then without *fact*, by all that is known now.

    What was needed when the move was recorded may be made up for by a fact that became known since,
    for instance another purchase of the same day. Facts no longer kept one by one stay named.
    """
    if track.fact(fact) is None:
        return True
    others = (known for known in track.tail if known.ref != fact)
    try:
        moves = tuple(replay(track.base, track.before, others, definitions, move.at))
    except ForgottenError:
        return True
    return all(_what(other) != _what(move) for other in moves)


def _what(move: Move) -> tuple[object, ...]:
    return (move.model, move.stage, move.at, move.means, move.causes, move.cycle)
