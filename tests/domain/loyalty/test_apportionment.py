"""
Splitting whole points fairly.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from hypothesis import given, settings
from hypothesis.strategies import dictionaries, integers, randoms, text

from clientela.domain.loyalty.apportionment import largest_remainder


WEIGHTS = dictionaries(text("abcdef", min_size=1, max_size=3), integers(0, 999), min_size=1)


def test_what_is_left_over_goes_to_the_largest_remainders():
    """
    LOY-10: 70 points over 10, 10 and 20 euros are 17.5, 17.5 and 35; the lower line wins the tie.
    """
    assert {"a": 18, "b": 17, "c": 35} == largest_remainder(70, {"b": 10, "a": 10, "c": 20})
    assert {"a": 0, "b": 1, "c": 0} == largest_remainder(1, {"a": 1, "b": 2, "c": 1})


def test_weights_of_nothing_count_alike():
    """
    LOY-10: where nothing has a price, the points are still all given out.
    """
    assert {"a": 2, "b": 1} == largest_remainder(3, {"b": 0, "a": 0})


@given(total=integers(0, 10**6), weights=WEIGHTS, random=randoms(use_true_random=False))
@settings(deadline=None)
def test_parts_sum_to_the_whole_and_stay_within_one_of_their_share(total, weights, random):
    """
    LOY-10: the split is exact, fair to a point and the same in whatever order lines stand (I19).
    """
    parts = largest_remainder(total, weights)

    assert total == sum(parts.values())
    whole = sum(weights.values())
    if whole:
        for name, weight in weights.items():
            share = Fraction(total * weight, whole)
            assert floor(share) <= parts[name] <= ceil(share)
    shuffled = list(weights.items())
    random.shuffle(shuffled)
    assert parts == largest_remainder(total, dict(shuffled))
