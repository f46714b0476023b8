"""
What is handed to the writer.
"""

from __future__ import annotations

import asyncio

import attrs

from clientela.services.rows import Append


@attrs.define(eq=False)
class Job:
    """
    An append that waits.

    Attributes:
        append: What is to be written.

        future: Where its caller waits for the position.
    """

    append: Append
    future: asyncio.Future[int]

    def done(self, position: int) -> None:
        """Tell the caller, if they still wait, that it is committed."""
        if not self.future.done():
            self.future.set_result(position)

    def failed(self, error: Exception) -> None:
        """Tell the caller, if they still wait, that it had no effect or may have had none."""
        if not self.future.done():
            self.future.set_exception(error)
