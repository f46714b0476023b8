"""
Waiting for transactions elsewhere on the server that hold back the order of what is committed.
"""

from __future__ import annotations

import asyncio

from clientela.services.store_errors import StoreUnavailableError


HELD_S = 2.0
"""Seconds to wait for transactions that hold back the order of what is committed."""

HELD_PAUSE_S = 0.001
"""Seconds between the first two looks whether they have ended; they double."""

HELD_PAUSE_MAX_S = 0.05
"""Seconds between two such looks at most."""


class Hold:
    """Waiting for those who hold back the order of what is committed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + HELD_S
        self._pause_s = HELD_PAUSE_S

    async def wait(self) -> None:
        """
        Wait a little before the next look.

        Raises:
            StoreUnavailableError: it took too long.
        """
        if self._loop.time() > self._end:
            raise StoreUnavailableError(
                "a transaction on the database server has been writing for too long,"
                " which holds back the order of events: find it in pg_stat_activity and end it"
            )
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * 2, HELD_PAUSE_MAX_S)
