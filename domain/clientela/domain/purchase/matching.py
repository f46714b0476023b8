"""
Which purchase lines returned pieces came from.

Named purchase and line first, then the named purchase's lines of that article, and where nothing
is named the client's oldest purchase of the article with pieces left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

import attrs

from clientela.domain.facts import BusinessKey, ReturnedLine, UnmatchedLine
from clientela.domain.ids import Code
from clientela.domain.money import Money
from clientela.domain.purchase.open_purchases import OpenLine, OpenPurchase


@attrs.frozen(kw_only=True)
class Wanted:
    """
    Pieces that came back, before their purchase is looked for.

    Attributes:
        quantity: Pieces, 1 or more.

        refund: What was paid back for all of them; None means their share of what they cost, and
            nothing for pieces whose purchase is not known yet.

        sku: What it is; may be left out where purchase and line are named.

        purchase: The purchase named, if any.

        line_id: The line named, if any.
    """

    quantity: int
    refund: Money | None = None
    sku: Code | None = None
    purchase: BusinessKey | None = None
    line_id: Code | None = None


class Shelf:
    """
    What a client can still bring back; pieces taken are gone for the next line.

    Args:
        purchases: What is open, in any order.
    """

    def __init__(self, purchases: Iterable[OpenPurchase]) -> None:
        self._purchases = sorted(purchases, key=lambda p: (p.occurred_at, p.ref.version))
        self._lines: dict[tuple[BusinessKey, Code], OpenLine] = {}

    def take(
        self, wanted: Wanted, currency: str, day: date, at: datetime
    ) -> tuple[tuple[ReturnedLine, ...], UnmatchedLine | None]:
        """
        Take the pieces wanted.

        Args:
            wanted: What came back.

            currency: Of the return.

            day: The calendar day on which it came back.

            at: The moment; where no purchase is named, only one made by then can be meant.

        Returns:
            The lines they came from, oldest purchase first, and the rest for which none was found.
        """
        parts = tuple(self._parts(wanted, currency, day, at))
        missing = wanted.quantity - sum(quantity for _, _, quantity in parts)
        refunds = _split(wanted, [(line, quantity) for _, line, quantity in parts])
        matched = tuple(
            self._took(purchase, line, quantity, Money(refund, currency))
            for (purchase, line, quantity), refund in zip(parts, refunds, strict=False)
        )
        if not missing:
            return matched, None
        return matched, UnmatchedLine(
            sku=wanted.sku or unnamed_article(wanted.line_id),
            quantity=missing,
            refund=Money(refunds[-1], currency),
            purchase=wanted.purchase,
            line_id=wanted.line_id,
        )

    def _took(
        self, purchase: OpenPurchase, line: OpenLine, quantity: int, refund: Money
    ) -> ReturnedLine:
        back = ReturnedLine(
            purchase=purchase.purchase,
            line_id=line.line_id,
            sku=line.sku,
            quantity=quantity,
            refund=refund,
        )
        self._lines[purchase.purchase, line.line_id] = line.less(back)
        return back

    def _parts(
        self, wanted: Wanted, currency: str, day: date, at: datetime
    ) -> Iterator[tuple[OpenPurchase, OpenLine, int]]:
        missing = wanted.quantity
        for purchase, bought in self._candidates(wanted, currency, day, at):
            line = self._lines.get((purchase.purchase, bought.line_id), bought)
            quantity = min(missing, line.left)
            if quantity > 0:
                missing -= quantity
                yield purchase, line, quantity
            if not missing:
                return

    def _candidates(
        self, wanted: Wanted, currency: str, day: date, at: datetime
    ) -> Iterator[tuple[OpenPurchase, OpenLine]]:
        for purchase in self._purchases:
            if wanted.purchase not in {None, purchase.purchase}:
                continue
            if wanted.purchase is None and purchase.occurred_at > at:
                continue
            if purchase.currency != currency or not purchase.is_returnable(day):
                continue
            for line in purchase.lines:
                if wanted.line_id not in {None, line.line_id} or wanted.sku not in {None, line.sku}:
                    continue
                yield purchase, line


def unnamed_article(line_id: Code | None) -> Code:
    """What stands for the article where only purchase and line were named."""
    return Code(f"line {line_id}")


def _split(wanted: Wanted, parts: Iterable[tuple[OpenLine, int]]) -> list[int]:
    """
    The refund in minor units of each part and, last, of the pieces without purchase.

    A stated refund is spread by pieces, what is left over by rounding going to the last. Without
    one each part gets its share of what the line cost, and pieces without purchase nothing.
    """
    parts = list(parts)
    if wanted.refund is None:
        return [*(_share(line, quantity) for line, quantity in parts), 0]
    shares: list[int] = []
    pieces = 0
    given = 0
    for _, quantity in parts:
        pieces += quantity
        upto = wanted.refund.minor * pieces // wanted.quantity
        shares.append(upto - given)
        given = upto
    return [*shares, wanted.refund.minor - given]


def _share(line: OpenLine, quantity: int) -> int:
    """What *quantity* pieces cost; with all that was paid back before never more than the line."""
    back = line.bought - line.left
    share = line.net_minor * (back + quantity) // line.bought - line.net_minor * back // line.bought
    return min(share, max(line.net_minor - line.refunded_minor, 0))
