"""
Until when keys that were read are known to be as they were read.
"""

from __future__ import annotations

import pytest

from clientela.services.key_rows import KeyWatch


@pytest.fixture
def seconds():
    """The clock by which keys are read."""
    return [0.0]


@pytest.fixture
def watch(seconds):
    """Told of nothing yet."""
    return KeyWatch(lambda: seconds[0])


def test_key_of_a_store_that_counts_nothing_is_known_of_when_it_was_read(watch):
    """
    Nobody looks, so nothing is known of later.
    """
    assert 7.0 == watch.known_s(7.0)


def test_key_is_the_same_as_long_as_the_count_is(watch, seconds):
    """
    Design 7: what was read after the first look at a count is unchanged at the last look at it.
    """
    seconds[0] = 2.0
    watch.seen(5, 1.0)
    for asked_s in (10.0, 40.0, 30.0):
        watch.seen(5, asked_s)

    assert 40.0 == watch.known_s(3.0)
    assert 50.0 == watch.known_s(50.0)


def test_key_read_before_the_first_look_ended_may_have_changed(watch, seconds):
    """
    Design 7: whoever read while the first look was under way may have read what was changed then.
    """
    seconds[0] = 2.0
    watch.seen(5, 1.0)
    watch.seen(5, 10.0)

    assert [1.5, 10.0] == [watch.known_s(read_s) for read_s in (1.5, 2.0)]


def test_change_leaves_what_was_read_before_it_unknown(watch, seconds):
    """
    Design 7: after a change in another process a key serves for its time, and no longer.
    """
    watch.seen(5, 0.0)
    watch.seen(5, 20.0)
    seconds[0] = 22.0
    watch.seen(6, 21.0)
    watch.seen(6, 60.0)

    assert [19.0, 60.0] == [watch.known_s(read_s) for read_s in (19.0, 23.0)]


def test_look_that_comes_late_says_nothing(watch, seconds):
    """
    Answers overtake each other: one from before a change does not hide it.
    """
    watch.seen(6, 0.0)
    seconds[0] = 3.0
    watch.seen(5, 2.0)
    watch.seen(-1, 9.0)

    assert 1.0 == watch.known_s(1.0)
