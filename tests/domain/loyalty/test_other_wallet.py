"""
Returns that name another wallet than the one their purchase was credited to.
"""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from hypothesis import given, settings
from hypothesis.strategies import booleans, integers, lists, none, one_of, sampled_from, tuples

from clientela.domain.event import Origin
from clientela.domain.facts import ReturnForwarded, ReturnRecorded, Tender, TenderKind
from clientela.domain.fingerprint import MismatchError
from clientela.domain.ids import ClientId, Code, WalletId, client_journal, wallet_journal
from clientela.domain.loyalty.balance import balance, explain
from clientela.domain.loyalty.debt import DebtCreated
from clientela.domain.loyalty.expiry import PointsExpired
from clientela.domain.loyalty.ledger import LOYALTY
from clientela.domain.loyalty.membership import OpenWallet
from clientela.domain.loyalty.programme import Enrol, Programme, Shortfall
from clientela.domain.loyalty.restoration import PointsRestored
from clientela.domain.loyalty.returns import ReceiveReturn, ReturnReceived
from clientela.domain.loyalty.revocation import PointsRevoked
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.money import Money
from clientela.domain.purchase.matching import Wanted
from clientela.domain.purchase.recording import PURCHASE, RecordPurchase, RecordReturn
from tests.domain.loyalty.shop import EUR, PETRA, Nobody, follow_up, key, line, programme
from tests.domain.register import REGISTER, Register
from tests.domain.spec import AT, Scenario


OWN, FAMILY, CLUB, NOWHERE = (WalletId(name) for name in ("petra", "family", "club", "nowhere"))
WALLETS = (OWN, FAMILY, CLUB)


class Tills(Scenario):
    """
    Petra with a wallet of her own, and two more that her purchases may be credited to.

    Args:
        settings: The programme.
    """

    def __init__(self, settings: Programme | None = None) -> None:
        super().__init__(REGISTER, PURCHASE, LOYALTY, sections=[settings or programme()])
        for wallet_id in WALLETS:
            client_id = ClientId(wallet_id)
            self.when(Register(client_id=client_id), OpenWallet(client_id=client_id))

    def wallet(self, wallet_id: WalletId) -> Wallet:
        """A wallet now."""
        return self.record(wallet_journal(wallet_id)).of(Wallet)

    def of_wallet(self, wallet_id: WalletId) -> list[object]:
        """Events of a wallet."""
        return [recorded.event for recorded in self.history(wallet_journal(wallet_id))]

    @property
    def forwarded(self) -> list[tuple[str, WalletId, int]]:
        """Returns, the wallets they were forwarded to, pieces."""
        return [
            (event.return_key.id, event.wallet_id, sum(line.quantity for line in event.lines))
            for event in (e.event for e in self.history(client_journal(PETRA)))
            if isinstance(event, ReturnForwarded)
        ]


def buy(number: object, wallet_id: WalletId | None, *lines, points: int = 0) -> RecordPurchase:
    """Petra buys; what is credited goes to a wallet."""
    total = sum(each.net.minor for each in lines)
    worth = points * 10
    tenders = (
        Tender(kind=TenderKind.MONEY, amount=Money(total - worth, EUR)),
        Tender(kind=TenderKind.POINTS, amount=Money(worth, EUR), points=points),
    )
    return RecordPurchase(
        client_id=PETRA,
        purchase=key(number),
        lines=lines,
        tenders=tenders if points else (),
        wallet_id=wallet_id,
    )


def bring_back(
    number: object, wallet_id: WalletId | None, quantity: int, purchase: object = None
) -> RecordReturn:
    """Petra brings tea back and names a wallet, or none."""
    named = None if purchase is None else key(purchase)
    return RecordReturn(
        client_id=PETRA,
        return_key=key(number),
        currency=EUR,
        wallet_id=wallet_id,
        lines=(Wanted(quantity=quantity, sku=Code("tea"), purchase=named),),
    )


