"""
A real server over a real socket, with servicers that answer what a test wants.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import attrs
import grpc
import grpc.aio
import pytest

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from google.rpc.status_pb2 import Status

from clientela.adapters.memory import MemoryStore
from clientela.adapters.tokens.development import DevelopmentAuthenticator
from clientela.domain.context import StaffMember
from clientela.domain.ids import ClientId, EmployeeId, UnitId, WalletId
from clientela.domain.organisation.roles import (
    ACCOUNTANT,
    ANALYST,
    DATABASE_OPERATOR,
    DIRECTOR,
    SALESPERSON,
)
from clientela.services.access import AccessTable, CallClass, MethodAccess
from clientela.services.admission import ROOMS, Admission, Room
from clientela.services.audit import Audit
from clientela.services.clocks import VirtualClock
from clientela.services.deadline import DeadlineRules
from clientela.services.directory import Standing
from clientela.services.entrance import Entrance
from clientela.services.grants import StaffGrants
from clientela.services.observer import Observer
from clientela.services.principal import Authenticator
from clientela.services.rate_limits import RateLimits, RateRules
from clientela.services.request_context import RequestContext, current
from clientela.services.server import Listener, Oversight, Server
from clientela.services.service_names import Service, service_names


AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HERE = "127.0.0.1:0"

PROTOS = (
    "client",
    "definition",
    "event",
    "history",
    "interaction",
    "lifecycle",
    "loyalty",
    "organisation",
    "ownership",
    "purchase",
)
"""Every proto that holds a service."""

HEAD, NORTH, SOUTH, YARD = (UnitId(name) for name in ("head", "north", "south", "yard"))
MARTA, IVO, NORA, ANNA, OLAF, BOSS = (
    EmployeeId(name) for name in ("marta", "ivo", "nora", "anna", "olaf", "boss")
)
PETRA, PAVEL, LENA = (ClientId(name) for name in ("petra", "pavel", "lena"))

TILL = {"x-clientela-actor": "service/till"}


class Town:
    """
    A directory in dicts: a head office over north and south, a yard below north.

    Marta and Ivo sell in the north, Nora in the south, Boss runs the north; Anna the analyst sits
    in the south, Olaf the operator in the head office. Marta looks after Petra, Nora after Pavel;
    Lena bought in the yard and nobody looks after her.
    """

    def __init__(self) -> None:
        self.parents = {HEAD: None, NORTH: HEAD, SOUTH: HEAD, YARD: NORTH}
        self.members = {
            m.employee_id: m
            for m in (
                StaffMember(MARTA, NORTH, roles=frozenset({SALESPERSON})),
                StaffMember(IVO, NORTH, roles=frozenset({SALESPERSON, ACCOUNTANT})),
                StaffMember(NORA, SOUTH, roles=frozenset({SALESPERSON})),
                StaffMember(BOSS, NORTH, roles=frozenset({DIRECTOR})),
                StaffMember(ANNA, SOUTH, roles=frozenset({ANALYST})),
                StaffMember(OLAF, HEAD, roles=frozenset({DATABASE_OPERATOR})),
            )
        }
        self.clients = {
            PETRA: Standing(
                client_id=PETRA,
                owner_id=MARTA,
                owner_units=frozenset({NORTH, HEAD}),
                units=frozenset({NORTH, HEAD}),
            ),
            PAVEL: Standing(
                client_id=PAVEL,
                owner_id=NORA,
                owner_units=frozenset({SOUTH, HEAD}),
                units=frozenset({SOUTH, HEAD}),
            ),
            LENA: Standing(client_id=LENA, units=frozenset({YARD, NORTH, HEAD})),
        }
        self.asked = 0

    async def member(self, employee_id: EmployeeId) -> StaffMember | None:
        self.asked += 1
        return self.members.get(employee_id)

    async def upward(self, unit_id: UnitId) -> frozenset[UnitId] | None:
        if unit_id not in self.parents:
            return None
        found = {unit_id}
        while (parent := self.parents[unit_id]) is not None:
            found.add(parent)
            unit_id = parent
        return frozenset(found)

    async def client(self, client_id: ClientId) -> Standing | None:
        return self.clients.get(client_id)

    async def client_of(self, wallet_id: WalletId) -> ClientId | None:
        return ClientId(wallet_id) if ClientId(wallet_id) in self.clients else None


Answer = Callable[[Any], Any]
"""From a request to what a servicer does: a message, an exception to raise, or an awaitable."""


@attrs.define
class Stage:
    """
    What servicers do and what they have seen.

    Attributes:
        answers: By name of the rpc; others answer an empty message.

        seen: Requests with the context they came in.

        arrived: Set when the first one came.

        ended: Set when a stream was closed.
    """

    answers: dict[str, Answer] = attrs.field(factory=dict)
    seen: list[tuple[Any, RequestContext]] = attrs.field(factory=list)
    arrived: asyncio.Event = attrs.field(factory=asyncio.Event)
    ended: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def play(self, name: str, empty: Message, request: Message) -> Any:
        self.seen.append((request, current()))
        self.arrived.set()
        came = self.answers[name](request) if name in self.answers else empty
        if isinstance(came, Exception):
            raise came
        return await came if hasattr(came, "__await__") else came


def services(stage: Stage) -> tuple[Service, ...]:
    """Every service of the package, with a servicer that plays *stage*."""
    found = []
    for name in PROTOS:
        stubs = importlib.import_module(f"clientela.v1.{name}_pb2_grpc")
        file = importlib.import_module(f"clientela.v1.{name}_pb2").DESCRIPTOR
        for service in file.services_by_name.values():
            methods = {m.name: _method(stage, m) for m in service.methods}
            base = getattr(stubs, f"{service.name}Servicer")
            servicer = type(service.name, (base,), methods)()
            found.append((getattr(stubs, f"add_{service.name}Servicer_to_server"), servicer))
    return tuple(found)


def _method(stage: Stage, method: Any) -> Any:
    empty = GetMessageClass(method.output_type)

    async def one(_self: Any, request: Message, _context: Any) -> Any:
        return await stage.play(method.name, empty(), request)

    async def many(_self: Any, request: Message, _context: Any) -> AsyncIterator[Any]:
        came = await stage.play(method.name, empty(), request)
        try:
            for item in came if isinstance(came, list) else [came]:
                if isinstance(item, Exception):
                    raise item
                yield await item if hasattr(item, "__await__") else item
        finally:
            stage.ended.set()

    return many if method.server_streaming else one


Caller = Mapping[str, str]
"""Metadata of a call."""


def as_employee(employee_id: str) -> Caller:
    """Calls as an employee with roles and unit on record."""
    return {"x-clientela-actor": f"employee/{employee_id}"}


@attrs.define
class Edge:
    """
    A running server and a channel to it.

    Attributes:
        server: The server.

        channel: Connected to it.

        store: Where audit rows go.

        stage: What servicers do.

        town: Who is who.

        ticks: Monotonic seconds of rate limits, grants and audit; moved by hand.

        port: Where it listens.
    """

    server: Server
    channel: grpc.aio.Channel
    store: MemoryStore
    stage: Stage
    town: Town
    ticks: Ticks
    port: int

    async def call(
        self,
        method: str,
        request: Message | bytes = b"",
        caller: Caller = TILL,
        seconds: float | None = 60,
    ) -> Any:
        """Call the rpc of this name; an answer, or `grpc.aio.AioRpcError`."""
        access = METHODS[method]
        raw = request if isinstance(request, bytes) else request.SerializeToString()
        calling: Any = self.channel.unary_unary(access.path)
        return answer_of(
            method, await calling(raw, timeout=seconds, metadata=tuple(caller.items()))
        )

    async def stream(
        self, method: str, request: Message | bytes = b"", caller: Caller = TILL
    ) -> list[Any]:
        """All messages of a stream."""
        raw = request if isinstance(request, bytes) else request.SerializeToString()
        calling: Any = self.channel.unary_stream(METHODS[method].path)
        call = calling(raw, timeout=60, metadata=tuple(caller.items()))
        return [answer_of(method, answer) async for answer in call]

    async def refused(
        self,
        method: str,
        request: Message | bytes = b"",
        caller: Caller = TILL,
        seconds: float | None = 60,
    ) -> Refusal:
        """What the rpc of this name is refused with."""
        if METHODS[method].call_class is CallClass.STREAM:
            calling = self.stream(method, request, caller)
        else:
            calling = self.call(method, request, caller, seconds)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await calling
        return refusal_of(caught.value)

    async def audited(self) -> list[tuple[str, str, str, str, str]]:
        """Every audit row, without its time."""
        rows = await self.store.audit()
        return [(r.actor, r.method, r.target, r.decision, r.reason) for _, r in rows]


@attrs.define
class Ticks:
    """Monotonic seconds, moved by hand."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@attrs.frozen
