"""
Stages: where each client stands in each model, kept as facts come in, late ones included.
"""

from __future__ import annotations

import contextlib

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from clientela.domain.behaviour.fact import COUNTED, Fact, FactKind
from clientela.domain.behaviour.mark import Moment
from clientela.domain.context import Context, Definitions
from clientela.domain.draft import State, state
from clientela.domain.errors import UnknownError
from clientela.domain.event import PendingEvent, RecordedEvent
from clientela.domain.ids import ClientId, Code, JournalId, JournalKind, client_journal
from clientela.domain.lifecycle.correction import counted, facts_on_record, told_anew, told_late
from clientela.domain.lifecycle.course import Move, Stay
from clientela.domain.lifecycle.engine import SECTION, next_move
from clientela.domain.lifecycle.events import (
    StageCorrected,
    StageEntered,
    StageEnteredByTime,
    StageSet,
    moves_of,
    pending,
)
from clientela.domain.lifecycle.model import LifecycleDefinition
from clientela.domain.lifecycle.refusals import (
    BackdatedStageError,
    NotByHandError,
    UndeclaredMoveError,
)
from clientela.domain.lifecycle.telling import ForgottenError, due_at, joining_move, joins
from clientela.domain.lifecycle.track import Track
from clientela.domain.lifecycle.track_draft import TrackDraft
from clientela.domain.record import Record
from clientela.domain.ruleset import Order, RuleSet


@attrs.frozen(kw_only=True)
class SetStage:
    """
    A person sets the stage, where the model allows it and along a declared exit (LIFE-26).

    Attributes:
        client_id: The client.

        model: The lifecycle model.

        stage: The stage.

        reason: Why, a code; for an end stage it is the cause of the end (LIFE-23).

        occurred_at: When, if not now; not before the present stage began.
    """

    client_id: ClientId
    model: Code
    stage: Code
    reason: Code
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The client's."""
        return (client_journal(self.client_id),)


@state(JournalKind.CLIENT)
class Lifecycle(State):
    """
    Where the client stands.

    Attributes:
        kept: Facts, moves and what follows from them, as far as they are not in *open*.

        open: The same with what was folded since somebody looked; None where nothing was.
    """

    kept: Track = attrs.field(factory=Track)
    open: TrackDraft | None = attrs.field(default=None, init=False, eq=False, repr=False)

    @property
    def track(self) -> Track:
        """Facts, moves and what follows from them."""
        self.close()
        return self.kept

    def opened(self) -> TrackDraft:
        """The track, to be folded into."""
        if self.open is None:
            self.open = TrackDraft(self.kept)
        return self.open

    def close(self) -> None:
        """Have all that was folded in *kept*."""
        if self.open is not None:
            self.kept, self.open = self.open.sealed(), None

    @property
    def stays(self) -> Mapping[Code, Stay]:
        """The present stage by model, with how the client came into it."""
        return self.track.now.stays

    def stage(self, model: Code) -> Code | None:
        """The present stage in *model*; None if the client is not followed in it."""
        stay = self.stays.get(model)
        return stay.move.stage if stay else None


def decide(record: Record, command: SetStage, context: Context) -> Iterable[PendingEvent]:
    """
    A stage is set.

    Raises:
        UnknownError: no such client, model or stage.

        NotByHandError: the model does not allow it.

        UndeclaredMoveError: no exit leads there.

        BackdatedStageError: it would begin before the present stage.
    """
    if not record.exists(JournalKind.CLIENT):
        raise UnknownError("client", command.client_id)
    at = command.occurred_at or context.now
    version = context.definitions.at(at)
    model = version.of(LifecycleDefinition).model(command.model)
    stay = record.of(Lifecycle).stays.get(command.model)
    if model is None or stay is None:
        raise UnknownError("lifecycle model", command.model)
    if model.stage(command.stage) is None:
        raise UnknownError("stage", command.stage)
    if not model.by_hand:
        raise NotByHandError(model.id)
    if stay.move.stage == command.stage:
        return ()
    if at < stay.move.at:
        raise BackdatedStageError(stay.move.at)
    allowed = tuple(dict.fromkeys(way.exit.to for way in model.ways(stay.move.stage)))
    if command.stage not in allowed:
        raise UndeclaredMoveError(stay.move.stage, allowed, stay.move.because)
    made = StageSet(
        client_id=command.client_id,
        model=command.model,
        stage=command.stage,
        previous=stay.move.stage,
        reason=command.reason,
        cycle=stay.move.cycle + model.is_end(stay.move.stage),
    )
    rule = f"{SECTION}.{model.id}.by_hand"
    label = version.label(SECTION)
    return (PendingEvent(made, rule=rule, because=stay.move.because, definition=label),)


