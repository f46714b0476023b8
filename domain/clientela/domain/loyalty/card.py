"""
Cards that open a wallet's terms, and what happens to them (LOY-4, LOY-5).
"""

from __future__ import annotations

import enum

from typing import NewType

import attrs

from clientela.domain.event import Origin, event
from clientela.domain.ids import Code, Ref
from clientela.domain.personal import PersonalText


CardId = NewType("CardId", str)
"""Id of a card within its wallet; not its number."""


class CardKind(enum.Enum):
    """Whom a card is bound to."""

    PERSONAL = "personal"


class CardStatus(enum.Enum):
    """Where a card is in its life."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    REPLACED = "replaced"
    CLOSED = "closed"


@attrs.frozen(kw_only=True)
class Card:
    """
    A card of the wallet.

    Attributes:
        card_id: Which card.

        number: What is printed on it; personal.

        kind: Whom it is bound to.

        issued: The event that issued it; the holder of its number's key.

        status: Whether it may be used.

        changed: The event that gave it this status.

        successor: The card that replaced it.
    """

    card_id: CardId
    number: PersonalText
    kind: CardKind
    issued: Ref
    status: CardStatus
    changed: Ref
    successor: CardId | None = None


@event("card-issued", origin=Origin.DECIDED)
class CardIssued:
    """
    A wallet got a card (LOY-4, LOY-5).

    Attributes:
        card_id: The card.

        number: What is printed on it; personal.

        kind: Whom it is bound to.
    """

    card_id: CardId
    number: PersonalText
    kind: CardKind


@event("card-blocked", origin=Origin.DECIDED)
class CardBlocked:
    """
    A card was stopped (LOY-4).

    Attributes:
        card_id: The card.

        reason: Why.
    """

    card_id: CardId
    reason: Code


@event("card-unblocked", origin=Origin.DECIDED)
class CardUnblocked:
    """
    A blocked card may be used again (LOY-4).

    Attributes:
        card_id: The card.
    """

    card_id: CardId


@event("card-replaced", origin=Origin.DECIDED)
class CardReplaced:
    """
    A new card took the place of another; the balance stayed (LOY-4).

    Attributes:
        card_id: The card that was replaced.

        new_card_id: The new card.

        number: What is printed on the new card; personal.

        kind: Whom it is bound to.

        reason: Why.
    """

    card_id: CardId
    new_card_id: CardId
    number: PersonalText
    kind: CardKind
    reason: Code


@event("cards-closed", origin=Origin.DERIVED)
class CardsClosed:
    """
    The client behind the cards was erased; their numbers are free again (LOY-5).

    Attributes:
        card_ids: The cards.
    """

    card_ids: tuple[CardId, ...]
