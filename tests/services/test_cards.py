"""
What is answered from cards and totals.
"""

from __future__ import annotations

import asyncio
import json

import pytest

from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.domain.codec import canonical
from clientela.domain.errors import InvalidValueError
from clientela.domain.identity.details import Details, Standing, UpdateClient
from clientela.domain.identity.identifiers import PHONE
from clientela.domain.ids import (
    ClientId,
    Code,
    EmployeeId,
    JournalKind,
)
from clientela.domain.insight.card import Card
from clientela.domain.insight.points import Points
from clientela.domain.organisation.staff import RecordLeaving
from clientela.domain.ownership.orphaning import OrphanClient
from clientela.domain.personal import Personal
from clientela.services.cards import (
    ALTERNATIVES_MAX,
    CARDS,
    TOTALS,
    UNMATCHED,
    Page,
    card_of,
    cards_with,
    identified,
    named,
    orphaned_is,
    orphans,
    owned_by,
    owner_is,
    stage_is,
    standing_is,
)
from clientela.services.ports import PAGE_MAX
from clientela.services.read_models import Row
from clientela.services.stats import stats
from tests.domain.insight.histories import (
    ANTON,
    AT,
    CLIENTS,
    IVO,
    MARTA,
    NAME,
    NAMES,
    OLGA,
    PETRA,
    approach,
    bring_back,
    buy,
    erase,
    plans,
    register,
    told,
)
from tests.services.office import KeptReads, Office


SHOP = Code("shop")


@pytest.fixture
async def office():
    """The shop with three clients: a prospect, and two that are clients already."""
    made = await Office().open()
    await made.run(
        register(PETRA, NAMES[0]),
        register(ANTON, NAMES[1], standing=Standing.CLIENT),
        register(OLGA, NAMES[2], standing=Standing.CLIENT),
    )
    return made


def ids(page: Page) -> list[str]:
    """The clients of a page."""
    return [card.client_id for card in page.cards]


async def put(office: Office, *cards: Card) -> None:
    """Keep these cards as if events had made them."""
    rows: dict[str, Row] = {
        card.client_id: Row(
            canonical(office.codec.plain(card)), frozenset(CARDS.terms(card, office.naming))
        )
        for card in cards
    }
    await office.kept.write(CARDS.name, await office.reads.catch_up(CARDS), rows)


async def test_caller_reads_own_writes(office):
    """
    REC-1: an answer takes in everything committed before the call, each time anew.
    """
    for number in range(1, 4):
        await office.run(buy(PETRA, number, 1000, AT))
        card = await card_of(office.reads, PETRA)

        assert card is not None
        assert (number, 10 * number) == (card.trade.purchases, card.points.issued)
        assert number == (await stats(office.reads)).trade.purchases


async def test_unregistered_client_has_no_card(office):
    """
    REC-1, LOY-6: nobody registered, nothing to show; the row of a wallet without a client is no
    client's card and is in no list.
    """
    bearer = Card(client_id=ClientId("bearer"), points=Points(granted=5, outstanding=5))
    await put(office, bearer)

    assert bearer == await office.reads.get(CARDS, "bearer")
    assert None is await card_of(office.reads, ClientId("bearer"))
    assert None is await card_of(office.reads, ClientId("nobody"))
    assert [ANTON, OLGA, PETRA] == ids(await cards_with(office.reads))
    assert () == (await cards_with(office.reads, owner_is(EmployeeId("nobody")))).cards


async def test_clients_are_listed_in_pages(office):
    """
    REC-1: a list comes in order of ids, page after page, each client once.
    """
    first = await cards_with(office.reads, limit=2)
    rest = await cards_with(office.reads, after=first.after, limit=2)

    assert ([ANTON, OLGA], [PETRA], "") == (ids(first), ids(rest), rest.after)
    assert [ANTON] == ids(await cards_with(office.reads, limit=0))


async def test_clients_are_listed_by_what_they_are(office):
    """
    LIFE-12, OWN-3, REC-7: lists by standing, owner, stage and whether a client waits for an owner
    take all conditions together; alternatives take any of them.
    """
    await office.run(approach(ANTON, MARTA), approach(PETRA, MARTA), buy(OLGA, 1, 100, AT))
    await office.run(buy(OLGA, 2, 100, AT))
    guest, regular = stage_is(SHOP, Code("guest")), stage_is(SHOP, Code("regular"))

    async def listed(*terms: tuple[str, str], **settings: object) -> list[str]:
        return ids(await cards_with(office.reads, *terms, **settings))  # type: ignore[arg-type]

    assert [PETRA] == await listed(standing_is(Standing.PROSPECT))
    assert [ANTON, PETRA] == await listed(owner_is(MARTA))
    assert [ANTON] == await listed(owner_is(MARTA), standing_is(Standing.CLIENT))
    assert [OLGA] == await listed(regular)
    assert [ANTON, OLGA, PETRA] == await listed(any_of=(guest, regular))
    assert [ANTON, OLGA] == await listed(any_of=(guest, regular), limit=2)
    assert [OLGA] == await listed(standing_is(Standing.CLIENT), any_of=(regular,))
    assert [ANTON, OLGA, PETRA] == await listed(orphaned_is(is_so=False))
    with pytest.raises(InvalidValueError, match="any_of"):
        await listed(any_of=(guest,) * (ALTERNATIVES_MAX + 1))


