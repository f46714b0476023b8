"""
Credentials: what holds, and everything that must not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import random

from datetime import UTC, datetime, timedelta
from pathlib import PosixPath
from typing import Any, ClassVar

import grpc
import grpc.aio
import jwt
import pytest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from clientela.adapters.tokens.certificate import CertificateAuthenticator
from clientela.adapters.tokens.development import DevelopmentAuthenticator
from clientela.adapters.tokens.either import EitherAuthenticator
from clientela.adapters.tokens.key_set import (
    KEYS_MAX,
    REREAD_SECONDS,
    STALE_SECONDS_MAX,
    KeySet,
    KeySetError,
)
from clientela.adapters.tokens.web_token import (
    LEEWAY_SECONDS,
    LIFE_SECONDS_MAX,
    TOKEN_LENGTH_MAX,
    Issuer,
    TokenAuthenticator,
    thumbprint,
)
from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import Code, PrincipalId, UnitId
from clientela.services.clocks import VirtualClock
from clientela.services.principal import Credentials, Grant, Principal
from clientela.services.refusals import UnauthenticatedError
from tests.services.edge import edge


AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = int(AT.timestamp())
LOGIN = "https://login.example"
PORTAL = "https://portal.example"
AUDIENCE = "clientela"

ED = ed25519.Ed25519PrivateKey.generate()
EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
FOREIGN = ed25519.Ed25519PrivateKey.generate()
FOREIGN_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)

ALGORITHMS: dict[str, Any] = {
    "EdDSA": jwt.algorithms.OKPAlgorithm,
    "ES256": jwt.algorithms.ECAlgorithm,
    "RS256": jwt.algorithms.RSAAlgorithm,
}
SIGNERS = {"EdDSA": ("ed", ED), "ES256": ("ec", EC), "RS256": ("rsa", RSA)}
MUTATIONS = 3_000
"""Changed tokens tried against each algorithm."""


def jwk(key, algorithm, key_id, **more):
    """The public half of *key* as a JWK."""
    return {
        **ALGORITHMS[algorithm].to_jwk(key.public_key(), as_dict=True),
        "kid": key_id,
        **more,
    }


def jwks(*keys):
    """A JWK set."""
    return json.dumps({"keys": list(keys)})


ALL_KEYS = jwks(
    jwk(ED, "EdDSA", "ed", use="sig", alg="EdDSA"),
    jwk(EC, "ES256", "ec"),
    jwk(RSA, "RS256", "rsa", alg="RS256"),
)


class Ticks:
    """Monotonic seconds, moved by hand."""

    now = 0.0

    def __call__(self):
        return self.now


class WatchedPath(PosixPath):
    """A path that counts how often it is looked at."""

    looks: ClassVar[list[int]] = []

    def stat(self, **how):
        self.looks.append(1)
        return super().stat(**how)


@pytest.fixture
def keys_file(tmp_path):
    """A file with one key of every kind."""
    path = tmp_path / "jwks.json"
    path.write_text(ALL_KEYS)
    return path


@pytest.fixture
def keys(keys_file):
    """The keys in it."""
    return KeySet(keys_file, Ticks())


@pytest.fixture
def authenticator(keys):
    """Trusts the login for employees, and the portal for everybody else with EdDSA only."""
    return TokenAuthenticator(
        (
            Issuer(name=LOGIN, audience=AUDIENCE, keys=keys, kinds=frozenset({ActorKind.EMPLOYEE})),
            Issuer(
                name=PORTAL,
                audience=AUDIENCE,
                keys=keys,
                kinds=frozenset({ActorKind.CLIENT, ActorKind.SERVICE, ActorKind.PARTNER}),
                algorithms=frozenset({"EdDSA"}),
            ),
        ),
        VirtualClock(AT),
    )


def claims(**changed):
    """Claims that hold, with changes; None leaves one out."""
    found = {
        "iss": LOGIN,
        "aud": AUDIENCE,
        "sub": "marta",
        "nbf": NOW,
        "exp": NOW + 600,
        **changed,
    }
    return {name: value for name, value in found.items() if value is not None}


def part(value):
    """A part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(body, header=None, key=ED, algorithm="EdDSA"):
    """A token over *body*: claims, or raw bytes."""
    head = {"alg": algorithm, "kid": SIGNERS[algorithm][0], **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    text = f"{part(head)}.{part(body)}"
    signer = (
        ALGORITHMS[algorithm](ALGORITHMS[algorithm].SHA256)
        if algorithm != "EdDSA"
        else (ALGORITHMS[algorithm]())
    )
    return f"{text}.{part(signer.sign(text.encode(), key))}"


def shown(token, certificate=b""):
    """Credentials with this token."""
    return Credentials(metadata={"authorization": (f"Bearer {token}",)}, certificate=certificate)


def cause(authenticator, credentials):
    """Why *credentials* do not hold."""
    with pytest.raises(UnauthenticatedError) as caught:
        authenticator.authenticate(credentials)
    return caught.value.cause


MARTA = Principal(actor=Actor(ActorKind.EMPLOYEE, PrincipalId("marta")))


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_a_sound_token_names_its_principal(authenticator, algorithm):
    """
    S1: EdDSA, ES256 and RS256 hold; an employee's grants are left to the records.
    """
    token = signed(claims(), key=SIGNERS[algorithm][1], algorithm=algorithm)

    assert MARTA == authenticator.authenticate(shown(token))


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": ["billing", AUDIENCE]},
        {"nbf": NOW + LEEWAY_SECONDS, "exp": NOW + 600},
        {"nbf": NOW - LIFE_SECONDS_MAX - 59, "exp": NOW - 59},
        {"nbf": NOW, "exp": NOW + LIFE_SECONDS_MAX},
        {"iat": NOW, "jti": "7", "email": "x", "nested": {"a": [1, 2.5]}},
    ],
    ids=["several audiences", "leeway before", "leeway after", "longest life", "more claims"],
)
def test_bounds_belong_to_what_holds(authenticator, changed):
    """
    S1: leeway of a minute, life of a quarter of an hour, claims nobody asked for.
    """
    assert MARTA == authenticator.authenticate(shown(signed(claims(**changed))))


