"""
What goes on beside calls: a step repeated for ever, whatever happens to it on the way.
"""

from __future__ import annotations

import asyncio
import logging

from collections.abc import Awaitable, Callable, Sequence


BACKOFF_FIRST_S = 1.0
"""Seconds until a step that failed is tried again; they double with every failure in a row."""

BACKOFF_MAX_S = 60.0
"""Seconds between two tries at most."""

CANCEL_AGAIN_S = 1.0
"""Seconds after which a task that goes on is cancelled again."""

Sleep = Callable[[float], Awaitable[None]]
"""Lets seconds pass."""

_LOG = logging.getLogger(__name__)


async def keep_going(
    name: str,
    step: Callable[[], Awaitable[int]],
    pause_s: float,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """
    Repeat a step until cancelled; one that fails is reported and tried again later.

    Args:
        name: Of what goes on, for the report.

        step: Says how much it did; after 0 there is a pause.

        pause_s: Seconds of that pause.

        sleep: Lets seconds pass.
    """
    backoff_s = BACKOFF_FIRST_S
    while True:
        try:
            done = await step()
        except Exception as error:  # noqa: BLE001  # nothing may end what the service relies on
            # By type: the text of an error may hold what somebody typed.
            _LOG.error("%s failed and goes on: %s", name, type(error).__name__)
            await sleep(backoff_s)
            backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
            continue
        backoff_s = BACKOFF_FIRST_S
        if not done:
            await sleep(pause_s)


async def stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    """
    Cancel tasks and wait for them; what one of them had died of is told, not raised.

    They are cancelled until they end: a wait with a bound that is met at the same moment swallows a
    cancellation (`asyncio.wait_for` before Python 3.12).
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_S)
    for task in tasks:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _LOG.error("a background task had ended: %s", type(error).__name__)
