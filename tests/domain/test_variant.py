"""
Variants: like `attrs.evolve`, without asking for the fields each time.
"""

from __future__ import annotations

import attrs
import pytest

from clientela.domain.errors import InvalidValueError
from clientela.domain.event import SYSTEM
from clientela.domain.money import Money
from clientela.domain.variant import variant


@attrs.frozen(kw_only=True)
class Parcel:
    """A value with a private field, one that is never given, and one that is not compared."""

    weight: int
    _owner: str = attrs.field(alias="owner")
    label: str = attrs.field(default="", eq=False)
    is_heavy: bool = attrs.field(
        init=False, default=attrs.Factory(lambda parcel: parcel.weight > 20, takes_self=True)
    )


PARCEL = Parcel(weight=3, owner="petra", label="fragile")


def test_variant_has_the_changes_and_keeps_everything_else():
    """
    What is changed is named as the class takes it; all else stays, compared or not.
    """
    other = variant(PARCEL, owner="olga")

    assert Parcel(weight=3, owner="olga") == other
    assert "fragile" == other.label
    assert Parcel(weight=3, owner="petra") == PARCEL


def test_variant_is_what_evolving_makes():
    """
    For the same changes it equals what attrs makes, derived fields included.
    """
    one = attrs.evolve(PARCEL, weight=30, label="sturdy")
    two = variant(PARCEL, weight=30, label="sturdy")

    assert (one, one.label, one.is_heavy) == (two, two.label, two.is_heavy)
    assert SYSTEM == variant(SYSTEM)


def test_variant_is_checked_by_its_class():
    """
    A value that its class refuses cannot be made this way either.
    """
    with pytest.raises(InvalidValueError):
        variant(Money(1, "EUR"), currency="euro")


def test_variant_takes_no_unknown_name():
    """
    A misspelt field is a mistake, not a change that is lost.
    """
    with pytest.raises(TypeError):
        variant(PARCEL, colour="red")