CLAIM_ATTACKS: dict[str, tuple[dict[str, Any], str]] = {
    "no issuer": ({"iss": None}, "no-iss"),
    "empty issuer": ({"iss": ""}, "no-iss"),
    "issuer of another type": ({"iss": [LOGIN]}, "no-iss"),
    "foreign issuer": ({"iss": "https://login.example.evil"}, "issuer"),
    "issuer with a slash": ({"iss": f"{LOGIN}/"}, "issuer"),
    "no audience": ({"aud": None}, "audience"),
    "wrong audience": ({"aud": "billing"}, "audience"),
    "audience as part": ({"aud": f"{AUDIENCE}-test"}, "audience"),
    "empty audiences": ({"aud": []}, "audience"),
    "audience in an object": ({"aud": {AUDIENCE: True}}, "audience"),
    "audiences in a list": ({"aud": [[AUDIENCE]]}, "audience"),
    "no expiry": ({"exp": None}, "no-exp"),
    "expired": ({"nbf": NOW - 700, "exp": NOW - LEEWAY_SECONDS}, "expired"),
    "expired long ago": ({"nbf": 0, "exp": 600}, "expired"),
    "expiry as text": ({"exp": str(NOW + 600)}, "no-exp"),
    "expiry as truth": ({"exp": True}, "no-exp"),
    "expiry as fraction": ({"exp": NOW + 600.5}, "no-exp"),
    "expiry as list": ({"exp": [NOW + 600]}, "no-exp"),
    "expiry before all time": ({"exp": -1}, "expired"),
    "no begin": ({"nbf": None}, "no-nbf"),
    "not yet": ({"nbf": NOW + LEEWAY_SECONDS + 1}, "early"),
    "issued in the future": ({"iat": NOW + LEEWAY_SECONDS + 1}, "early"),
    "issued as text": ({"iat": "now"}, "no-iat"),
    "too long": ({"exp": NOW + LIFE_SECONDS_MAX + 1}, "life"),
    "far too long": ({"exp": 10**30}, "life"),
    "issued long ago": ({"iat": NOW - LIFE_SECONDS_MAX, "exp": NOW + 1}, "life"),
    "no subject": ({"sub": None}, "no-sub"),
    "empty subject": ({"sub": ""}, "no-sub"),
    "subject as number": ({"sub": 7}, "no-sub"),
    "subject as path": ({"sub": "../marta"}, "subject"),
    "subject with a blank": ({"sub": "marta boss"}, "subject"),
    "subject in cyrillic": ({"sub": "m\u0430rta"}, "subject"),
    "subject with a newline": ({"sub": "marta\n"}, "subject"),
    "long subject": ({"sub": "m" * 65}, "subject"),
    "another kind": ({"clientela_kind": "service"}, "kind"),
    "the system": ({"clientela_kind": "system"}, "kind"),
    "kinds": ({"clientela_kind": ["employee"]}, "kind"),
    "no kind said": ({"iss": PORTAL}, "kind"),
    "kind of another issuer": ({"iss": PORTAL, "clientela_kind": "employee"}, "kind"),
    "permissions as text": (
        {"iss": PORTAL, "clientela_kind": "service", "clientela_permissions": "client.read"},
        "grants",
    ),
    "permissions of another type": (
        {"iss": PORTAL, "clientela_kind": "service", "clientela_permissions": [1]},
        "grants",
    ),
    "endless permissions": (
        {"iss": PORTAL, "clientela_kind": "service", "clientela_permissions": ["a"] * 201},
        "grants",
    ),
    "bound and shown without": ({"cnf": {"x5t#S256": "x"}}, "binding"),
}


