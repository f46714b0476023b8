"""
Finding a wallet's cards, and whether one may be used (LOY-4).
"""

from __future__ import annotations

import attrs

from clientela.domain.errors import UnknownError
from clientela.domain.ids import Ref
from clientela.domain.loyalty.card import (
    Card,
    CardBlocked,
    CardId,
    CardIssued,
    CardReplaced,
    CardsClosed,
    CardStatus,
    CardUnblocked,
)
from clientela.domain.loyalty.refusals import CardBlockedError, CardClosedError, CardReplacedError
from clientela.domain.loyalty.wallet import Wallet


def check_open(card: Card) -> None:
    """
    Check that the card's life has not ended.

    Raises:
        CardReplacedError: another card took its place.

        CardClosedError: the client behind it was erased.
    """
    if card.status is CardStatus.CLOSED:
        raise CardClosedError((card.changed,))
    if card.successor is not None:
        raise CardReplacedError(card.successor, (card.changed,))


def card_of(wallet: Wallet, card_id: CardId) -> Card:
    """
    The card of this id.

    Raises:
        UnknownError: the wallet has none.
    """
    if card_id not in wallet.cards:
        raise UnknownError("card", card_id)
    return wallet.cards[card_id]


def card_held_by(wallet: Wallet, holder: Ref) -> Card | None:
    """The card whose number's key was taken by the event at *holder*: how a number is looked up."""
    return next((card for card in wallet.cards.values() if card.issued == holder), None)


def usable(wallet: Wallet, card_id: CardId) -> Card:
    """
    The card, if it gives its holder the terms of the programme (LOY-4).

    Raises:
        UnknownError: the wallet has no such card.

        CardBlockedError: it is blocked.

        CardReplacedError: it was replaced by another.

        CardClosedError: the client behind it was erased.
    """
    card = card_of(wallet, card_id)
    check_open(card)
    if card.status is CardStatus.BLOCKED:
        raise CardBlockedError((card.changed,))
    return card


def fold_issued(draft: Wallet, issued: CardIssued, ref: Ref) -> None:
    """The wallet has one card more."""
    draft.cards[issued.card_id] = _active(issued.card_id, issued, ref)


def fold_status(draft: Wallet, changed: CardBlocked | CardUnblocked, ref: Ref) -> None:
    """The card may no longer, or may again, be used."""
    status = CardStatus.BLOCKED if isinstance(changed, CardBlocked) else CardStatus.ACTIVE
    card = draft.cards.get(changed.card_id)
    if card is not None:
        draft.cards[changed.card_id] = attrs.evolve(card, status=status, changed=ref)


def fold_replaced(draft: Wallet, replaced: CardReplaced, ref: Ref) -> None:
    """The wallet has a card in the place of another."""
    card = draft.cards.get(replaced.card_id)
    if card is not None:
        draft.cards[replaced.card_id] = attrs.evolve(
            card, status=CardStatus.REPLACED, changed=ref, successor=replaced.new_card_id
        )
    draft.cards[replaced.new_card_id] = _active(replaced.new_card_id, replaced, ref)


def fold_closed(draft: Wallet, closed: CardsClosed, ref: Ref) -> None:
    """The cards are nobody's any more."""
    for card_id in closed.card_ids:
        card = draft.cards.get(card_id)
        if card is not None:
            draft.cards[card_id] = attrs.evolve(card, status=CardStatus.CLOSED, changed=ref)


def _active(card_id: CardId, made: CardIssued | CardReplaced, ref: Ref) -> Card:
    return Card(
        card_id=card_id,
        number=made.number,
        kind=made.kind,
        issued=ref,
        status=CardStatus.ACTIVE,
        changed=ref,
    )
