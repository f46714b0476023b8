"""
The server: services, guard, health and listeners put together, started and stopped.

Plaintext, and credentials that believe what they are told, are for this machine alone: a server
with either does not start on an address that others reach.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress

from collections.abc import Callable, Sequence

import attrs
import grpc
import grpc.aio

from clientela.services.access import AccessTable, CallClass
from clientela.services.admission import Admission
from clientela.services.deadline import DeadlineRules
from clientela.services.entrance import Entrance
from clientela.services.guard import Guard
from clientela.services.health import Health, add_health, always
from clientela.services.metrics import NO_METRICS, Metrics
from clientela.services.observer import Observer
from clientela.services.ports import JournalStore
from clientela.services.principal import Authenticator
from clientela.services.reflection import reflection
from clientela.services.service_names import Service, service_names


OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", 1024 * 1024),
    ("grpc.max_send_message_length", 4 * 1024 * 1024),
    ("grpc.max_metadata_size", 16 * 1024),
    ("grpc.absolute_max_metadata_size", 16 * 1024),
    ("grpc.max_concurrent_streams", 100),
    # Calls above that number wait at the caller; with it they would be reset.
    ("grpc.http.overload_protection", 0),
    ("grpc.max_connection_idle_ms", 5 * 60 * 1000),
    ("grpc.max_connection_age_ms", 30 * 60 * 1000),
    ("grpc.max_connection_age_grace_ms", 60 * 1000),
    ("grpc.keepalive_time_ms", 60 * 1000),
    ("grpc.keepalive_timeout_ms", 20 * 1000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 60 * 1000),
    ("grpc.http2.max_ping_strikes", 2),
    # A second server on the same port fails instead of sharing it silently.
    ("grpc.so_reuseport", 0),
)
"""Limits of the transport."""

GRACE_SECONDS = 10.0
"""How long calls under way may finish when the server stops."""


class ServerError(Exception):
    """The server cannot start as it is told to."""


class ExposedError(ServerError):
    """
    An address that others reach would be served without encryption, or for trials only.

    Attributes:
        address: Which one.
    """

    def __init__(self, address: str, problem: str) -> None:
        self.address = address
        super().__init__(f"{address} can be reached from other machines: {problem}")


class AddressError(ServerError):
    """
    An address cannot be listened on.

    Attributes:
        address: Which one.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(f"cannot listen on {address}: it is in use, or not of this machine")


@attrs.frozen
class Listener:
    """
    Where a server listens.

    Attributes:
        address: `host:port`; port 0 lets the system choose.

        credentials: For TLS; None for plaintext, on loopback only.
    """

    address: str
    credentials: grpc.ServerCredentials | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine reaches it."""
        host = self.address.rpartition(":")[0].strip("[]")
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


@attrs.frozen(kw_only=True)
class Oversight:
    """
    How those are served who look after the process.

    Attributes:
        observer: Tells of calls.

        metrics: Learns of health.

        has_room: Whether the disk of the store has room; may block for a moment.

        health_address: `host:port` on loopback where health alone is told, without encryption;
            None for nowhere.

        roles: What the process does, by the names that health is asked by.
    """

    observer: Observer = attrs.field(factory=Observer)
    metrics: Metrics = NO_METRICS
    has_room: Callable[[], bool] = always
    health_address: str | None = None
    roles: Sequence[str] = ()


class Server:
    """
    A gRPC server.

    Args:
        services: What it offers.

        entrance: Checks calls.

        store: Whose being there health tells.

        listeners: Where it listens.

        admission: Lets calls in.

        deadlines: How long they may take.

        has_reflection: Whether tools may ask what it offers.

        oversight: Who looks after the process, and how.

    Raises:
        UnguardedMethodError: an rpc says nothing of access.

        ExposedError: others would reach what is for this machine alone.
    """

    def __init__(
        self,
        services: Sequence[Service],
        entrance: Entrance,
        store: JournalStore,
        *,
        listeners: Sequence[Listener],
        admission: Admission | None = None,
        deadlines: DeadlineRules | None = None,
        has_reflection: bool = False,
        oversight: Oversight | None = None,
    ) -> None:
        oversight = oversight or Oversight()
        _check_exposure(listeners, entrance, oversight.health_address)
        names = service_names(services)
        table = AccessTable.of_services(names)
        self.health = Health(
            names, _reading(table), metrics=oversight.metrics, roles=oversight.roles
        )
        self.health_port = 0
        self._oversight = oversight
        self._entrance = entrance
        self._store = store
        self._listeners = listeners
        self._tasks: list[asyncio.Task[None]] = []
        guard = Guard(
            table,
            entrance,
            admission=admission or Admission(),
            deadlines=deadlines or DeadlineRules(),
            observer=oversight.observer,
            health=self.health,
            new_id=entrance.new_id,
        )
        self._server = _guarded(guard, self.health)
        for add, servicer in services:
            add(servicer, self._server)
        if has_reflection:
            self._server.add_generic_rpc_handlers(reflection(names))
        self._desk = _guarded(guard, self.health)

    @property
    def authenticator(self) -> Authenticator:
        """Tells who calls."""
        return self._entrance.authenticator

    async def start(self) -> tuple[int, ...]:
        """
        Listen and serve.

        Returns:
            The port of each listener.

        Raises:
            AddressError: one cannot be listened on.
        """
        ports = tuple(self._listen(listener, self._server) for listener in self._listeners)
        await self._server.start()
        if self._oversight.health_address is not None:
            desk = Listener(self._oversight.health_address)
            self.health_port = self._listen(desk, self._desk)
            await self._desk.start()
        self._tasks = [
            asyncio.create_task(self.health.probe(self._store, self._oversight.has_room)),
            asyncio.create_task(self._entrance.audit.run()),
        ]
        return ports

    async def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Tell health, take no new calls, let those under way finish, write what is counted."""
        await self.health.stop()
        await self._server.stop(grace_seconds)
        await self._desk.stop(None)
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._entrance.audit.close()

    async def wait(self) -> None:
        """Return when the server has stopped."""
        await self._server.wait_for_termination()

    def _listen(self, listener: Listener, server: grpc.aio.Server) -> int:
        try:
            if listener.credentials is None:
                return server.add_insecure_port(listener.address)
            return server.add_secure_port(listener.address, listener.credentials)
        except RuntimeError:
            raise AddressError(listener.address) from None


def _reading(table: AccessTable) -> frozenset[str]:
    """Services that write nothing: no command, no note of who has seen a personal value."""
    names = {access.method.rpartition(".")[0] for access in table}
    writing = (a for a in table if a.is_personal or a.call_class is CallClass.COMMAND)
    return frozenset(names.difference(access.method.rpartition(".")[0] for access in writing))


def _guarded(guard: Guard, health: Health) -> grpc.aio.Server:
    """A server that tells health."""
    server = grpc.aio.server(interceptors=(guard,), options=OPTIONS)
    add_health(health, server)
    return server


def _check_exposure(listeners: Sequence[Listener], entrance: Entrance, desk: str | None) -> None:
    for listener in listeners:
        if listener.is_loopback:
            continue
        if entrance.authenticator.is_for_trials:
            raise ExposedError(listener.address, "the development mode believes what callers say")
        if listener.credentials is None:
            raise ExposedError(listener.address, "give it a certificate and a key")
    if desk is not None and not Listener(desk).is_loopback:
        raise ExposedError(desk, "health is told there without encryption")
