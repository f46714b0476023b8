"""
Every call has a deadline, and none is longer than the service is willing to work.
"""

from __future__ import annotations

import pytest

from clientela.services.access import CallClass
from clientela.services.deadline import DeadlineRules
from clientela.services.refusals import DeadlineError


@pytest.mark.parametrize(
    ("remaining", "call_class", "expected"),
    [
        (None, CallClass.READ, 5.0),
        (None, CallClass.COMMAND, 5.0),
        (3.0, CallClass.READ, 3.0),
        (86_400.0, CallClass.COMMAND, 30.0),
        (0.02, CallClass.READ, 0.02),
        (None, CallClass.STREAM, 1_800.0),
        (60.0, CallClass.STREAM, 60.0),
        (86_400.0, CallClass.STREAM, 1_800.0),
    ],
)
def test_deadlines_are_set_kept_or_cut(remaining, call_class, expected):
    """
    R17: missing ones are set, long ones are cut, others are kept.
    """
    assert expected == DeadlineRules().seconds(remaining, call_class)


def test_nothing_is_begun_with_too_little_time():
    """
    R17: with less than 20 ms left a call is refused before it starts.
    """
    with pytest.raises(DeadlineError):
        DeadlineRules().seconds(0.019, CallClass.COMMAND)
