"""
Timelines: what happened to a client, out.
"""

from __future__ import annotations

from clientela.domain.codec import Codec
from clientela.domain.event import RecordedEvent
from clientela.services.rows import StoredEvent
from clientela.services.translate.event import envelope
from clientela.services.translate.opening import Opening, sealed_values
from clientela.v1 import client_pb2


def timeline_entry(
    recorded: RecordedEvent, row: StoredEvent, codec: Codec, opening: Opening
) -> client_pb2.TimelineEntry:
    """
    Something that happened, with its personal values beside it.

    Args:
        recorded: The event.

        row: As it is stored.

        codec: Encodes the payload.

        opening: What of personal values may be shown.
    """
    sealed = sorted(sealed_values(recorded.event), key=lambda found: found[0])
    opened = ((path, opening.text(value)) for path, value in sealed)
    return client_pb2.TimelineEntry(
        event=envelope(recorded, row, codec),
        opened=(client_pb2.OpenedValue(path=path, text=text) for path, text in opened if text),
        personal_withheld=opening.withholds(*(value for _, value in sealed)),
    )
