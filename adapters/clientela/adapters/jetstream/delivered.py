"""
Messages as they are delivered, whatever their senders make of subjects and headers.
"""

from __future__ import annotations

from typing import Any, Final

from nats.aio.client import Client


STATUS: Final = "Status"
"""Header by which the client library tells what the broker itself says from what somebody sent."""

DELIVERY: Final = b"$JS.ACK."
"""What the reply subject of every message of a stream begins with; no word of the broker has it."""


class Receiver(Client):
    """
    A connection that no message of a stream can break.

    A sender may call a header `Status`, or write a subject that is no UTF-8. The library would take
    the one for word of the broker and pass it by, or fail, and read nothing more after the other;
    both for ever, since such a message is delivered again.
    """

    def _build_message(
        self,
        sid: int,
        subject: bytes,
        reply: bytes,
        data: bytes,
        headers: dict[str, str] | None,
    ) -> Any:
        if headers and reply.startswith(DELIVERY):
            headers.pop(STATUS, None)
        if not subject.isascii():
            subject = subject.decode("utf-8", "replace").encode()
        return super()._build_message(sid, subject, reply, data, headers)