@pytest.mark.parametrize("named", [None, OWN, CLUB, NOWHERE])
def test_points_are_revoked_from_the_wallet_they_were_credited_to(named):
    """
    LOY-10: whichever wallet a return names, or if it names none, what its purchase earned is taken
    from where it was credited; the balance goes back to the purchase and the return.
    """
    shop = Tills()
    shop.when(buy(1, FAMILY, line("a", 1000, 2)))
    happened = AT + timedelta(hours=1)
    shop.at(AT + timedelta(days=1))
    shop.when(attrs.evolve(bring_back("r1", named, 1), occurred_at=happened))
    assert 10 == balance(shop.wallet(FAMILY), AT).available

    follow_up(shop)

    assert [("r1", FAMILY, 1)] == shop.forwarded
    assert (10, 5) == (shop.wallet(FAMILY).issued, shop.wallet(FAMILY).revoked)
    assert [ReturnReceived, PointsRevoked] == list(map(type, shop.of_wallet(FAMILY)[-2:]))
    asked = next(e for e in shop.events if isinstance(e.event, ReturnForwarded))
    received = shop.history(wallet_journal(FAMILY))[-2]
    bought = next(e for e in shop.events if e.version == asked.because[0].version)
    assert (asked.ref,) == received.because
    assert "PurchaseRecorded" == bought.event_class.__name__
    history = shop.history(wallet_journal(FAMILY))
    assert received.ref in explain(shop.wallet(FAMILY), history, AT).because
    assert (happened, happened) == (asked.occurred_at, received.occurred_at)


def test_return_that_names_the_right_wallet_is_not_forwarded():
    """
    LOY-10: points are taken at once, in the append of the return, and nothing is to be followed up.
    """
    shop = Tills()
    shop.when(buy(1, FAMILY, line("a", 1000, 2)))

    events = shop.when(bring_back("r1", FAMILY, 2))

    assert [ReturnRecorded, PointsRevoked] == list(map(type, events))
    assert (10, []) == (shop.wallet(FAMILY).revoked, shop.forwarded)
    assert 0 == follow_up(shop)


def test_forwarding_again_changes_nothing():
    """
    LOY-10: a return told twice, or a follow-up carried out twice, takes points once; the same
    return forwarded with other content is refused.
    """
    shop = Tills()
    returned = bring_back("r1", None, 1)
    shop.when(buy(1, FAMILY, line("a", 1000, 2)), returned)
    assert 2 == follow_up(shop)

    assert () == shop.when(returned)
    assert 0 == follow_up(shop)

    assert (5, 5) == (shop.wallet(FAMILY).revoked, balance(shop.wallet(FAMILY), AT).available)
    asked = next(e for e in shop.events if isinstance(e.event, ReturnForwarded))
    (command,) = shop.rulebook.follow_ups(asked, Nobody())
    assert isinstance(command, ReceiveReturn)
    with pytest.raises(MismatchError):
        shop.when(attrs.evolve(command, lines=()))


def test_return_of_purchases_of_several_wallets_takes_from_each_its_own():
    """
    LOY-10: the wallet named is charged at once, each other one by a follow-up of its own.
    """
    shop = Tills()
    for number, wallet_id in enumerate(WALLETS):
        shop.when(buy(number, wallet_id, line("a", 1000 * (number + 1))))

    shop.when(bring_back("r1", OWN, 3))
    assert [10, 0, 0] == [shop.wallet(wallet_id).revoked for wallet_id in WALLETS]
    follow_up(shop)

    assert [("r1", CLUB, 1), ("r1", FAMILY, 1)] == shop.forwarded
    assert [10, 20, 30] == [shop.wallet(wallet_id).revoked for wallet_id in WALLETS]
    assert [0, 0, 0] == [balance(shop.wallet(wallet_id), AT).points for wallet_id in WALLETS]


