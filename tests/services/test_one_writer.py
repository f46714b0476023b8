"""
Over a store that nobody else writes to a read is answered from memory alone: what is there is what
is committed, whatever went on meanwhile.
"""

from __future__ import annotations

import pytest

from clientela.domain.ids import client_journal
from clientela.domain.personal import Personal
from clientela.domain.purchase.purchases import Purchases
from clientela.services.parcels import Parcels
from clientela.services.ports import PAGE_MAX
from clientela.services.store_errors import StoreUnavailableError
from clientela.services.views import Needs
from tests.domain.spec import AT
from tests.services.firm import (
    IVO,
    JOURNAL,
    LAPSE,
    MARTA,
    OLGA,
    PURCHASE,
    DisturbedStore,
    Firm,
    approach,
    lost,
)


class OwnStore(DisturbedStore):
    """
    A store that one process has for itself.

    Attributes:
        is_away: Whether nothing can be looked up.
    """

    is_shared = False

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False

    async def read(self, journal_id, after=0, limit=PAGE_MAX):
        """Events of one journal, unless it is away."""
        if self.is_away:
            raise StoreUnavailableError
        return await super().read(journal_id, after, limit)


@pytest.fixture
async def firm():
    """A company with two sellers and two clients, its store for itself."""
    return await Firm(OwnStore()).open(MARTA, IVO)


async def number(firm: Firm) -> int:
    """Which version of the definitions a read goes by."""
    return (await firm.path.read(JOURNAL)).definitions.at(AT).number


async def test_definitions_hold_for_the_next_read(firm):
    """Design 5: who was told that definitions are applied reads by them."""
    assert 0 == await number(firm)

    await firm.run(LAPSE)

    assert 1 == await number(firm)


async def test_slow_read_does_not_bring_old_definitions_back(firm):
    """
    Design 5: a read that began before definitions were applied ends after others read by them.
    """

    async def apply() -> None:
        await firm.run(LAPSE)
        assert 1 == await number(firm)

    firm.store.loading.append(apply)
    await firm.records.load(Needs(journals=(JOURNAL,), histories={JOURNAL}))

    assert 1 == await number(firm)


async def test_key_made_beside_a_journal_is_in_the_next_read(firm):
    """
    Design 7: a first value about Olga stands in the journal of another: she has a key from then on,
    also for a read that began before it was made.
    """
    olga = client_journal(OLGA)
    assert {olga: None} == dict((await firm.path.read(olga)).key_rows)
    about_olga = Personal("a", person=olga)

    firm.store.loading.append(lambda: firm.run(approach(MARTA, note=about_olga)))
    await firm.records.load(Needs(journals=(olga,), histories={olga}))

    made = await firm.store.key_row(olga)
    assert made is not None
    assert {olga: made} == dict((await firm.path.read(olga)).key_rows)


async def test_key_made_for_a_parked_message_is_in_the_next_read(firm):
    """Design 7: whoever was given a key by what came in over the bus has it for every reader."""
    olga = client_journal(OLGA)
    assert {olga: None} == dict((await firm.path.read(olga)).key_rows)
    parcels = Parcels(firm.store, firm.sessions, firm.records.cache.forget)

    await parcels.sealed("message-1", olga, b"{}")

    made = await firm.store.key_row(olga)
    assert made is not None
    assert {olga: made} == dict((await firm.path.read(olga)).key_rows)


async def test_append_of_which_nothing_could_be_learned_is_in_the_next_read(firm):
    """
    Design 4: a commit took place, its answer was lost, and it could not be looked up: who was told
    that its outcome is unknown finds out by reading.
    """

    async def away() -> None:
        firm.store.is_away = True
        await lost()

    firm.store.after.append(away)
    with pytest.raises(StoreUnavailableError):
        await firm.run(PURCHASE)
    firm.store.is_away = False

    assert 1 == len((await firm.path.read(JOURNAL)).record.of(Purchases).open)
