"""
What is fixed for every event of a class.
"""

from __future__ import annotations

from clientela.domain.event import Origin, PendingEvent, Visibility, event, event_type
from clientela.domain.facts import ConflictRecorded, SignalRecorded
from clientela.domain.ids import ClientId, Code, EmployeeId
from clientela.domain.personal import Personal


PETRA = ClientId("petra")


@event("bell-rung", origin=Origin.DERIVED, version=2, visibility=Visibility.UNIT)
class BellRung:
    """An event of a test."""

    times: int = 1


def test_type_of_an_event_is_that_of_its_class():
    """
    Name, version, origin and visibility are the same for an event and for its class.
    """
    assert event_type(BellRung) is event_type(BellRung(times=3))
    assert ("bell-rung.v2", Origin.DERIVED, Visibility.UNIT) == (
        event_type(BellRung).stored_name,
        event_type(BellRung).origin,
        event_type(BellRung).visibility,
    )


def test_event_shows_its_fields():
    """
    An event is shown as the call that makes it.
    """
    happened = SignalRecorded(client_id=PETRA, signal=Code("subscribed"))

    assert "SignalRecorded(client_id='petra', signal='subscribed', holds=True)" == repr(happened)
    assert "BellRung(times=3)" == repr(BellRung(times=3))


def test_event_does_not_show_what_is_personal():
    """
    A personal value in an event is never printed.
    """
    happened = ConflictRecorded(
        client_id=PETRA,
        employee_id=EmployeeId("marta"),
        cause=Code("error"),
        note=Personal("secret"),
    )

    assert "secret" not in repr(happened)
    assert "note=Personal(...)" in repr(happened)


def test_pending_event_without_keys_moves_none():
    """
    Only an event that takes, gives back or destroys keys moves any.
    """
    still = PendingEvent(BellRung(), rule="TEST-1")
    moving = PendingEvent(BellRung(), rule="TEST-1", forget_scopes=(Code("phone"),))

    assert (False, True) == (still.moves_keys, moving.moves_keys)
