"""
The composition root: settings to a running service. The only place that knows everything.

    async with serving(settings) as running:        for everybody who may
    async with private(settings) as running:        for this process alone
"""

from __future__ import annotations

import asyncio
import secrets

from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
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
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.messages_in import MessagesIn
from clientela.adapters.restored import erase_again
from clientela.adapters.roles import Role
from clientela.adapters.settings import NO_BUS, Settings
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.stores import Keeper, Store, duties_of, keeper_of, leases_of, open_postgres
from clientela.adapters.telemetry.started import Telemetry, telemetry
from clientela.adapters.vault import KeyVault
from clientela.services.background import stop
from clientela.services.clocks import SystemClock, VirtualClock
from clientela.services.core import Core
from clientela.services.metrics import Measure
from clientela.services.operations import CLOCK
from clientela.services.store_errors import StoreUnsuitableError


if TYPE_CHECKING:
    from clientela.adapters.events_out import EventsOut

KEYRING = "keyring"
"""Note: fingerprint of the keyring whose keys seal the store."""

REAL = "real"
"""What the note `CLOCK` says of a store in real time."""

VIRTUAL_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
"""Where the virtual clock of a new store stands."""

SECRET_BYTES = 32
"""Bytes of the secret of a private service."""


class OtherKeysError(StoreUnsuitableError):
    """
    The key file is not the one this database is sealed with.

    Attributes:
        path: The key file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is not the key file of this database: put the right one back")


class OtherClockError(StoreUnsuitableError):
    """
    A store that runs in real time was asked to run in virtual time.

    Attributes:
        path: The folder of the store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"the store in {path} runs in real time: a virtual clock is for a new, empty one;"
            " name another folder, or leave the virtual clock out"
        )


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
        vault = await _vault(store, key_file)
        core = core_of(settings, rulebook, store, vault, await _clock(settings, store))
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
            *messages.background(settings, server.authenticator),
        ]
        tasks = [asyncio.create_task(work) for work in works]
        try:
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
            await server.health.stop()
            try:
                await stop(tasks)
            finally:
                await server.stop()
    finally:
        if out is not None:
            await out.close()
        await store.close()


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


async def _vault(store: Store, key_file: KeyFile) -> KeyVault:
    """The vault of the store: a new key file for a new store, else the one it is sealed with."""
    noted = await store.note(KEYRING)
    if noted is None:
        key_file.create()
    vault = KeyVault(key_file)
    if noted is None:
        await store.fence_keys(vault.ring.current.id)
        await store.note(KEYRING, vault.ring.fingerprint)
    elif noted != vault.ring.fingerprint:
        raise OtherKeysError(key_file.path)
    return vault


async def _clock(settings: Settings, store: Store) -> SystemClock | VirtualClock:
    """The clock the store runs by; an empty store may be made virtual by the settings."""
    noted = await store.note(CLOCK)
    if noted is None:
        is_virtual = settings.virtual_clock and not await store.last_position()
        noted = VIRTUAL_BEGIN.isoformat() if is_virtual else REAL
        await store.note(CLOCK, noted)
    if noted == REAL and settings.virtual_clock:
        raise OtherClockError(settings.data_dir)
    return SystemClock() if noted == REAL else VirtualClock(datetime.fromisoformat(noted))
