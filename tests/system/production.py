"""
A service in production mode: TLS, tokens of one issuer, and a small company behind it.
"""

from __future__ import annotations

import ipaddress
import json
import time

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import grpc
import grpc.aio
import jwt

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from clientela.adapters.bootstrap import serving
from clientela.adapters.settings import Mode, Settings
from clientela.domain.organisation.roles import STAFF_ROLES
from clientela.services.access import AccessTable
from clientela.services.personal_fields import PERMISSION
from tests.adapters.authority import Authority, written
from tests.system.wire import LIMITS, METHODS, Service, Wire


ISSUER = "https://login.example"
AUDIENCE = "clientela"

LIFE_SECONDS = 600

ACCESS = {
    access.method.rpartition(".")[2]: access
    for access in AccessTable.of_services(
        sorted({method.containing_service.full_name for method in METHODS.values()})
    )
}
"""Access of every rpc by its name."""

PERMISSIONS = sorted({*(access.permission for access in ACCESS.values()), PERMISSION})
"""Every permission there is."""


@attrs.frozen
class Login:
    """
    Issues tokens.

    Attributes:
        ed: A key it signs with.

        rsa: Another one.

        foreign: A key of somebody else.
    """

    ed: Ed25519PrivateKey
    rsa: RSAPrivateKey
    foreign: RSAPrivateKey

    def keys(self) -> str:
        """Its public keys as a JWK set."""
        okp, rsas = jwt.algorithms.OKPAlgorithm, jwt.algorithms.RSAAlgorithm
        listed = [
            {**okp.to_jwk(self.ed.public_key(), as_dict=True), "kid": "ed", "alg": "EdDSA"},
            {**rsas.to_jwk(self.rsa.public_key(), as_dict=True), "kid": "rsa", "alg": "RS256"},
        ]
        return json.dumps({"keys": listed})

    def claims(self, kind: str, id_: str, **more: Any) -> dict[str, Any]:
        """What a good token says."""
        now = int(time.time())
        return {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": id_,
            "iat": now,
            "nbf": now,
            "exp": now + LIFE_SECONDS,
            "clientela_kind": kind,
            **more,
        }

    def token(self, kind: str, id_: str, **more: Any) -> str:
        """A good token, but for what *more* says otherwise."""
        claims = {k: v for k, v in self.claims(kind, id_, **more).items() if v is not None}
        return jwt.encode(claims, self.ed, "EdDSA", {"kid": "ed"})

    def employee(self, id_: str) -> dict[str, str]:
        """Metadata of an employee."""
        return bearer(self.token("employee", id_))

    def service(self, id_: str, permissions: Sequence[str]) -> dict[str, str]:
        """Metadata of a service."""
        return bearer(self.token("service", id_, clientela_permissions=list(permissions)))


def bearer(token: str) -> dict[str, str]:
    """Metadata that bears *token*."""
    return {"authorization": f"Bearer {token}"}


def login() -> Login:
    """One with keys of its own."""
    return Login(
        Ed25519PrivateKey.generate(),
        generate_private_key(public_exponent=65_537, key_size=2_048),
        generate_private_key(public_exponent=65_537, key_size=2_048),
    )


@asynccontextmanager
async def production(folder: Path, issuer: Login) -> AsyncIterator[Service]:
    """A service for those whom *issuer* knows, called by one that may do everything."""
    authority = Authority()
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    key, certificate = written(folder, *authority.issue(here))
    jwks = folder / "jwks.json"
    jwks.write_text(issuer.keys())
    settings = Settings(
        data_dir=folder / "data",
        port=0,
        mode=Mode.PRODUCTION,
        jwks_file=jwks,
        issuer=ISSUER,
        audience=AUDIENCE,
        tls_certificate=certificate,
        tls_key=key,
    )
    trusted = grpc.ssl_channel_credentials(authority.certificate)
    everything = issuer.service("till", PERMISSIONS)
    async with (
        serving(settings) as running,
        grpc.aio.secure_channel(running.target, trusted, options=LIMITS) as channel,
    ):
        yield Service(running, Wire(channel, everything), settings.data_dir)


async def denials(folder: Path, issuer: Login) -> Counter[tuple[str, str, str]]:
    """Denials on record by actor, method and reason, once the service has written all."""
    found: Counter[tuple[str, str, str]] = Counter()
    async with production(folder, issuer) as service:
        for actor, method, _, decision, reason in await service.audited():
            if decision == "denied":
                why, _, count = reason.partition(" x")
                found[actor, method.rpartition(".")[2], why] += int(count or 1)
    return found


def one_of(role: str) -> str:
    """Id of the employee in the north who has this role and no other."""
    return f"a-{role}"


STAFF: Mapping[str, tuple[str, str]] = {
    "marta": ("north", "salesperson"),
    "nora": ("south", "salesperson"),
    "boss": ("north", "director"),
    "ines": ("south", "immediate-superior"),
    **{one_of(role): ("north", role) for role in sorted(STAFF_ROLES)},
}
"""Units and roles of everybody who works here."""


async def company(wire: Wire) -> None:
    """
    A company of two branches: Marta looks after Petra in the north, Nora after Pavel in the south.

    Both clients have bought where they are looked after, and brought back what nobody knows of.
    """
    for unit_id in ("north", "south"):
        await wire.call("RegisterUnit", unit_id=unit_id, kind=1, label=unit_id)
    for employee_id, (unit_id, role) in STAFF.items():
        await wire.call(
            "RegisterEmployee",
            employee_id=employee_id,
            unit_id=unit_id,
            name=f"{employee_id} Novak",
            roles=[role],
        )
    for client_id, owner_id in (("petra", "marta"), ("pavel", "nora")):
        euro = {"units": 1, "currency_code": "EUR"}
        line = {"line_id": "1", "sku": "tea", "quantity": 1, "net": euro}
        back = {"sku": "mug", "quantity": 1, "refund": euro}
        unit_id = STAFF[owner_id][0]
        await wire.call("RegisterClient", client_id=client_id, details={"name": f"{client_id} P"})
        await wire.call("Approach", client_id=client_id, employee_id=owner_id, channel="visit")
        await wire.call("OpenWallet", client_id=client_id)
        await wire.call(
            "RecordPurchase",
            client_id=client_id,
            purchase={"source": "till", "id": f"of-{client_id}"},
            lines=[line],
            unit_id=unit_id,
        )
        await wire.call(
            "RecordReturn",
            client_id=client_id,
            return_key={"source": "till", "id": f"r-{client_id}"},
            currency="EUR",
            lines=[back],
            unit_id=unit_id,
        )
