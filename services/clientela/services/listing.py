"""
Lists of clients: pages of cards that the caller may see.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from google.protobuf.message import Message

from clientela.domain.ids import UnitId
from clientela.domain.insight.card import Card
from clientela.services.cards import Page, Sees, cards_with
from clientela.services.core import Core
from clientela.services.directory import JournalDirectory
from clientela.services.read_models import Term
from clientela.services.request_context import current
from clientela.services.scope import sees_client
from clientela.services.translate.pages import next_page_token, page


Find = Callable[..., Awaitable[Page]]
"""Finds a page of cards: `(sees, after, limit)` by name."""


async def listed(
    core: Core,
    request: Any,
    *terms: Term,
    any_of: Sequence[Term] = (),
    unit_id: UnitId | None = None,
) -> tuple[Sequence[Card], str]:
    """
    The page that *request* asks for of clients with *terms*, and the token of the next page.

    Args:
        core: What servicers work with.

        request: Of a list.

        terms: What they must have, all of it.

        any_of: Of these at least one, if there are any.

        unit_id: Only clients whose owner belongs to this unit or one below it.
    """

    async def find(**bounds: Any) -> Page:
        return await cards_with(core.reads, *terms, any_of=any_of, **bounds)

    return await paged_cards(core, request, find, unit_id)


async def seen_with(core: Core, *terms: Term, after: str = "") -> Page:
    """A page of clients with *terms* whom the caller may see."""
    return await cards_with(core.reads, *terms, sees=_sees(core, None), after=after)


async def counted(core: Core, *terms: Term, unit_id: UnitId | None = None) -> int:
    """How many clients with *terms* the caller may see, of the unit and those below it."""
    total, after = 0, ""
    sees = _sees(core, unit_id)
    while True:
        found = await cards_with(core.reads, *terms, sees=sees, after=after)
        total += len(found.cards)
        after = found.after
        if not after:
            return total


async def paged_cards(
    core: Core, request: Message, find: Find, unit_id: UnitId | None = None
) -> tuple[Sequence[Card], str]:
    """The page of what *find* finds and the caller may see, and the token of the next page."""
    wanted = page(request)
    if "consistency" in request.DESCRIPTOR.fields_by_name:
        await core.check_fresh(request)
    found = await find(sees=_sees(core, unit_id), after=wanted.after, limit=wanted.size)
    token = next_page_token(request, found.after) if found.after else ""
    return found.cards, token


def _sees(core: Core, unit_id: UnitId | None) -> Sees:
    directory = JournalDirectory(core.path.records, core.reads)
    reach = current().reach

    async def sees(card: Card) -> bool:
        if unit_id is not None:
            standing = await directory.client(card.client_id)
            if standing is None or unit_id not in standing.owner_units:
                return False
        return await sees_client(reach, card.client_id, directory)

    return sees
