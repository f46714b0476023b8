"""
Servicer of LifecycleService.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clientela.domain.context import Definitions
from clientela.domain.errors import UnknownError
from clientela.domain.ids import ClientId, Code, JournalKind, UnitId, client_journal
from clientela.domain.lifecycle.explanation import Explanation, explain
from clientela.domain.lifecycle.model import LifecycleDefinition, LifecycleModel
from clientela.domain.lifecycle.stages import LIFECYCLE
from clientela.domain.lifecycle.visits import stage_at, visits
from clientela.services.cards import stage_counts, stage_is
from clientela.services.core import Core, Told, check_exists
from clientela.services.listing import counted
from clientela.services.request_context import current
from clientela.services.translate import lifecycle as wire
from clientela.services.translate.fields import code, named, named_if_any
from clientela.services.translate.pages import page_of_moment, sliced_at
from clientela.services.translate.reads import AsOf, as_of, check_read, consistency
from clientela.services.views import View
from clientela.v1 import lifecycle_pb2 as pb
from clientela.v1 import lifecycle_pb2_grpc


class LifecycleServicer(lifecycle_pb2_grpc.LifecycleServiceServicer):
    """
    Translates between the wire and the rules of lifecycles.

    Args:
        core: What servicers work with.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def SetStage(self, request: pb.SetStageRequest, context: Any) -> pb.SetStageResponse:
        command = wire.set_stage(request)
        done, outcome = await self._core.mutate(request, command, LIFECYCLE)
        explained = explain(done.record, command.model, done.definitions, done.at)
        return pb.SetStageResponse(outcome=outcome, stage=self._stage(done, explained))

    async def GetStage(self, request: pb.GetStageRequest, context: Any) -> pb.ClientStage:
        moment = as_of(request, by_effect=True)
        view = await self._view(request, moment)
        if moment.effective_at is not None:
            return await self._past(view, request.model, moment.effective_at)
        explained = await self._explained(view, request.model, moment)
        return self._stage(view, explained, moment)

    async def ExplainStage(
        self, request: pb.ExplainStageRequest, context: Any
    ) -> pb.ExplainStageResponse:
        moment = as_of(request, by_effect=True)
        view = await self._view(request, moment)
        if moment.effective_at is not None:
            past = await self._past(view, request.model, moment.effective_at)
            return pb.ExplainStageResponse(stage=past)
        explained = await self._explained(view, request.model, moment)
        return pb.ExplainStageResponse(
            stage=self._stage(view, explained, moment), ways=map(wire.way_out, explained.ways)
        )

    async def ListStageVisits(
        self, request: pb.ListStageVisitsRequest, context: Any
    ) -> pb.ListStageVisitsResponse:
        moment = as_of(request, by_effect=True)
        view = await self._view(request, moment)
        model = _known(view.definitions, request.model, self._core.now())
        wanted, upto = page_of_moment(request)
        history = await self._core.history(view, JournalKind.CLIENT)
        upto = len(history) if upto is None else upto
        found = visits(history[:upto], Code(request.model))
        if model is None and not found:
            raise UnknownError("lifecycle model", request.model)
        if moment.effective_at is not None:
            found = tuple(v for v in found if v.began_at <= moment.effective_at)
        shown, token = sliced_at(request, wanted, found, upto)
        return pb.ListStageVisitsResponse(
            visits=[wire.visit(each, _top(model, each.stage)) for each in shown],
            next_page_token=token,
        )

    async def CountStages(
        self, request: pb.CountStagesRequest, context: Any
    ) -> pb.CountStagesResponse:
        check_read(request)
        await self._core.check_fresh(request)
        model = _model(await self._core.definitions(), request.model, self._core.now())
        unit_id = named_if_any(UnitId, request.unit_id, "unit_id")
        numbers = (await stage_counts(self._core.reads)).get(model.id, {})
        parents = {stage.id: stage.parent or "" for stage in model.stages}
        # Where clients stand whom nobody has moved yet since the stage was taken out of the model.
        stages = (*parents, *_gone(model, numbers))
        if unit_id is not None or not current().reach.is_whole:
            numbers = {
                stage: await counted(self._core, stage_is(model.id, stage), unit_id=unit_id)
                for stage in stages
            }
        counts = [
            pb.CountStagesResponse.StageCount(
                stage=stage, parent=parents.get(stage, ""), clients=numbers.get(stage, 0)
            )
            for stage in stages
            if stage in parents or numbers.get(stage, 0)
        ]
        return pb.CountStagesResponse(counts=counts, clients=sum(each.clients for each in counts))

    async def _view(self, request: Any, moment: AsOf) -> View:
        check_read(request)
        code(request.model, "model")
        view = await self._core.view(
            client_journal(named(ClientId, request.client_id, "client_id")),
            consistency=consistency(request),
            as_of=moment,
        )
        check_exists(view.record, JournalKind.CLIENT)
        return view

    async def _past(self, view: View, model: str, moment: datetime) -> pb.ClientStage:
        history = await self._core.history(view, JournalKind.CLIENT)
        told = stage_at(history, Code(model), moment)
        if told is None:
            raise UnknownError("stage", model)
        top = _top(_known(view.definitions, model, self._core.now()), told.stage)
        client_id = ClientId(view.record.journal(JournalKind.CLIENT).id.id)
        return wire.past_stage(client_id, told, top, view.versions)

    async def _explained(self, view: View, model: str, moment: AsOf) -> Explanation:
        at = await self._core.moment(view, JournalKind.CLIENT, moment)
        return explain(view.record, Code(model), view.definitions, at)

    def _stage(
        self, told: Told, explained: Explanation, moment: AsOf | None = None
    ) -> pb.ClientStage:
        client_id = ClientId(told.record.journal(JournalKind.CLIENT).id.id)
        return wire.client_stage(
            client_id,
            explained,
            etag=self._core.etag(told.record, LIFECYCLE, moment),
            versions=told.versions,
        )


def _model(definitions: Definitions, model: str, now: datetime) -> LifecycleModel:
    found = _known(definitions, model, now)
    if found is None:
        raise UnknownError("lifecycle model", model)
    return found


def _known(definitions: Definitions, model: str, now: datetime) -> LifecycleModel | None:
    """The model; None if the definitions in force have none of this id, or no longer."""
    return definitions.at(now).of(LifecycleDefinition).model(Code(model))


def _top(model: LifecycleModel | None, stage: Code) -> Code:
    """The stage to count *stage* under; itself where the model is gone."""
    return stage if model is None else model.top(stage)


def _gone(model: LifecycleModel, known: Mapping[Code, object]) -> tuple[Code, ...]:
    """Stages among *known* that the model no longer has."""
    return tuple(stage for stage in sorted(known) if model.stage(stage) is None)
