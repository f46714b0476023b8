"""
The threads that ask: each has a connection of its own and takes whatever is asked next.

    asked -> queue -> thread -> answered -> told, all that were answered meanwhile, on the loop

Waking the loop costs more than most answers: it is woken once for all that it has not heard yet.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from clientela.adapters.sqlite.connection import is_fatal, unavailable
from clientela.adapters.sqlite.health import Health
from clientela.services.store_errors import StoreUnavailableError


QUESTIONS_MAX = 10_000
"""Questions that may wait; more are refused."""


@attrs.define(eq=False)
class _Asked:
    """
    A question that waits, and then its answer.

    Attributes:
        question: Takes a connection and *arguments*.

        arguments: What else it takes.

        future: Where its caller waits.

        answer: What was found.

        error: Why nothing was.
    """

    question: Callable[..., Any]
    arguments: tuple[object, ...]
    future: asyncio.Future[Any]
    answer: Any = None
    error: Exception | None = None

    def tell(self) -> None:
        """Wake the caller, if they still wait."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.answer)
        else:
            self.future.set_exception(self.error)


class Readers:
    """
    Asks for everybody.

    Args:
        connections: One for each thread, its own from here on.

        health: Shared with the writer.

        loop: Where callers wait.
    """

    def __init__(
        self,
        connections: Iterable[sqlite3.Connection],
        health: Health,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._health = health
        self._loop = loop
        self._queue: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._answered: deque[_Asked] = deque()
        self._is_waking = False
        self._threads = [
            threading.Thread(
                target=self._run, args=(each,), name=f"clientela-reader-{number}", daemon=True
            )
            for number, each in enumerate(connections)
        ]
        for thread in self._threads:
            thread.start()

    def ask(
        self, question: Callable[..., Any], arguments: tuple[object, ...]
    ) -> asyncio.Future[Any]:
        """
        Have something asked; the future is resolved with what *question* finds.

        Raises:
            StoreUnavailableError: too much is waiting.
        """
        if self._queue.qsize() >= QUESTIONS_MAX:
            raise StoreUnavailableError("too many questions are waiting")
        asked = _Asked(question, arguments, self._loop.create_future())
        self._queue.put(asked)
        return asked.future

    async def stop(self) -> None:
        """Answer what waits and end the threads; the connections stay open."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _run(self, connection: sqlite3.Connection) -> None:
        while (asked := self._queue.get()) is not None:
            if not asked.future.cancelled():
                self._answer(connection, asked)

    def _answer(self, connection: sqlite3.Connection, asked: _Asked) -> None:
        try:
            asked.answer = asked.question(connection, *asked.arguments)
        except sqlite3.Error as error:
            if is_fatal(error):
                self._health.fail(error)
            asked.error = unavailable(error)
        except Exception as error:  # noqa: BLE001  It is its caller's.
            asked.error = error
        self._answered.append(asked)
        # What is appended before the loop clears this is told by the wake-up under way.
        if not self._is_waking and not self._loop.is_closed():
            self._is_waking = True
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._is_waking = False
        while self._answered:
            self._answered.popleft().tell()
