"""
What was seen of a call: noted by whoever answers it, told by the observer at its end.
"""

from __future__ import annotations

from contextvars import ContextVar

import attrs

from clientela.domain.event import Actor
from clientela.services.metrics import OTHER_LABEL


KINDS_MAX = 20
"""What commands of one call come to that is told apart; more is told under `OTHER_LABEL`."""


@attrs.frozen
class Brought:
    """
    What a command came to that a call brought along.

    Attributes:
        method: Path of the rpc that it is when it comes alone.

        code: Name of the status code that it would have been answered with.

        reason: Stable reason of its refusal; empty for none.
    """

    method: str
    code: str = "OK"
    reason: str = ""


@attrs.define
class Seen:
    """
    What was seen of a call so far.

    Attributes:
        method: Path of the rpc.

        trace: Trace id of its caller; empty for none.

        code: Name of its status code.

        reason: Stable reason of a refusal; empty for none.

        actor: Who calls, as soon as that is known.

        request_id: As the caller gave it; leaves only as a keyed hash.

        request: That keyed hash, where it was made for the store already; empty for not yet.

        is_stream: Whether it lasts as long as its caller likes.

        brought: Request ids of the commands that it brought along, by what they came to, which
            leave only as keyed hashes; None for no commands.
    """

    method: str
    trace: str = ""
    code: str = "OK"
    reason: str = ""
    actor: Actor | None = None
    request_id: str = ""
    request: str = ""
    is_stream: bool = False
    brought: dict[Brought, list[str]] | None = None

    def refused(self, code: str, reason: str) -> None:
        """It ends with this."""
        self.code, self.reason = code, reason


SEEN: ContextVar[Seen | None] = ContextVar("clientela-seen", default=None)
"""The call being answered, as far as it was seen; None outside one."""


def note_actor(actor: Actor) -> None:
    """Who makes the call being answered; nothing outside one."""
    if (seen := SEEN.get()) is not None:
        seen.actor = actor


def note_hash(request_id: str, request: str) -> None:
    """The keyed hash of a request id; kept if that is the one of the call being answered."""
    if (seen := SEEN.get()) is not None and seen.request_id == request_id:
        seen.request = request


def note_request(request: object) -> None:
    """What the call being answered asks for, of which only the request id is kept."""
    if (seen := SEEN.get()) is not None:
        seen.request_id = getattr(request, "request_id", "")


def note_brought(brought: Brought, request_id: str) -> None:
    """What a command came to that the call being answered brings along."""
    if (seen := SEEN.get()) is not None:
        known = seen.brought = {} if seen.brought is None else seen.brought
        if brought.reason and brought not in known and len(known) >= KINDS_MAX:
            brought = attrs.evolve(brought, reason=OTHER_LABEL)
        known.setdefault(brought, []).append(request_id)