def react(record: Record, recorded: RecordedEvent, context: Context) -> Iterable[PendingEvent]:
    """
    The next stage that follows from a fact or from a stage, one at a time.

    A late fact is judged in its place: if it only adds stages they are entered, if it changes what
    was concluded since, a correction tells what it turned out to have been.

    Raises:
        HistoryNeededError: the fact is older than all that the state keeps one by one.
    """
    if isinstance(recorded.event, StageCorrected):
        return ()
    track = record.of(Lifecycle).track
    end = track.now.end
    assert end is not None
    client_id = ClientId(recorded.journal.id)
    definitions, now = context.definitions, context.now
    fact = _counted(track, recorded)
    if fact is None or not track.is_beyond(fact):
        if _reached(track, recorded, fact) == end and recorded.occurred_at <= now:
            move = _next(record, definitions, end)
            return () if move is None else (pending(move, client_id),)
        with contextlib.suppress(ForgottenError):
            return told_late(track, definitions, now, client_id, recorded.ref)
    history = record.history(JournalKind.CLIENT)
    return told_anew(history, definitions, now, client_id, recorded.ref)


def _counted(track: Track, recorded: RecordedEvent) -> Fact | None:
    """What *recorded* is to the lifecycle; as folded, where it was folded last."""
    last = next(track.latest_facts(), None)
    return last if last and last.ref == recorded.ref else counted(recorded)


def _reached(track: Track, recorded: RecordedEvent, fact: Fact | None) -> Moment | None:
    """Up to where *recorded* takes the course."""
    if fact is not None:
        return fact.moment
    kept = (move.moment for move in track.latest_moves() if move.ref == recorded.ref)
    return next(kept, track.now.end)


def _next(record: Record, definitions: Definitions, moment: Moment) -> Move | None:
    """The next move at *moment* that is not on record yet, in the order of the models."""
    track = record.of(Lifecycle).track
    by = next((fact for fact in track.latest_facts() if fact.moment == moment), None)
    held = by.code if by and by.kind is FactKind.STAGE else None
    here = tuple(track.moves_at(moment))
    version = definitions.at(moment[0])
    for model in version.of(LifecycleDefinition).models:
        if by is None and joins(track.now, model):
            return joining_move(track.now, model, version, moment[0], _told(record))
        passed = frozenset(m.previous for m in here if m.model == model.id and m.previous)
        move = next_move(track.now, model, version, moment[0], by, passed, track.known)
        if move is not None and model.id != held:
            return move
    return None


def _told(record: Record) -> Iterable[Fact]:
    track = record.of(Lifecycle).track
    if track.base.end is None:
        return track.tail
    return facts_on_record(record.history(JournalKind.CLIENT))


def due(record: Record, definitions: Definitions) -> datetime | None:
    """When time alone next moves the client in some model."""
    return due_at(record.of(Lifecycle).track.now, definitions)


def elapse(record: Record, context: Context) -> Iterable[PendingEvent]:
    """
    The first move of this moment; the others follow from it.

    Raises:
        HistoryNeededError: a model came into force, and not all facts are kept one by one.
    """
    move = _next(record, context.definitions, (context.now, 0, 0))
    client_id = ClientId(record.journal(JournalKind.CLIENT).id.id)
    return () if move is None else (pending(move, client_id),)


_ENTERING = (StageEntered, StageEnteredByTime, StageSet)


def evolve(draft: Lifecycle, recorded: RecordedEvent) -> None:
    """Fold an event into *draft*."""
    event = recorded.event
    if isinstance(event, StageCorrected):
        for correction in event.corrections:
            moves = [attrs.evolve(move, ref=recorded.ref) for move in correction.moves]
            draft.opened().correct(correction.model, correction.since, moves)
        return
    fact = counted(recorded)
    if fact is not None:
        draft.opened().add(fact)
    if isinstance(event, _ENTERING):
        track = draft.opened()
        by = track.last_of(recorded.because)
        for move in moves_of(recorded, by.ref if by else None):
            track.enter(move, by if by and by.ref == move.by else fact)


def asks(recorded: RecordedEvent) -> SetStage | None:
    """The command behind a stage set by hand."""
    made = recorded.event
    if not isinstance(made, StageSet):
        return None
    return SetStage(
        client_id=made.client_id,
        model=made.model,
        stage=made.stage,
        reason=made.reason,
        occurred_at=recorded.occurred_at,
    )


LIFECYCLE = RuleSet(
    name=SECTION,
    state=Lifecycle,
    commands=(SetStage,),
    events=(StageEntered, StageEnteredByTime, StageSet, StageCorrected),
    hears=COUNTED,
    hears_first=True,
    decide=decide,
    evolve=evolve,
    react=react,
    due=due,
    elapse=elapse,
    asks=asks,
    definition=LifecycleDefinition,
    order=Order.OCCURRED,
    version=2,
)
