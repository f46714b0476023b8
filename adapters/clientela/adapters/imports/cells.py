"""
Cells to values: amounts, counts, moments.
"""

from __future__ import annotations

import re

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import attrs

from clientela.adapters.imports.lines import RowError
from clientela.adapters.imports.mapping import ISO, Amounts, When
from clientela.domain.errors import DomainError
from clientela.domain.facts import LINE_QUANTITY_MAX
from clientela.domain.money import TEXT_LENGTH_MAX, Money, exponent


_WHOLE = re.compile(r"[+-]?\d+(\.0+)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_TIME = re.compile(r"%[HIMSpfXcTR]")


@attrs.frozen
class Moment:
    """
    When something happened.

    Attributes:
        at: The moment, UTC.

        day: The calendar day where it happened.
    """

    at: datetime
    day: date


def whole(field: str, text: str, most: int = LINE_QUANTITY_MAX) -> int:
    """
    A whole number.

    Raises:
        RowError: it is none, or beyond *most* either way.
    """
    if len(text) <= TEXT_LENGTH_MAX and _WHOLE.fullmatch(text):
        number = int(text.partition(".")[0])
        if abs(number) <= most:
            return number
    raise RowError("NUMBER", f"{field}: a whole number, at most {most}")


def decimal(field: str, text: str, amounts: Amounts) -> Decimal:
    """
    A decimal number as *amounts* are written.

    Raises:
        RowError: it is none.
    """
    plain = text.replace(amounts.thousands, "") if amounts.thousands else text
    if amounts.decimal != ".":
        # A point is no decimal point here, and must not become one.
        plain = plain.replace(".", "?").replace(amounts.decimal, ".")
    if len(plain) > TEXT_LENGTH_MAX or not _DECIMAL.fullmatch(plain):
        raise RowError("AMOUNT", f"{field}: a decimal number")
    return Decimal(plain)


def money(field: str, number: Decimal, currency: str) -> Money:
    """
    An amount.

    Raises:
        RowError: it has more digits than its currency, is too large, or the currency is none.
    """
    minor = number.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        raise RowError("AMOUNT", f"{field}: at most {exponent(currency)} digits after the point")
    try:
        return Money(int(minor), currency)
    except DomainError as error:
        raise RowError("AMOUNT", f"{field}: {error}") from None


def moment_reader(when: When) -> Callable[[str], Moment]:
    """What reads moments as *when* says they are written."""
    has_time = _TIME.search(when.format) is not None

    def read(text: str) -> Moment:
        try:
            if when.format == ISO:
                local = _iso(text, when)
            else:
                local = datetime.strptime(text, when.format)  # noqa: DTZ007  # the zone follows
                if not has_time:
                    local = datetime.combine(local.date(), when.time_of_day, local.tzinfo)
            if local.tzinfo is None:
                local = local.replace(tzinfo=when.zone)
            return Moment(local.astimezone(UTC), local.astimezone(when.zone).date())
        except (ValueError, OverflowError):
            raise RowError("MOMENT", f"when: a moment as {when.format}") from None

    return read


def _iso(text: str, when: When) -> datetime:
    if len(text) <= len("2009-12-01"):
        return datetime.combine(date.fromisoformat(text), when.time_of_day)
    return datetime.fromisoformat(text)
