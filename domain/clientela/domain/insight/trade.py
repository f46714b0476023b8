"""
Trade: purchases and returns summed, of one client or of the whole company.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from clientela.domain.facts import (
    PurchaseRecorded,
    ReturnedLine,
    ReturnMatched,
    ReturnRecorded,
    UnmatchedLine,
)
from clientela.domain.money import Money


TRADED = (PurchaseRecorded, ReturnRecorded, ReturnMatched)
"""Classes of the events that change these sums."""


@attrs.frozen(kw_only=True)
class Trade:
    """
    Sums of purchases and returns (REC-3). Money is in minor units by ISO 4217 currency.

    Attributes:
        purchases: Purchases, those of which everything came back included.

        pieces: Pieces bought.

        revenue: What was bought for, returns not taken off.

        returns: Returns.

        lines_matched: Returned lines whose purchase was known when they came back; pieces of one
            line that came from several purchases are several.

        lines_unmatched: Returned lines, or rests of them, whose purchase was not known then.

        pieces_matched: Pieces that came back and whose purchase is known by now.

        pieces_unmatched: Pieces that came back and whose purchase is still not known.

        refunds: What was paid back for all of them.

        refunds_unmatched: What was paid back for pieces whose purchase is still not known.

        waiting: Returns with such pieces.
    """

    purchases: int = 0
    pieces: int = 0
    revenue: dict[str, int] = attrs.field(factory=dict[str, int])
    returns: int = 0
    lines_matched: int = 0
    lines_unmatched: int = 0
    pieces_matched: int = 0
    pieces_unmatched: int = 0
    refunds: dict[str, int] = attrs.field(factory=dict[str, int])
    refunds_unmatched: dict[str, int] = attrs.field(factory=dict[str, int])
    waiting: int = 0

    def after(self, event: Any) -> Trade:
        """These sums after *event*; the same for one that is not among `TRADED`."""
        match event:
            case PurchaseRecorded(lines=lines, total=total):
                return attrs.evolve(
                    self,
                    purchases=self.purchases + 1,
                    pieces=self.pieces + sum(line.quantity for line in lines),
                    revenue=_plus(self.revenue, (total,)),
                )
            case ReturnRecorded() as returned:
                return self._after_return(returned)
            case ReturnMatched() as found:
                return self._after_match(found)
            case _:
                return self

    def _after_return(self, returned: ReturnRecorded) -> Trade:
        unmatched = returned.unmatched
        return attrs.evolve(
            self,
            returns=self.returns + 1,
            lines_matched=self.lines_matched + len(returned.matched),
            lines_unmatched=self.lines_unmatched + len(unmatched),
            pieces_matched=self.pieces_matched + _pieces(returned.matched),
            pieces_unmatched=self.pieces_unmatched + _pieces(unmatched),
            refunds=_plus(self.refunds, (returned.refund,)),
            refunds_unmatched=_plus(self.refunds_unmatched, (line.refund for line in unmatched)),
            waiting=self.waiting + bool(unmatched),
        )

    def _after_match(self, found: ReturnMatched) -> Trade:
        pieces = _pieces(found.matched)
        return attrs.evolve(
            self,
            pieces_matched=self.pieces_matched + pieces,
            pieces_unmatched=self.pieces_unmatched - pieces,
            refunds_unmatched=_plus(
                self.refunds_unmatched, (-line.refund for line in found.matched)
            ),
            waiting=self.waiting - (not found.unmatched),
        )


def _pieces(lines: Iterable[ReturnedLine | UnmatchedLine]) -> int:
    return sum(line.quantity for line in lines)


def _plus(sums: Mapping[str, int], amounts: Iterable[Money]) -> dict[str, int]:
    """*sums* with *amounts* added; a currency stays where it comes to nothing."""
    added = dict(sums)
    for amount in amounts:
        added[amount.currency] = added.get(amount.currency, 0) + amount.minor
    return added
