"""
Money: an integer of minor units with its currency. No float touches it.
"""

from __future__ import annotations

import re

import attrs

from clientela.domain.errors import CurrencyMismatchError, InvalidValueError


_EXPONENTS = {
    code: exponent
    for exponent, codes in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for code in codes.split()
}
"""ISO 4217 minor-unit exponents that are not 2."""

CURRENCY_LENGTH = 3
AMOUNT_MINOR_MAX = 10**15
"""Largest amount of one value, in minor units; beyond it is a mistake of the caller."""

TEXT_LENGTH_MAX = 40
"""Characters of an amount's decimal text."""

_CURRENCIES: set[str] = set()
"""Codes that were found to be three capitals; at most as many as there are such."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)


def exponent(currency: str) -> int:
    """Digits after the point of *currency* (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)


@attrs.frozen(order=False)
class Money:
    """
    An amount of one currency.

    Attributes:
        minor: Minor units (cents, kopecks), negative allowed, up to `AMOUNT_MINOR_MAX` each way.

        currency: ISO 4217 code, three capitals.

    Raises:
        InvalidValueError: the currency is not three capitals or the amount is out of bounds.
    """

    minor: int
    currency: str

    def __attrs_post_init__(self) -> None:
        code = self.currency
        if code not in _CURRENCIES:
            if len(code) != CURRENCY_LENGTH or not (
                code.isascii() and code.isalpha() and code.isupper()
            ):
                raise InvalidValueError(
                    "currency", "three capital letters of ISO 4217, such as EUR"
                )
            _CURRENCIES.add(code)
        if not -AMOUNT_MINOR_MAX <= self.minor <= AMOUNT_MINOR_MAX:
            raise InvalidValueError("minor", f"at most {AMOUNT_MINOR_MAX} minor units")

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in *currency*."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """
        An amount from its decimal text, for instance `12.50`.

        Raises:
            InvalidValueError: not a number, more digits than the currency has, or out of bounds.
        """
        if len(text) > TEXT_LENGTH_MAX or not _NUMBER.fullmatch(text):
            raise InvalidValueError("amount", "a decimal number, such as 12.50")
        digits = exponent(currency)
        whole, _, fraction = text.partition(".")
        fraction = fraction.rstrip("0")
        if len(fraction) > digits:
            raise InvalidValueError("amount", f"at most {digits} digits after the point")
        return cls(int(whole + fraction.ljust(digits, "0")), currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other).minor

    def __str__(self) -> str:
        digits = exponent(self.currency)
        whole, fraction = divmod(abs(self.minor), 10**digits)
        sign = "-" if self.minor < 0 else ""
        point = f".{fraction:0{digits}}" if digits else ""
        return f"{sign}{whole}{point} {self.currency}"

    def share(self, part: int, whole: int) -> Money:
        """
        *part* of *whole* of this amount, rounded half to even.

        Args:
            part: 0 or more.

            whole: 1 or more.
        """
        down, rest = divmod(self.minor * part, whole)
        is_up = 2 * rest > whole or (2 * rest == whole and down % 2 == 1)
        return Money(down + is_up, self.currency)

    def _same(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise CurrencyMismatchError(self.currency, other.currency)
        return other
