"""
Issuing, blocking and replacing cards (LOY-4, LOY-5).

A card is found by the keyed hash of its number and belongs to one wallet for ever; the balance is
the wallet's, so a replaced card takes nothing with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

import attrs

from clientela.domain.context import Context, Naming
from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.event import Key, PendingEvent, RecordedEvent
from clientela.domain.ids import (
    ID_LENGTH_MAX,
    Code,
    JournalId,
    JournalKind,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.loyalty.card import (
    CardBlocked,
    CardId,
    CardIssued,
    CardKind,
    CardReplaced,
    CardsClosed,
    CardStatus,
    CardUnblocked,
)
from clientela.domain.loyalty.card_use import card_of, check_open
from clientela.domain.loyalty.refusals import CardLimitError
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.personal import Personal, PersonalText
from clientela.domain.record import Record


CARDS_MAX = 100
"""Cards of one wallet, replaced ones included."""

CARD_SCOPE = Code("card")
"""Scope of the keys of card numbers, and their kind for normal forms."""


@attrs.frozen(kw_only=True)
class IssueCard:
    """
    Give a wallet a personal card (LOY-5).

    Attributes:
        wallet_id: The wallet.

        card_id: Id of the new card in the wallet, 1 to 64 characters, not its number.

        number: What is printed on it; personal.

        occurred_at: When, if not now.
    """

    wallet_id: WalletId
    card_id: CardId
    number: PersonalText
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The wallet's."""
        return (wallet_journal(self.wallet_id),)


@attrs.frozen(kw_only=True)
class BlockCard:
    """
    Stop a card: lost, stolen, misused.

    Attributes:
        wallet_id: The wallet.

        card_id: The card.

        reason: Code of the company's list.

        occurred_at: When, if not now.
    """

    wallet_id: WalletId
    card_id: CardId
    reason: Code
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The wallet's."""
        return (wallet_journal(self.wallet_id),)


@attrs.frozen(kw_only=True)
class UnblockCard:
    """
    Let a blocked card be used again.

    Attributes:
        wallet_id: The wallet.

        card_id: The card.

        occurred_at: When, if not now.
    """

    wallet_id: WalletId
    card_id: CardId
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The wallet's."""
        return (wallet_journal(self.wallet_id),)


@attrs.frozen(kw_only=True)
class ReplaceCard:
    """
    Give out a new card in the place of an active or blocked one.

    Attributes:
        wallet_id: The wallet.

        card_id: The card to be replaced.

        new_card_id: Id of the new card in the wallet.

        number: What is printed on the new card; personal.

        reason: Code of the company's list.

        occurred_at: When, if not now.
    """

    wallet_id: WalletId
    card_id: CardId
    new_card_id: CardId
    number: PersonalText
    reason: Code
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The wallet's."""
        return (wallet_journal(self.wallet_id),)


CardCommand = IssueCard | BlockCard | UnblockCard | ReplaceCard


def keys(command: CardCommand, naming: Naming) -> tuple[Key, ...]:
    """The key of a new card's number."""
    if isinstance(command, IssueCard | ReplaceCard):
        return _key(command.number, naming)
    return ()


def card_key(number: Personal, naming: Naming) -> Key:
    """The key under which a card's number is reserved and looked up."""
    return naming.key(CARD_SCOPE, naming.forms.normal(CARD_SCOPE, number.text))


def _key(number: PersonalText, naming: Naming) -> tuple[Key, ...]:
    """Key of a number; none where the person was erased and nobody knows it any more."""
    text = number.text if isinstance(number, Personal) else naming.vault.open(number)
    if text is None:
        return ()
    return (card_key(Personal(text), naming),)


def decide(record: Record, command: CardCommand, context: Context) -> Iterable[PendingEvent]:
    """
    Issue, block, unblock or replace a card.

    Raises:
        UnknownError: no such wallet or card.

        CardReplacedError: the card was replaced by another.

        CardClosedError: the client behind the card was erased.

        CardLimitError: the wallet has too many cards.

        KeyTakenError: the number is another wallet's.

        MismatchError: the number was used for another card of this wallet.
    """
    wallet = record.of(Wallet)
    if wallet.opened is None:
        raise UnknownError("wallet", command.wallet_id)
    match command:
        case IssueCard() | ReplaceCard():
            key = _key(command.number, context)
            if key and record.is_done(key[0], JournalKind.WALLET, context.fingerprint):
                return ()
            return (_new(wallet, command, key),)
        case BlockCard() | UnblockCard():
            return _switch(wallet, command)
        case _:
            assert_never(command)


