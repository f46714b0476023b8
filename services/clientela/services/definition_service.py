"""
Servicer of DefinitionService.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncIterator
from typing import Any

from clientela.domain.context import Definitions
from clientela.domain.definitions.documents import differences, plain_of
from clientela.domain.definitions.preset import LifecyclePreset
from clientela.domain.definitions.versions import (
    BEGINNING,
    DefinitionsApplied,
    definitions_in,
)
from clientela.domain.errors import UnknownError
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import DEFINITIONS_JOURNAL
from clientela.services.core import Core
from clientela.services.translate import definition as wire
from clientela.services.translate.pages import page, sliced
from clientela.services.translate.reads import check_read
from clientela.services.trials import Trials
from clientela.v1 import definition_pb2 as pb
from clientela.v1 import definition_pb2_grpc


class DefinitionServicer(definition_pb2_grpc.DefinitionServiceServicer):
    """
    Translates between the wire and the rules of definitions.

    Args:
        core: What servicers work with.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def ApplyDefinitions(
        self, request: pb.ApplyDefinitionsRequest, context: Any
    ) -> pb.ApplyDefinitionsResponse:
        command = wire.apply_definitions(request)
        before = await self._applied()
        rule_set = self._core.path.records.rulebook.rule_set_for(command)
        done, outcome = await self._core.mutate(request, command, rule_set)
        made = [e.event for e in done.events if isinstance(e.event, DefinitionsApplied)]
        old = plain_of(before[-1].event.document) if before else {}
        changes = differences(old, plain_of(command.document)) if made else ()
        number = made[0].number if made else len(before)
        return pb.ApplyDefinitionsResponse(
            outcome=outcome, version=number, changes=map(wire.change, changes)
        )

    async def GetDefinitions(
        self, request: pb.GetDefinitionsRequest, context: Any
    ) -> pb.Definitions:
        check_read(request)
        wanted = wire.wanted_version(request)
        applied = await self._applied()
        if wanted is None:
            definitions = await self._core.definitions()
            wanted = definitions.at(self._core.now()).number
        if not 1 <= wanted <= len(applied):
            raise UnknownError("definition version", str(wanted))
        return wire.definitions(applied[wanted - 1])

    async def ListDefinitionVersions(
        self, request: pb.ListDefinitionVersionsRequest, context: Any
    ) -> pb.ListDefinitionVersionsResponse:
        check_read(request)
        shown, token = sliced(request, page(request), (await self._applied())[::-1])
        return pb.ListDefinitionVersionsResponse(
            versions=[wire.definitions(each, with_document=False) for each in shown],
            next_page_token=token,
        )

    async def ListPresets(
        self, request: pb.ListPresetsRequest, context: Any
    ) -> pb.ListPresetsResponse:
        shown, token = sliced(request, page(request), LifecyclePreset)
        return pb.ListPresetsResponse(presets=map(wire.preset, shown), next_page_token=token)

    async def Backtest(
        self, request: pb.BacktestRequest, context: Any
    ) -> AsyncIterator[pb.BacktestResponse]:
        trial = wire.trial(request)
        trials = Trials(self._core)
        after = await self._tried(trial)
        events = await trials.events(trial.client_ids)
        found = await asyncio.to_thread(
            trials.compare, events, await self._core.definitions(), after, trial.until
        )
        for difference in found:
            yield pb.BacktestResponse(difference=wire.difference(difference))
        summary = pb.BacktestResponse.Summary(events=len(events), differences=len(found))
        yield pb.BacktestResponse(summary=summary)

    async def _tried(self, trial: wire.Trial) -> Definitions:
        """The definitions to try, in force for ever."""
        rulebook = self._core.path.records.rulebook
        if trial.document is not None:
            return definitions_in(trial.document, rulebook.rule_sets, BEGINNING)
        assert trial.version is not None
        definitions = await self._core.definitions()
        return Definitions((definitions.version(trial.version),))

    async def _applied(self) -> tuple[RecordedEvent, ...]:
        """The events of all versions, oldest first."""
        history = await self._core.path.records.history(DEFINITIONS_JOURNAL)
        return tuple(e for e in history if isinstance(e.event, DefinitionsApplied))
