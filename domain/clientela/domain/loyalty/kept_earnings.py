"""
Earnings, packed: what each purchase earned, one to a line, until a return asks for it.

    purchase | issue | definition | shortfall | worth of points | lines, six parts each
"""

from __future__ import annotations

from collections.abc import Iterator

from clientela.domain import packed
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import BusinessId, Code, JournalId
from clientela.domain.loyalty.programme import PointValue, Shortfall
from clientela.domain.loyalty.traces import EarnedLine, Earning
from clientela.domain.money import Money
from clientela.domain.packed import FIELD, PART, Packed


_PARTS = 6


def earnings_in(text: Packed, home: JournalId) -> Iterator[tuple[BusinessKey, Earning]]:
    """The earnings of a text by purchase; *home* is the wallet's journal."""
    for line in packed.lines(text):
        source, _, id_ = packed.unword(line.partition(FIELD)[0]).partition(":")
        yield BusinessKey(Code(source), BusinessId(id_)), _earning_in(line, home)


def with_earning(text: Packed, purchase: BusinessKey, earning: Earning, home: JournalId) -> Packed:
    """*text* with what a purchase earned of which it says nothing."""
    return packed.with_line(text, _line_of(purchase, earning, home))


def without(text: Packed, purchase: BusinessKey) -> Packed:
    """*text* without what *purchase* earned."""
    return packed.without(text, str(purchase))


def found(text: Packed, purchase: BusinessKey, home: JournalId) -> Earning | None:
    """What *purchase* earned; None if *text* does not say."""
    line = packed.line(text, str(purchase))
    return None if line is None else _earning_in(line, home)


def _line_of(purchase: BusinessKey, earning: Earning, home: JournalId) -> str:
    rate = earning.rate
    worth = f"{rate.points},{rate.worth.minor},{rate.worth.currency}" if rate else ""
    lines = PART.join(
        f"{packed.word(line.line_id)},{line.quantity},{line.points},{line.returned},"
        f"{line.revoked},{line.excused}"
        for line in earning.lines
    )
    return FIELD.join(
        (
            packed.word(str(purchase)),
            packed.reference(earning.issue, home),
            packed.word(earning.definition or ""),
            earning.shortfall.value,
            worth,
            lines,
        )
    )


def _earning_in(line: str, home: JournalId) -> Earning:
    _, issue, definition, shortfall, worth, rest = line.split(FIELD)
    parts = rest.split(PART) if rest else []
    return Earning(
        issue=packed.ref_of(issue, home),
        definition=Code(packed.unword(definition)) if definition else None,
        shortfall=Shortfall(shortfall),
        rate=_rate(worth),
        lines=tuple(_line_in(parts[i : i + _PARTS]) for i in range(0, len(parts), _PARTS)),
    )


def _rate(field: str) -> PointValue | None:
    if not field:
        return None
    points, minor, currency = field.split(PART)
    return PointValue(points=int(points), worth=Money(int(minor), currency))


def _line_in(parts: list[str]) -> EarnedLine:
    line_id, quantity, points, returned, revoked, excused = parts
    return EarnedLine(
        line_id=Code(packed.unword(line_id)),
        quantity=int(quantity),
        points=int(points),
        returned=int(returned),
        revoked=int(revoked),
        excused=int(excused),
    )
