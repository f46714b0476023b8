"""
Markets that clients are classed by.
"""

from __future__ import annotations

import pytest

from clientela.domain.errors import InvalidValueError
from clientela.domain.identity.market import MARKETS, check_market
from clientela.domain.ids import Code


@pytest.mark.parametrize("market", [None, *MARKETS])
def test_a_market_is_one_of_the_list_or_unknown(market):
    """
    REC-12: consumer, industrial, reseller, government, international, or nothing known.
    """
    check_market(market)


@pytest.mark.parametrize("market", [Code("moon"), Code("Consumer"), Code("")])
def test_another_market_is_refused_with_the_list(market):
    """
    REC-12: a market that is not listed is refused, and whoever asks learns the list.
    """
    with pytest.raises(InvalidValueError) as refused:
        check_market(market)

    assert ("market", f"one of {', '.join(MARKETS)}") == (
        refused.value.field,
        refused.value.expected,
    )
