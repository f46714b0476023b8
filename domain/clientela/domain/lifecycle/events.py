"""
What the lifecycle records: a stage was entered, set, or turned out to have been another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import attrs

from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.ids import ClientId, Code, Ref
from clientela.domain.lifecycle.course import Means, Move


CORRECTION = Code("LIFE-1")
"""Rule of corrections: stages are dated by when things happened, not by when we heard of them."""


@event("stage-entered", origin=Origin.DERIVED)
class StageEntered:
    """
    A fact brought the client into a stage (LIFE-12); why is in the envelope.

    Attributes:
        client_id: The client.

        model: The lifecycle model.

        stage: The stage entered.

        previous: The stage left; None at the begin.

        causes: Why the relationship ended, if this stage is its end (LIFE-23).

        cycle: 1 at first, one more each time an end stage is left (LIFE-27).
    """

    client_id: ClientId
    model: Code
    stage: Code
    previous: Code | None = None
    causes: tuple[Code, ...] = ()
    cycle: int = 1


@event("stage-entered-by-time", origin=Origin.ELAPSED)
class StageEnteredByTime:
    """
    Time alone brought the client into a stage (LIFE-16, LIFE-18).

    Attributes:
        client_id: The client.

        model: The lifecycle model.

        stage: The stage entered.

        previous: The stage left; None at the begin.

        causes: Why the relationship ended, if this stage is its end (LIFE-23).

        cycle: 1 at first, one more each time an end stage is left (LIFE-27).

        counts_from: Where the model came into force and judged the client by all that happened:
            since when, by its rules, the client would have been in this stage.
    """

    client_id: ClientId
    model: Code
    stage: Code
    previous: Code | None = None
    causes: tuple[Code, ...] = ()
    cycle: int = 1
    counts_from: datetime | None = None


@event("stage-set", origin=Origin.DECIDED)
class StageSet:
    """
    A person set the stage, along an exit that the model declares (LIFE-26).

    Attributes:
        client_id: The client.

        model: The lifecycle model.

        stage: The stage set.

        previous: The stage left.

        reason: Why.

        cycle: 1 at first, one more each time an end stage is left (LIFE-27).
    """

    client_id: ClientId
    model: Code
    stage: Code
    previous: Code
    reason: Code
    cycle: int = 1


@attrs.frozen(kw_only=True)
class Correction:
    """
    What the stages of one model turned out to have been.

    Attributes:
        model: The lifecycle model.

        since: Stages entered at this moment or later are void.

        moves: What comes in their place, in order.
    """

    model: Code
    since: datetime
    moves: tuple[Move, ...]


@event("stage-corrected", origin=Origin.DERIVED)
class StageCorrected:
    """
    A fact heard of late changed what had been concluded since (LIFE-1, LIFE-12).

    Attributes:
        client_id: The client.

        corrections: One for each model in which something changed.
    """

    client_id: ClientId
    corrections: tuple[Correction, ...]


Entered = StageEntered | StageEnteredByTime


def pending(move: Move, client_id: ClientId) -> PendingEvent:
    """The event that records *move*."""
    entered: StageEntered | StageEnteredByTime
    if move.means is Means.TIME:
        entered = StageEnteredByTime(
            client_id=client_id,
            model=move.model,
            stage=move.stage,
            previous=move.previous,
            causes=move.causes,
            cycle=move.cycle,
            counts_from=move.counts_from,
        )
    else:
        entered = StageEntered(
            client_id=client_id,
            model=move.model,
            stage=move.stage,
            previous=move.previous,
            causes=move.causes,
            cycle=move.cycle,
        )
    return PendingEvent(
        entered,
        rule=move.rule,
        because=move.because,
        definition=move.definition,
        occurred_at=move.at,
    )


def moves_of(recorded: RecordedEvent, by: Ref | None = None) -> Iterator[Move]:
    """
    The moves that one event records; none if it is no such event.

    Args:
        recorded: Any event; of a correction, the moves that it puts in.

        by: The fact that did it, if the caller knows it.
    """
    match recorded.event:
        case StageEntered() as entered:
            yield _move(recorded, entered, Means.FACT, entered.causes, by)
        case StageEnteredByTime() as entered:
            move = _move(recorded, entered, Means.TIME, entered.causes, None)
            yield attrs.evolve(move, counts_from=entered.counts_from)
        case StageSet() as entered:
            yield _move(recorded, entered, Means.HAND, (entered.reason,), recorded.ref)
        case StageCorrected(corrections=corrections):
            for correction in corrections:
                for move in correction.moves:
                    yield attrs.evolve(move, ref=recorded.ref)
        case _:
            pass


def _move(
    recorded: RecordedEvent,
    entered: Entered | StageSet,
    means: Means,
    causes: tuple[Code, ...],
    by: Ref | None,
) -> Move:
    return Move(
        model=entered.model,
        stage=entered.stage,
        previous=entered.previous,
        at=recorded.occurred_at,
        means=means,
        by=by,
        because=(recorded.ref,) if means is Means.HAND else recorded.because,
        causes=causes,
        cycle=entered.cycle,
        rule=Code(recorded.rule),
        definition=Code(recorded.definition or ""),
        ref=recorded.ref,
    )
