"""
Certificates on both sides of a real socket: who gets in, and how they change without a stop.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address

import grpc
import grpc.aio
import pytest

from cryptography.x509 import DNSName, IPAddress, UniformResourceIdentifier

from clientela.adapters.tokens.certificate import CertificateAuthenticator
from clientela.adapters.tokens.either import EitherAuthenticator
from clientela.adapters.tokens.transport import TransportFileError, TransportFiles
from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import Code, PrincipalId
from clientela.services.principal import Grant, Principal
from clientela.services.server import Listener
from tests.adapters.authority import Authority, written
from tests.services.edge import HERE, METHODS, edge, refusal_of


OWN, FOREIGN = Authority(), Authority("foreign")
HOST = (DNSName("localhost"), IPAddress(ip_address("127.0.0.1")))
TILL_URI = "spiffe://shop.example/till"
TILL = UniformResourceIdentifier(TILL_URI)
BY_CERTIFICATE = EitherAuthenticator(
    certificates=CertificateAuthenticator(
        {
            TILL_URI: Principal(
                actor=Actor(ActorKind.SERVICE, PrincipalId("till")),
                grants=(Grant(Code("client.read")),),
            )
        }
    )
)
HOUR = timedelta(hours=1)


@pytest.fixture
def files(tmp_path):
    """A certificate of the server, and the authority its callers need."""
    key, certificate = written(tmp_path, *OWN.issue(*HOST))
    authority = tmp_path / "clients.crt"
    authority.write_bytes(OWN.certificate)
    return TransportFiles(certificate=certificate, key=key, client_authority=authority)


@asynccontextmanager
async def calling(port, pair=(None, None), root=OWN.certificate):
    """A channel that shows this key and certificate."""
    credentials = grpc.ssl_channel_credentials(root, *pair)
    async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
        yield channel.unary_unary(METHODS["ListClients"].path)


async def test_a_certificate_lets_its_service_in(files):
    """
    S1: mutual TLS, identity from the URI in the certificate.
    """
    listener = Listener(HERE, files.credentials())
    async with edge(authenticator=BY_CERTIFICATE, listener=listener) as served:
        async with calling(served.port, OWN.issue(TILL)) as call:
            await call(b"", timeout=60)

        assert ["service/till"] == [str(c.principal.actor) for _, c in served.stage.seen]


@pytest.mark.parametrize(
    "pair",
    [
        (None, None),
        FOREIGN.issue(TILL),
        OWN.issue(TILL, begins=-2 * HOUR, ends=-HOUR),
        OWN.issue(TILL, begins=HOUR, ends=2 * HOUR),
        (OWN.issue(TILL)[0], FOREIGN.certificate),
    ],
    ids=["none", "foreign", "expired", "future", "not its own"],
)
async def test_a_certificate_that_does_not_hold_gets_no_connection(files, pair):
    """
    G31: no, foreign, expired, future and stolen certificates end in the handshake.
    """
    listener = Listener(HERE, files.credentials())
    async with edge(authenticator=BY_CERTIFICATE, listener=listener) as served:
        async with calling(served.port, pair) as call:
            with pytest.raises((grpc.aio.AioRpcError, ValueError)) as caught:
                await call(b"", timeout=60)

        if isinstance(caught.value, grpc.aio.AioRpcError):
            assert grpc.StatusCode.UNAVAILABLE == caught.value.code()
        assert [] == served.stage.seen


async def test_a_certificate_of_another_name_is_nobody(files):
    """
    G31: a sound certificate with a wrong URI passes the handshake and no further.
    """
    listener = Listener(HERE, files.credentials())
    async with edge(authenticator=BY_CERTIFICATE, listener=listener) as served:
        other = UniformResourceIdentifier("spiffe://shop.example/other")
        async with calling(served.port, OWN.issue(other)) as call:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(b"", timeout=60)

        assert "UNAUTHENTICATED" == refusal_of(caught.value).code


async def test_a_new_certificate_is_shown_without_a_stop(files):
    """
    G31: certificate and client authority change under a running server.
    """
    listener = Listener(HERE, files.credentials())
    async with edge(authenticator=BY_CERTIFICATE, listener=listener) as served:
        async with calling(served.port, OWN.issue(TILL)) as call:
            await call(b"", timeout=60)
        written(files.key.parent, *FOREIGN.issue(*HOST))
        files.client_authority.write_bytes(FOREIGN.certificate)

        pair = FOREIGN.issue(TILL)
        async with calling(served.port, pair, root=FOREIGN.certificate) as call:
            await call(b"", timeout=60)
        async with calling(served.port, OWN.issue(TILL), root=FOREIGN.certificate) as call:
            with pytest.raises(grpc.aio.AioRpcError):
                await call(b"", timeout=60)


async def test_a_broken_certificate_leaves_the_old_one(files, caplog):
    """
    F22: half a rotation is no outage, and the log says so.
    """
    listener = Listener(HERE, files.credentials())
    async with edge(authenticator=BY_CERTIFICATE, listener=listener) as served:
        files.certificate.unlink()

        async with calling(served.port, OWN.issue(TILL)) as call:
            await call(b"", timeout=60)

    assert "the old one stays" in caplog.text


def test_an_exposed_key_is_refused(files):
    """
    S9: a private key that others can read is not used.
    """
    files.key.chmod(0o644)

    with pytest.raises(TransportFileError):
        files.credentials()


def test_missing_files_are_refused(files):
    """
    S10: no certificate, no start.
    """
    files.certificate.unlink()

    with pytest.raises(TransportFileError):
        files.credentials()
