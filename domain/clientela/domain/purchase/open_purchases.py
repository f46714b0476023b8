"""
Open purchases, packed: what may still come back of hundreds of purchases, one to a line.

    purchase | last day for returns | version | moment | currency | wallet | lines, six parts each

Purchases whose last day comes first stand first, those without one last, so that what can no
longer come back is found at the begin.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import attrs

from clientela.domain import packed
from clientela.domain.facts import BusinessKey, ReturnedLine
from clientela.domain.ids import BusinessId, Code, JournalId, Ref, WalletId
from clientela.domain.packed import FIELD, LINE, PART, Packed


_PARTS = 6
_NEVER = date.max.toordinal() + 1


@attrs.frozen(kw_only=True)
class OpenLine:
    """
    A purchase line and how much of it the client still has.

    Attributes:
        line_id: Which line.

        sku: What was bought.

        bought: Pieces bought.

        left: Pieces not returned, 0 to *bought*.

        net_minor: What the line cost, in minor units of the purchase's currency.

        refunded_minor: What was paid back for it so far.
    """

    line_id: Code
    sku: Code
    bought: int
    left: int
    net_minor: int
    refunded_minor: int = 0

    def less(self, back: ReturnedLine) -> OpenLine:
        """This line after *back* of it came back."""
        return attrs.evolve(
            self,
            left=self.left - back.quantity,
            refunded_minor=self.refunded_minor + back.refund.minor,
        )


@attrs.frozen(kw_only=True)
class OpenPurchase:
    """
    A purchase of which something may still come back.

    Attributes:
        purchase: Its identity.

        ref: Its event.

        occurred_at: When it was made.

        currency: Its currency.

        wallet_id: The wallet it was credited to.

        returnable_until: Last calendar day for returns; None without limit.

        lines: Its lines.
    """

    purchase: BusinessKey
    ref: Ref
    occurred_at: datetime
    currency: str
    wallet_id: WalletId
    returnable_until: date | None
    lines: tuple[OpenLine, ...]

    def is_returnable(self, day: date) -> bool:
        """Whether lines may come back on *day*."""
        return self.returnable_until is None or day <= self.returnable_until


def unpacked(text: Packed, home: JournalId) -> Iterator[OpenPurchase]:
    """The purchases of a text; *home* is the client's journal."""
    return (_purchase_in(line, home) for line in packed.lines(text))


def with_purchase(text: Packed, purchase: OpenPurchase, home: JournalId) -> Packed:
    """*text* with *purchase* in its place, and in the place of what it was."""
    return packed.sorted_in(without(text, purchase.purchase), _line_of(purchase, home), _until)


def without(text: Packed, purchase: BusinessKey) -> Packed:
    """*text* without *purchase*, if it has it."""
    return packed.without(text, str(purchase))


def found(text: Packed, purchase: BusinessKey, home: JournalId) -> OpenPurchase | None:
    """*purchase* as it stands in *text*; None if it does not."""
    line = packed.line(text, str(purchase))
    return None if line is None else _purchase_in(line, home)


def closed_before(text: Packed, day: date) -> Packed:
    """*text* without purchases of which nothing may come back on *day* or later."""
    begin, ordinal = 0, day.toordinal()
    while begin < len(text) and _until(text[begin : text.index(LINE, begin)]) < ordinal:
        begin = text.index(LINE, begin) + 1
    return Packed(text[begin:]) if begin else text


def _until(line: str) -> int:
    until = line.split(FIELD, 2)[1]
    return int(until) if until else _NEVER


def _line_of(purchase: OpenPurchase, home: JournalId) -> str:
    until, own = purchase.returnable_until, purchase.wallet_id == home.id
    parts = PART.join(
        f"{packed.word(line.line_id)},{packed.word(line.sku)},{line.bought},{line.left},"
        f"{line.net_minor},{line.refunded_minor}"
        for line in purchase.lines
    )
    return FIELD.join(
        (
            packed.word(str(purchase.purchase)),
            "" if until is None else str(until.toordinal()),
            packed.reference(purchase.ref, home),
            packed.instant(purchase.occurred_at),
            purchase.currency,
            "" if own else packed.word(purchase.wallet_id),
            parts,
        )
    )


def _purchase_in(line: str, home: JournalId) -> OpenPurchase:
    key, until, version, at, currency, wallet_id, rest = line.split(FIELD)
    source, _, id_ = packed.unword(key).partition(":")
    parts = rest.split(PART) if rest else []
    return OpenPurchase(
        purchase=BusinessKey(Code(source), BusinessId(id_)),
        ref=packed.ref_of(version, home),
        occurred_at=packed.moment_of(at),
        currency=currency,
        wallet_id=WalletId(packed.unword(wallet_id) or home.id),
        returnable_until=date.fromordinal(int(until)) if until else None,
        lines=tuple(_line_in(parts[i : i + _PARTS]) for i in range(0, len(parts), _PARTS)),
    )


def _line_in(parts: list[str]) -> OpenLine:
    line_id, sku, bought, left, net_minor, refunded_minor = parts
    return OpenLine(
        line_id=Code(packed.unword(line_id)),
        sku=Code(packed.unword(sku)),
        bought=int(bought),
        left=int(left),
        net_minor=int(net_minor),
        refunded_minor=int(refunded_minor),
    )
