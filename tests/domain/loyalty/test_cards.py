"""
Cards: issued, blocked, replaced.
"""

from __future__ import annotations

import pytest

from clientela.domain.errors import InvalidValueError, KeyTakenError, UnknownError
from clientela.domain.event import Key
from clientela.domain.facts import ClientErased
from clientela.domain.fingerprint import MismatchError
from clientela.domain.ids import Code, WalletId, client_journal
from clientela.domain.loyalty.balance import balance
from clientela.domain.loyalty.card import (
    CardBlocked,
    CardId,
    CardIssued,
    CardReplaced,
    CardsClosed,
    CardStatus,
    CardUnblocked,
)
from clientela.domain.loyalty.card_use import card_held_by, card_of
from clientela.domain.loyalty.cards import (
    CARD_SCOPE,
    CARDS_MAX,
    BlockCard,
    IssueCard,
    ReplaceCard,
    UnblockCard,
)
from clientela.domain.loyalty.ledger import asks
from clientela.domain.loyalty.refusals import (
    CardBlockedError,
    CardClosedError,
    CardLimitError,
    CardReplacedError,
)
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.personal import Personal, Sealed
from tests.domain.loyalty.shop import PETRA, WALLET, Shop, Write, bought, key, line
from tests.domain.spec import AT


BLUE = CardId("blue")
GOLD = CardId("gold")
NUMBER = "2900 0000 1234"
OTHER = "2900 0000 9999"
LOST = Code("lost")


@pytest.fixture
def shop() -> Shop:
    """Petra has 10 points and a blue card."""
    shop = Shop()
    shop.write(bought(1, line("a", 1000)))
    shop.when(issue())
    return shop


def issue(card_id: CardId = BLUE, number: str = NUMBER) -> IssueCard:
    """Petra gets a card."""
    return IssueCard(wallet_id=WALLET, card_id=card_id, number=Personal(number))


def replace(card_id: CardId = BLUE, number: str = OTHER) -> ReplaceCard:
    """Petra gets a golden card for another one."""
    return ReplaceCard(
        wallet_id=WALLET,
        card_id=card_id,
        new_card_id=GOLD,
        number=Personal(number),
        reason=LOST,
    )


def pay(card_id: CardId, number: object = "s1") -> SpendPoints:
    """Petra shows a card and pays with one point."""
    return SpendPoints(wallet_id=WALLET, spend=key(number), points=1, card_id=card_id)


def number_key(shop: Shop, number: str = NUMBER) -> Key:
    """Key of a card number however it is written."""
    return shop.context().key("card", shop.forms.normal(Code("card"), number))


def test_card_is_bound_to_its_client_and_its_number_is_sealed(shop):
    """
    LOY-5: a personal card is its client's, its number is kept sealed under the client's key.
    """
    event = shop.events[-1].event

    assert isinstance(event, CardIssued)
    assert isinstance(event.number, Sealed)
    assert client_journal(PETRA) == event.number.person
    assert NUMBER == shop.vault.open(event.number)
    assert CardStatus.ACTIVE is card_of(shop.wallet, BLUE).status


def test_card_is_found_by_its_number(shop):
    """
    LOY-5: the number, however it is written, leads to the wallet and the card.
    """
    holder = shop.holder(number_key(shop, "290000001234"))

    assert holder is not None
    assert card_of(shop.wallet, BLUE) == card_held_by(shop.wallet, holder.ref)
    assert None is card_held_by(shop.wallet, shop.events[0].ref)


def test_same_card_is_issued_once(shop):
    """
    LOY-4: issuing the same card again changes nothing; its number on another card is an error.
    """
    assert () == shop.when(issue())
    with pytest.raises(MismatchError):
        shop.when(issue(GOLD))
    with pytest.raises(InvalidValueError, match="card_id"):
        shop.when(issue(BLUE, OTHER))
    with pytest.raises(InvalidValueError, match="card_id"):
        shop.when(issue(CardId(""), OTHER))


def test_number_belongs_to_one_wallet_for_ever(shop):
    """
    LOY-5: a number in use elsewhere is refused, whoever asks.
    """
    elsewhere = shop.events[0].ref
    taken = shop.holder(number_key(shop))
    assert taken is not None
    shop._holders[number_key(shop, OTHER)] = type(taken)(elsewhere, taken.fingerprint)

    with pytest.raises(KeyTakenError):
        shop.when(issue(GOLD, OTHER))


def test_blocked_card_gives_no_terms_until_it_is_unblocked(shop):
    """
    LOY-4: a blocked card pays nothing; blocking twice changes nothing; unblocked it pays again.
    """
    block = BlockCard(wallet_id=WALLET, card_id=BLUE, reason=LOST)
    unblock = UnblockCard(wallet_id=WALLET, card_id=BLUE)

    assert () == shop.when(unblock)
    assert (CardBlocked(card_id=BLUE, reason=LOST),) == shop.when(block)
    blocked = shop.events[-1].ref
    assert () == shop.when(block)
    with pytest.raises(CardBlockedError) as refused:
        shop.when(pay(BLUE))
    assert (blocked,) == refused.value.because
    assert (CardUnblocked(card_id=BLUE),) == shop.when(unblock)
    assert 1 == len(shop.when(pay(BLUE)))


