"""
The bus: where events leave, and what it answers when it does not take them.

    BusError                   it does not take them
      - BusUnavailableError    now; trying again later may help
      - FencedError            from this tail: the stream goes on from another place by now
      - BusUnsuitableError     until somebody changes it: wrong configuration, messages of others
          - BusAheadError      it holds events that the store does not have
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import attrs

from clientela.services.event_messages import Message


READ_MAX = 500
"""Messages that a stream hands over at once."""


class BusError(Exception):
    """The bus does not do what it is asked; texts hold no personal values."""


class BusUnavailableError(BusError):
    """The bus cannot be reached, or takes nothing more now; trying again later may help."""


class FencedError(BusError):
    """Somebody else has written to the stream, or it was wiped: join it anew."""

    def __init__(self) -> None:
        super().__init__("the stream goes on from another place by now")


class BusUnsuitableError(BusError):
    """The stream is not what it must be; the message says what to do."""


class BusAheadError(BusUnsuitableError):
    """The stream holds events that the store does not have: the store was restored."""

    def __init__(self) -> None:
        super().__init__(
            "the stream holds events of another life of the store, which was restored from a copy: "
            "look at them with `clientela stream check`, then run `clientela stream rebuild`"
        )


@attrs.frozen(kw_only=True)
class Held:
    """
    A message as the stream holds it.

    Attributes:
        sequence: Its place in the stream, from 1.

        subject: Where it stands.

        headers: As they were sent.

        body: As it was sent.
    """

    sequence: int
    subject: str
    headers: Mapping[str, str]
    body: bytes


class Tail(Protocol):
    """
    The end of the stream as it was joined, to write after it.

    Nothing is written unless the stream still ends where this tail left it: of two writers the one
    that has not seen the other's message is refused, however late it wakes.
    """

    @property
    def position(self) -> int:
        """Position of the last event in the stream; 0 when it is empty."""
        ...

    @property
    def epoch(self) -> str:
        """The life of the store which that event is of; empty when it says none."""
        ...

    async def publish(self, messages: Sequence[Message]) -> None:
        """
        Write messages, in this order, each once; returns when all of them last.

        Raises:
            FencedError: somebody else has written; a beginning of *messages* may be in.

            BusUnavailableError: likewise, but not for that reason.
        """
        ...

    async def check(self) -> None:
        """
        Check that the stream still ends here.

        Raises:
            FencedError: it does not.

            BusUnavailableError: the bus cannot be reached.
        """
        ...


class Bus(Protocol):
    """Where events leave."""

    async def join(self) -> Tail:
        """
        The end of the stream as it is.

        Raises:
            BusUnsuitableError: the stream must not be used as it is.

            BusUnavailableError: the bus cannot be reached.
        """
        ...

    async def clear(self) -> None:
        """
        Drop every message; no tail joined before can write any more.

        Raises:
            BusUnsuitableError, BusUnavailableError: as for `join`.
        """
        ...

    def read(self, after: int = 0) -> AsyncIterator[Held]:
        """
        Messages with a sequence above *after*, in order, up to the end as it is at the beginning.

        Raises:
            BusUnsuitableError, BusUnavailableError: as for `join`.
        """
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...
