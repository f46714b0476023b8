"""
Timelines on the wire.
"""

from __future__ import annotations

from clientela.services.translate.timeline import timeline_entry
from clientela.v1 import client_pb2
from tests.services.translate.shop import CLIENT, codec, hidden, shop, shown, stored


def test_an_entry_of_a_timeline_brings_its_personal_values_beside_it():
    """
    REC-2: the note of an approach is opened beside the event, not within its payload.
    """
    company = shop()
    approach = company.history(CLIENT)[4]
    encoder = codec(company)

    entry = timeline_entry(approach, stored(approach, encoder), encoder, shown(company))

    assert [client_pb2.OpenedValue(path="note", text="likes green tea")] == list(entry.opened)
    assert b'"note":{"sealed":true}' in entry.event.payload
    assert not entry.personal_withheld


def test_a_timeline_withholds_what_the_caller_may_not_see():
    """
    Without the right to see it the note is left out, and the entry says so.
    """
    company = shop()
    approach = company.history(CLIENT)[4]
    encoder = codec(company)

    entry = timeline_entry(approach, stored(approach, encoder), encoder, hidden(company))

    assert [] == list(entry.opened)
    assert entry.personal_withheld


def test_values_deep_in_an_event_are_named_by_their_path():
    """
    REC-3: the name in a registration stands at `details.name`.
    """
    company = shop()
    registered = company.history(CLIENT)[0]
    encoder = codec(company)

    entry = timeline_entry(registered, stored(registered, encoder), encoder, shown(company))

    assert [("details.name", "Olga Petrova")] == [(o.path, o.text) for o in entry.opened]
