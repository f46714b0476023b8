"""
Who has a wallet.
"""

from __future__ import annotations

import attrs
import pytest

from clientela.domain.errors import UnknownError
from clientela.domain.ids import ClientId, Code, JournalKind, WalletId, wallet_journal
from clientela.domain.loyalty.membership import MemberEnrolled, OpenWallet, WalletOpened
from clientela.domain.loyalty.programme import Enrol
from clientela.domain.loyalty.spending import SpendPoints
from tests.domain.loyalty.shop import PETRA, WALLET, Shop, Write, bought, key, line, programme


def test_first_purchase_enrols_where_the_programme_says_so():
    """
    LOY-4: a client may take part by the first purchase, and only the first.
    """
    shop = Shop()

    assert (
        MemberEnrolled(wallet_id=WALLET, client_id=PETRA)
        == shop.write(bought(1, line("a", 1000)))[0]
    )
    assert MemberEnrolled not in map(type, shop.write(bought(2, line("a", 1000))))


def test_without_a_request_nobody_is_enrolled():
    """
    LOY-4: where clients ask to take part, a purchase without asking earns nothing and is recorded.
    """
    shop = Shop(programme(enrol=Enrol.ON_REQUEST))

    assert () == shop.write(bought(1, line("a", 1000)))
    assert None is shop.wallet.opened


def test_client_takes_part_on_request_once():
    """
    LOY-4: asking opens the wallet, asking again changes nothing, and no card is needed to earn.
    """
    shop = Shop(programme(enrol=Enrol.ON_REQUEST))

    assert (WalletOpened(wallet_id=WALLET, client_id=PETRA),) == shop.when(
        OpenWallet(client_id=PETRA)
    )
    assert () == shop.when(OpenWallet(client_id=PETRA))
    shop.write(bought(1, line("a", 1000)))
    assert 10 == shop.wallet.issued


def test_stranger_has_no_wallet():
    """
    LOY-5: a wallet is opened for a client on record, and points are spent from a wallet there is.
    """
    shop = Shop()

    with pytest.raises(UnknownError, match="no client nobody"):
        shop.when(OpenWallet(client_id=ClientId("nobody")))
    with pytest.raises(UnknownError, match="no wallet petra"):
        shop.when(SpendPoints(wallet_id=WALLET, spend=key(1), points=1))


def test_company_without_a_programme_gives_nothing():
    """
    LOY-10: without a section [loyalty] nobody earns anything.
    """
    shop = Shop(programme(awards=(), enrol=Enrol.ON_REQUEST, currency=Code("EUR")))

    assert () == shop.write(bought(1, line("a", 1000)))


def test_purchase_opens_no_wallet_but_the_clients_own():
    """
    LOY-5: a purchase into a wallet that is not the client's own, and that nobody opened, earns
    nothing.
    """
    shop = Shop()
    family = WalletId("family")
    purchase = attrs.evolve(  # type: ignore[misc]  # an event is an attrs class
        bought(1, line("a", 1000)), wallet_id=family
    )

    shop.when(Write((purchase,), wallet_id=family))

    assert not shop.record(wallet_journal(family)).exists(JournalKind.WALLET)
