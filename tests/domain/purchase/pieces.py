"""
An independent model of returns: every piece by itself, no grouping, no cleverness.
"""

from __future__ import annotations

from collections import Counter

import attrs


@attrs.define
class Piece:
    """One piece of a purchase line."""

    purchase: str
    line_id: str
    sku: str
    bought_on: int
    price_before: int
    price_after: int
    is_back: bool = False


@attrs.define
class Waiting:
    """Pieces of one line of a return that have no purchase."""

    on: int
    sku: str
    purchase: str | None
    line_id: str | None
    quantity: int
    refund: int


Took = tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]
"""Pieces and cents, each by purchase line."""


def nothing() -> Took:
    """No pieces, no cents."""
    return Counter(), Counter()


@attrs.define
class PieceModel:
    """
    What a client has, piece by piece.

    Attributes:
        pieces: All pieces ever bought, oldest purchase first, in the order of the lines.

        waiting: By return, in the order in which they came back.

        paid_back: Cents paid back for each line so far.

        cost: Cents each line cost.
    """

    pieces: list[Piece] = attrs.field(factory=list)
    waiting: dict[str, list[Waiting]] = attrs.field(factory=dict)
    paid_back: Counter[tuple[str, str]] = attrs.field(factory=Counter)
    cost: dict[tuple[str, str], int] = attrs.field(factory=dict)

    def buy(self, number, day, lines):
        """
        A purchase becomes known.

        Returns:
            For each waiting return that gets something: pieces and refund by purchase line.
        """
        new: list[Piece] = []
        for line_id, sku, quantity, net in lines:
            self.cost[number, line_id] = net
            new.extend(
                Piece(number, line_id, sku, day, net * i // quantity, net * (i + 1) // quantity)
                for i in range(quantity)
            )
        self.pieces = sorted([*self.pieces, *new], key=lambda piece: piece.bought_on)
        matched = {}
        for name, rests in sorted(self.waiting.items(), key=lambda item: item[1][0].on):
            took = nothing()
            still = []
            for rest in rests:
                left, refund = self._take(rest, new, took)
                if left:
                    still.append(attrs.evolve(rest, quantity=left, refund=refund))
            if took[0]:
                matched[name] = took
            self.waiting[name] = still
        self.waiting = {name: rests for name, rests in self.waiting.items() if rests}
        return matched

    def bring_back(self, number, day, wanted):
        """
        A return becomes known.

        Returns:
            Pieces and refund by purchase line, then pieces and refund without purchase.
        """
        took = nothing()
        rests = []
        for sku, quantity, refund, purchase, line_id in wanted:
            asked = Waiting(day, sku, purchase, line_id, quantity, refund)
            left, rest = self._take(asked, self.pieces, took)
            if left:
                rests.append(attrs.evolve(asked, quantity=left, refund=rest or 0))
        if rests:
            self.waiting[number] = rests
        return (*took, sum(r.quantity for r in rests), sum(r.refund for r in rests))

    def _take(self, wanted, pieces, took):
        """Piece by piece; what is left of the quantity and of the refund."""
        given = 0
        for done in range(wanted.quantity):
            piece = self._next(wanted, pieces)
            if piece is None:
                rest = None if wanted.refund is None else wanted.refund - given
                return wanted.quantity - done, rest
            piece.is_back = True
            line = piece.purchase, piece.line_id
            if wanted.refund is None:
                count = sum(p.is_back for p in self.pieces if (p.purchase, p.line_id) == line)
                share = self._price(line, count)
                cents = min(share, max(self.cost[line] - self.paid_back[line], 0))
            else:
                cents = (
                    wanted.refund * (done + 1) // wanted.quantity
                    - wanted.refund * done // wanted.quantity
                )
            given += cents
            self.paid_back[line] += cents
            took[0][line] += 1
            took[1][line] += cents
        return 0, 0

    def _price(self, line, count):
        """What the piece costs that comes back as the one of this number."""
        piece = [p for p in self.pieces if (p.purchase, p.line_id) == line][count - 1]
        return piece.price_after - piece.price_before

    @staticmethod
    def _next(wanted, pieces):
        for piece in pieces:
            if piece.is_back:
                continue
            if wanted.purchase is None and piece.bought_on > wanted.on:
                continue
            if wanted.purchase not in {None, piece.purchase}:
                continue
            if wanted.line_id not in {None, piece.line_id}:
                continue
            if wanted.sku not in {None, piece.sku}:
                continue
            return piece
        return None
