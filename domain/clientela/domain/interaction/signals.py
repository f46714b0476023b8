"""
Signals: named facts about a client that stages wait for (LIFE-17, LIFE-22).
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime

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


def record_signal(
    holding: Container[Code], command: RecordSignal, at: datetime, turned_at: datetime | None
) -> Iterable[PendingEvent]:
    """
    Write down that a signal holds or ceased to, unless it is so already.

    Args:
        holding: Signals that hold after all that is known.

        command: What is told.

        at: When it was so.

        turned_at: The latest turn of the signal; what was before it is written down in any case.
    """
    is_late = turned_at is not None and at < turned_at
    if not is_late and (command.signal in holding) is command.holds:
        return ()
    event = SignalRecorded(client_id=command.client_id, signal=command.signal, holds=command.holds)
    return (PendingEvent(event, rule="LIFE-17"),)
