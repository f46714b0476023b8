"""
Servicer of DefinitionService.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncIterator, Iterable
from typing import Any

from clientela.domain.context import Definitions
from clientela.domain.definitions.documents import Change, differences, plain_of
from clientela.domain.definitions.preset import LifecyclePreset
from clientela.domain.definitions.versions import (
    BEGINNING,
    DefinitionsApplied,
    definitions_in,
)
from clientela.domain.errors import UnknownError
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import DEFINITIONS_JOURNAL, JournalKind, client_journal
from clientela.services.core import Core, check_exists
from clientela.services.translate import definition as wire
from clientela.services.translate.pages import page, page_of_moment, sliced, sliced_at
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
        rule_set = self._core.path.records.rulebook.rule_set_for(command)
        done, outcome = await self._core.mutate(request, command, rule_set)
        made = [e.event for e in done.events if isinstance(e.event, DefinitionsApplied)]
        known = done.versions[DEFINITIONS_JOURNAL]
        before = [e.event for e in await self._applied() if e.version <= known]
        number = made[0].number if made else len(before)
        changes: Iterable[Change] = ()
        if made:
            old = plain_of(before[number - 2].document) if number > 1 else {}
            changes = differences(old, plain_of(command.document))
        return pb.ApplyDefinitionsResponse(
            outcome=outcome, version=number, changes=map(wire.change, changes)
        )

    async def GetDefinitions(
        self, request: pb.GetDefinitionsRequest, context: Any
    ) -> pb.Definitions:
        check_read(request)
        await self._core.check_fresh(request)
        wanted = wire.wanted_version(request)
        applied = await self._applied()
        if wanted is None:
            definitions = await self._core.definitions()
            wanted = definitions.at(self._core.now()).number
            if not wanted:
                return wire.defaults()
        if not 1 <= wanted <= len(applied):
            raise UnknownError("definition version", str(wanted))
        is_latest = wanted == len(applied)
        etag = await self._etag() if is_latest else ""
        return wire.definitions(applied[wanted - 1], etag=etag)

    async def ListDefinitionVersions(
        self, request: pb.ListDefinitionVersionsRequest, context: Any
    ) -> pb.ListDefinitionVersionsResponse:
        check_read(request)
        await self._core.check_fresh(request)
        wanted, upto = page_of_moment(request)
        applied = await self._applied()
        upto = len(applied) if upto is None else upto
        shown, token = sliced_at(request, wanted, applied[:upto][::-1], upto)
        return pb.ListDefinitionVersionsResponse(
            versions=[wire.definitions(each, with_document=False) for each in shown],
            next_page_token=token,
        )

    async def ListPresets(
        self, request: pb.ListPresetsRequest, context: Any
    ) -> pb.ListPresetsResponse:
        presets = sorted(LifecyclePreset, key=lambda preset: preset.value)
        shown, token = sliced(request, page(request), presets)
        return pb.ListPresetsResponse(presets=map(wire.preset, shown), next_page_token=token)

    async def Backtest(
        self, request: pb.BacktestRequest, context: Any
    ) -> AsyncIterator[pb.BacktestResponse]:
        trial = wire.trial(request)
        trials = Trials(self._core)
        after = await self._tried(trial)
        for client_id in sorted(trial.client_ids):
            view = await self._core.view(client_journal(client_id))
            check_exists(view.record, JournalKind.CLIENT)
        events = await trials.events(trial.client_ids)
        if trial.until is not None:
            events = [e for e in events if e.recorded_at <= trial.until]
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

    async def _etag(self) -> str:
        record = (await self._core.view(DEFINITIONS_JOURNAL)).record
        [rule_set] = (
            each
            for each in self._core.path.records.rulebook.rule_sets
            if each.state.journal_kind is JournalKind.DEFINITIONS
        )
        return self._core.etag(record, rule_set)

    async def _applied(self) -> tuple[RecordedEvent, ...]:
        """The events of all versions, oldest first."""
        history = await self._core.path.records.history(DEFINITIONS_JOURNAL)
        return tuple(e for e in history if isinstance(e.event, DefinitionsApplied))
