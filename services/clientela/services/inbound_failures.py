"""
Why messages are not carried out: told apart by whether it goes away by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from clientela.domain.errors import Category, DomainError
from clientela.services.error_codes import clipped
from clientela.services.parked import (
    PROBLEM_LENGTH_MAX,
    REASON_LENGTH_MAX,
    WAITING,
    ParkedMessage,
)
from clientela.services.refusals import EdgeError, UnauthenticatedError
from clientela.services.store_errors import ConflictError


MENDED = frozenset({WAITING, "NOT_FOUND", "OVERLOADED", "VERSION_CONFLICT", "DEADLINE_EXCEEDED"})
"""Reasons that go away by themselves: the client is registered, the one before is carried out."""

MEND_WAIT_MAX_S = 3_600.0
"""Seconds between two tries of a parked message at most; they double from one on."""

DOUBLINGS_MAX = 12
"""Tries after which that is reached."""

INTERNAL = "INTERNAL"
"""Reason of a fault of the service."""


class DeliveredTooOftenError(Exception):
    """A message came again and again without ever being done with: it may well be what kills."""


def may_pass(error: Exception) -> bool:
    """Whether the same message may be carried out a moment later."""
    if isinstance(error, ConflictError | TimeoutError):
        return True
    return isinstance(error, DomainError) and error.category in {Category.CONFLICT, Category.LIMIT}


def reason_of(error: Exception) -> str:
    """Stable reason of an error."""
    match error:
        case DomainError():
            return error.reason[:REASON_LENGTH_MAX]
        case UnauthenticatedError():
            return "UNAUTHENTICATED"
        case ConflictError():
            return "VERSION_CONFLICT"
        case TimeoutError() | EdgeError():
            return "DEADLINE_EXCEEDED"
        case DeliveredTooOftenError():
            return "DELIVERED_TOO_OFTEN"
        case _:
            return INTERNAL


def problem_of(error: Exception) -> str:
    """The same for people; of an error that is not ours the type alone, for what it may hold."""
    text = str(error) if isinstance(error, DomainError) else type(error).__name__
    return clipped(text)[:PROBLEM_LENGTH_MAX]


def again_at(head: ParkedMessage) -> datetime:
    """When a parked message is tried again by itself, if its reason is one of `MENDED`."""
    if head.reason == WAITING:
        return head.tried_at
    wait_s = min(2.0 ** min(head.tries, DOUBLINGS_MAX), MEND_WAIT_MAX_S)
    return head.tried_at + timedelta(seconds=wait_s)
