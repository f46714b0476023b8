"""
What the ledger of points refuses.

    RefusedError
      - InsufficientPointsError     more points than are available           LOY-10
      - ProgrammeInactiveError      the programme does not do this           LOY-10
      - CardBlockedError            the card is blocked                      LOY-4
      - CardReplacedError           another card took its place              LOY-4
      - CardClosedError             the client behind the card was erased    LOY-5
      - CardLimitError              as many cards as a wallet may have       LOY-4
    InvalidValueError
      - AmountNotPositiveError      points of 0 or less                      LOY-10
"""

from __future__ import annotations

from clientela.domain.errors import Category, InvalidValueError, RefusedError
from clientela.domain.ids import Code, Ref
from clientela.domain.loyalty.card import CardId
from clientela.domain.loyalty.lots import POINTS_MAX


class InsufficientPointsError(RefusedError):
    """
    More points are asked for than can be spent (LOY-10, loyalty invariant 6).

    Attributes:
        available: Points that can be spent.

        held: Points set aside.

        debt: Points owed.
    """

    reason = "INSUFFICIENT_POINTS"

    def __init__(self, available: int, held: int, debt: int, because: tuple[Ref, ...]) -> None:
        self.available = available
        self.held = held
        self.debt = debt
        super().__init__(
            f"only {available} points can be spent ({held} held, {debt} owed)",
            rule="LOY-10",
            because=because,
        )

    def details(self) -> dict[str, str]:
        """Rule, and points available, held and owed."""
        figures = {"available": self.available, "held": self.held, "debt": self.debt}
        return {**super().details(), **{name: str(points) for name, points in figures.items()}}


class ProgrammeInactiveError(RefusedError):
    """
    The programme in force does not do this.

    Attributes:
        setting: What it would have to state.
    """

    reason = "PROGRAMME_INACTIVE"

    def __init__(self, setting: Code) -> None:
        self.setting = setting
        super().__init__(f"the programme in force states no {setting}", rule="LOY-10")

    def details(self) -> dict[str, str]:
        """Rule and the missing setting."""
        return {**super().details(), "setting": self.setting}


class CardBlockedError(RefusedError):
    """The card is blocked and gives no terms (LOY-4)."""

    reason = "CARD_BLOCKED"

    def __init__(self, because: tuple[Ref, ...]) -> None:
        super().__init__("this card is blocked", rule="LOY-4", because=because)


class CardReplacedError(RefusedError):
    """
    Another card took the place of this one (LOY-4); the balance stayed with the wallet.

    Attributes:
        new_card: The card that did.
    """

    reason = "CARD_REPLACED"

    def __init__(self, new_card: CardId, because: tuple[Ref, ...]) -> None:
        self.new_card = new_card
        super().__init__("this card was replaced by a new one", rule="LOY-4", because=because)

    def details(self) -> dict[str, str]:
        """Rule and the new card."""
        return {**super().details(), "new_card": self.new_card}


class CardClosedError(RefusedError):
    """The client behind the card was erased; it is nobody's card any more (LOY-5)."""

    reason = "CARD_CLOSED"

    def __init__(self, because: tuple[Ref, ...]) -> None:
        super().__init__("this card is closed", rule="LOY-5", because=because)


class CardLimitError(RefusedError):
    """
    The wallet has as many cards as one may have.

    Attributes:
        most: How many that are.
    """

    reason = "CARD_LIMIT"
    category = Category.LIMIT

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(f"a wallet has at most {most} cards", rule="LOY-4")


class AmountNotPositiveError(InvalidValueError):
    """Points to move must be 1 or more."""

    reason = "AMOUNT_NOT_POSITIVE"

    def __init__(self) -> None:
        super().__init__("points", f"1 to {POINTS_MAX}")
