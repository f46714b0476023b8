"""
Visits: the dated stay of a client in each stage, as the journal tells it now (LIFE-1, LIFE-16).

What was known at an earlier time is told by an earlier part of the journal.
"""

from __future__ import annotations

import bisect

from collections.abc import Iterable
from datetime import datetime

import attrs

from clientela.domain.event import RecordedEvent
from clientela.domain.ids import Code, Ref
from clientela.domain.lifecycle.course import Means, Move
from clientela.domain.lifecycle.events import StageCorrected, moves_of


@attrs.frozen(kw_only=True)
class Visit:
    """
    One stay in one stage, a half-open interval.

    Attributes:
        model: The lifecycle model.

        stage: The stage.

        previous: The stage before; None at the begin.

        began_at: First moment.

        ended_at: First moment after it, equal to *began_at* for a stage that was passed at once;
            None while it lasts.

        means: What brought it about.

        because: The facts without which it would not have begun then.

        causes: Why the relationship ended, or the reason for setting the stage by hand.

        cycle: 1 at first, one more each time an end stage was left (LIFE-27).

        rule: Catalogue id or place in the model.

        definition: The definition applied.

        ref: The event that recorded it.
    """

    model: Code
    stage: Code
    previous: Code | None
    began_at: datetime
    ended_at: datetime | None
    means: Means
    because: tuple[Ref, ...]
    causes: tuple[Code, ...]
    cycle: int
    rule: Code
    definition: Code
    ref: Ref | None


def visits(events: Iterable[RecordedEvent], model: Code) -> tuple[Visit, ...]:
    """
    All visits in one model, oldest first, without gap or overlap.

    Args:
        events: The client's journal, in order of version.

        model: The lifecycle model.
    """
    moves = moves_on_record(events).get(model, [])
    ends = [*(move.at for move in moves[1:]), None]
    return tuple(_visit(move, end) for move, end in zip(moves, ends, strict=False))


def stage_at(events: Iterable[RecordedEvent], model: Code, moment: datetime) -> Visit | None:
    """The visit that covers *moment*, or None before the first."""
    for visit in reversed(visits(events, model)):
        if visit.began_at <= moment:
            return visit
    return None


def moves_on_record(events: Iterable[RecordedEvent]) -> dict[Code, list[Move]]:
    """The moves that stand after all corrections, by model, in order."""
    known: dict[Code, list[Move]] = {}
    for recorded in events:
        if isinstance(recorded.event, StageCorrected):
            for correction in recorded.event.corrections:
                moves = known.get(correction.model, [])
                known[correction.model] = [move for move in moves if move.at < correction.since]
        for move in moves_of(recorded):
            bisect.insort(known.setdefault(move.model, []), move, key=lambda other: other.at)
    return known


def _visit(move: Move, ended_at: datetime | None) -> Visit:
    return Visit(
        model=move.model,
        stage=move.stage,
        previous=move.previous,
        began_at=move.at,
        ended_at=ended_at,
        means=move.means,
        because=move.because,
        causes=move.causes,
        cycle=move.cycle,
        rule=move.rule,
        definition=move.definition,
        ref=move.ref,
    )
