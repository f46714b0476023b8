"""
The connections of a store: one that writes appends, one for other writes, a few that read.

None is reset between uses, which would be a round trip. A broken one is dropped and made anew.
"""

from __future__ import annotations

import asyncio
import contextlib

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias, TypeVar

import asyncpg

from asyncpg.connect_utils import SessionAttribute

from clientela.adapters.postgres.failures import Errors, Failure, failure_of, unavailable
from clientela.adapters.postgres.profile import check_profile, profile_of
from clientela.services.store_errors import StoreUnavailableError, StoreUnsuitableError


Connection: TypeAlias = "asyncpg.Connection[Any]"

_T = TypeVar("_T")

READERS = 4
"""Connections that read."""

CONNECT_S = 3.0
"""Seconds that making a connection may take."""

COMMAND_S = 15.0
"""Seconds after which a statement without an answer is given up, with its connection."""

PATIENCE_S = 5.0
"""Seconds that somebody waits for a database that is not there."""

BACKOFF_FIRST_S = 0.05
"""Seconds between the first two tries to connect; they double."""

BACKOFF_MAX_S = 1.0
"""Seconds between two tries to connect at most."""

READ_TRIES_MAX = 3
"""How often a question is asked because the connection broke."""

SETTINGS: Mapping[str, str] = {
    "application_name": "clientela",
    "statement_timeout": "10s",
    "lock_timeout": "500ms",
    "idle_in_transaction_session_timeout": "5s",
    # Statements are prepared once and find their rows by index, however small a table was then.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
"""
Of every connection. The lock timeout is below the default deadlock timeout of one second: whoever
is in a circle lets go before the server looks for one.
"""

READER_SETTINGS: Mapping[str, str] = {**SETTINGS, "default_transaction_read_only": "on"}

TRANSACTION_TIMEOUT_SINCE = 17
"""The first release with `transaction_timeout`."""

_TRANSACTION_TIMEOUT = "SET transaction_timeout = '10s'"


async def connect(url: str, settings: Mapping[str, str] = SETTINGS) -> Connection:
    """A connection to the primary of *url*."""
    connection: Connection = await asyncpg.connect(
        url,
        timeout=CONNECT_S,
        command_timeout=COMMAND_S,
        server_settings=dict(settings),
        max_cached_statement_lifetime=0,
        target_session_attrs=SessionAttribute.primary,
    )
    with _let_go_if_unused(connection):
        if connection.get_server_version().major >= TRANSACTION_TIMEOUT_SINCE:
            await connection.execute(_TRANSACTION_TIMEOUT)
    return connection


@contextmanager
def _let_go_if_unused(connection: Connection) -> Generator[None]:
    """Whoever makes a connection may be cancelled, or time out, before anybody has it."""
    try:
        yield
    except BaseException:
        connection.terminate()
        raise


class Connections:
    """
    Makes connections when they are needed.

    Args:
        url: Of the database.

        on_unsuitable: Called when the server that answers is not to be used any more.
    """

    def __init__(
        self, url: str, on_unsuitable: Callable[[StoreUnsuitableError], None] | None = None
    ) -> None:
        self._url = url
        self._on_unsuitable = on_unsuitable
        self._writer: Connection | None = None
        self._side: Connection | None = None
        self._side_lock = asyncio.Lock()
        self._readers: asyncio.LifoQueue[Connection | None] = asyncio.LifoQueue()
        for _ in range(READERS):
            self._readers.put_nowait(None)
        self._queued = 0
        self.made: Callable[[Connection], None] = lambda _connection: None
        """Called with every connection made."""
        self.tell_keys: Callable[[int, float], None] = lambda _changes, _asked_s: None
        """Called with how often keys were changed that somebody may have read, and with when that
        was asked at the earliest, on `time.monotonic`; whenever it is told with something else."""

    async def writer(self) -> Connection:
        """
        The connection that appends; for its one user.

        Raises:
            StoreUnavailableError: there is none to be had.
        """
        if self._writer is None or self._writer.is_closed():
            self._writer = await self._patiently(SETTINGS)
        return self._writer

    def drop_writer(self) -> None:
        """Let go of the connection that appends, whatever it is doing."""
        if self._writer is not None:
            self._writer.terminate()
            self._writer = None

    async def write(self, work: Callable[[Connection], Awaitable[_T]]) -> _T:
        """
        Have something else than appends written, in one transaction, tried again while that helps.

        Raises:
            StoreUnavailableError: it was not done, or it is not known whether it was.
        """
        return await self.write_once(lambda connection: _in_transaction(connection, work))

    async def write_once(self, work: Callable[[Connection], Awaitable[_T]]) -> _T:
        """
        Have something else than appends written by one statement, which is a transaction by itself
        and one round trip; tried again while that helps.

        Raises:
            StoreUnavailableError: it was not done, or it is not known whether it was.
        """
        async with self._side_lock:
            delay_s = BACKOFF_FIRST_S
            while True:
                try:
                    if self._side is None or self._side.is_closed():
                        self._side = await self._patiently(SETTINGS)
                    return await work(self._side)
                except Errors as error:
                    if failure_of(error) is not Failure.AGAIN or delay_s > BACKOFF_MAX_S:
                        self._drop_side(error)
                        raise unavailable(error) from error
                await asyncio.sleep(delay_s)
                delay_s *= 2

    async def tidy(self, statement: str) -> None:
        """
        Carry out a statement that must stand outside of any transaction.

        Raises:
            StoreUnavailableError: it failed.
        """
        async with self._side_lock:
            try:
                if self._side is None or self._side.is_closed():
                    self._side = await self._patiently(SETTINGS)
                await self._side.execute(statement)
            except Errors as error:
                self._drop_side(error)
                raise unavailable(error) from error

    async def read(self, question: Callable[[Connection], Awaitable[_T]]) -> _T:
        """
        What *question* finds; asked again when the connection breaks.

        Raises:
            StoreUnavailableError: there is no answer.
        """
        for _ in range(READ_TRIES_MAX - 1):
            async with self._reader() as connection:
                try:
                    return await question(connection)
                except Errors as error:
                    is_told = isinstance(error, asyncpg.PostgresError)
                    is_broken = connection.is_closed()
                    connection.terminate()
                    if is_told and not is_broken:
                        raise unavailable(error) from error
        async with self._reader() as connection:
            try:
                return await question(connection)
            except Errors as error:
                connection.terminate()
                raise unavailable(error) from error

    async def close(self) -> None:
        """Let go of everything; nobody may be using any of it."""
        held = [self._writer, self._side]
        while not self._readers.empty():
            held.append(self._readers.get_nowait())
        for connection in held:
            if connection is not None and not connection.is_closed():
                try:
                    await connection.close(timeout=CONNECT_S)
                except Errors:
                    connection.terminate()

    def _drop_side(self, error: BaseException) -> None:
        if self._side is not None and failure_of(error) is Failure.GONE:
            self._side.terminate()

    @asynccontextmanager
    async def _reader(self) -> AsyncGenerator[Connection]:
        connection = await self._free_reader()
        try:
            if connection is None or connection.is_closed():
                connection = await self._patiently(READER_SETTINGS)
            yield connection
        finally:
            is_good = connection is not None and not connection.is_closed()
            self._readers.put_nowait(connection if is_good else None)

    async def _free_reader(self) -> Connection | None:
        """A place among those that read, with its connection if it has one; in order of asking."""
        if not self._queued:
            with contextlib.suppress(asyncio.QueueEmpty):
                return self._readers.get_nowait()
        self._queued += 1
        try:
            return await asyncio.wait_for(self._readers.get(), COMMAND_S)
        except TimeoutError as error:
            raise StoreUnavailableError("too many questions are waiting") from error
        finally:
            self._queued -= 1

    async def _patiently(self, settings: Mapping[str, str]) -> Connection:
        """A connection, tried for `PATIENCE_S`; what answers must still be fit to be served."""
        loop = asyncio.get_running_loop()
        end, delay_s = loop.time() + PATIENCE_S, BACKOFF_FIRST_S
        while True:
            try:
                connection = await connect(self._url, settings)
                with _let_go_if_unused(connection):
                    await self._check(connection)
            except Errors as error:
                if loop.time() + delay_s > end:
                    raise unavailable(error) from error
            else:
                self.made(connection)
                return connection
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, BACKOFF_MAX_S)

    async def _check(self, connection: Connection) -> None:
        try:
            check_profile(await profile_of(connection))
        except StoreUnsuitableError as error:
            if self._on_unsuitable is not None:
                self._on_unsuitable(error)
            raise StoreUnavailableError(str(error)) from error


async def _in_transaction(
    connection: Connection, work: Callable[[Connection], Awaitable[_T]]
) -> _T:
    try:
        async with connection.transaction():
            return await work(connection)
    except asyncio.CancelledError:
        # Left while it began, it would take in whatever is written next, and commit none of it.
        connection.terminate()
        raise
