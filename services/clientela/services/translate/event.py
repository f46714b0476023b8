"""
EventService: recorded events as messages, personal values left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from clientela.domain.codec import Codec, canonical
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import JournalKind
from clientela.services.disclosure import Disclose
from clientela.services.rows import StoredEvent
from clientela.services.translate.fields import member
from clientela.services.translate.messages import actor, fact_ref, journal_id, number, timestamp
from clientela.v1 import common_pb2, event_pb2


SEALED = {"sealed": True}
"""What stands in a payload for a personal value."""

_BOX = frozenset({"person", "source", "field", "box"})


def envelope(
    recorded: RecordedEvent, row: StoredEvent, codec: Codec, disclose: Disclose | None = None
) -> event_pb2.EventEnvelope:
    """
    A recorded event.

    Args:
        recorded: The event in its newest shape.

        row: As it is stored; tells position and hash.

        codec: Encodes the payload.

        disclose: Makes of the payload what may leave on the bus; None if all of it is to be told.
    """
    return event_pb2.EventEnvelope(
        event_id=recorded.event_id,
        journal=journal_id(recorded.journal),
        version=recorded.version,
        position=row.position,
        name=recorded.type.name,
        schema_version=recorded.type.version,
        origin=number(event_pb2.Origin, recorded.type.origin),
        visibility=number(event_pb2.Visibility, recorded.type.visibility),
        occurred_at=timestamp(recorded.occurred_at),
        recorded_at=timestamp(recorded.recorded_at),
        actor=actor(recorded.actor),
        on_behalf_of=None if recorded.on_behalf_of is None else actor(recorded.on_behalf_of),
        unit_id=recorded.unit or "",
        request=recorded.request or "",
        append_id=recorded.append_id,
        index=recorded.index,
        count=recorded.count,
        correlation_id=recorded.correlation_id,
        causation_id=recorded.causation_id or "",
        rule=recorded.rule,
        definition=recorded.definition or "",
        because=map(fact_ref, recorded.because),
        hash=row.hash,
        payload=payload(recorded.event, codec, disclose),
    )


def payload(event: object, codec: Codec, disclose: Disclose | None = None) -> bytes:
    """The event's own fields as JSON, personal values replaced by `SEALED`."""
    _, plain = codec.encode(event)
    return canonical(without_boxes(plain if disclose is None else disclose(plain)))


def without_boxes(plain: Any) -> Any:
    """Plain data of an event, with `SEALED` for every sealed value."""
    if isinstance(plain, dict):
        table = cast("dict[str, Any]", plain)
        if table.keys() == _BOX:
            return SEALED
        return {key: without_boxes(value) for key, value in table.items()}
    if isinstance(plain, list | tuple):
        return [without_boxes(item) for item in cast("list[Any]", plain)]
    return plain


def journal_kinds(wire: Iterable[int]) -> frozenset[JournalKind]:
    """
    The kinds of journal that a request is bounded to; none for all.

    Raises:
        InvalidValueError: one is unspecified.
    """
    return frozenset(
        member(JournalKind, common_pb2.JournalKind, kind, f"journal_kinds[{i}]")
        for i, kind in enumerate(wire)
    )
