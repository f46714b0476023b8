"""
Signals: named facts about a client that stages wait for (LIFE-17, LIFE-22).
"""

from __future__ import annotations

from collections.abc import Container, Iterable

import attrs

from clientela.domain.event import PendingEvent
from clientela.domain.facts import SignalRecorded
from clientela.domain.ids import Code
from clientela.domain.interaction.parties import OfClient


@attrs.frozen(kw_only=True)
class RecordSignal(OfClient):
    """
    A named fact about the client became true or ceased to be (LIFE-17, LIFE-22).

    Attributes:
        client_id: The client.

        signal: Which.

        holds: Whether it holds from now on.

        occurred_at: When, if not now.
    """

    signal: Code
    holds: bool = True


def record_signal(holding: Container[Code], command: RecordSignal) -> Iterable[PendingEvent]:
    """Write down that a signal holds or ceased to, unless it is so already."""
    if (command.signal in holding) is command.holds:
        return ()
    event = SignalRecorded(client_id=command.client_id, signal=command.signal, holds=command.holds)
    return (PendingEvent(event, rule="LIFE-17"),)
