"""
Money: whole minor units with their currency.
"""

from __future__ import annotations

import operator

from decimal import localcontext
from fractions import Fraction

import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.errors import Category, CurrencyMismatchError, InvalidValueError
from clientela.domain.money import AMOUNT_MINOR_MAX, Money, exponent


EUR = "EUR"

amounts = st.integers(-AMOUNT_MINOR_MAX // 2, AMOUNT_MINOR_MAX // 2)


@pytest.mark.parametrize(
    ("text", "currency", "minor", "printed"),
    [
        ("12.50", "EUR", 1250, "12.50 EUR"),
        ("12.5", "EUR", 1250, "12.50 EUR"),
        ("12", "EUR", 1200, "12.00 EUR"),
        ("+12.5000", "EUR", 1250, "12.50 EUR"),
        ("-0.05", "EUR", -5, "-0.05 EUR"),
        (".5", "EUR", 50, "0.50 EUR"),
        ("1200", "JPY", 1200, "1200 JPY"),
        ("1.234", "KWD", 1234, "1.234 KWD"),
        ("1.2345", "CLF", 12345, "1.2345 CLF"),
        ("0", "EUR", 0, "0.00 EUR"),
    ],
)
def test_decimal_text_becomes_minor_units_and_back(text, currency, minor, printed):
    """
    An amount is read from its decimal text with as many digits as ISO 4217 gives the currency.
    """
    money = Money.parse(text, currency)

    assert Money(minor, currency) == money
    assert printed == str(money)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("12.505", "EUR"),
        ("1.5", "JPY"),
        ("1.00000000000000000000000000000000001", "EUR"),
        ("1e999999", "EUR"),
        ("1e3", "EUR"),
        ("NaN", "EUR"),
        ("sNaN", "EUR"),
        ("Infinity", "EUR"),
        ("1_000", "EUR"),
        (" 1", "EUR"),
        ("1,50", "EUR"),
        ("١٢", "EUR"),
        ("", "EUR"),
        (".", "EUR"),
        ("-", "EUR"),
        ("--1", "EUR"),
        ("9" * 16, "EUR"),
        pytest.param("9" * 100_000, "EUR", id="long whole"),
        pytest.param("0." + "0" * 100_000, "EUR", id="long fraction"),
    ],
)
def test_text_that_is_no_amount_of_the_currency_is_refused(text, currency):
    """
    What is no plain decimal number, has too many digits or is out of bounds is refused by name.
    """
    with pytest.raises(InvalidValueError) as refused:
        Money.parse(text, currency)

    assert Category.INVALID is refused.value.category
    assert refused.value.field in {"amount", "minor"}


@pytest.mark.parametrize("currency", ["", "EU", "EURO", "eur", "E1R", "ДЛЛ", "E R"])
def test_currency_is_three_capitals(currency):
    """
    A currency is an ISO 4217 code: three capital letters and nothing else.
    """
    with pytest.raises(InvalidValueError) as refused:
        Money(1, currency)

    assert "currency" == refused.value.field


@pytest.mark.parametrize("sign", [1, -1])
def test_amount_is_bounded_both_ways(sign):
    """
    An amount reaches up to `AMOUNT_MINOR_MAX` each way and not further, in sums too.
    """
    most = Money(sign * AMOUNT_MINOR_MAX, EUR)

    assert sign * AMOUNT_MINOR_MAX == most.minor
    with pytest.raises(InvalidValueError):
        Money(sign * (AMOUNT_MINOR_MAX + 1), EUR)
    with pytest.raises(InvalidValueError):
        most + Money(sign, EUR)


@pytest.mark.parametrize(
    "calculate",
    [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge],
)
def test_two_currencies_never_meet(calculate):
    """
    Loyalty invariant 24: amounts of two currencies are neither added nor compared.
    """
    with pytest.raises(CurrencyMismatchError) as refused:
        calculate(Money(1, "EUR"), Money(1, "USD"))

    assert "CURRENCY_MISMATCH" == refused.value.reason


def test_equal_amounts_of_two_currencies_differ():
    """
    One euro is not one dollar.
    """
    assert Money(100, "EUR") != Money(100, "USD")


@given(amounts, amounts)
def test_sums_are_exact(one, two):
    """
    Adding, taking away and turning round are those of whole numbers.
    """
    left, right = Money(one, EUR), Money(two, EUR)

    assert Money(one + two, EUR) == left + right
    assert left == left + right - right
    assert Money.zero(EUR) == left + -left
    assert (one < two, one <= two) == (left < right, left <= right)


@given(amounts, st.sampled_from(["JPY", "EUR", "KWD", "CLF"]))
def test_printed_amount_is_read_as_the_same(minor, currency):
    """
    Text and amount stand for each other, whatever the digits of the currency.
    """
    money = Money(minor, currency)
    text, _, code = str(money).partition(" ")

    assert money == Money.parse(text, code)
    assert exponent(currency) == len(text.partition(".")[2])


@given(amounts, st.integers(0, 10**15), st.integers(1, 10**15))
def test_share_is_rounded_half_to_even(minor, part, whole):
    """
    A share is the exact fraction, rounded half to even, whatever precision somebody set for
    decimals.
    """
    part = min(part, whole)
    with localcontext() as context:
        context.prec = 5
        share = Money(minor, EUR).share(part, whole)

    assert Money(round(Fraction(minor * part, whole)), EUR) == share


@pytest.mark.parametrize(("minor", "share"), [(1, 0), (3, 2), (5, 2), (-1, 0), (-3, -2)])
def test_half_goes_to_the_even_neighbour(minor, share):
    """
    A half cent goes to the even neighbour.
    """
    assert Money(share, EUR) == Money(minor, EUR).share(1, 2)