def test_member_without_a_card_still_pays(shop):
    """
    LOY-4: terms belong to the wallet; a member whose card is blocked pays without it.
    """
    shop.when(BlockCard(wallet_id=WALLET, card_id=BLUE, reason=LOST))

    assert 1 == len(shop.when(SpendPoints(wallet_id=WALLET, spend=key("s1"), points=1)))


@pytest.mark.parametrize("blocked_first", [True, False])
def test_replaced_card_keeps_the_balance_and_is_refused(shop, blocked_first):
    """
    LOY-4: the balance stays, the new card pays, the old one says that there is a new one.
    """
    if blocked_first:
        shop.when(BlockCard(wallet_id=WALLET, card_id=BLUE, reason=LOST))
    before = balance(shop.wallet, AT)

    (replaced,) = shop.when(replace())

    assert isinstance(replaced, CardReplaced)
    assert before == balance(shop.wallet, AT)
    assert () == shop.when(replace())
    with pytest.raises(CardReplacedError) as refused:
        shop.when(pay(BLUE))
    assert {"rule": "LOY-4", "new_card": "gold"} == refused.value.details()
    assert 1 == len(shop.when(pay(GOLD, "s2")))
    holder = shop.holder(number_key(shop, OTHER))
    assert holder is not None
    assert card_of(shop.wallet, GOLD) == card_held_by(shop.wallet, holder.ref)


def test_replaced_card_is_neither_blocked_nor_replaced_again(shop):
    """
    LOY-4: what was replaced stays so.
    """
    shop.when(replace())

    for command in (
        BlockCard(wallet_id=WALLET, card_id=BLUE, reason=LOST),
        UnblockCard(wallet_id=WALLET, card_id=BLUE),
        ReplaceCard(
            wallet_id=WALLET,
            card_id=BLUE,
            new_card_id=CardId("black"),
            number=Personal("77"),
            reason=LOST,
        ),
    ):
        with pytest.raises(CardReplacedError):
            shop.when(command)


def test_card_needs_a_wallet_and_a_card_that_is_there(shop):
    """
    LOY-4: cards are issued to a wallet there is, and only its own are blocked.
    """
    with pytest.raises(UnknownError, match="no card gold"):
        shop.when(BlockCard(wallet_id=WALLET, card_id=GOLD, reason=LOST))
    with pytest.raises(UnknownError, match="no wallet nobody"):
        shop.when(IssueCard(wallet_id=WalletId("nobody"), card_id=GOLD, number=Personal(OTHER)))


def test_wallet_has_a_limited_number_of_cards(shop):
    """
    LOY-4: a wallet holds at most `CARDS_MAX` cards, replaced ones included.
    """
    for number in range(1, CARDS_MAX):
        shop.when(issue(CardId(f"c{number}"), f"n{number}"))

    with pytest.raises(CardLimitError, match="at most 100 cards"):
        shop.when(issue(GOLD, OTHER))


def test_cards_of_an_erased_client_end_and_their_numbers_are_free(shop):
    """
    LOY-5: with the client the cards end, nothing leads from a number to the wallet any more, and
    the points stay in the sums.
    """
    shop.when(replace())

    closed = shop.write(ClientErased(client_id=PETRA, act=Code("7")))
    shop.vault.forget(client_journal(PETRA))

    assert (CardsClosed(card_ids=(BLUE, GOLD)),) == closed
    assert (None, None) == (shop.holder(number_key(shop)), shop.holder(number_key(shop, OTHER)))
    with pytest.raises(CardClosedError, match="closed"):
        shop.when(pay(GOLD))
    with pytest.raises(CardClosedError):
        shop.when(BlockCard(wallet_id=WALLET, card_id=BLUE, reason=LOST))
    assert 10 == balance(shop.wallet, AT).points
    assert () == shop.write(ClientErased(client_id=PETRA, act=Code("8")))


def test_closing_rests_on_the_erasure_and_on_each_card(shop):
    """
    LOY-5: what ends with the client is what had been issued; every key of a card number is given
    back, also one that its number would not make any more.
    """
    shop.when(replace())
    issued, replaced = (recorded.ref for recorded in shop.events[-2:])
    erased = Write((ClientErased(client_id=PETRA, act=Code("7")),))

    decision = shop.run(erased)

    closed = decision.events[-1]
    assert CardsClosed is closed.event_class
    assert (decision.events[0].ref, issued, replaced) == closed.because
    assert "identity.erasure" == closed.rule
    assert (CARD_SCOPE,) == decision.forget_scopes
    assert {number_key(shop), number_key(shop, OTHER)} == set(decision.release)


def test_card_whose_number_nobody_can_read_any_more_reserves_nothing(shop):
    """
    LOY-5: a history asked again after its client was erased comes to the same card, without a key.
    """
    issued = shop.events[-1]
    shop.vault.forget(client_journal(PETRA))
    command = asks(issued)
    assert isinstance(command, IssueCard)
    again = Shop()
    again.vault = shop.vault
    again.write(bought(1, line("a", 1000)))

    assert (issued.event,) == again.when(command)
    assert None is again.holder(number_key(shop))
