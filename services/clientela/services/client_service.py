"""
Servicer of ClientService.
"""

from __future__ import annotations

import time

from collections.abc import AsyncIterator, Sequence
from typing import Any

from clientela.domain.facts import BusinessKey
from clientela.domain.identity.profile import IDENTITY, Profile
from clientela.domain.ids import (
    ClientId,
    JournalId,
    JournalKind,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.insight.card import Card
from clientela.domain.lifecycle.model import LifecycleDefinition
from clientela.domain.lifecycle.stages import Lifecycle
from clientela.domain.loyalty.cards import card_key
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.ownership.holding import Ownership
from clientela.services.cards import (
    Page,
    card_of,
    identified,
    named,
    orphaned_is,
    owner_is,
    stage_is,
    standing_is,
)
from clientela.services.core import Core, Told, check_exists
from clientela.services.envelope import decode
from clientela.services.listing import listed, paged_cards
from clientela.services.read_models import Term
from clientela.services.rows import StoredEvent
from clientela.services.timelines import timeline
from clientela.services.translate import client as wire
from clientela.services.translate import fields, search
from clientela.services.translate.messages import journal_versions
from clientela.services.translate.opening import Opening
from clientela.services.translate.pages import page_of_moment, sliced_at
from clientela.services.translate.reads import AsOf, as_of, check_read, consistency
from clientela.services.translate.timeline import timeline_entry
from clientela.v1 import client_pb2 as pb
from clientela.v1 import client_pb2_grpc


OPENING_S = 30.0
"""Seconds after which an answer that is taken slowly looks whether the client was erased since."""


class ClientServicer(client_pb2_grpc.ClientServiceServicer):
    """
    Translates between the wire and the rules of identity.

    Args:
        core: What servicers work with.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def RegisterClient(
        self, request: pb.RegisterClientRequest, context: Any
    ) -> pb.RegisterClientResponse:
        command = wire.register_client(request, self._core.ids)
        done, outcome = await self._core.mutate(request, command, IDENTITY)
        return pb.RegisterClientResponse(outcome=outcome, client=await self._client(done))

    async def UpdateClient(
        self, request: pb.UpdateClientRequest, context: Any
    ) -> pb.UpdateClientResponse:
        done, outcome = await self._core.mutate(request, wire.update_client(request), IDENTITY)
        return pb.UpdateClientResponse(outcome=outcome, client=await self._client(done))

    async def AddIdentifier(
        self, request: pb.AddIdentifierRequest, context: Any
    ) -> pb.AddIdentifierResponse:
        done, outcome = await self._core.mutate(request, wire.add_identifier(request), IDENTITY)
        return pb.AddIdentifierResponse(outcome=outcome, client=await self._client(done))

    async def RemoveIdentifier(
        self, request: pb.RemoveIdentifierRequest, context: Any
    ) -> pb.RemoveIdentifierResponse:
        command = wire.remove_identifier(request)
        done, outcome = await self._core.mutate(request, command, IDENTITY)
        return pb.RemoveIdentifierResponse(outcome=outcome, client=await self._client(done))

    async def EraseClient(
        self, request: pb.EraseClientRequest, context: Any
    ) -> pb.EraseClientResponse:
        done, outcome = await self._core.mutate(request, wire.erase_client(request), IDENTITY)
        response = pb.EraseClientResponse(outcome=outcome)
        erased_at = done.record.of(Profile).erased_at
        if erased_at is not None and not request.validate_only:
            await self._core.reads.catch_up_all()
            await self._core.store.cleared()
            response.erased_at.FromDatetime(erased_at)
        return response

    async def GetClient(self, request: pb.GetClientRequest, context: Any) -> pb.Client:
        check_read(request)
        client_id = fields.named(ClientId, request.client_id, "client_id")
        moment = as_of(request, by_effect=False)
        view = await self._core.view(
            client_journal(client_id), consistency=consistency(request), as_of=moment
        )
        check_exists(view.record, JournalKind.CLIENT)
        return await self._client(view, moment)

    async def ListClients(
        self, request: pb.ListClientsRequest, context: Any
    ) -> pb.ListClientsResponse:
        wanted = search.client_filter(request)
        cards, token = await listed(
            self._core, request, *_terms(wanted), any_of=await self._stages(wanted)
        )
        return pb.ListClientsResponse(clients=await self._summaries(cards), next_page_token=token)

    async def FindClients(
        self, request: pb.FindClientsRequest, context: Any
    ) -> pb.FindClientsResponse:
        wanted = search.sought(request)

        async def find(**bounds: Any) -> Page:
            return await self._found(wanted, bounds)

        cards, token = await paged_cards(self._core, request, find)
        return pb.FindClientsResponse(clients=await self._summaries(cards), next_page_token=token)

    async def GetTimeline(
        self, request: pb.GetTimelineRequest, context: Any
    ) -> pb.GetTimelineResponse:
        query = search.timeline_query(request)
        wanted, upto = page_of_moment(request)
        journals = _journals(query.client_id, with_wallet=query.with_wallet)
        view = await self._core.view(*journals, consistency=consistency(request))
        check_exists(view.record, JournalKind.CLIENT)
        await self._core.check_reached(query.as_of.known_at or {})
        upto = await self._core.store.last_position() if upto is None else upto
        rows = await timeline(self._core, query, journals)
        found = [row for row in rows if row.position <= upto]
        shown, token = sliced_at(request, wanted, found, upto)
        opening = await self._core.opening(*journals)
        return pb.GetTimelineResponse(
            entries=(self._entry(row, opening) for row in shown), next_page_token=token
        )

    async def ExportClient(
        self, request: pb.ExportClientRequest, context: Any
    ) -> AsyncIterator[pb.ExportClientResponse]:
        check_read(request)
        client_id = fields.named(ClientId, request.client_id, "client_id")
        journals = _journals(client_id, with_wallet=True)
        view = await self._core.view(*journals)
        check_exists(view.record, JournalKind.CLIENT)
        yield pb.ExportClientResponse(client=await self._client(view))
        versions = view.versions
        query = search.TimelineQuery(
            client_id=client_id, with_wallet=True, as_of=AsOf(known_at=versions)
        )
        found = await timeline(self._core, query, journals)
        opening, opened_s = await self._core.opening(*journals), time.monotonic()
        for row in found:
            if time.monotonic() - opened_s >= OPENING_S:
                opening, opened_s = await self._core.opening(*journals), time.monotonic()
            yield pb.ExportClientResponse(entry=self._entry(row, opening))
        summary = pb.ExportClientResponse.Summary(
            entries=len(found), versions=journal_versions(versions)
        )
        yield pb.ExportClientResponse(summary=summary)

    async def _client(self, told: Told, moment: AsOf | None = None) -> pb.Client:
        journal_id = told.record.journal(JournalKind.CLIENT).id
        return wire.client(
            told.record.of(Profile),
            await self._core.opening(journal_id, told=told),
            etag=self._core.etag(told.record, IDENTITY, moment),
            versions=told.versions,
        )

    async def _summaries(self, cards: Sequence[Card]) -> list[pb.ClientSummary]:
        found: list[pb.ClientSummary] = []
        for card in cards:
            journal_id = client_journal(card.client_id)
            view = await self._core.view(journal_id)
            record = view.record
            found.append(
                wire.summary(
                    record.of(Profile),
                    record.of(Ownership),
                    record.of(Lifecycle),
                    await self._core.opening(journal_id, told=view),
                )
            )
        return found

    def _entry(self, row: StoredEvent, opening: Opening) -> pb.TimelineEntry:
        codec = self._core.path.records.codec
        return timeline_entry(decode(codec, row), row, codec, opening)

    async def _stages(self, wanted: search.ClientFilter) -> list[Term]:
        """The stage that clients must be in, or a part of it (LIFE-11)."""
        if wanted.model is None or wanted.stage is None:
            return []
        definitions = await self._core.definitions()
        model = definitions.at(self._core.now()).of(LifecycleDefinition).model(wanted.model)
        stages = () if model is None else model.stages
        parts = (stage.id for stage in stages if stage.parent == wanted.stage)
        return [stage_is(wanted.model, stage) for stage in (wanted.stage, *parts)]

    async def _found(self, wanted: search.Sought, bounds: dict[str, Any]) -> Page:
        reads, naming = self._core.reads, self._core.naming()
        match wanted:
            case search.ByName(words=words):
                return await named(reads, words.text, naming, **bounds)
            case search.ByIdentifier(kind=kind, text=text):
                return await identified(reads, kind, text, naming, **bounds)
            case search.ByCard(number=number):
                key = card_key(number, naming)
            case BusinessKey(source=source, id=id_):
                key = naming.business_key("client", source, id_)
        holder = await self._core.store.holder(key)
        return await self._only(None if holder is None else holder.ref.journal, bounds)

    async def _only(self, journal_id: JournalId | None, bounds: dict[str, Any]) -> Page:
        """The one client behind a journal, if the caller sees them."""
        if journal_id is None or bounds["after"]:
            return Page(cards=())
        client_id = ClientId(journal_id.id)
        if journal_id.kind is JournalKind.WALLET:
            holder = (await self._core.view(journal_id)).record.of(Wallet).client_id
            if holder is None:
                return Page(cards=())
            client_id = holder
        card = await card_of(self._core.reads, client_id)
        return Page(cards=(card,) if card is not None and await bounds["sees"](card) else ())


def _terms(wanted: search.ClientFilter) -> list[Term]:
    terms: list[Term] = []
    if wanted.owner_id is not None:
        terms.append(owner_is(wanted.owner_id))
    if wanted.orphaned is not None:
        terms.append(orphaned_is(is_so=wanted.orphaned))
    if wanted.standing is not None:
        terms.append(standing_is(wanted.standing))
    return terms


def _journals(client_id: ClientId, *, with_wallet: bool) -> tuple[JournalId, ...]:
    own = (wallet_journal(WalletId(client_id)),) if with_wallet else ()
    return (client_journal(client_id), *own)
