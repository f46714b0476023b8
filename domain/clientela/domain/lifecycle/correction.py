"""
Corrections: what stages turn out to have been when a fact is heard of late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from clientela.domain.behaviour.fact import Fact, FactKind, fact_of
from clientela.domain.behaviour.kept import Memory
from clientela.domain.context import Definitions
from clientela.domain.event import PendingEvent, RecordedEvent
from clientela.domain.ids import ClientId, Code, Ref
from clientela.domain.lifecycle.course import Course, Move
from clientela.domain.lifecycle.events import (
    CORRECTION,
    Correction,
    StageCorrected,
    StageEntered,
    StageEnteredByTime,
    StageSet,
    pending,
)
from clientela.domain.lifecycle.telling import replay
from clientela.domain.lifecycle.track import Track
from clientela.domain.lifecycle.visits import moves_on_record


_FOLLOWING = (StageEntered, StageEnteredByTime, StageCorrected)
"""Events that follow from facts and are none."""


def counted(recorded: RecordedEvent) -> Fact | None:
    """What *recorded* is to the lifecycle: a fact it counts, a stage set, or the first event."""
    event = recorded.event
    if isinstance(event, _FOLLOWING):
        return None
    at, ref = recorded.occurred_at, recorded.ref
    if isinstance(event, StageSet):
        return Fact(
            kind=FactKind.STAGE,
            at=at,
            ref=ref,
            day=at.date(),
            code=event.model,
            stage=event.stage,
            causes=(event.reason,),
        )
    fact = fact_of(recorded)
    if fact is None and recorded.version == 1:
        return Fact(kind=FactKind.BEGIN, at=at, ref=ref, day=at.date())
    return fact


def told_late(
    track: Track, definitions: Definitions, now: datetime, client_id: ClientId, fact: Ref
) -> Iterable[PendingEvent]:
    """
    What follows when the kept facts are told again in order.

    Args:
        track: With the late fact in its place.

        definitions: All versions.

        now: Up to when time has passed.

        client_id: The client.

        fact: The event that was late.

    Returns:
        The next stage, where only stages are added; a correction, where a conclusion changes.

    Raises:
        ForgottenError: the whole journal must be told anew.
    """
    assert track.now.end is not None
    until = max(now, track.now.end[0])
    new = _by_model(replay(track.base, track.before, track.tail, definitions, until))
    old = _by_model(track.moves)
    added = [move for model, moves in new.items() for move in moves[len(old.get(model, ())) :]]
    if all(new.get(model, [])[: len(moves)] == moves for model, moves in old.items()):
        return [pending(move, client_id) for move in sorted(added, key=lambda m: m.moment)[:1]]
    return _corrected(old, new, client_id, fact)


def told_anew(
    history: Sequence[RecordedEvent],
    definitions: Definitions,
    now: datetime,
    client_id: ClientId,
    fact: Ref,
) -> Iterable[PendingEvent]:
    """
    What follows when the whole journal is told again in order: a correction, or nothing.

    Args:
        history: The client's journal, in order of version.

        definitions: All versions.

        now: Up to when time has passed.

        client_id: The client.

        fact: The event that was late.
    """
    until = max(now, *(recorded.occurred_at for recorded in history))
    new = _by_model(replay(Course(), Memory(), facts_on_record(history), definitions, until))
    return _corrected(moves_on_record(history), new, client_id, fact)


def facts_on_record(history: Iterable[RecordedEvent]) -> tuple[Fact, ...]:
    """The facts of a whole journal, in the order in which they happened."""
    counted_facts = (fact for recorded in history if (fact := counted(recorded)))
    facts = sorted(counted_facts, key=lambda fact: fact.moment)
    return tuple(f for i, f in enumerate(facts) if i == 0 or f.kind is not FactKind.BEGIN)


def _corrected(
    old: Mapping[Code, list[Move]],
    new: Mapping[Code, list[Move]],
    client_id: ClientId,
    fact: Ref,
) -> Iterable[PendingEvent]:
    found = tuple(
        correction
        for model in dict.fromkeys((*old, *new))
        if (correction := _difference(model, old.get(model, []), new.get(model, [])))
    )
    if not found:
        return ()
    made = StageCorrected(client_id=client_id, corrections=found)
    return (PendingEvent(made, rule=CORRECTION, because=(fact,)),)


def _difference(model: Code, old: list[Move], new: list[Move]) -> Correction | None:
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    since = min((moves[same].at for moves in (old, new) if same < len(moves)), default=None)
    if since is None:
        return None
    return Correction(
        model=model, since=since, moves=tuple(move for move in new if move.at >= since)
    )


def _by_model(moves: Iterable[Move]) -> dict[Code, list[Move]]:
    found: dict[Code, list[Move]] = {}
    for move in moves:
        found.setdefault(move.model, []).append(move)
    return found
