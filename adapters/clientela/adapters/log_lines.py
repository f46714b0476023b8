"""
Lines of a log on their way out: those of calls that end at about the same time are one write.

    in an event loop                          kept, for `LINGER_SECONDS` and `LINES_MAX` at most: a
                                              write, and the wait for the interpreter's lock after
                                              it, would cost a call more than the rules do
    from WARNING on, and where no loop runs   written at once, after those that were kept

A process that ends writes out what it kept; one that is killed loses it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from collections.abc import Callable
from typing import TextIO


LINGER_SECONDS = 0.02
"""How long a line is kept while the event loop turns."""

LINES_MAX = 256
"""Lines kept."""


class LineHandler(logging.StreamHandler[TextIO]):
    """
    Writes lines in their order.

    Args:
        stream: Where to; None for the error output.

        monotonic: Seconds by which the keeping is measured.
    """

    def __init__(
        self, stream: TextIO | None = None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(stream)
        self._monotonic = monotonic
        self._kept: list[str] = []
        self._since_s = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line of a record, or write it with those that were kept."""
        try:
            self._kept.append(self.format(record) + self.terminator)
            if record.levelno >= logging.WARNING or not self._may_wait():
                self.flush()
        except Exception:  # noqa: BLE001 (as every handler: a log stops nobody's work)
            self.handleError(record)

    def flush(self) -> None:
        """
        Write what is kept.

        Raises:
            OSError: it cannot be written, and is gone.
        """
        self.acquire()
        try:
            kept, self._kept = self._kept, []
            if kept:
                self.stream.write("".join(kept))
            super().flush()
        finally:
            self.release()

    def _may_wait(self) -> bool:
        """Whether the line just kept is written later, with others."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if len(self._kept) == 1:
            self._since_s = self._monotonic()
            loop.call_later(LINGER_SECONDS, self._flush_kept)
            return True
        # Longer than it should: the loop that was to write it has ended.
        is_late = self._monotonic() - self._since_s > 2 * LINGER_SECONDS
        return not is_late and len(self._kept) < LINES_MAX

    def _flush_kept(self) -> None:
        # No disk to write to, or a stream that was closed: as every handler, without a word.
        with contextlib.suppress(OSError, ValueError):
            self.flush()
