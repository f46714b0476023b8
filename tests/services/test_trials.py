"""
Trials: which part of the history one needs, and how much it may be.
"""

from __future__ import annotations

import attrs
import pytest

from clientela.domain.errors import InvalidValueError
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import (
    ClientId,
    JournalId,
    JournalKind,
    WalletId,
    client_journal,
    employee_journal,
    wallet_journal,
)
from clientela.services.trials import Trials
from tests.domain.insight.histories import (
    ANTON,
    AT,
    MARTA,
    OLGA,
    PETRA,
    bring_back,
    buy,
    register,
)
from tests.services.office import Office
from tests.services.test_operations import core_of


FAMILY = WalletId(PETRA)
"""Petra's wallet, whose card Olga presents too."""


@pytest.fixture
async def office() -> Office:
    """Olga buys into Petra's wallet besides her own; Anton buys for himself."""
    office = await Office().open()
    await office.run(
        register(PETRA, "Petra Novák"),
        register(OLGA, "Olga Майская"),
        register(ANTON, "Anton Weiß"),
        buy(PETRA, 1, 1000, AT),
        attrs.evolve(buy(OLGA, 2, 2000, AT), wallet_id=FAMILY),
        attrs.evolve(buy(PETRA, 3, 3000, AT), wallet_id=FAMILY),
        buy(ANTON, 4, 4000, AT),
        buy(OLGA, 5, 500, AT),
    )
    return office


async def history(office: Office, *client_ids: ClientId) -> list[RecordedEvent]:
    """What a trial of some clients holds."""
    return await Trials(core_of(office)).events(client_ids)


def journals(events: list[RecordedEvent]) -> set[JournalId]:
    """Whose they are, staff and definitions left out."""
    kinds = {JournalKind.CLIENT, JournalKind.WALLET}
    return {recorded.journal for recorded in events if recorded.journal.kind in kinds}


async def test_everybody_is_tried_if_nobody_is_named(office):
    """
    Without client ids a trial holds the whole history, in order.
    """
    events = await history(office)

    stored = await office.store.read_all()
    assert [row.event_id for row in stored] == [recorded.event_id for recorded in events]


async def test_client_without_shared_wallet_is_tried_alone(office):
    """
    A client's trial holds the client's journal, own wallet and the organisation, nobody else's.
    """
    events = await history(office, ANTON)

    assert {client_journal(ANTON), wallet_journal(WalletId(ANTON))} == journals(events)
    assert employee_journal(MARTA) in {recorded.journal for recorded in events}


@pytest.mark.parametrize("client_id", [PETRA, OLGA])
async def test_who_shares_a_wallet_is_tried_together(office, client_id):
    """
    What a shared wallet holds comes of everybody who buys into it: all of their journals, whole.
    """
    events = await history(office, client_id)

    whose = {
        client_journal(PETRA),
        client_journal(OLGA),
        wallet_journal(FAMILY),
        wallet_journal(WalletId(OLGA)),
    }
    assert whose == journals(events)
    for journal_id in whose:
        versions = [e.version for e in events if e.journal == journal_id]
        assert list(range(1, len(versions) + 1)) == versions
        assert len(await office.store.read(journal_id)) == len(versions)


async def test_appends_stay_whole(office):
    """
    What was appended together is tried together.
    """
    events = await history(office, PETRA)

    taken = {e.append_id for e in events if e.journal.kind is JournalKind.WALLET}
    stored = [row.event_id for row in await office.store.read_all() if row.append_id in taken]
    assert stored == [e.event_id for e in events if e.append_id in taken]


@pytest.mark.parametrize("sizes", [(1,), (2, 3), (1000,)])
async def test_pages_do_not_cut_appends(office, sizes):
    """
    However the store hands events out, the trial is the same.
    """
    whole = await history(office, PETRA)
    office.store.sizes = sizes

    assert whole == await history(office, PETRA)


@pytest.mark.parametrize("client_ids", [(), (PETRA,), (OLGA,), (ANTON,), (ANTON, PETRA)])
async def test_the_definitions_in_force_change_nothing(office, client_ids):
    """
    Trial of what is in force: no difference, whoever it is about, shared wallets included.
    """
    await office.run(bring_back(OLGA, "r", 1, AT, refund_minor=500))
    core = core_of(office)
    definitions = await core.definitions()
    trials = Trials(core)
    events = await trials.events(client_ids)

    assert () == trials.compare(events, definitions, definitions, None)


async def test_too_much_for_one_trial_is_refused(office):
    """
    A trial that would hold more events than it may asks for fewer clients.
    """
    count = len(await history(office, ANTON))
    core = core_of(office)

    assert count == len(await Trials(core, events_max=count).events([ANTON]))
    for client_ids in ([ANTON], [PETRA], []):
        with pytest.raises(InvalidValueError) as refused:
            await Trials(core, events_max=count - 1).events(client_ids)
        assert "client_ids" == refused.value.field
