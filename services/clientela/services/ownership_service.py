"""
Servicer of OwnershipService.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clientela.domain.ids import ClientId, JournalKind, client_journal
from clientela.domain.insight.card import Card
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.lapse import lapses_at
from clientela.domain.ownership.policy import OwnershipPolicy
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.ownership.spells import owner_at, spells
from clientela.services.cards import orphaned_is, owner_is
from clientela.services.core import Core, Told, check_exists
from clientela.services.listing import listed
from clientela.services.translate import ownership as wire
from clientela.services.translate.fields import named
from clientela.services.translate.pages import page, sliced
from clientela.services.translate.reads import AsOf, as_of, check_read, consistency
from clientela.services.views import View
from clientela.v1 import ownership_pb2 as pb
from clientela.v1 import ownership_pb2_grpc


class OwnershipServicer(ownership_pb2_grpc.OwnershipServiceServicer):
    """
    Translates between the wire and the rules of ownership.

    Args:
        core: What servicers work with.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def Approach(self, request: pb.ApproachRequest, context: Any) -> pb.ApproachResponse:
        done, outcome = await self._core.mutate(request, wire.approach(request), OWNERSHIP)
        return pb.ApproachResponse(outcome=outcome, ownership=await self._ownership(done))

    async def ReplaceOwner(
        self, request: pb.ReplaceOwnerRequest, context: Any
    ) -> pb.ReplaceOwnerResponse:
        done, outcome = await self._core.mutate(request, wire.replace_owner(request), OWNERSHIP)
        return pb.ReplaceOwnerResponse(outcome=outcome, ownership=await self._ownership(done))

    async def GetOwnership(self, request: pb.GetOwnershipRequest, context: Any) -> pb.Ownership:
        moment = as_of(request, by_effect=True)
        view = await self._view(request, request.client_id, moment)
        if moment.effective_at is not None:
            return await self._covering(view, moment.effective_at)
        return await self._ownership(view, moment)

    async def ListOwnershipSpells(
        self, request: pb.ListOwnershipSpellsRequest, context: Any
    ) -> pb.ListOwnershipSpellsResponse:
        view = await self._view(request, request.client_id)
        history = await self._core.history(view, JournalKind.CLIENT)
        shown, token = sliced(request, page(request), spells(history))
        return pb.ListOwnershipSpellsResponse(spells=map(wire.spell, shown), next_page_token=token)

    async def ListOrphans(
        self, request: pb.ListOrphansRequest, context: Any
    ) -> pb.ListOrphansResponse:
        wanted = wire.orphan_filter(request)
        terms = [orphaned_is(is_so=True)]
        if wanted.owner_id is not None:
            terms.append(owner_is(wanted.owner_id))
        cards, token = await listed(self._core, request, *terms, unit_id=wanted.unit_id)
        found = [await self._orphan(card) for card in cards]
        orphans = [orphan for orphan in found if orphan is not None]
        return pb.ListOrphansResponse(orphans=orphans, next_page_token=token)

    async def _view(self, request: Any, client_id: str, moment: AsOf | None = None) -> View:
        check_read(request)
        view = await self._core.view(
            client_journal(named(ClientId, client_id, "client_id")),
            consistency=consistency(request),
            as_of=moment,
        )
        check_exists(view.record, JournalKind.CLIENT)
        return view

    async def _ownership(self, told: Told, moment: AsOf | None = None) -> pb.Ownership:
        ownership = told.record.of(Ownership)
        claim = None if ownership.claim is None else await self._core.event(ownership.claim, told)
        # The policy under which it will lapse, whatever has been applied since.
        policy = told.definitions.at(ownership.touched_at or self._core.now()).of(OwnershipPolicy)
        return wire.ownership(
            ClientId(told.record.journal(JournalKind.CLIENT).id.id),
            ownership,
            claim=claim,
            lapses_at=lapses_at(ownership, policy),
            etag=self._core.etag(told.record, OWNERSHIP, moment),
            versions=told.versions,
        )

    async def _covering(self, view: View, moment: datetime) -> pb.Ownership:
        """The spell that covers *moment*, by all that is known now."""
        found = owner_at(await self._core.history(view, JournalKind.CLIENT), moment)
        claim = None if found is None else await self._core.event(found.claim, view)
        return wire.past_ownership(
            ClientId(view.record.journal(JournalKind.CLIENT).id.id),
            found,
            claim=claim,
            versions=view.versions,
        )

    async def _orphan(self, card: Card) -> pb.Orphan | None:
        """The orphan of a card; None if somebody has come to look after it meanwhile."""
        view = await self._core.view(client_journal(card.client_id))
        ownership = view.record.of(Ownership)
        if ownership.orphaned is None:
            return None
        event = await self._core.event(ownership.orphaned, view)
        return wire.orphan(card.client_id, ownership, event.occurred_at)
