"""
Lines of purchases and returns, and payments: what they must be.
"""

from __future__ import annotations

from clientela.domain.errors import CurrencyMismatchError, InvalidValueError
from clientela.domain.facts import LINE_QUANTITY_MAX, LINES_MAX, Line, Tender, TenderKind
from clientela.domain.money import Money
from clientela.domain.purchase.matching import Wanted


TENDER_POINTS_MAX = 10**12
"""Points that one payment may tell of."""


def check_lines(lines: tuple[Line, ...]) -> None:
    """
    Refuse lines of a purchase that cannot be.

    Raises:
        InvalidValueError: too many or none, one twice, a quantity or an amount out of bounds.

        CurrencyMismatchError: they are not all in one currency.
    """
    if not 1 <= len(lines) <= LINES_MAX:
        raise InvalidValueError("lines", f"1 to {LINES_MAX} lines")
    if len({line.line_id for line in lines}) < len(lines):
        raise InvalidValueError("lines", "each line_id once")
    for line in lines:
        if not 1 <= line.quantity <= LINE_QUANTITY_MAX:
            raise InvalidValueError("quantity", f"1 to {LINE_QUANTITY_MAX}")
        if line.net.minor < 0:
            raise InvalidValueError("net", "0 or more")
        for amount in (line.net, line.tax):
            if amount is not None and amount.currency != lines[0].net.currency:
                raise CurrencyMismatchError(amount.currency, lines[0].net.currency)


def check_tenders(tenders: tuple[Tender, ...], total: Money) -> None:
    """
    Refuse payments that cannot be for a purchase of *total*.

    Raises:
        InvalidValueError: too many, an amount or points out of bounds, or another sum.

        CurrencyMismatchError: one is in another currency.
    """
    if len(tenders) > LINES_MAX:
        raise InvalidValueError("tenders", f"at most {LINES_MAX}")
    paid = Money.zero(total.currency)
    for tender in tenders:
        if tender.amount.minor < 0:
            raise InvalidValueError("tenders", "amounts of 0 or more")
        if tender.points and tender.kind is not TenderKind.POINTS:
            raise InvalidValueError("tenders", "points for points only")
        if not 0 <= tender.points <= TENDER_POINTS_MAX:
            raise InvalidValueError("tenders", f"points of 0 to {TENDER_POINTS_MAX}")
        paid += tender.amount
    if paid != total:
        raise InvalidValueError("tenders", "amounts that sum to the lines")


def check_wanted(wanted: Wanted, currency: str) -> None:
    """
    Refuse a line of a return that cannot be.

    Raises:
        InvalidValueError: it names no article, or a quantity or an amount is out of bounds.

        CurrencyMismatchError: its refund is not in *currency*.
    """
    if not 1 <= wanted.quantity <= LINE_QUANTITY_MAX:
        raise InvalidValueError("quantity", f"1 to {LINE_QUANTITY_MAX}")
    if wanted.sku is None and (wanted.purchase is None or wanted.line_id is None):
        raise InvalidValueError("sku", "an article, or the purchase and line it was bought in")
    if wanted.refund is not None and wanted.refund.minor < 0:
        raise InvalidValueError("refund", "0 or more")
    if wanted.refund is not None and wanted.refund.currency != currency:
        raise CurrencyMismatchError(wanted.refund.currency, currency)