def test_points_that_paid_go_back_to_the_wallet_they_came_from():
    """
    LOY-10: a return naming another wallet gives spent points back to their lots; those whose time
    has passed expire at once (I16).
    """
    shop = Tills(programme(expires_after_months=1))
    shop.when(
        buy(1, FAMILY, line("a", 20_000, sku="cup")),
        SpendPoints(wallet_id=FAMILY, spend=key("s1"), points=50, purchase=key(2)),
        buy(2, FAMILY, line("a", 1000), points=50),
    )

    shop.at(AT + timedelta(days=60)).when(bring_back("r1", None, 1))
    follow_up(shop)

    events = shop.of_wallet(FAMILY)
    kinds = [type(event) for event in events]
    restored = events[kinds.index(PointsRestored)]
    assert isinstance(restored, PointsRestored)
    assert (50, 0) == (restored.points, balance(shop.wallet(FAMILY), shop.now).points)
    assert PointsExpired in kinds[kinds.index(PointsRestored) :]
    assert (205, 205) == (shop.wallet(FAMILY).issued, shop.wallet(FAMILY).expired)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Shortfall.DEBT, (Shortfall.DEBT, 10, 0)),
        (Shortfall.CLAMP, (Shortfall.CLAMP, 0, 10)),
        (Shortfall.DEDUCT_FROM_REFUND, (Shortfall.DEBT, 10, 0)),
    ],
)
def test_points_spent_before_the_return_are_owed_or_forgiven(policy, expected):
    """
    LOY-10: what is no longer there goes by the programme of the purchase; from a refund that was
    paid out by the time the wallet hears of it nothing can be deducted, so it is owed.
    """
    shop = Tills(programme(shortfall=policy))
    shop.when(
        buy(1, FAMILY, line("a", 1000)),
        SpendPoints(wallet_id=FAMILY, spend=key("s1"), points=10),
        bring_back("r1", None, 1),
    )

    follow_up(shop)

    wallet = shop.wallet(FAMILY)
    revoked = next(e for e in shop.of_wallet(FAMILY) if isinstance(e, PointsRevoked))
    assert expected == (revoked.policy, wallet.debt, wallet.forgiven)
    assert (None, 0) == (revoked.deducted, wallet.deducted)
    assert (expected[1] > 0) == any(isinstance(e, DebtCreated) for e in shop.of_wallet(FAMILY))


def test_return_that_waited_is_taken_by_the_wallet_of_its_purchase():
    """
    LOY-10: what comes back before its purchase is known is charged to the purchase's wallet as soon
    as that is known, whatever wallet the return named; there is nothing to forward.
    """
    shop = Tills()

    shop.when(bring_back("r1", CLUB, 1, purchase=1), buy(1, FAMILY, line("a", 1000, 2)))

    assert (5, []) == (shop.wallet(FAMILY).revoked, shop.forwarded)
    assert 0 == follow_up(shop)


def test_wallet_that_nobody_opened_hears_of_nothing():
    """
    LOY-10: a purchase into a wallet that is not open earned nothing, so its return takes nothing
    and leaves no journal behind.
    """
    shop = Tills(programme(enrol=Enrol.ON_REQUEST))
    shop.when(buy(1, NOWHERE, line("a", 1000)), bring_back("r1", None, 1))

    assert [("r1", NOWHERE, 1)] == shop.forwarded
    assert 0 == follow_up(shop)
    assert [] == shop.of_wallet(NOWHERE)


def test_only_forwarded_returns_are_asked_for_follow_ups():
    """
    Speed: purchases and points, which are many, need not be read again for the sake of follow-ups.
    """
    shop = Tills()

    assert {"return-forwarded"} == shop.rulebook.followed
    assert Origin.RECORDED is ReturnForwarded.__event__.origin  # type: ignore[attr-defined]


NAMED = one_of(none(), sampled_from((*WALLETS, NOWHERE)))
BOUGHT = lists(tuples(sampled_from(WALLETS), integers(1, 4)), min_size=1, max_size=4)


@given(
    bought=BOUGHT,
    policy=sampled_from(tuple(Shortfall)),
    parts=lists(tuples(NAMED, integers(1, 5), booleans()), min_size=1, max_size=6),
    last=NAMED,
)
@settings(deadline=None)
def test_after_everything_came_back_nothing_that_was_earned_is_left(bought, policy, parts, last):
    """
    LOY-10: any split of returns, naming any wallets, with follow-ups carried out sooner or later,
    takes back exactly what was earned, wallet by wallet (I13, I14, I15).
    """
    shop = Tills(programme(shortfall=policy))
    for number, (wallet_id, quantity) in enumerate(bought):
        shop.when(buy(number, wallet_id, line("a", 997 * (number + 1), quantity)))
    left = sum(quantity for _, quantity in bought)
    for number, (named, quantity, follows) in enumerate((*parts, (last, left, True))):
        if left:
            shop.when(bring_back(f"r{number}", named, min(quantity, left)))
            left -= min(quantity, left)
        if follows:
            follow_up(shop)

    assert 0 == left
    for wallet_id in WALLETS:
        wallet = shop.wallet(wallet_id)
        assert (wallet.issued, 0) == (wallet.revoked, balance(wallet, AT).points)
        assert (0, 0, 0) == (wallet.debt, wallet.forgiven, wallet.deducted)
