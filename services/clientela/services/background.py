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
    """Cancel tasks and wait for them; what one of them had died of is told, not raised."""
    for task in tasks:
        task.cancel()
    for came_to in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(came_to, Exception):
            _LOG.error("a background task had ended: %s", type(came_to).__name__)
