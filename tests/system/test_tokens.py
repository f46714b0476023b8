"""
Who may do what, against a service in production mode over TLS.
"""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio
import jwt
import pytest

from tests.services.edge import Refusal, refusal_of
from tests.system.attacks import metadata
from tests.system.production import (
    Login,
    company,
    denials,
    login,
    production,
)
from tests.system.state import state_of
from tests.system.wire import Service, path_of, request_of


KNOWN = Refusal(
    code="UNAUTHENTICATED",
    text="no credentials, or none that hold",
    reason="UNAUTHENTICATED",
    metadata={},
)


@pytest.fixture(scope="module")
def issuer() -> Login:
    """One issuer for all."""
    return login()


async def outcome(service: Service, method: str, request: Any, sent: Any) -> Refusal | None:
    """What a call with this metadata is refused with; None if it is answered."""
    calling: Any = service.wire.channel.unary_unary(path_of(method))
    try:
        await calling(request.SerializeToString(), timeout=60, metadata=sent)
    except grpc.aio.AioRpcError as error:
        return refusal_of(error)
    return None


async def test_no_attack_on_tokens_gets_in(tmp_path, issuer):
    """
    S1: whatever is wrong with a token, the answer is the same and says nothing of why.
    """
    async with production(tmp_path, issuer) as service:
        await company(service.wire)
        before = state_of(service.folder)
        approach = request_of(
            "Approach",
            request_id="r",
            client_id="petra",
            employee_id="marta",
            channel="visit",
        )
        for name, sent in metadata(issuer):
            for method, request in (
                ("GetClient", request_of("GetClient", client_id="petra")),
                ("Approach", approach),
            ):
                assert KNOWN == await outcome(service, method, request, sent), name

        assert before == state_of(service.folder)
        sent = tuple(issuer.employee("marta").items())
        assert await outcome(service, "Approach", approach, sent) is None


async def test_every_denial_of_nobody_is_on_record(tmp_path, issuer):
    """
    S14: who was not let in, and how often, by why.
    """
    async with production(tmp_path, issuer) as service:
        request = request_of("GetClient", client_id="petra")
        attacks = list(metadata(issuer))
        for _, sent in attacks:
            await outcome(service, "GetClient", request, sent)
    denied = await denials(tmp_path, issuer)

    assert len(attacks) == sum(denied.values())
    assert {"anonymous"} == {actor for actor, _, _ in denied}


async def test_tokens_of_every_good_kind_let_in(tmp_path, issuer):
    """
    S1: both algorithms of the issuer, a list of audiences, a clock a little off.
    """
    async with production(tmp_path, issuer) as service:
        await company(service.wire)
        request = request_of("GetClient", client_id="petra")
        claims = issuer.claims("employee", "marta")
        for token in (
            issuer.token("employee", "marta"),
            issuer.token("employee", "marta", aud=["payroll", "clientela"]),
            issuer.token("employee", "marta", nbf=claims["nbf"] + 30, iat=claims["iat"] + 30),
            jwt.encode(claims, issuer.rsa, "RS256", {"kid": "rsa"}),
        ):
            sent = (("authorization", f"Bearer {token}"),)
            assert await outcome(service, "GetClient", request, sent) is None


async def test_nobody_is_served_in_plain(tmp_path, issuer):
    """
    S1: a caller without TLS does not get as far as showing a token.
    """
    async with (
        production(tmp_path, issuer) as service,
        grpc.aio.insecure_channel(service.running.target) as channel,
    ):
        calling: Any = channel.unary_unary(path_of("GetStatus"))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await calling(b"", timeout=60, metadata=tuple(service.wire.caller.items()))

        assert grpc.StatusCode.UNAVAILABLE is caught.value.code()
