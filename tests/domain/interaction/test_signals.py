"""
Named facts that stages wait for.
"""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from clientela.domain.facts import (
    SignalRecorded,
)
from clientela.domain.ids import (
    Code,
)
from tests.domain.interaction.talks import PETRA, SIGNAL, contacts
from tests.domain.spec import AT


def test_signal_begins_and_ends_and_is_said_once(company):
    """
    LIFE-17, LIFE-22: a named fact holds from when it is said until it is taken back; saying it
    again changes nothing.
    """
    over = attrs.evolve(SIGNAL, holds=False)
    assert () == company.when(over)

    assert (SignalRecorded(client_id=PETRA, signal=Code("recommended-us")),) == company.when(SIGNAL)
    began = company.events[-1].ref
    assert () == company.when(SIGNAL)
    assert {Code("recommended-us"): began} == contacts(company).signals

    assert (
        SignalRecorded(client_id=PETRA, signal=Code("recommended-us"), holds=False),
    ) == company.when(over)
    assert {} == contacts(company).signals


def test_signals_do_not_disturb_each_other(company):
    """
    LIFE-22: each signal begins and ends by itself.
    """
    other = attrs.evolve(SIGNAL, signal=Code("buys-only-here"))

    company.when(SIGNAL, other, attrs.evolve(SIGNAL, holds=False))

    assert [Code("buys-only-here")] == list(contacts(company).signals)


@pytest.mark.parametrize(
    ("known", "late", "next_"),
    [
        # It holds from day 10; that it had not held on day 5 does not end it.
        ([(10, True)], (5, False), False),
        # It ended on day 10; that it had held on day 5 does not bring it back.
        ([(1, True), (10, False)], (5, True), True),
    ],
    ids=["an end told late", "a begin told late"],
)
def test_a_turn_told_late_does_not_hide_later_ones(company, known, late, next_):
    """
    LIFE-17, REC-2: what holds is what the latest turn said, whenever earlier ones become known, and
    the next turn is written down.
    """
    for day, holds in known:
        company.at(AT + timedelta(days=day)).when(attrs.evolve(SIGNAL, holds=holds))
    held = dict(contacts(company).signals)
    company.at(AT + timedelta(days=12))

    company.when(attrs.evolve(SIGNAL, holds=late[1], occurred_at=AT + timedelta(days=late[0])))

    assert held == contacts(company).signals
    expected = SignalRecorded(client_id=PETRA, signal=Code("recommended-us"), holds=next_)
    assert (expected,) == company.when(attrs.evolve(SIGNAL, holds=next_))
    assert next_ is (Code("recommended-us") in contacts(company).signals)


def test_a_signal_is_on_record_from_the_earlier_moment_told_late(company):
    """
    LIFE-17: that a signal held earlier than was known is a fact of its own; the same once more at
    its moment is not.
    """
    company.at(AT + timedelta(days=10)).when(SIGNAL)
    earlier = attrs.evolve(SIGNAL, occurred_at=AT + timedelta(days=5))

    assert (SignalRecorded(client_id=PETRA, signal=Code("recommended-us")),) == company.when(
        earlier
    )
    assert () == company.when(attrs.evolve(SIGNAL, occurred_at=AT + timedelta(days=10)))
