"""
Whether a store may still acknowledge anything.
"""

from __future__ import annotations

import asyncio

from clientela.services.store_errors import StoreUnavailableError


class Health:
    """
    Good until the first error of the disk, and never again.

    Args:
        loop: Where somebody may wait for the end.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._reason = ""
        self._failed = asyncio.Event()

    @property
    def is_good(self) -> bool:
        """Whether nothing has failed yet."""
        return not self._reason

    def fail(self, error: BaseException) -> None:
        """Stop for good; from any thread."""
        if self._reason:
            return
        self._reason = getattr(error, "sqlite_errorname", type(error).__name__)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._failed.set)

    def check(self) -> None:
        """
        Go on only while nothing has failed.

        Raises:
            StoreUnavailableError: something has.
        """
        if self._reason:
            raise StoreUnavailableError(f"the database has failed ({self._reason}): start again")

    async def failed(self) -> str:
        """Wait until the store has stopped for good; says why."""
        await self._failed.wait()
        return self._reason
