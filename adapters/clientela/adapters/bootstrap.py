"""
The composition root: settings to a running service. The only place that knows everything.

    async with serving(settings) as running:        for everybody who may
    async with private(settings) as running:        for this process alone
"""

from __future__ import annotations

import asyncio
import secrets

from collections.abc import AsyncGenerator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from clientela.adapters.addresses import told
from clientela.adapters.assembly import (
    SILENCE,
    background_of,
    core_of,
    installed_rulebook,
    keeping_of,
    server_of,
)
from clientela.adapters.beginning import begun
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.messages_in import MessagesIn
from clientela.adapters.restored import erase_again
from clientela.adapters.roles import Role
from clientela.adapters.settings import NO_BUS, Settings
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.stores import Keeper, Store, duties_of, keeper_of, leases_of, open_postgres
from clientela.adapters.telemetry.started import Telemetry, telemetry
from clientela.services.background import stop
from clientela.services.core import Core
from clientela.services.metrics import Measure
from clientela.services.server import Server


if TYPE_CHECKING:
    from clientela.adapters.events_out import EventsOut

SECRET_BYTES = 32
"""Bytes of the secret of a private service."""


@attrs.frozen(kw_only=True)
class Running:
    """
    A service that runs.

    Attributes:
        core: What its servicers work with.

        keeper: Its files.

        target: How it is reached, `host:port`.

        health_port: Where on loopback health alone is told; 0 for nowhere.

        metrics_port: Where figures are handed out; 0 for nowhere.

        secret: What callers of a private service must know; empty for others.

        bus: Where events leave, `nats://host:port` without what lets in; empty for nowhere.
    """

    core: Core
    keeper: Keeper
    target: str
    health_port: int = 0
    metrics_port: int = 0
    secret: str = attrs.field(default="", repr=False)
    bus: str = ""


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[Running]:
    """
    A service under *settings* for everybody who may call it, from here to the end of the block.

    Raises:
        StoreError: the database cannot be served; the message says what to do.

        KeyFileError, KeySetError, CallersError, TransportFileError: likewise of another file.

        ServerError, ExpositionError: an address cannot be served.
    """
    with telemetry(settings) as watched:
        async with _public(settings, watched) as running:
            yield running


@asynccontextmanager
async def _public(settings: Settings, watched: Telemetry) -> AsyncGenerator[Running]:
    async with _running(settings, watched=watched) as running:
        is_encrypted = settings.tls_certificate is not None
        with told(
            settings.address_file,
            running.target,
            is_encrypted=is_encrypted,
            health_port=running.health_port,
            only=settings.only,
        ):
            yield running


@asynccontextmanager
async def private(settings: Settings, *, has_bus: bool = False) -> AsyncGenerator[Running]:
    """
    A service over the same files for this process alone, from here to the end of the block.

    It listens on loopback, on a port of its own, and answers only calls that bear its secret.

    Args:
        settings: Which files.

        has_bus: Whether events leave meanwhile.

    Raises:
        StoreError: the database cannot be served; the message says what to do.

        KeyFileError: the key file cannot be used; likewise.

        ServerError: there is no port.
    """
    own = attrs.evolve(
        settings,
        host="127.0.0.1",
        port=0,
        tls_certificate=None,
        tls_key=None,
        tls_client_ca=None,
        health_port=None,
        metrics_port=None,
        trace_endpoint="",
        bus=settings.bus if has_bus else NO_BUS,
        only=(),
    )
    async with _running(own, secrets.token_urlsafe(SECRET_BYTES)) as running:
        yield running


@asynccontextmanager
async def _running(
    settings: Settings, secret: str = "", watched: Telemetry = SILENCE
) -> AsyncGenerator[Running]:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    rulebook = installed_rulebook()
    store = await _store(settings, rulebook.fingerprint)
    out: EventsOut | None = None
    try:
        key_file = KeyFile(settings.key_file)
        vault, clock = await begun(settings, store, key_file)
        core = core_of(settings, rulebook, store, vault, clock)
        await erase_again(core.path, store)
        out = await _events_out(settings, core, store)
        if out is not None:
            core = attrs.evolve(core, events_out=out.stream)
        keeper = keeper_of(settings, store, key_file)
        messages = MessagesIn.of(settings, core, store)
        server = server_of(settings, core, keeper, messages, secret, watched)
        if watched is not SILENCE:
            store.tell_groups(partial(watched.metrics.measure, Measure.GROUP_SIZE))
        [port] = await server.start()
        works = [
            *background_of(core, watched, server.health),
            *_duties(settings, core, store, out),
            *messages.background(settings, server.authenticator, watched.metrics),
        ]
        async with _at_work(server, works):
            yield Running(
                core=core,
                keeper=keeper,
                target=f"{settings.host}:{port}",
                health_port=server.health_port,
                metrics_port=watched.metrics_port,
                secret=secret,
                bus="" if out is None else out.shown,
            )
    finally:
        if out is not None:
            await out.close()
        await store.close()


@asynccontextmanager
async def _at_work(
    server: Server, works: Sequence[Coroutine[Any, Any, None]]
) -> AsyncGenerator[None]:
    """What goes on beside calls of a server that listens, which ends with the block, as it does."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        await server.health.stop()
        try:
            await stop(tasks)
        finally:
            await server.stop()


def _duties(
    settings: Settings, core: Core, store: Store, out: EventsOut | None
) -> Iterator[Coroutine[Any, Any, None]]:
    """What goes on beside calls in processes that have a role for it."""
    if Role.SCHEDULER in settings.roles:
        yield keeping_of(core, duties_of(store)).run()
    if out is not None and Role.RELAY in settings.roles:
        yield from out.background()


async def _store(settings: Settings, rulebook: str) -> Store:
    """The store that *settings* name, open."""
    if settings.database_url:
        return await open_postgres(settings, rulebook)
    return await SqliteStore.open(settings.database, rulebook=rulebook)


async def _events_out(settings: Settings, core: Core, store: Store) -> EventsOut | None:
    """What events leave by, if they do."""
    if settings.bus == NO_BUS:
        return None
    # Without a bus the service runs without what the extra `nats` brings.
    from clientela.adapters.events_out import EventsOut  # noqa: PLC0415

    return await EventsOut.open(settings, core, leases_of(store))