class Refusal:
    """
    What a call was refused with, as it came over the wire.

    Attributes:
        code: The code.

        text: What a person reads.

        reason: Reason of the one `ErrorInfo`.

        metadata: Its data.

        fields: Fields that `BadRequest` names.

        rules: Rules that `PreconditionFailure` names.

        retry_seconds: What `RetryInfo` says; None without one.
    """

    code: str
    text: str
    reason: str
    metadata: dict[str, str]
    fields: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    retry_seconds: float | None = None


def refusal_of(error: grpc.aio.AioRpcError) -> Refusal:
    """What *error* says; it must say it with details."""
    raw = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    status = Status.FromString(raw)
    assert error.code().value[0] == status.code
    assert error.details() == status.message
    return told(error.code(), status)


def told(code: grpc.StatusCode, status: Status) -> Refusal:
    """What *status* says."""
    info, bad, broken, retry = ErrorInfo(), BadRequest(), PreconditionFailure(), RetryInfo()
    unpacked = {
        kind.DESCRIPTOR.full_name: sum(detail.Unpack(kind) for detail in status.details)
        for kind in (info, bad, broken, retry)
    }
    assert unpacked["google.rpc.ErrorInfo"] == 1
    assert all(count <= 1 for count in unpacked.values())
    assert len(status.details) == sum(unpacked.values())
    assert info.domain == "clientela"
    has_retry = bool(unpacked["google.rpc.RetryInfo"])
    return Refusal(
        code=code.name,
        text=status.message,
        reason=info.reason,
        metadata=dict(info.metadata),
        fields=tuple(violation.field for violation in bad.field_violations),
        rules=tuple(violation.type for violation in broken.violations),
        retry_seconds=retry.retry_delay.ToTimedelta().total_seconds() if has_retry else None,
    )


