"""
The service as a process in production: TLS, tokens, certificates.
"""

from __future__ import annotations

import ipaddress
import json

import grpc
import pytest

from cryptography import x509

from clientela.v1.insight_pb2 import GetStatsRequest
from clientela.v1.insight_pb2_grpc import InsightServiceStub
from tests.adapters.authority import Authority, written
from tests.e2e.process import Shop
from tests.e2e.town import HEAD, MAPPING
from tests.e2e.town import written as file_of
from tests.system.production import AUDIENCE, ISSUER, login


HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
AUTHORITY = Authority()
LOGIN = login()

CALLERS = """
[[callers]]
uri = "spiffe://shop.example/reports"
actor = "service/reports"
permissions = ["insight.read"]
"""


@pytest.fixture
def shop(tmp_path):
    """A data folder that is not there yet, and who signs its certificates."""
    (tmp_path / "ca.crt").write_bytes(AUTHORITY.certificate)
    return Shop(tmp_path / "data", is_virtual=False)


def production(folder):
    """Arguments of a service for those whom the issuer knows."""
    key, certificate = written(folder, *AUTHORITY.issue(HERE))
    jwks = file_of(folder, "jwks.json", LOGIN.keys())
    return (
        *("--mode", "production", "--jwks-file", jwks, "--issuer", ISSUER),
        *("--audience", AUDIENCE, "--tls-certificate", certificate, "--tls-key", key),
    )


def token_of(folder, *permissions):
    """A file with the token of a service."""
    token = LOGIN.token("service", "reports", clientela_permissions=list(permissions))
    return file_of(folder, "token", token + "\n")


def test_a_verb_shows_its_token(shop, tmp_path):
    """
    S1, S2: with a token of the issuer a verb may do what the token grants; without one nothing.
    Whoever does not trust its certificate is told so, and how to trust it.
    """
    trusting = ("--ca-file", tmp_path / "ca.crt")

    with shop.served(*production(tmp_path)):
        token = token_of(tmp_path, "insight.read")
        shown = shop.run("stats", *trusting, "--token-file", token, "-o", "json").json
        unknown = shop.run("stats", *trusting, code=1)
        untrusted = shop.run("stats", code=3)
        denied = shop.run("verify", *trusting, "--token-file", token, code=1)

    assert 0 == shown["clients"]
    assert "UNAUTHENTICATED" in unknown.errors
    assert "--token-file" in unknown.errors
    assert "with a certificate that is trusted here" in untrusted.errors
    assert "--ca-file" in untrusted.errors
    assert "ACCESS_DENIED" in denied.errors
    assert "permission=operation.read" in denied.errors


def test_telling_history_wants_its_own_permission(shop, tmp_path):
    """
    S4: who may record purchases may not choose the clock by which they are decided.
    """
    token = token_of(tmp_path, "purchase.write", "client.write", "client.read")
    file_of(tmp_path, "till.csv", HEAD + "r1,c1,shirt,1,1,2026-01-02\n")
    file_of(tmp_path, "till.toml", MAPPING)

    with shop.served(*production(tmp_path)):
        told = shop.run(
            *("import", "purchases", tmp_path / "till.csv", "--map", tmp_path / "till.toml"),
            *("--create-clients", "--ca-file", tmp_path / "ca.crt", "--token-file", token),
            code=1,
        )

    assert "permission=history.write" in told.errors


def test_a_service_shows_its_certificate(shop, tmp_path):
    """
    S1: a certificate whose URI is on the list of callers gets in, another one does not.
    """
    callers = file_of(tmp_path, "callers.toml", CALLERS)
    more = ("--callers-file", callers, "--tls-client-ca", tmp_path / "ca.crt")

    with shop.served(*production(tmp_path), *more):
        target = json.loads((shop.folder / "service.json").read_text())["address"]
        known = code_of(target, "spiffe://shop.example/reports")
        unknown = code_of(target, "spiffe://shop.example/other")

    assert (grpc.StatusCode.OK, grpc.StatusCode.UNAUTHENTICATED) == (known, unknown)


def code_of(target, uri):
    """How a call ends that shows a certificate of this URI."""
    key, certificate = AUTHORITY.issue(x509.UniformResourceIdentifier(uri))
    credentials = grpc.ssl_channel_credentials(AUTHORITY.certificate, key, certificate)
    with grpc.secure_channel(target, credentials) as channel:
        call = InsightServiceStub(channel).GetStats.with_call
        try:
            return call(GetStatsRequest(), timeout=30)[1].code()
        except grpc.RpcError as error:
            return error.code()
