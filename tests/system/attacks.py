"""
Tokens as an attacker would make them; none may hold.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jwt

from cryptography.hazmat.primitives import serialization

from tests.system.production import LIFE_SECONDS, Login, bearer


MUTATIONS = 60
"""Tokens with one bit of the signature turned."""


def encoded(content: bytes) -> str:
    """As parts of tokens are."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def written(header: Mapping[str, Any], claims: Mapping[str, Any], signature: bytes = b"") -> str:
    """A token of these parts."""
    head, body = (encoded(json.dumps(part).encode()) for part in (header, claims))
    return f"{head}.{body}.{encoded(signature)}"


def confused(login: Login) -> str:
    """A token signed by HMAC with the public key as its secret (HS for RS)."""
    public = login.rsa.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    unsigned = written({"alg": "HS256", "kid": "rsa", "typ": "JWT"}, good(login))
    head = unsigned.rpartition(".")[0]
    signature = hmac.digest(public, head.encode(), hashlib.sha256)
    return f"{head}.{encoded(signature)}"


def good(login: Login) -> dict[str, Any]:
    """What a good token says."""
    return login.claims("employee", "marta")


def foreign(login: Login, **header: Any) -> str:
    """A token signed with somebody else's key."""
    return jwt.encode(good(login), login.foreign, "RS256", {"kid": "rsa", **header})


def own_key(login: Login) -> dict[str, Any]:
    """The attacker's public key."""
    rsas = jwt.algorithms.RSAAlgorithm
    return dict(rsas.to_jwk(login.foreign.public_key(), as_dict=True))


def again(login: Login, **claims: Any) -> str:
    """A token that is good but for these claims."""
    return login.token("employee", "marta", **claims)


def shifted(login: Login, seconds: int) -> str:
    """A token of another time."""
    moments = {name: good(login)[name] + seconds for name in ("iat", "nbf", "exp")}
    return again(login, **moments)


ATTACKS: Mapping[str, Callable[[Login], str]] = {
    "no algorithm": lambda login: written({"alg": "none", "kid": "rsa"}, good(login)),
    "no algorithm, in capitals": lambda login: written({"alg": "NONE", "kid": "rsa"}, good(login)),
    "no algorithm and no key": lambda login: written({"alg": "none"}, good(login)),
    "HMAC with the public key": confused,
    "another audience": lambda login: again(login, aud="payroll"),
    "no audience": lambda login: again(login, aud=None),
    "another issuer": lambda login: again(login, iss="https://login.example.evil"),
    "no issuer": lambda login: again(login, iss=None),
    "expired": lambda login: shifted(login, -LIFE_SECONDS - 120),
    "not yet valid": lambda login: shifted(login, 600),
    "without an end": lambda login: again(login, exp=None),
    "too long a life": lambda login: again(login, exp=good(login)["exp"] + 86_400),
    "a key nobody knows": lambda login: jwt.encode(
        good(login), login.ed, "EdDSA", {"kid": "of-old"}
    ),
    "no key named": lambda login: jwt.encode(good(login), login.ed, "EdDSA"),
    "another of the keys": lambda login: jwt.encode(good(login), login.ed, "EdDSA", {"kid": "rsa"}),
    "somebody else's key": foreign,
    "a key by address": lambda login: foreign(login, jku="https://evil.example/jwks.json"),
    "a key of its own": lambda login: foreign(login, jwk=own_key(login)),
    "a key of its own, unnamed": lambda login: foreign(login, kid="evil", jwk=own_key(login)),
    "a certificate by address": lambda login: foreign(login, x5u="https://evil.example/x.pem"),
    "a path as a key": lambda login: foreign(login, kid="../../dev/null"),
    "something critical": lambda login: jwt.encode(
        good(login), login.ed, "EdDSA", {"kid": "ed", "crit": ["b64"], "b64": False}
    ),
    "oversized": lambda login: again(login, padding="x" * 8_000),
    "no signature": lambda login: again(login).rpartition(".")[0] + ".",
    "two parts": lambda login: again(login).rpartition(".")[0],
    "four parts": lambda login: f"{again(login)}.e30",
    "no token": lambda login: "",
    "no JSON": lambda login: f"{encoded(b'{')}.{encoded(b'{')}.",
    "the system itself": lambda login: login.token("system", "clientela"),
    "nobody's kind": lambda login: again(login, clientela_kind=None),
    "no id": lambda login: again(login, sub="marta/../boss"),
}
"""Tokens that must not hold, by what is wrong with them."""


def metadata(login: Login) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Metadata of every attack."""
    for name, attack in ATTACKS.items():
        yield name, tuple(bearer(attack(login)).items())
    for place, token in enumerate(mutated(login)):
        yield f"bit {place} of the signature", tuple(bearer(token).items())
    token = again(login)
    yield "nothing at all", ()
    yield "no scheme", (("authorization", token),)
    yield "another scheme", (("authorization", f"Basic {token}"),)
    yield "two tokens", tuple(("authorization", f"Bearer {token}") for _ in range(2))
    yield "who they say they are", (("x-clientela-actor", "service/till"),)
    yield "a secret", (("x-clientela-secret", ""), ("x-clientela-actor", "service/till"))


def mutated(login: Login) -> Iterator[str]:
    """Good tokens with one bit of the signature turned."""
    head, _, signature = again(login).rpartition(".")
    content = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    dice = random.Random("bits")
    for _ in range(MUTATIONS):
        turned = bytearray(content)
        turned[dice.randrange(len(turned))] ^= 1 << dice.randrange(8)
        yield f"{head}.{encoded(bytes(turned))}"