def answer_of(method: str, raw: bytes) -> Any:
    """The answer of the rpc of this name."""
    return GetMessageClass(_DESCRIPTORS[method].output_type).FromString(raw)


def request_of(method: str, **fields: Any) -> Message:
    """A request of the rpc of this name."""
    return GetMessageClass(_DESCRIPTORS[method].input_type)(**fields)


@asynccontextmanager
async def edge(
    *,
    authenticator: Authenticator | None = None,
    rooms: Mapping[CallClass, Room] = ROOMS,
    deadlines: DeadlineRules | None = None,
    rates: RateRules | None = None,
    store: MemoryStore | None = None,
    listener: Listener | None = None,
    has_reflection: bool = False,
    observer: Observer | None = None,
    oversight: Oversight | None = None,
) -> AsyncIterator[Edge]:
    """A server that offers everything, in development mode unless said otherwise."""
    store, stage, town, ticks = store or MemoryStore(), Stage(), Town(), Ticks()
    entrance = entered(store, town, ticks, authenticator, rates)
    server = Server(
        services(stage),
        entrance,
        store,
        listeners=(listener or Listener(HERE),),
        admission=Admission(rooms),
        deadlines=deadlines,
        has_reflection=has_reflection,
        oversight=oversight or Oversight(observer=observer or Observer()),
    )
    (port,) = await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Edge(server, channel, store, stage, town, ticks, port)
    finally:
        await server.stop(0)


def entered(
    store: MemoryStore,
    town: Town | None = None,
    ticks: Ticks | None = None,
    authenticator: Authenticator | None = None,
    rates: RateRules | None = None,
) -> Entrance:
    """An entrance at a fixed moment."""
    town, ticks, clock = town or Town(), ticks or Ticks(), VirtualClock(AT)
    ids = itertools.count(1)
    permissions = frozenset(access.permission for access in METHODS.values())
    return Entrance(
        authenticator=authenticator or DevelopmentAuthenticator(permissions),
        staff=StaffGrants(town, clock, ticks),
        directory=town,
        rates=RateLimits(rates, ticks),
        audit=Audit(store, clock, ticks),
        clock=clock,
        new_id=lambda: f"fresh-{next(ids)}",
    )


def _descriptors() -> dict[str, Any]:
    files = [importlib.import_module(f"clientela.v1.{name}_pb2").DESCRIPTOR for name in PROTOS]
    found = [s for file in files for s in file.services_by_name.values()]
    return {method.name: method for service in found for method in service.methods}


_DESCRIPTORS = _descriptors()

METHODS: dict[str, MethodAccess] = {
    access.method.rpartition(".")[2]: access
    for access in AccessTable.of_services(service_names(services(Stage())))
}
"""Access of every rpc by its name, which is unique in the package."""
