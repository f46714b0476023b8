"""
How the stream of inbound messages must be configured: made so if it is not there, refused if it is
otherwise.
"""

from __future__ import annotations

from typing import Any, cast

from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from clientela.adapters.jetstream.stream import StreamMisconfiguredError, StreamMissingError
from clientela.services.inbound import BODY_BYTES_MAX


STREAM = "clientela-in"
"""Name of the stream."""

PAGE = "docs/messages.md"
"""Where people read how it must be."""

SUBJECT = "clientela.in.v1"
"""What every subject begins with; then comes the kind of message."""

MESSAGE_BYTES_MAX = BODY_BYTES_MAX + 16 * 1024
"""Bytes of a message with its headers; the broker refuses longer ones, so their sender knows."""

STREAM_BYTES_MAX = 16 * 1024**3
"""Bytes that wait at most; then senders are refused, and nothing is lost."""

WINDOW_S = 120.0
"""Seconds for which the broker remembers ids of messages."""

ACK_SECONDS = 60.0
"""Seconds after which a message that nobody acknowledged comes again."""

DELIVERIES_MAX = -1
"""How often the broker delivers a message: until it is carried out or parked, however long the
store is away."""


async def ensure(context: JetStreamContext, *, may_create: bool, replicas: int) -> None:
    """
    The stream, made if need be, checked.

    Args:
        context: Of the broker, connected.

        may_create: Whether it is made if there is none.

        replicas: Copies of a stream that is made here.

    Raises:
        BusUnsuitableError: there is none, or it cannot be used.
    """
    try:
        info = await context.stream_info(STREAM)
    except NotFoundError:
        if not may_create:
            raise StreamMissingError(STREAM, PAGE) from None
        untyped: Any = context
        info = cast("api.StreamInfo", await untyped.add_stream(_config(replicas)))
    faults = _faults(info.config)
    if faults:
        raise StreamMisconfiguredError(STREAM, faults)


def consumer_config(pending_max: int) -> api.ConsumerConfig:
    """
    How the consumer of the stream is made.

    Args:
        pending_max: Messages delivered and not acknowledged at most.
    """
    return api.ConsumerConfig(
        durable_name=STREAM,
        deliver_policy=api.DeliverPolicy.ALL,
        ack_policy=api.AckPolicy.EXPLICIT,
        ack_wait=ACK_SECONDS,
        max_deliver=DELIVERIES_MAX,
        max_ack_pending=pending_max,
    )


def _config(replicas: int) -> api.StreamConfig:
    return api.StreamConfig(
        name=STREAM,
        description="What other systems tell, until it is carried out.",
        subjects=[f"{SUBJECT}.*"],
        retention=api.RetentionPolicy.WORK_QUEUE,
        discard=api.DiscardPolicy.NEW,
        storage=api.StorageType.FILE,
        max_bytes=STREAM_BYTES_MAX,
        max_msg_size=MESSAGE_BYTES_MAX,
        num_replicas=replicas,
        duplicate_window=WINDOW_S,
    )


def _faults(found: api.StreamConfig) -> tuple[str, ...]:
    wanted = {
        "subjects": (found.subjects, [f"{SUBJECT}.*"]),
        "storage": (_text(found.storage), "file"),
        "retention": (_text(found.retention), "workqueue"),
        "discard": (_text(found.discard), "new"),
        "max_age": (found.max_age or 0, 0),
        "deny_delete": (found.deny_delete, False),
        "no_ack": (found.no_ack, False),
        "sealed": (found.sealed, False),
    }
    return tuple(
        f"{name}: {is_}, not {must}" for name, (is_, must) in wanted.items() if is_ != must
    )


def _text(setting: object) -> str:
    return str(getattr(setting, "value", setting))
