"""
Lots, packed: one to a line, those that are spent first standing first.

    lot | priority | expiry | begin | issued | remaining | held | expired | issue | definition
        | purchase | purchase line

The purchase is written out only where the lot's id does not begin with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from clientela.domain import packed
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import BusinessId, Code, JournalId
from clientela.domain.loyalty import lots
from clientela.domain.loyalty.lots import Lot, LotId
from clientela.domain.packed import FIELD, Packed


_SAME = "="


def lots_in(text: Packed, home: JournalId) -> Iterator[Lot]:
    """The lots of a text, in spending order; *home* is the wallet's journal."""
    return (_lot_in(line, home) for line in packed.lines(text))


def with_lot(text: Packed, lot: Lot, home: JournalId) -> Packed:
    """*text* with a lot that it does not have, in its place."""
    return packed.sorted_in(
        text, _line_of(lot, home), lambda line: lots.spend_order(_rank_in(line))
    )


def with_empty_lot(text: Packed, lot: Lot, home: JournalId) -> Packed:
    """*text* with a lot that it does not have and nobody spends, at its end."""
    return packed.with_line(text, _line_of(lot, home))


def with_changed(text: Packed, lot: Lot, home: JournalId) -> Packed:
    """*text* with a lot that it has as it is now, where nothing changed that it is sorted by."""
    return packed.replaced(text, lot.lot_id, _line_of(lot, home))


def without(text: Packed, lot_id: LotId) -> Packed:
    """*text* without a lot, if it has it."""
    return packed.without(text, lot_id)


def found(text: Packed, lot_id: LotId, home: JournalId) -> Lot | None:
    """The lot of this id; None if it is not in *text*."""
    line = packed.line(text, lot_id)
    return None if line is None else _lot_in(line, home)


class _Rank(NamedTuple):
    """What a lot is sorted by."""

    priority: int
    expires_at: datetime | None
    effective_at: datetime
    lot_id: LotId


def _rank_in(line: str) -> _Rank:
    lot_id, priority, expires_at, effective_at, _ = line.split(FIELD, 4)
    return _Rank(
        int(priority or 0),
        packed.moment_of(expires_at) if expires_at else None,
        packed.moment_of(effective_at),
        LotId(packed.unword(lot_id)),
    )


def _line_of(lot: Lot, home: JournalId) -> str:
    purchase = "" if lot.purchase is None else str(lot.purchase)
    if purchase and lot.lot_id.startswith(f"{purchase}/"):
        purchase = _SAME
    numbers = (lot.issued, lot.remaining, lot.held or "", lot.expired or "")
    return FIELD.join(
        (
            packed.word(lot.lot_id),
            str(lot.priority or ""),
            "" if lot.expires_at is None else packed.instant(lot.expires_at),
            packed.instant(lot.effective_at),
            *map(str, numbers),
            packed.reference(lot.issue, home),
            packed.word(lot.definition or ""),
            packed.word(purchase),
            packed.word(lot.line_id or ""),
        )
    )


def _lot_in(line: str, home: JournalId) -> Lot:
    lot_id, priority, expires_at, effective_at, issued, remaining, *more = line.split(FIELD)
    held, expired, issue, definition, purchase, line_id = more
    name = LotId(packed.unword(lot_id))
    return Lot(
        lot_id=name,
        issued=int(issued),
        remaining=int(remaining),
        effective_at=packed.moment_of(effective_at),
        expires_at=packed.moment_of(expires_at) if expires_at else None,
        definition=Code(packed.unword(definition)) if definition else None,
        issue=packed.ref_of(issue, home),
        held=int(held or 0),
        expired=int(expired or 0),
        priority=int(priority or 0),
        purchase=_purchase(
            name.rpartition("/")[0] if purchase == _SAME else packed.unword(purchase)
        ),
        line_id=Code(packed.unword(line_id)) if line_id else None,
    )


def _purchase(text: str) -> BusinessKey | None:
    source, _, id_ = text.partition(":")
    return BusinessKey(Code(source), BusinessId(id_)) if text else None
