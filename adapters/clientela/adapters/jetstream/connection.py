"""
A connection to a broker, and its errors as ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import attrs
import nats.errors
import nats.js.errors

from nats.aio.client import Client

from clientela.adapters.jetstream.delivered import Receiver
from clientela.services.bus import BusError, BusUnavailableError


CONNECT_S = 5.0
"""Seconds until a broker that does not answer is not there."""

ANSWER_S = 10.0
"""Seconds until an answer of the stream is not waited for any more."""

LEAVE_S = 3.0
"""Seconds that a broker may take to hear that a connection ends."""

TOKEN_LENGTH_MAX = 4_096
"""Characters read of a token file."""

CREDENTIALS_SUFFIX = ".creds"
"""How files are called that hold a key and who it is for, as `nsc` makes them."""

NAME = "clientela"
"""How connections are called in the broker's own reports."""


Closed = Callable[[], Awaitable[None]]
"""Called when a connection is closed, by whomever."""


class Connects(Protocol):
    """What makes connections to one broker."""

    async def connect(self, closed: Closed) -> Client:
        """
        A connection, once for all: when it breaks it stays broken.

        Args:
            closed: Called when it is.

        Raises:
            BusUnavailableError: no server can be reached, or none lets us in.
        """
        ...


@attrs.frozen(kw_only=True)
class Broker:
    """
    Where a broker is and how it lets us in.

    Attributes:
        urls: Its servers; any one will do.

        credentials: File of the token, or a `.creds` file; None where anybody is let in.

        ca_file: Who signed the servers' certificates (PEM), None for those the system knows.
    """

    urls: tuple[str, ...]
    credentials: Path | None = None
    ca_file: Path | None = None

    @property
    def shown(self) -> str:
        """The servers, without what may stand there of a password."""
        return ",".join(url.rpartition("@")[2] if "@" in url else url for url in self.urls)

    async def connect(self, closed: Closed) -> Client:
        """A connection to any of the servers."""
        client = Receiver()
        with translated(f"{self.shown} cannot be reached"):
            shown = await asyncio.to_thread(self._shown_to_broker)
            try:
                async with asyncio.timeout(CONNECT_S):
                    await client.connect(
                        list(self.urls),
                        name=NAME,
                        allow_reconnect=False,
                        connect_timeout=int(CONNECT_S),
                        error_cb=_ignore,
                        closed_cb=closed,
                        tls=self._tls(),
                        **shown,
                    )
            except BaseException:
                await let_go(client)
                raise
        return client

    def _shown_to_broker(self) -> dict[str, Any]:
        """What lets us in."""
        if self.credentials is None:
            return {}
        if self.credentials.suffix == CREDENTIALS_SUFFIX:
            return {"user_credentials": str(self.credentials)}
        with self.credentials.open(encoding="utf-8") as file:
            return {"token": file.read(TOKEN_LENGTH_MAX).strip()}

    def _tls(self) -> ssl.SSLContext | None:
        is_encrypted = any(url.startswith("tls://") for url in self.urls)
        if self.ca_file is None and not is_encrypted:
            return None
        return ssl.create_default_context(cafile=self.ca_file)


async def _ignore(_error: Exception) -> None:
    """Whoever waits for an answer gets the error as well."""


@contextmanager
def translated(doing: str) -> Generator[None]:
    """
    Turn what the client raises into our errors.

    Args:
        doing: What is the matter if it fails; holds no personal values.

    Raises:
        BusUnavailableError: it failed.
    """
    try:
        yield
    except BusError:
        raise
    except nats.js.errors.APIError as error:
        raise BusUnavailableError(f"{doing}: {error.description}") from error
    except (nats.errors.Error, OSError, TimeoutError) as error:
        raise BusUnavailableError(f"{doing}: {type(error).__name__}") from error


async def let_go(client: Client) -> None:
    """
    Close a connection, one that broke or never came about as well: the client itself leaves the
    socket of such a one open, or waits for ever for it to close.
    """
    with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
        async with asyncio.timeout(LEAVE_S):
            await client.close()
    writer: Any = getattr(getattr(client, "_transport", None), "_io_writer", None)
    if writer is not None:
        writer.transport.abort()
        # The socket is closed in the next turn of the event loop.
        await asyncio.sleep(0)


class Subscribed(Protocol):
    """What was subscribed to."""

    async def unsubscribe(self) -> None:
        """Give it back."""
        ...


async def unsubscribed(subscription: Subscribed) -> None:
    """Give a subscription back, whether or not the connection still stands."""
    try:
        await subscription.unsubscribe()
    except (nats.errors.Error, OSError):
        return
