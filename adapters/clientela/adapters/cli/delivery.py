"""
Delivery of requests to the service, whichever way they go: what may pass is tried again.

    delivered -> a carrier -> the service
        ^                        |
        +-- may pass: again -----+
"""

from __future__ import annotations

import abc
import asyncio

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs

from clientela.adapters.cli.failure import VerbError


ATTEMPTS_MAX = 8
"""How often requests are tried while the service is too busy or away and takes none of them."""

LIMITED = "RATE_LIMITED"
"""Reason of a service that is well and takes so many a second of us, and no more."""

LIMITED_MAX = 200
"""How often requests are tried while others of this run use up what it takes of us."""

PAUSE_SECONDS = 0.25
"""Before the second attempt; twice as long before each further one."""

LIMITED_PAUSES_MAX = 8
"""Pauses that are the longest between attempts to a service that takes so many a second."""

RETRIED = frozenset(
    {
        "",
        "OVERLOADED",
        LIMITED,
        "VERSION_CONFLICT",
        "STORE_UNAVAILABLE",
        "DEADLINE_EXCEEDED",
    }
)
"""Reasons for which the same request may do better later; empty where nobody was reached."""

UNSURE = frozenset({"", "STORE_UNAVAILABLE", "DEADLINE_EXCEEDED"})
"""Those after which it may have been carried out all the same."""

FATAL = RETRIED | {
    "UNAUTHENTICATED",
    "ACCESS_DENIED",
    "STORE_UNSUITABLE",
    "INTERNAL",
    "UNIMPLEMENTED",
}
"""Reasons for which no further request is tried."""


@attrs.frozen(kw_only=True)
class Said:
    """
    What a request came to.

    Attributes:
        is_new: Whether it changed something; what was so already, or done before, did not.

        client_id: The client whom it names, registered or found.

        unmatched_lines: Lines of a return whose purchase is not known.

        is_repeat: Whether the same request had changed something before.

        is_unsure: Whether that may have been just now: an answer to it was lost.
    """

    is_new: bool
    client_id: str
    unmatched_lines: int = 0
    is_repeat: bool = False
    is_unsure: bool = False


class Carrier(abc.ABC):
    """A way for requests."""

    @abc.abstractmethod
    async def carry(self, requests: Sequence[Any]) -> list[Said | VerbError]:
        """
        What each of *requests* came to, or why it was refused.

        Those of one client are carried out in this order.

        Raises:
            VerbError: the service is away or takes nothing from us; some may have been carried out.
        """


async def delivered(
    carrier: Carrier, requests: Sequence[Any], *, pause_s: float = PAUSE_SECONDS
) -> list[Said | VerbError]:
    """
    What each of *requests* came to, or why it was refused; what may pass is tried again.

    Args:
        carrier: Their way.

        requests: Those of one client in their order.

        pause_s: Seconds before the second attempt.

    Raises:
        VerbError: the service is away, or takes nothing from us.
    """
    said: dict[int, Said | VerbError] = {}
    unsure: set[int] = set()
    left = list(range(len(requests)))
    busy = limited = 0
    while left and busy < ATTEMPTS_MAX and limited < LIMITED_MAX:
        if busy or limited:
            longest = LIMITED_PAUSES_MAX if limited else 2**ATTEMPTS_MAX
            await asyncio.sleep(pause_s * min(2 ** (busy + limited - 1), longest))
        told = await tried(carrier.carry, [requests[i] for i in left])
        said.update(zip(left, told, strict=True))
        unsure.update(i for i in left if reason_of(said[i]) in UNSURE)
        again = [i for i in left if reason_of(said[i]) in RETRIED]
        if len(again) < len(left):
            # It takes something: whoever waits for the rest waits anew.
            busy = limited = 0
        if all(reason_of(said[i]) == LIMITED for i in again):
            limited += 1
        else:
            busy += 1
        left = again
    answers = [_marked(said[i]) if i in unsure else said[i] for i in range(len(requests))]
    for answer in answers:
        if isinstance(answer, VerbError) and answer.reason in FATAL:
            raise answer
    return answers


async def tried(
    carry: Callable[[Sequence[Any]], Awaitable[list[Said | VerbError]]], requests: Sequence[Any]
) -> list[Said | VerbError]:
    """
    What each of *requests* came to; where all of them may do better later, that for each.

    Raises:
        VerbError: no further request is to be tried.
    """
    try:
        return await carry(requests)
    except VerbError as error:
        if error.reason not in RETRIED:
            raise
        return [error] * len(requests)


def _marked(said: Said | VerbError) -> Said | VerbError:
    """What a request came to after an answer to it was lost."""
    if isinstance(said, VerbError) or not said.is_repeat:
        return said
    return attrs.evolve(said, is_unsure=True)


def reason_of(said: Said | VerbError) -> str | None:
    """Why a request was refused; None if it was not."""
    return said.reason if isinstance(said, VerbError) else None