async def test_client_who_changes_stage_while_one_looks_is_listed(office, monkeypatch):
    """
    LIFE-11: whoever is in one of several stages all the time is listed once, also who goes from one
    to another after the other was looked through.
    """
    guest, regular = stage_is(SHOP, Code("guest")), stage_is(SHOP, Code("regular"))
    find, purchases = office.kept.find, [buy(PETRA, 1, 500, AT), buy(PETRA, 2, 500, AT)]

    async def find_and_buy(*asked):
        found = await find(*asked)
        while purchases:
            await office.run(purchases.pop())
        return found

    await office.run(*(buy(ANTON, number, 500, AT) for number in (3, 4)))
    monkeypatch.setattr(office.kept, "find", find_and_buy)

    found = await cards_with(office.reads, any_of=(regular, guest))

    assert [ANTON, OLGA, PETRA] == ids(found)
    assert ("regular", ()) == (found.cards[2].stages[SHOP].stage, tuple(purchases))


async def test_clients_with_unmatched_returns_are_listed(office):
    """
    DEV-5: who brought back something whose purchase is not known is listed until it is.
    """
    await office.run(bring_back(ANTON, 1, 1, AT, refund_minor=500))
    assert [ANTON] == ids(await cards_with(office.reads, UNMATCHED))

    await office.run(buy(ANTON, 1, 500, AT))
    assert [] == ids(await cards_with(office.reads, UNMATCHED))


async def test_page_is_full_of_what_the_caller_sees(office):
    """
    Whom the caller may not see is left out before a page is cut, so that pages are full
    and their sizes tell nothing.
    """

    async def sees(card: Card) -> bool:
        return card.client_id != OLGA

    first = await cards_with(office.reads, sees=sees, limit=2)

    assert [ANTON, PETRA] == ids(first)
    assert [] == ids(await cards_with(office.reads, sees=sees, after=first.after, limit=2))
    assert [PETRA] == ids(await cards_with(office.reads, sees=sees, after=ANTON, limit=1))


async def test_all_clients_of_an_owner_are_found(office):
    """
    OWN-3: every client of an owner is found, more than one page of them, and no other.
    """
    many = [ClientId(f"c{number:04}") for number in range(PAGE_MAX + 50)]
    await office.run(approach(PETRA, MARTA))
    await put(
        office,
        *(
            Card(client_id=client_id, owner_id=IVO, standing=Standing.CLIENT, registered_at=AT)
            for client_id in many
        ),
    )

    assert tuple(many) == await owned_by(office.reads, IVO)
    assert (PETRA,) == await owned_by(office.reads, MARTA)
    assert () == await owned_by(office.reads, EmployeeId("nora"))


async def test_orphans_are_listed_until_taken_over(office):
    """
    OWN-3: who waits for a new owner is listed, under the owner who left too, until there is one.
    """
    await office.run(approach(PETRA, MARTA), approach(ANTON, MARTA))
    await office.run(RecordLeaving(employee_id=MARTA, left_at=AT))
    for client_id in await owned_by(office.reads, MARTA):
        await office.run(OrphanClient(client_id=client_id, employee_id=MARTA))

    assert [ANTON, PETRA] == ids(await orphans(office.reads))
    assert (ANTON, PETRA) == await owned_by(office.reads, MARTA)
    await office.run(approach(ANTON, IVO))
    assert [PETRA] == ids(await orphans(office.reads))
    found = await stats(office.reads)
    assert (1, 1, 1) == (found.owned, found.unowned, found.orphaned)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("petra", [PETRA]),
        ("NOVAK  pet", [PETRA]),
        ("weiss", [ANTON]),
        ("Майск", [OLGA]),
        ("petra weiss", []),
        ("pe", []),
        (" -- ", []),
    ],
)
async def test_clients_are_found_by_words_of_the_name(office, text, expected):
    """
    REC-8: all words, or beginnings of three characters, in any spelling; a text without a word
    finds nobody.
    """
    assert expected == ids(await named(office.reads, text, office.naming))


