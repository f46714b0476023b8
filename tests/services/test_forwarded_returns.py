"""
Returns that name another wallet than their purchase was credited to, through the command path.
"""

from __future__ import annotations

import asyncio

import attrs
import pytest

from clientela.domain.definitions.versions import ApplyDefinitions
from clientela.domain.facts import ReturnForwarded
from clientela.domain.ids import WalletId, wallet_journal
from clientela.domain.loyalty.ledger import LOYALTY
from clientela.domain.loyalty.membership import OpenWallet
from clientela.domain.loyalty.returns import ReturnReceived
from clientela.domain.loyalty.revocation import PointsRevoked
from clientela.domain.loyalty.wallet import Wallet
from clientela.services.follow_ups import DONE, FollowUps
from tests.domain.purchase.till import TEA, back, bought, line, wanted
from tests.services.firm import JOURNAL, OLGA, Firm


FAMILY = wallet_journal(WalletId(OLGA))
PROGRAMME = ApplyDefinitions.of(
    """
    [loyalty]
    currency = "EUR"
    enrol = "on-first-purchase"
    never_expires = true
    shortfall = "debt"

    [[loyalty.awards]]
    points = 1
    per_minor = 100
    rounding = "line"
    """
)
PIECES = 8


def follow_ups(firm: Firm) -> FollowUps:
    """Those of a company in which nobody owns anybody and nothing is refused."""

    async def owned_by(_employee_id):
        return ()

    def surprised(command, error):
        raise AssertionError(command) from error

    return FollowUps(firm.path, firm.store, owned_by, surprised)


async def wallet(firm: Firm) -> Wallet:
    """Olga's wallet, by folding all over again in a process that has seen nothing."""
    view = await firm.other((LOYALTY,)).path.read(FAMILY)
    return view.record.of(Wallet)


@pytest.fixture
async def firm():
    """Petra has bought pieces that were credited to Olga's wallet."""
    firm = await Firm(more=(LOYALTY,)).open()
    await firm.run(PROGRAMME)
    await firm.run(OpenWallet(client_id=OLGA))
    purchase = bought(1, line("1", TEA, PIECES, 100 * PIECES))
    await firm.run(attrs.evolve(purchase, wallet_id=WalletId(OLGA)))
    assert 0 == await follow_ups(firm).catch_up()
    assert PIECES == (await wallet(firm)).issued
    return firm


async def test_forwarded_return_takes_points_once(firm):
    """
    LOY-10: a return that names no wallet takes its points from the wallet of the purchase, once,
    though it is told again and the process loses its position.
    """
    returned = back("r", wanted(3, TEA), day=1)
    await firm.run(returned)
    assert ReturnForwarded is (await firm.events(JOURNAL))[-1]

    assert 1 == await follow_ups(firm).catch_up()
    await firm.run(returned)
    assert 0 == await follow_ups(firm).catch_up()
    await firm.store.note(DONE, "0")
    await follow_ups(firm).catch_up()

    assert [ReturnReceived, PointsRevoked] == (await firm.events(FAMILY))[-2:]
    assert 3 == (await wallet(firm)).revoked


async def test_parallel_returns_naming_any_wallet_take_everything_once(firm):
    """
    LOY-10: returns of two processes at the same time, half of them naming the wallet, more of them
    than there are pieces: what was earned is gone, and no more than that.
    """
    other = firm.other((LOYALTY,))
    names = (None, WalletId(OLGA))
    returns = [
        attrs.evolve(back(f"r{n}", wanted(1, TEA), day=1), wallet_id=names[n // 2 % 2])
        for n in range(PIECES + 4)
    ]

    await asyncio.gather(*((firm, other)[n % 2].run(each) for n, each in enumerate(returns)))
    await asyncio.gather(follow_ups(firm).catch_up(), follow_ups(other).catch_up())

    left = await wallet(firm)
    assert (PIECES, PIECES, 0) == (left.issued, left.revoked, left.debt)
    assert {} == left.lots
