"""
Scalars: single values of a definition, each read strictly.
"""

from __future__ import annotations

import enum
import re

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from clientela.domain.definitions.problems import suggestion
from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import CODE_LENGTH_MAX
from clientela.domain.money import Money


TEXT_LENGTH_MAX = 4096
"""Characters of one text in a definition."""

_WORD = re.compile(r"\S+")


class WrongError(Exception):
    """A value is not what its place takes; the message says what would be."""


def is_word(cls: Any) -> bool:
    """Whether *cls* is one of the id and code types."""
    return getattr(cls, "__supertype__", None) is str


def word(plain: Any, _: Any) -> str:
    """
    An id or code.

    Raises:
        WrongError: it is none.
    """
    if not isinstance(plain, str):
        raise WrongError("expected a code, in quotes")
    if not _WORD.fullmatch(plain) or len(plain) > CODE_LENGTH_MAX:
        raise WrongError(f"expected a code of 1 to {CODE_LENGTH_MAX} characters without blanks")
    return plain


def _text(plain: Any, _: Any) -> str:
    if not isinstance(plain, str) or not 1 <= len(plain) <= TEXT_LENGTH_MAX:
        raise WrongError(f"expected a text of 1 to {TEXT_LENGTH_MAX} characters")
    return plain


def _whole(plain: Any, _: Any) -> int:
    if not isinstance(plain, int) or isinstance(plain, bool):
        raise WrongError("expected a whole number")
    return plain


def _yes_or_no(plain: Any, _: Any) -> bool:
    if not isinstance(plain, bool):
        raise WrongError("expected true or false")
    return plain


def _decimal(plain: Any, _: Any) -> Decimal:
    try:
        if isinstance(plain, str | int | Decimal) and not isinstance(plain, bool):
            number = Decimal(plain)
            if number.is_finite():
                return number
    except InvalidOperation:
        pass
    raise WrongError("expected a decimal number, such as 2.5")


def _money(plain: Any, _: Any) -> Money:
    amount, blank, currency = plain.partition(" ") if isinstance(plain, str) else ("", "", "")
    if not blank:
        raise WrongError('expected an amount with its currency, such as "12.50 EUR"')
    try:
        return Money.parse(amount, currency)
    except InvalidValueError as error:
        raise WrongError(f"expected {error.expected}") from None


def _day(plain: Any, _: Any) -> date:
    try:
        return date.fromisoformat(plain)
    except (TypeError, ValueError):
        raise WrongError("expected a date, such as 2026-03-01") from None


def _instant(plain: Any, _: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(plain)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise WrongError("expected a moment with its offset, such as 2026-03-01T09:00:00Z")
    return moment.astimezone(UTC)


def _member(plain: Any, cls: Any) -> Any:
    for member in cls:
        if member.value == plain:
            return member
    values = [str(member.value) for member in cls]
    raise WrongError(f"expected one of {', '.join(values)}{suggestion(str(plain), values)}")


HOOKS: dict[Any, Callable[[Any, Any], Any]] = {
    str: _text,
    int: _whole,
    bool: _yes_or_no,
    Decimal: _decimal,
    Money: _money,
    date: _day,
    datetime: _instant,
    enum.Enum: _member,
}
"""How values of these types are read."""