async def test_clients_are_found_by_the_present_name_only(office):
    """
    REC-8: a new name is found at once, the old one no longer.
    """
    renamed = Details(name=Personal("Petra Dvořák"))
    await office.run(UpdateClient(client_id=PETRA, details=renamed, fields=(NAME,)))

    assert [PETRA] == ids(await named(office.reads, "dvorak", office.naming))
    assert [] == ids(await named(office.reads, "novak", office.naming))


async def test_clients_are_found_by_identifiers_shared_ones_included(office):
    """
    REC-8: an exclusive identifier finds one client in any spelling, a shared one all that have it.
    """

    async def found(text: str) -> list[str]:
        return ids(await identified(office.reads, PHONE, Personal(text), office.naming))

    assert [PETRA] == await found(" +1PETRA")
    assert sorted(CLIENTS) == await found("+1 house")
    assert [] == await found("+1 nobody")
    with pytest.raises(InvalidValueError, match="kind"):
        await identified(office.reads, Code("card"), Personal("1"), office.naming)


async def test_erased_client_is_found_no_more_and_still_counted(office):
    """
    After erasure no term of a client is a keyed hash and no value in its row is sealed; ids, codes
    and sums stay, and the lists still show it.
    """
    await office.run(buy(PETRA, 1, 1000, AT), approach(PETRA, MARTA))
    assert [PETRA] == ids(await named(office.reads, "petra", office.naming))

    await office.run(erase(PETRA))

    assert [] == ids(await named(office.reads, "petra", office.naming))
    house = await identified(office.reads, PHONE, Personal("+1 house"), office.naming)
    assert [ANTON, OLGA] == ids(house)
    row = office.kept.kept[CARDS.name][PETRA]
    assert {
        "all",
        "days",
        "erased",
        "model",
        "orphaned",
        "owner",
        "ownership",
        "purchases",
        "stage:clm",
        "stage:efremova",
        "stage:shop",
        "standing",
    } == {field for field, _ in row.terms}
    assert {"details", "identifiers"}.isdisjoint(json.loads(row.body))
    assert b"box" not in row.body
    card = await card_of(office.reads, PETRA)
    assert card is not None
    assert (1, 10, MARTA) == (card.trade.purchases, card.points.issued, card.owner_id)
    assert [ANTON, OLGA, PETRA] == ids(await cards_with(office.reads))


async def test_rows_hold_no_open_value(office):
    """
    Neither a row nor a term holds a name or an identifier in the open.
    """
    await office.reads.catch_up(CARDS)

    kept = office.kept.kept[CARDS.name].values()
    text = " ".join(
        (*(row.body.decode() for row in kept), *(str(sorted(row.terms)) for row in kept))
    ).casefold()
    assert not [word for word in ("novák", "nov\\u00e1k", "weiß", "+1", "house") if word in text]
    assert any(field == "token" for row in kept for field, _ in row.terms)


@settings(max_examples=15, deadline=None)
@given(
    plan=plans, sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5), every=st.integers(1, 9)
)
def test_rebuilding_gives_what_keeping_up_gave(plan, sizes, every):
    """
    Rows and terms kept up step by step, in pages of any size, are those of a model built at once,
    erased clients and late facts included.
    """
    asyncio.run(_rebuilds_equal(plan, sizes, every))


async def _rebuilds_equal(plan, sizes, every) -> None:
    office = await Office().open()
    office.store.sizes = sizes
    for number, step in enumerate(told(plan)):
        await office.live([step])
        if number % every == 0:
            await office.reads.catch_up(CARDS)
            await office.reads.catch_up(TOTALS)
    await office.reads.catch_up(CARDS)
    await office.reads.catch_up(TOTALS)
    step_by_step = {model: dict(rows) for model, rows in office.kept.kept.items()}

    office.store.sizes = (1000,)
    at_once = KeptReads()
    again = office.read_models(at_once)
    await again.catch_up(CARDS)
    await again.catch_up(TOTALS)
    assert step_by_step == at_once.kept

    office.store.sizes = sizes
    await office.kept.drop(CARDS.name)
    await office.reads.catch_up(CARDS)
    assert step_by_step[CARDS.name] == office.kept.kept[CARDS.name]


async def test_only_known_journals_make_rows(office):
    """
    Cards are made of journals of clients and wallets, totals are one row.
    """
    await office.run(buy(PETRA, 1, 1000, AT))
    await office.reads.catch_up(CARDS)
    await office.reads.catch_up(TOTALS)
    kinds = {row.journal.kind for row in await office.store.read_all(0)}

    assert {JournalKind.UNIT, JournalKind.EMPLOYEE, JournalKind.DEFINITIONS} <= kinds
    assert set(CLIENTS) == set(office.kept.kept[CARDS.name])
    assert {"company"} == set(office.kept.kept[TOTALS.name])
