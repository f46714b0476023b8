"""
How the stream must be configured: made so if it is not there, refused if it is otherwise.

    BusUnsuitableError
      - StreamMissingError         there is none, and none is to be made
      - StreamMisconfiguredError   one that is not safe, or not ours
      - BrokerTooSmallError        the broker takes no messages as long as ours
"""

from __future__ import annotations

from typing import Any, cast

import attrs

from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from clientela.services.bus import BusUnsuitableError
from clientela.services.event_messages import BODY_BYTES_MAX
from clientela.services.partitions import SUBJECT


STREAM = "clientela"
"""Name of the stream of events."""

PAGE = "docs/events.md"
"""Where people read how it must be."""

MESSAGE_BYTES_MAX = BODY_BYTES_MAX + 64 * 1024
"""Bytes of a message with its headers."""

STREAM_BYTES_MAX = 256 * 1024**3
"""Bytes of a stream that is made here; a full one takes nothing more, and loses nothing."""

REPLICAS_MAX = 5

WINDOW_S = 120.0
"""Seconds for which the broker remembers ids of messages."""


class StreamMissingError(BusUnsuitableError):
    """
    There is no stream, and none is to be made.

    Attributes:
        page: Says how it must be.
    """

    def __init__(self, stream: str, page: str) -> None:
        self.page = page
        super().__init__(
            f"the broker has no stream {stream}: make one as {page} says, or let it be "
            "made here (CLIENTELA_BUS_CREATE=1)"
        )


class StreamMisconfiguredError(BusUnsuitableError):
    """
    The stream is configured otherwise than it must be.

    Attributes:
        faults: What is, each as `setting: found, expected`.
    """

    def __init__(self, stream: str, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__(
            f"the stream {stream} is not as it must be ({'; '.join(faults)}): change it with "
            f"`nats stream edit {stream}`, or name another broker"
        )


class BrokerTooSmallError(BusUnsuitableError):
    """The broker takes no messages as long as ours may be."""

    def __init__(self, found: int) -> None:
        super().__init__(
            f"the broker takes messages of {found} bytes at most: set its max_payload to "
            f"{MESSAGE_BYTES_MAX} or more"
        )


@attrs.frozen(kw_only=True)
class StreamShape:
    """
    How the stream is to be.

    Attributes:
        may_create: Whether it is made if there is none.

        replicas: Copies of a stream that is made here, 1 to `REPLICAS_MAX`.

        window_s: Seconds for which ids are remembered, at least.

        bytes_max: Bytes of a stream that is made here.
    """

    may_create: bool = True
    replicas: int = 1
    window_s: float = WINDOW_S
    bytes_max: int = STREAM_BYTES_MAX

    async def ensure(self, context: JetStreamContext, payload_max: int) -> api.StreamInfo:
        """
        The stream, made if need be, checked.

        Args:
            context: The connection.

            payload_max: Bytes of a message that the broker takes.

        Raises:
            BusUnsuitableError: it cannot be used.
        """
        if payload_max < MESSAGE_BYTES_MAX:
            raise BrokerTooSmallError(payload_max)
        try:
            info = await context.stream_info(STREAM)
        except NotFoundError:
            if not self.may_create:
                raise StreamMissingError(STREAM, PAGE) from None
            untyped: Any = context
            info = cast("api.StreamInfo", await untyped.add_stream(self._config()))
        faults = self._faults(info.config)
        if faults:
            raise StreamMisconfiguredError(STREAM, faults)
        return info

    def _config(self) -> api.StreamConfig:
        return api.StreamConfig(
            name=STREAM,
            description="Every event of the company, in the order of commits.",
            subjects=[f"{SUBJECT}.>"],
            retention=api.RetentionPolicy.LIMITS,
            discard=api.DiscardPolicy.NEW,
            storage=api.StorageType.FILE,
            max_bytes=self.bytes_max,
            max_msg_size=MESSAGE_BYTES_MAX,
            num_replicas=self.replicas,
            duplicate_window=self.window_s,
            deny_delete=True,
            allow_direct=True,
            allow_atomic=True,
        )

    def _faults(self, found: api.StreamConfig) -> tuple[str, ...]:
        size = found.max_msg_size or -1
        wanted = {
            "subjects": (found.subjects, [f"{SUBJECT}.>"]),
            "storage": (_text(found.storage), "file"),
            "retention": (_text(found.retention), "limits"),
            "discard": (_text(found.discard), "new"),
            "max_age": (found.max_age or 0, 0),
            "max_msgs": (_limit(found.max_msgs), -1),
            "max_msgs_per_subject": (_limit(found.max_msgs_per_subject), -1),
            "no_ack": (found.no_ack, False),
            "sealed": (found.sealed, False),
            "mirror": (found.mirror is not None, False),
            "sources": (bool(found.sources), False),
            "subject_transform": (found.subject_transform is not None, False),
        }
        faults = [
            f"{name}: {is_}, not {must}" for name, (is_, must) in wanted.items() if is_ != must
        ]
        if 0 < size < MESSAGE_BYTES_MAX:
            faults.append(f"max_msg_size: {size}, not {MESSAGE_BYTES_MAX} or more")
        if found.duplicate_window < self.window_s:
            faults.append(f"duplicate_window: {found.duplicate_window:g} s, not {self.window_s:g}")
        return tuple(faults)


def _text(setting: object) -> str:
    return str(getattr(setting, "value", setting))


def _limit(setting: int | None) -> int:
    """A limit; there is none where the broker says nothing or 0."""
    return setting or -1
