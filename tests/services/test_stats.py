"""
The company in figures.
"""

from __future__ import annotations

import asyncio

from collections import Counter
from datetime import timedelta

from hypothesis import given, settings

from clientela.domain.facts import PurchaseRecorded, ReturnRecorded
from clientela.domain.identity.details import Standing
from clientela.domain.ids import Code, WalletId, client_journal, wallet_journal
from clientela.domain.lifecycle.stages import Lifecycle
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.ownership.holding import Ownership
from clientela.services.cards import stage_counts
from clientela.services.envelope import decode
from clientela.services.stats import stats
from tests.domain.insight.histories import (
    ANTON,
    AT,
    CLIENTS,
    MARTA,
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
from tests.services.office import Office


SHOP = Code("shop")


async def test_stats_count_the_shop():
    """
    REC-3, LIFE-12, LOY-10: the figures of a small told history equal those counted by hand.
    """
    office = await Office().open()
    await office.run(
        register(PETRA),
        register(ANTON, standing=Standing.CLIENT),
        register(OLGA, standing=Standing.CLIENT),
    )
    office.clock.move(AT + timedelta(days=2))
    await office.run(
        approach(PETRA, MARTA),
        buy(ANTON, 1, 1000, AT, quantity=2),
        buy(ANTON, 2, 550, AT),
        buy(OLGA, 3, 2000, AT),
        buy(OLGA, 4, 300, AT + timedelta(days=1), currency="USD"),
        bring_back(ANTON, 1, 3, AT + timedelta(days=1), refund_minor=1200),
        bring_back(OLGA, 2, 5, AT + timedelta(days=1), refund_minor=5000),
        erase(OLGA),
    )

    found = await stats(office.reads)

    assert (2, 1, 1) == (found.clients, found.prospects, found.erased)
    assert (1, 2, 0) == (found.owned, found.unowned, found.orphaned)
    assert (2, 1) == (found.several_purchases, found.several_days)
    assert {Code("guest"): 1, Code("regular"): 2} == found.stages[SHOP]
    assert {Code("clm"), Code("efremova"), SHOP} == set(found.stages)
    assert (4, {"EUR": 3550, "USD": 300}) == (found.trade.purchases, found.trade.revenue)
    assert (2, {"EUR": 6200}) == (found.trade.returns, found.trade.refunds)
    assert (3, 1, 4, 4) == (
        found.trade.lines_matched,
        found.trade.lines_unmatched,
        found.trade.pieces_matched,
        found.trade.pieces_unmatched,
    )
    assert (35, 35) == (found.points.issued, found.points.revoked)


async def test_empty_company_has_figures():
    """
    Where nothing has happened every figure is 0.
    """
    office = Office()

    found = await stats(office.reads)

    assert (0, 0, 0, 0, {}) == (
        found.clients,
        found.prospects,
        found.unowned,
        found.trade.purchases,
        found.stages,
    )
    assert {} == await stage_counts(office.reads)


@settings(max_examples=15, deadline=None)
@given(plan=plans)
def test_stats_tie_out_with_a_plain_count(plan):
    """
    REC-1, LIFE-12, LOY-10: every figure equals one counted plainly from the events and the rule
    sets' states of the same journals.
    """
    asyncio.run(_ties_out(plan))


async def _ties_out(plan) -> None:
    office = await Office().open()
    await office.live(told(plan))
    journals = [j for c in CLIENTS for j in (client_journal(c), wallet_journal(WalletId(c)))]
    await office.path.elapse(*journals[:2])
    await office.path.elapse(*journals[2:4])
    await office.path.elapse(*journals[4:])
    found = await stats(office.reads)

    events = [decode(office.codec, row) for row in await office.store.read_all(0)]
    bought = [e for e in events if isinstance(e.event, PurchaseRecorded)]
    back = [e.event for e in events if isinstance(e.event, ReturnRecorded)]
    by_client = Counter(e.journal.id for e in bought)
    days = Counter(client for client, _ in {(e.journal.id, e.event.local_date) for e in bought})
    assert (
        len(bought),
        sum((Counter({e.event.total.currency: e.event.total.minor}) for e in bought), Counter()),
        sum(number > 1 for number in by_client.values()),
        sum(number > 1 for number in days.values()),
        sum(returned.refund.minor for returned in back),
    ) == (
        found.trade.purchases,
        found.trade.revenue,
        found.several_purchases,
        found.several_days,
        sum(found.trade.refunds.values()),
    )
    await _states_tie_out(office, found)


async def _states_tie_out(office, found) -> None:
    records = [
        (await office.path.read(client_journal(c), wallet_journal(WalletId(c)))).record
        for c in CLIENTS
    ]
    owners = [record.of(Ownership) for record in records]
    assert (
        sum(o.owner_id is not None and o.orphaned is None for o in owners),
        sum(o.owner_id is None for o in owners),
        sum(o.owner_id is not None and o.orphaned is not None for o in owners),
    ) == (found.owned, found.unowned, found.orphaned)
    for model, counted in found.stages.items():
        assert Counter(record.of(Lifecycle).stage(model) for record in records) == counted
    wallets = [record.of(Wallet) for record in records]
    assert (
        sum(wallet.issued for wallet in wallets),
        sum(wallet.expired for wallet in wallets),
        sum(wallet.captured for wallet in wallets),
        sum(lot.remaining for wallet in wallets for lot in wallet.lots.values()),
        sum(wallet.debt for wallet in wallets),
    ) == (
        found.points.issued,
        found.points.expired,
        found.points.spent,
        found.points.outstanding,
        found.points.debt,
    )