@pytest.mark.parametrize("case", CLAIM_ATTACKS)
def test_claims_that_do_not_hold_are_refused(authenticator, case):
    """
    G32: signed by the right key, and refused all the same for what it says.
    """
    changed, expected = CLAIM_ATTACKS[case]

    assert expected == cause(authenticator, shown(signed(claims(**changed))))


def unsigned(alg):
    """A token that says it needs no signature."""
    return f"{part({'alg': alg, 'kid': 'ed'})}.{part(claims())}."


def confused(alg, secret, key_id="rsa"):
    """A token signed with a public key taken as a secret."""
    text = f"{part({'alg': alg, 'kid': key_id})}.{part(claims())}"
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[alg]
    return f"{text}.{part(hmac.new(secret, text.encode(), digest).digest())}"


def public_pem(key):
    """The public half of *key* as everybody can have it."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def doubled(text):
    """Claims as raw JSON in which one stands twice."""
    return json.dumps(claims())[:-1].encode() + text.encode() + b"}"


EVIL = jwk(FOREIGN, "EdDSA", "ed")
ALG_TWICE = b'{"alg":"EdDSA","kid":"ed","alg":"none"}'
SOUND = signed(claims())
HEAD, BODY, SEAL = SOUND.split(".")

TOKEN_ATTACKS = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg NONE": unsigned("NONE"),
    "alg nOnE": unsigned("nOnE"),
    "alg empty": unsigned(""),
    "none with a signature": f"{part({'alg': 'none', 'kid': 'ed'})}.{BODY}.{SEAL}",
    "no alg": signed(claims(), {"alg": None}),
    "alg as list": signed(claims(), {"alg": ["EdDSA"]}),
    "HS256 with the RSA key in PEM": confused("HS256", public_pem(RSA)),
    "HS384 with the RSA key in PEM": confused("HS384", public_pem(RSA)),
    "HS512 with the RSA key in PEM": confused("HS512", public_pem(RSA)),
    "HS256 with the EdDSA key": confused("HS256", ED.public_key().public_bytes_raw(), "ed"),
    "HS256 with the file": confused("HS256", ALL_KEYS.encode()),
    "HS256 with nothing": confused("HS256", b""),
    "RS256 with the key of EdDSA": signed(
        claims(), {"kid": "ed"}, key=FOREIGN_RSA, algorithm="RS256"
    ),
    "ES256 said, EdDSA signed": signed(claims(), {"alg": "ES256"}),
    "EdDSA said of the RSA key": signed(claims(), {"kid": "rsa"}),
    "PS256": signed(claims(), {"alg": "PS256", "kid": "rsa"}, key=RSA, algorithm="RS256"),
    "algorithm the issuer does not use": signed(
        claims(iss=PORTAL, clientela_kind="client"), key=RSA, algorithm="RS256"
    ),
    "foreign key": signed(claims(), key=FOREIGN),
    "foreign RSA key": signed(claims(), key=FOREIGN_RSA, algorithm="RS256"),
    "key in jwk": signed(claims(), {"jwk": EVIL}, key=FOREIGN),
    "key in jwk under a new kid": signed(claims(), {"jwk": EVIL, "kid": "evil"}, key=FOREIGN),
    "key at jku": signed(claims(), {"jku": "https://evil.example/jwks"}, key=FOREIGN),
    "key at x5u": signed(claims(), {"x5u": "https://evil.example/x5u"}, key=FOREIGN),
    "key in x5c": signed(claims(), {"x5c": ["MII"]}, key=FOREIGN),
    "no kid": signed(claims(), {"kid": None}),
    "empty kid": signed(claims(), {"kid": ""}),
    "unknown kid": signed(claims(), {"kid": "other"}),
    "kid as path": signed(claims(), {"kid": "../../../dev/null"}, key=FOREIGN),
    "kid as SQL": signed(claims(), {"kid": "x' UNION SELECT 'ed"}, key=FOREIGN),
    "kid as command": signed(claims(), {"kid": "ed|/bin/true"}, key=FOREIGN),
    "kid as number": signed(claims(), {"kid": 0}),
    "kid as list": signed(claims(), {"kid": ["ed"]}),
    "kid with a blank": signed(claims(), {"kid": "ed "}),
    "crit": signed(claims(), {"crit": ["exp"], "exp": 1}),
    "empty crit": signed(claims(), {"crit": []}),
    "b64": signed(claims(), {"b64": False, "crit": ["b64"]}),
    "b64 alone": signed(claims(), {"b64": False}),
    "subject twice": signed(doubled(', "sub": "boss"')),
    "subject twice, alike": signed(doubled(', "sub": "marta"')),
    "expiry twice": signed(doubled(f', "exp": {NOW + 601}')),
    "twice below": signed(doubled(', "a": {"b": 1, "b": 2}')),
    "alg twice": f"{part(ALG_TWICE)}.{BODY}.{SEAL}",
    "NaN": signed(doubled(', "a": NaN')),
    "Infinity as expiry": signed(doubled(', "b": Infinity')),
    "claims as list": signed(b"[]"),
    "claims as text": signed(b'"marta"'),
    "claims not JSON": signed(b"{"),
    "claims not UTF-8": signed(b'{"sub": "\xff"}'),
    "claims in UTF-16": signed(json.dumps(claims()).encode("utf-16")),
    "claims with a mark": signed(b"\xef\xbb\xbf" + json.dumps(claims()).encode()),
    "claims without end": signed(b"[" * 4_000),
    "number without end": signed(doubled(f', "a": {"9" * 5_000}')),
    "empty claims": signed(b""),
    "oversized": signed(claims(padding="x" * TOKEN_LENGTH_MAX)),
    "empty": "",
    "dots": "..",
    "one part": HEAD,
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{SOUND}.{SEAL}",
    "five parts, as if encrypted": f"{HEAD}..{BODY}.{SEAL}.{SEAL}",
    "no signature": f"{HEAD}.{BODY}.",
    "signature of zeros": f"{HEAD}.{BODY}.{part(bytes(64))}",
    "half a signature": f"{HEAD}.{BODY}.{SEAL[:40]}",
    "signature of another": f"{HEAD}.{BODY}.{signed(claims(sub='boss')).rpartition('.')[2]}",
    "claims of another": f"{HEAD}.{part(claims(sub='boss'))}.{SEAL}",
    "padded": f"{SOUND}==",
    "padded inside": f"{HEAD}=.{BODY}.{SEAL}",
    "ending in a newline": f"{SOUND}\n",
    "ending in a blank": f"{SOUND} ",
    "blank inside": f"{HEAD}. {BODY}.{SEAL}",
    "junk in the signature": f"{HEAD}.{BODY}.{SEAL[:5]}!{SEAL[5:]}",
    "plus for minus": f"{HEAD}.{BODY}.+{SEAL[1:]}",
    "two tokens": f"{SOUND} {SOUND}",
    "detached": f"{HEAD}..{SEAL}",
    "not ASCII": f"{HEAD}.{BODY}.{SEAL}ж",
}


@pytest.mark.parametrize("case", TOKEN_ATTACKS)
def test_a_token_that_is_not_what_it_seems_is_refused(authenticator, case):
    """
    G32: no algorithm, no key and no claim of the attacker's choosing.
    """
    assert cause(authenticator, shown(TOKEN_ATTACKS[case]))


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("EdDSA said of the RSA key", "key"),
        ("RS256 with the key of EdDSA", "key"),
        ("HS256 with the RSA key in PEM", "algorithm"),
        ("alg none", "algorithm"),
        ("key in jwk under a new kid", "key"),
        ("key in jwk", "signature"),
        ("crit", "header"),
        ("b64 alone", "header"),
        ("subject twice", "twice"),
        ("oversized", "size"),
    ],
)
def test_an_attack_is_stopped_by_the_wall_meant_for_it(authenticator, case, expected):
    """
    G32: each wall stands by itself, and audit learns which one held.
    """
    assert expected == cause(authenticator, shown(TOKEN_ATTACKS[case]))


AS_HEADERS = [name for name, text in TOKEN_ATTACKS.items() if text.isascii() and text.isprintable()]
"""Attacks that a header can carry at all."""


@pytest.mark.parametrize("case", AS_HEADERS)
async def test_over_the_wire_it_is_unauthenticated_and_no_more(authenticator, case):
    """
    G32: an attacker learns one and the same thing, whatever was wrong.
    """
    caller = {"authorization": f"Bearer {TOKEN_ATTACKS[case]}"}
    async with edge(authenticator=authenticator) as served:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await served.call("ListClients", caller=caller)

        assert grpc.StatusCode.UNAUTHENTICATED == caught.value.code()
        assert "no credentials, or none that hold" == caught.value.details()
        assert [] == served.stage.seen


async def test_over_the_wire_a_sound_token_lets_its_employee_in(authenticator):
    """
    S1: the same road, with a token that holds.
    """
    async with edge(authenticator=authenticator) as served:
        await served.call("ListClients", caller={"authorization": f"Bearer {SOUND}"})

        assert ["employee/marta"] == [str(c.principal.actor) for _, c in served.stage.seen]


@pytest.mark.parametrize(
    "values",
    [
        (),
        (SOUND,),
        (f"Basic {SOUND}",),
        ("Bearer",),
        ("Bearer ",),
        (f"Bearer {SOUND}", f"Bearer {SOUND}"),
        (f"Bearer  {SOUND}",),
        (f"Bearer,{SOUND}",),
    ],
    ids=["none", "bare", "basic", "empty", "blank", "twice", "two blanks", "comma"],
)
def test_a_token_comes_in_one_way(authenticator, values):
    """
    S1: one header, one value, one scheme.
    """
    assert cause(authenticator, Credentials(metadata={"authorization": values}))


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_a_changed_token_never_holds(authenticator, algorithm):
    """
    G32: flip, drop, add or swap any character of a sound token: no other text holds.
    """
    dice = random.Random(f"mutations of {algorithm}")
    sound = signed(claims(), key=SIGNERS[algorithm][1], algorithm=algorithm)
    alphabet = "ABCabc019-_.=+/ \n!"
    tried = 0
    while tried < MUTATIONS:
        at = dice.randrange(len(sound))
        changed = dice.choice(
            (
                sound[:at] + chr(ord(sound[at]) ^ 1 << dice.randrange(7)) + sound[at + 1 :],
                sound[:at] + sound[at + 1 :],
                sound[:at] + dice.choice(alphabet) + sound[at:],
                sound[: at + 1] + sound[at:],
                sound[:at],
            )
        )
        if changed == sound:
            continue
        tried += 1
        assert cause(authenticator, shown(changed))


def test_a_service_brings_its_permissions_and_units(authenticator):
    """
    S4: permissions hold for the units named, or for the company if none is.
    """
    said = {
        "iss": PORTAL,
        "clientela_kind": "service",
        "sub": "till",
        "clientela_permissions": ["purchase.write", "client.read"],
    }

    whole = authenticator.authenticate(shown(signed(claims(**said))))
    north = authenticator.authenticate(shown(signed(claims(**said, clientela_units=["north"]))))

    names = (Code("purchase.write"), Code("client.read"))
    assert tuple(Grant(name) for name in names) == whole.grants
    assert tuple(Grant(name, UnitId("north")) for name in names) == north.grants


def test_a_list_of_no_units_is_not_the_company(authenticator):
    """
    S4: an issuer that finds no unit for a service lists none; that grants it nothing, and not all.
    """
    said = {"iss": PORTAL, "clientela_kind": "service", "sub": "till"}
    token = claims(**said, clientela_permissions=["client.read"], clientela_units=[])

    assert () == authenticator.authenticate(shown(signed(token))).grants


def test_a_client_is_a_client_whatever_else_the_token_says(authenticator):
    """
    S6: permissions in a client's token are not looked at.
    """
    said = {"iss": PORTAL, "clientela_kind": "client", "sub": "petra"}

    principal = authenticator.authenticate(
        shown(signed(claims(**said, clientela_permissions=["client.manage"])))
    )

    assert (Grant(Code("client")),) == principal.grants


@pytest.mark.parametrize("algorithms", [set(), {"HS256"}, {"none"}, {"EdDSA", "HS256"}])
def test_an_issuer_cannot_be_configured_weak(keys, algorithms):
    """
    S1: algorithms come from configuration, and configuration has a closed list.
    """
    with pytest.raises(ValueError):  # noqa: PT011 (attrs raises it)
        Issuer(
            name=LOGIN,
            audience=AUDIENCE,
            keys=keys,
            kinds=frozenset({ActorKind.EMPLOYEE}),
            algorithms=frozenset(algorithms),
        )


class TestKeySet:
    def test_a_new_key_is_found_when_half_a_minute_has_passed(self, keys_file):
        """
        S1: an unknown key makes the file be looked at, at most once in 30 seconds.
        """
        ticks = Ticks()
        keys = KeySet(keys_file, ticks)
        keys_file.write_text(jwks(jwk(FOREIGN, "EdDSA", "new")))
        ticks.now += REREAD_SECONDS - 0.1
        too_soon = keys.key("new")
        ticks.now += 0.1

        assert too_soon is None
        assert keys.key("new") is not None
        assert keys.key("ed") is None

    def test_a_flood_of_unknown_keys_looks_once(self, keys_file):
        """
        S1: an attacker's keys cost a look at the file in 30 seconds, not one each.
        """
        ticks, path = Ticks(), WatchedPath(keys_file)
        keys = KeySet(path, ticks)
        path.looks.clear()
        for _ in range(1_000):
            ticks.now += 0.07
            keys.key("evil")

        assert 2 == len(path.looks)

    def test_a_broken_file_leaves_the_last_good_keys_for_a_day(self, keys_file):
        """
        F22: cached keys until their age is over, then nobody.
        """
        ticks = Ticks()
        keys = KeySet(keys_file, ticks)
        keys_file.write_text("{")
        ticks.now += STALE_SECONDS_MAX - 1
        last_day = keys.key("ed")
        ticks.now += 1
        over = keys.key("ed")
        keys_file.write_text(ALL_KEYS)
        ticks.now += REREAD_SECONDS

        assert last_day is not None
        assert over is None
        assert keys.key("ed") is not None

    def test_an_unchanged_file_is_good_for_ever(self, keys_file):
        """
        S1: what is looked at and unchanged is fresh.
        """
        ticks = Ticks()
        keys = KeySet(keys_file, ticks)
        for _ in range(10):
            ticks.now += STALE_SECONDS_MAX / 2
            assert keys.key("ed") is not None

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "[]",
            '{"keys": {}}',
            '{"keys": []}',
            '{"keys": [7]}',
            "[" * 100_000,
            jwks({"kty": "oct", "k": "c2VjcmV0", "kid": "a"}),
            jwks({**ALGORITHMS["EdDSA"].to_jwk(ED, as_dict=True), "kid": "a"}),
            jwks({**jwk(ED, "EdDSA", "a"), "kid": ""}),
            jwks({**jwk(ED, "EdDSA", "a"), "kid": 7}),
            jwks(jwk(ED, "EdDSA", "a"), jwk(EC, "ES256", "a")),
            jwks(jwk(ED, "EdDSA", "a", alg="HS256")),
            jwks(jwk(RSA, "RS256", "a", alg="RS512")),
            jwks(jwk(RSA, "RS256", "a", alg="RSA-OAEP")),
            jwks(jwk(ED, "EdDSA", "a", use="enc")),
            jwks({**jwk(EC, "ES256", "a"), "crv": "P-521"}),
            jwks({**jwk(EC, "ES256", "a"), "x": "AAAA"}),
            jwks(
                jwk(
                    rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505 (what is refused)
                    "RS256",
                    "a",
                )
            ),
            jwks(*(jwk(ED, "EdDSA", f"k{n}") for n in range(KEYS_MAX + 1))),
            " " * 300_000,
        ],
        ids=[
            "empty",
            "not JSON",
            "list",
            "keys not a list",
            "no keys",
            "key not an object",
            "deep",
            "symmetric",
            "private",
            "empty kid",
            "kid as number",
            "kid twice",
            "alg HS256",
            "alg RS512",
            "alg for encryption",
            "use enc",
            "other curve",
            "point off the curve",
            "short RSA",
            "too many",
            "too large",
        ],
    )
    def test_a_file_that_must_not_be_used_is_refused_whole(self, tmp_path, text):
        """
        S1: one bad key, and nothing of the file is trusted; no key bytes in the message.
        """
        path = tmp_path / "jwks.json"
        path.write_text(text)

        with pytest.raises(KeySetError) as caught:
            KeySet(path)

        assert str(path) in str(caught.value)
        assert "c2VjcmV0" not in str(caught.value)

    def test_a_file_that_anybody_can_change_is_refused(self, keys_file):
        """
        S9: who can write the file can make themselves anybody.
        """
        keys_file.chmod(0o666)

        with pytest.raises(KeySetError):
            KeySet(keys_file)

    def test_a_missing_file_is_refused(self, tmp_path):
        """
        S1: no keys, no start.
        """
        with pytest.raises(KeySetError):
            KeySet(tmp_path / "none.json")


def certificate(*names, common_name="till"):
    """A certificate with these subject alternative names, signed by itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(EC.public_key())
        .serial_number(1)
        .not_valid_before(AT - timedelta(days=1))
        .not_valid_after(AT + timedelta(days=1))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(EC, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


TILL_URI = "spiffe://shop.example/till"
TILL = Principal(
    actor=Actor(ActorKind.SERVICE, PrincipalId("till")), grants=(Grant(Code("client.read")),)
)
BY_CERTIFICATE = CertificateAuthenticator({TILL_URI: TILL})
URI = x509.UniformResourceIdentifier


class TestCertificates:
    def test_a_uri_names_its_principal(self):
        """
        S1: identity from the URI among the alternative names, whatever else stands there.
        """
        shown = certificate(x509.DNSName("till.shop.example"), URI(TILL_URI))

        assert TILL == BY_CERTIFICATE.authenticate(Credentials(metadata={}, certificate=shown))

    @pytest.mark.parametrize(
        "shown",
        [
            b"",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            certificate(common_name=TILL_URI),
            certificate(x509.DNSName("till.shop.example")),
            certificate(URI("spiffe://shop.example/tills")),
            certificate(URI("spiffe://shop.example/TILL")),
            certificate(URI("spiffe://evil.example/till")),
            certificate(URI(TILL_URI), URI("spiffe://shop.example/boss")),
            certificate(x509.DNSName(TILL_URI)),
        ],
        ids=["none", "junk", "CN", "DNS", "longer", "case", "foreign", "two", "DNS as URI"],
    )
    def test_nothing_else_does(self, shown):
        """
        G31: the common name, other kinds of name, other URIs and two of them name nobody.
        """
        assert cause(BY_CERTIFICATE, Credentials(metadata={}, certificate=shown))

    def test_a_bound_token_holds_with_its_certificate_only(self, authenticator):
        """
        S1: a token that names a certificate (RFC 8705) is worth nothing to who stole it.
        """
        own, other = certificate(URI(TILL_URI)), certificate(URI("spiffe://shop.example/other"))
        token = signed(claims(cnf={"x5t#S256": thumbprint(own)}))

        assert MARTA == authenticator.authenticate(shown(token, own))
        assert "binding" == cause(authenticator, shown(token, other))
        assert "binding" == cause(authenticator, shown(token))

    @pytest.mark.parametrize("cnf", [{}, [], "x", {"jkt": "x"}, {"x5t#S256": None}])
    def test_a_binding_that_names_no_certificate_holds_with_none(self, authenticator, cnf):
        """
        S1: a binding that cannot be checked is not passed over.
        """
        token = signed(claims(cnf=cnf))

        assert "binding" == cause(authenticator, shown(token))
        assert "binding" == cause(authenticator, shown(token, certificate(URI(TILL_URI))))

    def test_an_issuer_can_demand_binding(self, keys):
        """
        S1: tokens of partners are bound.
        """
        issuer = Issuer(
            name=LOGIN,
            audience=AUDIENCE,
            keys=keys,
            kinds=frozenset({ActorKind.PARTNER}),
            is_bound=True,
        )

        tokens = TokenAuthenticator((issuer,), VirtualClock(AT))

        assert "binding" == cause(tokens, shown(SOUND, certificate(URI(TILL_URI))))


class TestEither:
    def test_a_token_decides_and_is_never_made_up_for(self, authenticator):
        """
        S1: a bad token beside a good certificate is a bad token.
        """
        either = EitherAuthenticator(authenticator, BY_CERTIFICATE)
        good = certificate(URI(TILL_URI))

        assert TILL == either.authenticate(Credentials(metadata={}, certificate=good))
        assert MARTA == either.authenticate(shown(SOUND, good))
        assert cause(either, shown(signed(claims(), key=FOREIGN), good))
        assert "none" == cause(either, Credentials(metadata={}))
        assert "none" == cause(EitherAuthenticator(), shown(SOUND, good))
        assert "none" == cause(EitherAuthenticator(), Credentials(metadata={}, certificate=good))
        assert not either.is_for_trials


BELIEVES = DevelopmentAuthenticator(frozenset({Code("client.read"), Code("client.write")}))


def says(**headers):
    """Credentials that say so."""
    return Credentials(
        metadata={f"x-clientela-{name}": (value,) for name, value in headers.items()}
    )


class TestDevelopment:
    def test_a_caller_is_who_they_say(self):
        """
        Development mode: an employee's grants come from the records, a service has everything.
        """
        everything = tuple(
            Grant(Code(name))
            for name in ("client.read", "client.write", "history.write", "personal.read")
        )

        assert MARTA == BELIEVES.authenticate(says(actor="employee/marta"))
        assert everything == BELIEVES.authenticate(says(actor="service/till")).grants
        assert (Grant(Code("client")),) == BELIEVES.authenticate(says(actor="client/petra")).grants
        assert BELIEVES.is_for_trials

    def test_roles_can_be_tried_out(self):
        """
        Development mode: an employee whom nobody registered, to begin with.
        """
        north = UnitId("north")

        principal = BELIEVES.authenticate(
            says(actor="employee/vera", roles="salesperson, analyst", unit="north")
        )

        assert (Grant(Code("salesperson"), north), Grant(Code("analyst"))) == principal.grants
        assert north == principal.unit_id

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"actor": "marta"},
            {"actor": "employee/"},
            {"actor": "employee/../x"},
            {"actor": "system/clientela"},
            {"actor": "king/marta"},
            {"actor": "employee/marta", "roles": "king"},
            {"actor": "employee/marta", "roles": ""},
            {"actor": "employee/marta", "roles": "client"},
            {"actor": "employee/marta", "roles": "salesperson", "unit": "north south"},
        ],
        ids=str,
    )
    def test_nonsense_is_refused(self, headers):
        """
        Development mode: still nobody is the system, and still ids are ids.
        """
        assert cause(BELIEVES, says(**headers))


def test_secrets_are_not_printed():
    """
    G29: credentials print without what they show.
    """
    printed = repr(shown(SOUND, certificate(URI(TILL_URI))))

    assert SOUND not in printed
    assert "BEGIN" not in printed
    assert os.linesep not in printed
