"""
What a company may set about points.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clientela.domain.codec import Codec
from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import Code
from clientela.domain.loyalty.programme import (
    Award,
    Factor,
    PointValue,
    Programme,
    Rounding,
    Shortfall,
    Spending,
)
from clientela.domain.money import AMOUNT_MINOR_MAX, Money
from tests.domain.loyalty.shop import programme


AWARD = Award(points=1, per_minor=100, rounding=Rounding.LINE)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"awards": (AWARD,)}, "currency"),
        ({"spending": Spending(points=1, worth_minor=1)}, "currency"),
        ({"awards": (AWARD,), "currency": "EUR"}, "expires_after_months"),
        ({"awards": (AWARD,), "currency": "EUR", "never_expires": True}, "shortfall"),
        ({"never_expires": True, "expires_after_months": 1}, "never_expires"),
        ({"currency": "euro"}, "currency"),
        ({"zone": "Moon/Crater"}, "zone"),
        (
            {
                "currency": "EUR",
                "awards": (AWARD,),
                "never_expires": True,
                "shortfall": Shortfall.DEDUCT_FROM_REFUND,
            },
            "spending",
        ),
    ],
)
def test_a_programme_states_what_the_source_leaves_open(settings, field):
    """
    LOY-10: rate, expiry, exchange rate and shortfall have no hidden defaults.
    """
    with pytest.raises(InvalidValueError) as refused:
        Programme(**settings)

    assert field == refused.value.field


def test_settings_out_of_bounds_are_refused():
    """
    LOY-10: every number of a programme has bounds.
    """
    wrong = [
        lambda: Award(points=0, per_minor=100, rounding=Rounding.LINE),
        lambda: Award(points=1, per_minor=0, rounding=Rounding.LINE),
        lambda: Factor(percent=-1),
        lambda: Spending(points=1, worth_minor=0),
        lambda: programme(expires_after_months=0),
        lambda: programme(expires_after_months=1201),
        lambda: programme(retro_days=-1),
        lambda: programme(awards=(AWARD,) * 33),
    ]

    for make in wrong:
        with pytest.raises(ValueError, match="must be"):
            make()


def utc(*parts: int) -> datetime:
    """An instant."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("zone", "earned", "months", "expected"),
    [
        # The vectors of loyalty F15.
        ("Europe/Berlin", utc(2026, 1, 31, 12), 1, utc(2026, 2, 28, 23)),
        ("Europe/Berlin", utc(2025, 3, 29, 12), 12, utc(2026, 3, 29, 22)),
        # It is already March in Berlin.
        ("Europe/Berlin", utc(2026, 2, 28, 23, 30), 1, utc(2026, 4, 1, 22)),
        ("Europe/Berlin", utc(2026, 2, 28, 12), 1, utc(2026, 3, 28, 23)),
        ("UTC", utc(2024, 2, 29, 12), 12, utc(2025, 3, 1)),
    ],
)
def test_points_expire_at_the_end_of_a_day_of_the_programmes_zone(zone, earned, months, expected):
    """
    LOY-10: expiry is the same instant for every branch, whatever its own clock says.
    """
    made = programme(zone=Code(zone), expires_after_months=months)

    assert expected == made.expires_at(earned)


def test_points_that_never_expire_have_no_end():
    """
    LOY-10: a programme may say that points last for ever.
    """
    made = programme(expires_after_months=None, never_expires=True)

    assert None is made.expires_at(datetime(2026, 1, 1, tzinfo=UTC))


def test_points_are_worth_their_share_rounded_down():
    """
    LOY-10: three of ten points that pay a euro pay 30 cents; a worth is never beyond all bounds.
    """
    value = PointValue(points=3, worth=Money(100, "EUR"))

    assert Money(33, "EUR") == value.of(1)
    assert Money(100, "EUR") == value.of(3)
    assert Money(AMOUNT_MINOR_MAX, "EUR") == value.of(10**18)
    assert None is Programme(currency=Code("EUR")).point_value
    assert PointValue(points=10, worth=Money(100, "EUR")) == programme().point_value


def test_a_programme_survives_being_written():
    """
    LOY-10: a programme is data: written and read it is the same.
    """
    codec = Codec(())
    made = programme(
        awards=(
            AWARD,
            Award(
                points=2,
                per_minor=300,
                rounding=Rounding.BASKET,
                factors=(Factor(percent=0, skus=(Code("gift-card"),), categories=(Code("x"),)),),
            ),
        ),
        retro_days=30,
    )

    assert made == codec.value(codec.plain(made), Programme)
