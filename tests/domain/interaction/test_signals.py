"""
Named facts that stages wait for.
"""

from __future__ import annotations

import attrs

from clientela.domain.facts import (
    SignalRecorded,
)
from clientela.domain.ids import (
    Code,
)
from tests.domain.interaction.talks import PETRA, SIGNAL, contacts


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
