"""
Amounts as people read them.
"""

from __future__ import annotations

import pytest

from google.type.money_pb2 import Money as WireMoney

from clientela.adapters.cli.output import amount
from clientela.domain.money import AMOUNT_MINOR_MAX, Money
from clientela.services.translate.messages import money, money_sum


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD", "CLF"])
@pytest.mark.parametrize("minor", [0, 1, -1, 50, -50, 12_345, -12_345, AMOUNT_MINOR_MAX])
def test_amount_is_shown_as_it_is_written_everywhere(currency, minor):
    """
    An amount of the wire reads as the amount itself, whatever its currency and sign.
    """
    value = Money(minor, currency)

    assert str(value) == amount(money(value))


def test_sum_beyond_one_amount_is_shown():
    """
    REC-3: what a company sold in all may be more than one amount can be.
    """
    told = money_sum(3 * AMOUNT_MINOR_MAX, "EUR")

    assert WireMoney(currency_code="EUR", units=30_000_000_000_000) == told
    assert "30000000000000.00 EUR" == amount(told)
