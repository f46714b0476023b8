"""
Cards and totals kept as read models, and the questions they answer.

Every answer takes in everything committed before the call. Points that are due to expire and stages
that are due to change count as they were until the scheduler has let the time pass.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import attrs

from clientela.domain.context import Naming
from clientela.domain.errors import InvalidValueError
from clientela.domain.identity.details import Standing, tokens
from clientela.domain.identity.identifiers import identifier_key
from clientela.domain.identity.recognition import keys_of
from clientela.domain.identity.terms import search_tokens
from clientela.domain.ids import ClientId, Code, EmployeeId
from clientela.domain.insight import card as cards
from clientela.domain.insight import totals
from clientela.domain.insight.card import Card
from clientela.domain.insight.totals import Totals
from clientela.domain.personal import Personal
from clientela.services.ports import PAGE_MAX
from clientela.services.read_models import ReadModel, ReadModels, Term


ALL: Term = ("all", "yes")
"""Every client has it."""

OWNED = "owned"
UNOWNED = "unowned"
ORPHANED = "orphaned"

SEVERAL = "several"
"""Two or more, in the terms of `purchases` and `days`."""

ALTERNATIVES_MAX = 100
"""Terms of which a client must have any."""

LOOKS_MAX = 2
"""How often alternatives are looked through while somebody writes: the second time finds whoever
went over in the first."""

SCANS_MAX = 1_000
"""Pages looked through for one page of clients that somebody sees."""

UNMATCHED: Term = ("unmatched", "yes")
"""Of clients with returned pieces whose purchase is not known."""

Sees = Callable[[Card], Awaitable[bool]]
"""Whether somebody may see a client."""


def _terms(card: Card, naming: Naming) -> Iterable[Term]:
    """
    By what a client is found; nothing for a wallet without a client.

    Keyed hashes are of what opens now, so that an erased client has none.
    """
    if card.registered_at is None or card.standing is None:
        return
    yield ALL
    yield standing_is(card.standing)
    yield ("ownership", _ownership(card))
    yield orphaned_is(is_so=card.is_orphaned)
    yield ("purchases", _band(card.trade.purchases))
    yield ("days", _band(card.days.count))
    if card.trade.pieces_unmatched:
        yield UNMATCHED
    if card.erased_at is not None:
        yield ("erased", "yes")
    if card.owner_id is not None:
        yield owner_is(card.owner_id)
    for model, stay in card.stages.items():
        yield ("model", model)
        yield stage_is(model, stay.stage)
    for token in tokens(card.details, naming):
        yield ("token", token)
    for key in keys_of(card.identifiers.values(), naming, shared=True):
        yield (f"identifier:{key.scope}", key.value)


def _ownership(card: Card) -> str:
    if card.owner_id is None:
        return UNOWNED
    return ORPHANED if card.is_orphaned else OWNED


def _band(count: int) -> str:
    return str(count) if count <= 1 else SEVERAL


CARDS = ReadModel(name="cards.v1", state=Card, key=cards.key_of, evolve=cards.evolve, terms=_terms)
"""One row a client, by client id; and one a wallet without a client, which has no terms."""

TOTALS = ReadModel(
    name="totals.v1",
    state=Totals,
    key=totals.key_of,
    evolve=totals.evolve,
    terms=lambda _totals, _naming: (),
)
"""One row, the sums of the company."""


def owner_is(owner_id: EmployeeId) -> Term:
    """Clients of this owner, those included that wait for another one since the owner left."""
    return ("owner", owner_id)


def standing_is(standing: Standing) -> Term:
    """Clients of this standing."""
    return ("standing", standing.value)


def orphaned_is(*, is_so: bool) -> Term:
    """Clients that wait for a new owner, or all others (OWN-3)."""
    return ("orphaned", "yes" if is_so else "no")


def stage_is(model: Code, stage: Code) -> Term:
    """Clients in this very stage; those in parts of it have terms of their own (LIFE-11)."""
    return (f"stage:{model}", stage)


@attrs.frozen(kw_only=True)
class Page:
    """
    A part of a list.

    Attributes:
        cards: Clients, in order of ids.

        after: Id after which the next page begins; empty on the last one.
    """

    cards: tuple[Card, ...]
    after: str = ""


async def card_of(reads: ReadModels, client_id: ClientId) -> Card | None:
    """The card of a client; None if nobody registered one of this id."""
    card: Card | None = await reads.get(CARDS, client_id)
    return None if card is None or card.registered_at is None else card


async def cards_with(
    reads: ReadModels,
    *terms: Term,
    any_of: Sequence[Term] = (),
    sees: Sees | None = None,
    after: str = "",
    limit: int = PAGE_MAX,
) -> Page:
    """
    A page of clients.

    Args:
        reads: Must keep `CARDS`.

        terms: What they must have, all of it; nothing means every client.

        any_of: Of these at least one, if there are any; at most `ALTERNATIVES_MAX`.

        sees: Leaves out whom the caller may not see, so that pages are full all the same.

        after: Begin after this id.

        limit: Most clients, 1 to `PAGE_MAX`.

    Raises:
        InvalidValueError: too many alternatives.
    """
    if len(any_of) > ALTERNATIVES_MAX:
        raise InvalidValueError("any_of", f"at most {ALTERNATIVES_MAX}")
    limit = max(1, min(limit, PAGE_MAX))
    shown: list[Card] = []
    for _ in range(SCANS_MAX):
        rows = await _rows(reads, terms or (ALL,), any_of, after, limit)
        for key, card in rows:
            after = key
            if sees is None or await sees(card):
                shown.append(card)
            if len(shown) == limit:
                return Page(cards=tuple(shown), after=after)
        if len(rows) < limit:
            return Page(cards=tuple(shown))
    return Page(cards=tuple(shown), after=after)


async def _rows(
    reads: ReadModels, terms: Sequence[Term], any_of: Sequence[Term], after: str, limit: int
) -> list[tuple[str, Card]]:
    if not any_of:
        return await reads.find(CARDS, *terms, after=after, limit=limit)
    found: dict[str, Card] = {}
    for _ in range(LOOKS_MAX):
        begin = await reads.catch_up(CARDS)
        for term in any_of:
            found.update(await reads.find(CARDS, *terms, term, after=after, limit=limit))
        # Who went from one to another meanwhile may have been in neither when it was looked at.
        if await reads.catch_up(CARDS) == begin:
            break
    return sorted(found.items(), key=lambda row: row[0])[:limit]


async def owned_by(reads: ReadModels, owner_id: EmployeeId) -> tuple[ClientId, ...]:
    """Every client of an owner, in order of ids (OWN-3)."""
    found: list[ClientId] = []
    while page := await reads.find(CARDS, owner_is(owner_id), after=found[-1] if found else ""):
        found.extend(card.client_id for _, card in page)
    return tuple(found)


async def orphans(
    reads: ReadModels, *, sees: Sees | None = None, after: str = "", limit: int = PAGE_MAX
) -> Page:
    """Clients whose owner has left and who wait for a new one (OWN-3)."""
    return await cards_with(reads, orphaned_is(is_so=True), sees=sees, after=after, limit=limit)


async def named(
    reads: ReadModels,
    text: str,
    naming: Naming,
    *,
    sees: Sees | None = None,
    after: str = "",
    limit: int = PAGE_MAX,
) -> Page:
    """Clients whose names have every word of *text*, or words beginning so; none without a word."""
    wanted = [("token", token) for token in search_tokens(text, naming)]
    if not wanted:
        return Page(cards=())
    return await cards_with(reads, *wanted, sees=sees, after=after, limit=limit)


async def identified(
    reads: ReadModels,
    kind: Code,
    text: Personal,
    naming: Naming,
    *,
    sees: Sees | None = None,
    after: str = "",
    limit: int = PAGE_MAX,
) -> Page:
    """
    Clients who have an identifier, in any spelling; one that is shared may have several (REC-8).

    Raises:
        InvalidValueError: *kind* is no kind, or *text* is no identifier of it.
    """
    key = identifier_key(kind, text, naming)
    term = (f"identifier:{key.scope}", key.value)
    return await cards_with(reads, term, sees=sees, after=after, limit=limit)


async def stage_counts(reads: ReadModels) -> Mapping[Code, Mapping[Code, int]]:
    """How many clients are in each stage, by lifecycle model; stages without any are left out."""
    models = sorted(await reads.count(CARDS, "model"))
    counts = {Code(model): await reads.count(CARDS, f"stage:{model}") for model in models}
    return {
        model: {Code(stage): number for stage, number in sorted(by_stage.items())}
        for model, by_stage in counts.items()
    }
