"""
Retries: what is worth another try, how long to wait before it, and how many tries there may be.

A retry that is sure to fail costs everybody; so waits grow, are random over their whole length, and
all retries of a client together stay a tenth of its calls (R16).
"""

from __future__ import annotations

import random

from collections.abc import Callable

import attrs
import grpc


TRIES_MAX = 5
"""Tries of one call, the first included."""

WAIT_FIRST_S = 0.05
"""Longest wait before the second try, in seconds; it doubles with every further one."""

WAIT_MAX_S = 2.0
"""Longest wait before any try, unless the service asks for more."""

BUDGET_SHARE = 0.1
"""Retries that one call earns."""

BUDGET_MAX = 100.0
"""Retries saved up at most."""

BUDGET_FIRST = 10.0
"""Retries that a client has before it has made a call."""

BACKOFF_FIRST_S = 0.5
"""Seconds until something that has to go on is tried again; they double with every failure."""

BACKOFF_MAX_S = 30.0
"""Seconds between two such tries at most."""

DOUBLINGS_MAX = 10
"""Failures after which `BACKOFF_MAX_S` is reached."""

RETRIABLE = frozenset(
    {
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNAVAILABLE,
    }
)
"""Codes after which the same request may succeed."""

DECIDED = frozenset({"ETAG_MISMATCH"})
"""Reasons under those codes that a repeat would only get again: read anew first."""


class RetryBudget:
    """
    Counts what all calls of one client may still spend on retries.

    Args:
        share: Retries that one call earns.

        first: Retries there are before the first call.
    """

    def __init__(self, share: float = BUDGET_SHARE, first: float = BUDGET_FIRST) -> None:
        self._share = share
        self._left = first

    def earn(self) -> None:
        """Note a call."""
        self._left = min(self._left + self._share, BUDGET_MAX)

    def spend(self) -> bool:
        """Take one retry out; whether there was one."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """
    How a call is tried again.

    Attributes:
        tries_max: Tries of one call, the first included: 1 or more.

        wait_first_s: Longest wait before the second try, in seconds.

        wait_max_s: Longest wait before any try.

        random: A number from 0 to 1 by which a wait is multiplied.
    """

    tries_max: int = TRIES_MAX
    wait_first_s: float = WAIT_FIRST_S
    wait_max_s: float = WAIT_MAX_S
    random: Callable[[], float] = random.random

    def wait_s(self, tries: int, asked_s: float | None) -> float:
        """
        Seconds to wait before the next try.

        Args:
            tries: Made so far, 1 or more.

            asked_s: Seconds that the service asks to wait at least; None if it does not.
        """
        longest = min(self.wait_first_s * 2.0 ** (tries - 1), self.wait_max_s)
        return (asked_s or 0.0) + self.random() * longest


def is_retriable(code: grpc.StatusCode, reason: str, asked_s: float | None) -> bool:
    """
    Whether the same request may succeed later.

    Args:
        code: What it failed with.

        reason: Stable reason; empty when nobody of Clientela gave one.

        asked_s: Seconds that the service asks to wait; a cap that is reached asks for none.
    """
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return asked_s is not None
    return code in RETRIABLE and reason not in DECIDED


def backoff_s(times: int) -> float:
    """Seconds to wait after something failed so many times, 1 or more."""
    return min(BACKOFF_FIRST_S * 2.0 ** (min(times, DOUBLINGS_MAX) - 1), BACKOFF_MAX_S)
