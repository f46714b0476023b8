"""
How events leave this process: the broker, if it is our own, the bus, and the relay between.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from collections.abc import Coroutine, Iterator
from typing import Any

import attrs

from nats.aio.client import Client

from clientela.adapters.holder import new_holder
from clientela.adapters.jetstream.bus import JetStreamBus
from clientela.adapters.jetstream.connection import Broker, Closed, Connects
from clientela.adapters.jetstream.stream import StreamShape
from clientela.adapters.nats_server import EmbeddedServer
from clientela.adapters.settings import EMBEDDED_BUS, NO_BUS, Settings
from clientela.services.bus import BusUnavailableError
from clientela.services.core import Core
from clientela.services.event_messages import EventMessages
from clientela.services.event_stream import EventStream
from clientela.services.leases import Leases
from clientela.services.partitions import check_partitions
from clientela.services.relay import Relay


log = logging.getLogger("clientela")


@attrs.frozen
class EmbeddedBroker:
    """
    A broker of our own, wherever it listens at the moment.

    Attributes:
        server: The broker.
    """

    server: EmbeddedServer

    async def connect(self, closed: Closed) -> Client:
        """A connection to the server."""
        broker = Broker(urls=(self.server.url,), credentials=self.server.token_file)
        return await broker.connect(closed)


@attrs.frozen(kw_only=True)
class EventsOut:
    """
    Everything between the store and the stream; made by `open`.

    Attributes:
        stream: The stream, for operators.

        bus: Where events go.

        shown: Where it is, for people.

        server: The broker itself, if it is our own.
    """

    stream: EventStream
    bus: JetStreamBus
    shown: str
    server: EmbeddedServer | None = None

    @classmethod
    async def open(cls, settings: Settings, core: Core, leases: Leases) -> EventsOut | None:
        """
        What events leave by under *settings*; None without a bus.

        A broker that cannot be reached keeps nobody from starting: events wait in the store.

        Raises:
            BusUnsuitableError: there is no such broker, or its stream must not be used.

            StoreUnsuitableError: events of the store have left in other partitions.
        """
        if settings.bus == NO_BUS:
            return None
        await check_partitions(core.store)
        server = None
        if settings.bus == EMBEDDED_BUS:
            server = EmbeddedServer(settings.bus_folder)
        try:
            if server is not None:
                await server.start()
            return await cls._joined(settings, core, leases, server)
        except BaseException:
            if server is not None:
                await server.stop()
            raise

    @classmethod
    async def _joined(
        cls, settings: Settings, core: Core, leases: Leases, server: EmbeddedServer | None
    ) -> EventsOut:
        broker = EmbeddedBroker(server) if server is not None else broker_of(settings)
        shape = StreamShape(may_create=settings.bus_create, replicas=settings.bus_replicas)
        bus = JetStreamBus(broker, shape)
        try:
            await bus.join()
        except BusUnavailableError as error:
            log.warning("events wait in the store: %s", error)
        except BaseException:
            await bus.close()
            raise
        rulebook = core.path.records.rulebook
        messages = EventMessages(
            rulebook.event_classes, core.path.records.codec, core.sessions.blind
        )
        relay = Relay(core.store, leases, bus, messages, new_holder())
        core.path.committed = relay.wake
        stream = EventStream(core.store, bus, messages, relay, core.new_id)
        shown = settings.bus
        if server is not None:
            with contextlib.suppress(BusUnavailableError):
                shown = server.url
        return cls(stream=stream, bus=bus, shown=shown, server=server)

    def background(self) -> Iterator[Coroutine[Any, Any, None]]:
        """What goes on beside calls."""
        yield self.stream.relay.run()
        if self.server is not None:
            yield self.server.run()

    async def close(self) -> None:
        """Let go of the bus, then end the broker if it is our own."""
        await self.bus.close()
        if self.server is not None:
            # Shielded: a server left behind would hold the files.
            await asyncio.shield(self.server.stop())


def broker_of(settings: Settings) -> Connects:
    """Where the bus of *settings* is, which name one."""
    if settings.bus == EMBEDDED_BUS:
        return EmbeddedBroker(EmbeddedServer(settings.bus_folder))
    return Broker(
        urls=settings.brokers, credentials=settings.bus_credentials, ca_file=settings.bus_ca
    )
