"""
What outlasts erasure holds no keyed hash of the client.
"""

from __future__ import annotations

from clientela.domain.event import Key
from clientela.domain.identity.profile import IDENTITY
from clientela.domain.ids import Blind
from tests.domain.test_no_hashes import reachable


def test_events_and_state_of_identity_hold_no_keyed_hash():
    """
    No event of identity and no field of its state can hold a `Blind` or a `Key`, however deep: the
    journal is never rewritten, so a hash in it would outlast erasure.
    """
    found = {
        cls.__name__
        for cls in (*IDENTITY.events, IDENTITY.state)
        if not reachable(cls).isdisjoint({Blind, Key})
    }

    assert set() == found