def _new(wallet: Wallet, command: IssueCard | ReplaceCard, key: tuple[Key, ...]) -> PendingEvent:
    number = _of_holder(command.number, wallet)
    assert wallet.opened is not None
    if isinstance(command, IssueCard):
        _check_new(wallet, command.card_id)
        issued = CardIssued(card_id=command.card_id, number=number, kind=CardKind.PERSONAL)
        return PendingEvent(issued, rule="LOY-5", because=(wallet.opened,), reserve=key)
    old = card_of(wallet, command.card_id)
    check_open(old)
    _check_new(wallet, command.new_card_id)
    replaced = CardReplaced(
        card_id=command.card_id,
        new_card_id=command.new_card_id,
        number=number,
        kind=old.kind,
        reason=command.reason,
    )
    return PendingEvent(replaced, rule="LOY-4", because=(old.issued,), reserve=key)


def _check_new(wallet: Wallet, card_id: CardId) -> None:
    if len(wallet.cards) >= CARDS_MAX:
        raise CardLimitError(CARDS_MAX)
    if not 1 <= len(card_id) <= ID_LENGTH_MAX or card_id in wallet.cards:
        raise InvalidValueError("card_id", f"a new id of 1 to {ID_LENGTH_MAX} characters")


def _of_holder(number: PersonalText, wallet: Wallet) -> PersonalText:
    """The number as a personal value of the client behind the wallet, if there is one."""
    if isinstance(number, Personal) and number.person is None and wallet.client_id is not None:
        return attrs.evolve(number, person=client_journal(wallet.client_id))
    return number


def _switch(wallet: Wallet, command: BlockCard | UnblockCard) -> Iterable[PendingEvent]:
    card = card_of(wallet, command.card_id)
    check_open(card)
    changed: CardBlocked | CardUnblocked
    if isinstance(command, BlockCard):
        changed = CardBlocked(card_id=card.card_id, reason=command.reason)
        is_so = card.status is CardStatus.BLOCKED
    else:
        changed = CardUnblocked(card_id=card.card_id)
        is_so = card.status is CardStatus.ACTIVE
    return () if is_so else (PendingEvent(changed, rule="LOY-4", because=(card.changed,)),)


def close(wallet: Wallet, erased: RecordedEvent, naming: Naming) -> Iterable[PendingEvent]:
    """When the client behind a wallet is erased, its cards end and their numbers are given back."""
    cards = [card for card in wallet.cards.values() if card.status is not CardStatus.CLOSED]
    if cards and wallet.client_id == erased.event.client_id:
        closed = CardsClosed(card_ids=tuple(card.card_id for card in cards))
        release = tuple(key for card in cards for key in _key(card.number, naming))
        yield PendingEvent(
            closed,
            rule="identity.erasure",
            because=(erased.ref, *(card.issued for card in cards)),
            release=release,
            forget_scopes=(CARD_SCOPE,),
        )


def asked(
    changed: CardIssued | CardBlocked | CardUnblocked | CardReplaced,
    wallet_id: WalletId,
    at: datetime,
) -> CardCommand:
    """The command behind a change of a card."""
    card_id = changed.card_id
    match changed:
        case CardIssued(number=number):
            return IssueCard(wallet_id=wallet_id, card_id=card_id, number=number, occurred_at=at)
        case CardBlocked(reason=reason):
            return BlockCard(wallet_id=wallet_id, card_id=card_id, reason=reason, occurred_at=at)
        case CardUnblocked():
            return UnblockCard(wallet_id=wallet_id, card_id=card_id, occurred_at=at)
        case CardReplaced():
            return ReplaceCard(
                wallet_id=wallet_id,
                card_id=card_id,
                new_card_id=changed.new_card_id,
                number=changed.number,
                reason=changed.reason,
                occurred_at=at,
            )
        case _:
            assert_never(changed)
