"""
The server: where it listens, what it offers, and how it ends.
"""

from __future__ import annotations

import asyncio

from typing import Any

import grpc
import grpc.aio
import pytest

from grpc_health.v1 import health_pb2_grpc  # type: ignore[import-untyped]
from grpc_health.v1.health_pb2 import (  # type: ignore[import-untyped]
    HealthCheckRequest,
    HealthCheckResponse,
)
from grpc_reflection.v1alpha.reflection_pb2 import (  # type: ignore[import-untyped]
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from clientela.adapters.memory import MemoryStore
from clientela.adapters.tokens.certificate import CertificateAuthenticator
from clientela.adapters.tokens.either import EitherAuthenticator
from clientela.services.server import (
    AddressError,
    ExposedError,
    Listener,
    Server,
)
from clientela.v1.ownership_pb2 import Ownership
from tests.adapters.authority import Authority
from tests.services.edge import HERE, TILL, Stage, edge, entered, refusal_of, services


STRICT = EitherAuthenticator(certificates=CertificateAuthenticator({}))
REFLECTION = (
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
)


def encrypted():
    """Credentials of some certificate."""
    return grpc.ssl_server_credentials([Authority().issue()])


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    [
        ("127.0.0.1:0", True),
        ("127.9.9.9:0", True),
        ("localhost:50051", True),
        ("[::1]:0", True),
        ("0.0.0.0:0", False),
        ("[::]:0", False),
        (":50051", False),
        ("", False),
        ("10.0.0.7:50051", False),
        ("localhost.evil.example:50051", False),
        ("127.0.0.1.evil.example:50051", False),
        ("[::ffff:10.0.0.7]:50051", False),
        ("unix:/tmp/clientela.sock", False),
    ],
)
def test_loopback_is_known_by_its_address(address, is_loopback):
    """
    S10: only what is loopback to the letter is taken for it.
    """
    assert is_loopback == Listener(address).is_loopback


def server(address, *, credentials=None, authenticator=None):
    """A server that would listen there."""
    store = MemoryStore()
    return Server(
        services(Stage()),
        entered(store, authenticator=authenticator),
        store,
        listeners=(Listener(HERE), Listener(address, credentials)),
    )


async def test_the_development_mode_is_for_this_machine_alone():
    """
    S10: a server that believes what callers say does not start where others reach it, TLS or not.
    """
    with pytest.raises(ExposedError):
        server("0.0.0.0:0", credentials=encrypted())
    server("127.0.0.1:0")


async def test_plaintext_is_for_this_machine_alone():
    """
    G31: no plaintext beyond loopback; with a certificate the same address is right.
    """
    with pytest.raises(ExposedError):
        server("0.0.0.0:0", authenticator=STRICT)
    server("0.0.0.0:0", authenticator=STRICT, credentials=encrypted())


async def test_a_second_server_on_the_same_port_fails():
    """
    S10: two servers never share a port in silence.
    """
    async with edge() as served:
        second = server(f"127.0.0.1:{served.port}")

        with pytest.raises(AddressError) as caught:
            await second.start()

        assert f"127.0.0.1:{served.port}" == caught.value.address


async def test_calls_under_way_finish_when_the_server_stops():
    """
    Gotcha 12: health says NOT_SERVING first, the call under way gets its answer, new ones do not.
    """
    leave = asyncio.Event()

    async def slowly():
        await leave.wait()
        return Ownership(client_id="petra")

    async with edge() as served:
        served.stage.answers["GetOwnership"] = lambda _: slowly()
        watching = health_pb2_grpc.HealthStub(served.channel).Watch(HealthCheckRequest())
        await watching.read()
        under_way = asyncio.create_task(served.call("GetOwnership"))
        await served.stage.arrived.wait()

        stopping = asyncio.create_task(served.server.stop(5))
        told = (await watching.read()).status
        leave.set()

        assert HealthCheckResponse.NOT_SERVING == told
        assert Ownership(client_id="petra") == await under_way
        await stopping
        await served.server.wait()


async def test_denials_counted_are_written_at_the_stop():
    """
    S14: stopping loses no count.
    """
    async with edge() as served:
        for _ in range(3):
            await served.refused("ListClients", caller={})
        await served.server.stop(0)

        assert ["UNAUTHENTICATED none", "UNAUTHENTICATED none x2"] == [
            row[4] for row in await served.audited()
        ]


async def listed(served, path, caller):
    """Services that reflection lists."""
    call = served.channel.stream_stream(
        path,
        request_serializer=ServerReflectionRequest.SerializeToString,
        response_deserializer=ServerReflectionResponse.FromString,
    )
    asking = call(
        iter([ServerReflectionRequest(list_services="")]),
        timeout=60,
        metadata=tuple(caller.items()),
    )
    answer = await asking.read()
    return {service.name for service in answer.list_services_response.service}


@pytest.mark.parametrize("path", REFLECTION)
async def test_reflection_lists_services_when_asked_for(path):
    """
    Gotcha 3: old tools and new ones find every service, and no second name of reflection.
    """
    async with edge(has_reflection=True) as served:
        names = await listed(served, path, TILL)

        assert "clientela.v1.OwnershipService" in names
        assert "grpc.reflection.v1.ServerReflection" not in names


@pytest.mark.parametrize("path", REFLECTION)
async def test_reflection_is_off_by_default_and_never_anonymous(path):
    """
    S2: health is the only open service.
    """
    async with edge() as served:
        with pytest.raises(grpc.aio.AioRpcError) as off:
            await listed(served, path, TILL)
    async with edge(has_reflection=True) as served:
        with pytest.raises(grpc.aio.AioRpcError) as anonymous:
            await listed(served, path, {})

    assert grpc.StatusCode.UNIMPLEMENTED == off.value.code()
    assert "UNAUTHENTICATED" == refusal_of(anonymous.value).code


async def test_random_bytes_at_reflection_are_invalid_arguments():
    """
    G18: a stream of requests is guarded too.
    """
    async with edge(has_reflection=True) as served:
        call: Any = served.channel.stream_stream(REFLECTION[0])
        asking = call(iter([b"\x0a\x02\xff\xfe"]), timeout=60, metadata=tuple(TILL.items()))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await asking.read()

        assert "INVALID_ARGUMENT" == refusal_of(caught.value).code


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 8 * 1024 * 1024])
async def test_a_request_over_one_mebibyte_is_not_read(size):
    """
    S11: large requests end in the transport.
    """
    async with edge() as served:
        call: Any = served.channel.unary_unary("/clientela.v1.ClientService/GetClient")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(bytes(size), timeout=60, metadata=tuple(TILL.items()))

        assert grpc.StatusCode.RESOURCE_EXHAUSTED == caught.value.code()


async def test_a_compressed_bomb_is_not_unpacked():
    """
    G19: what unpacks to more than the limit is refused by what it unpacks to.
    """
    async with edge() as served:
        call: Any = served.channel.unary_unary("/clientela.v1.ClientService/GetClient")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(
                bytes(3 * 1024 * 1024),
                timeout=60,
                metadata=tuple(TILL.items()),
                compression=grpc.Compression.Gzip,
            )

        assert grpc.StatusCode.RESOURCE_EXHAUSTED == caught.value.code()


async def test_endless_metadata_is_refused():
    """
    S11: 16 KiB of metadata, and no more.
    """
    async with edge() as served:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await served.call("ListClients", caller={**TILL, "x-padding": "x" * 20_000})

        assert caught.value.code() in {
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            grpc.StatusCode.UNAVAILABLE,
        }
        assert [] == served.stage.seen
