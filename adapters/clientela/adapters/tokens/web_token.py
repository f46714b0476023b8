"""
Web tokens (JWT, RFC 7519): who calls, by the word of an issuer the company trusts.

Read strictly: one spelling per token, no claim twice, algorithms and keys from configuration. What
a token says of its own key (`jku`, `x5u`, `jwk`, `x5c`) is not looked at.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import ssl

from collections.abc import Mapping, Sequence
from typing import Any, cast

import attrs
import jwt

from clientela.adapters.tokens.key_set import KeySet
from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import CODE_LENGTH_MAX, Code, PrincipalId, UnitId, is_id
from clientela.domain.organisation.roles import CLIENT
from clientela.services.ports import Clock
from clientela.services.principal import Credentials, Grant, Principal
from clientela.services.refusals import UnauthenticatedError


AUTHORIZATION_HEADER = "authorization"
SCHEME = "bearer "

TOKEN_LENGTH_MAX = 8 * 1_024
"""Characters of a token."""

LIFE_SECONDS_MAX = 15 * 60
"""From the moment a token begins to hold, or was issued, to its end."""

LEEWAY_SECONDS = 60
"""How far the issuer's clock may be off."""

PARTS = 3
"""Header, claims, signature."""

LISTED_MAX = 200
"""Permissions or units a token may list."""

KIND_CLAIM = "clientela_kind"
PERMISSIONS_CLAIM = "clientela_permissions"
UNITS_CLAIM = "clientela_units"

ALGORITHMS = frozenset({"EdDSA", "ES256", "RS256"})
"""What an issuer may sign with; nothing symmetric, and not nothing."""


@attrs.frozen(kw_only=True)
class Issuer:
    """
    Whose tokens hold, and for what.

    Attributes:
        name: The claim `iss`, to the letter.

        audience: What must be among the claim `aud`.

        keys: Its public keys.

        kinds: The kinds of principal it may speak for. If there are several, its tokens say which
            in `clientela_kind`.

        algorithms: What it signs with.

        id_claim: The claim that holds the principal's id.

        is_bound: Whether a token holds only together with the client certificate it names in
            `cnf` (RFC 8705). One that names a certificate always does.
    """

    name: str
    audience: str
    keys: KeySet
    kinds: frozenset[ActorKind]
    algorithms: frozenset[str] = attrs.field(
        default=ALGORITHMS,
        validator=[
            attrs.validators.min_len(1),
            attrs.validators.deep_iterable(attrs.validators.in_(ALGORITHMS)),
        ],
    )
    id_claim: str = "sub"
    is_bound: bool = False


class TokenAuthenticator:
    """
    Tells who calls from `authorization: Bearer <token>`.

    Args:
        issuers: Whose tokens hold.

        clock: Tells whether they hold now.
    """

    is_for_trials = False

    def __init__(self, issuers: tuple[Issuer, ...], clock: Clock) -> None:
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._clock = clock

    def authenticate(self, credentials: Credentials) -> Principal:
        """
        The principal a token speaks of.

        Raises:
            UnauthenticatedError: there is no token, or it does not hold.
        """
        token = _token(credentials)
        header, claims = _opened(token)
        issuer = self._issuers.get(_text(claims, "iss"))
        if issuer is None:
            raise UnauthenticatedError("issuer")
        _check_signature(token, header, issuer)
        self._check_claims(claims, issuer)
        _check_binding(claims, issuer, credentials)
        return _principal(claims, issuer)

    def _check_claims(self, claims: Mapping[str, Any], issuer: Issuer) -> None:
        audience: Any = claims.get("aud")
        named = cast("Sequence[Any]", audience) if isinstance(audience, list) else [audience]
        if issuer.audience not in named:
            raise UnauthenticatedError("audience")
        now = int(self._clock.now().timestamp())
        ends, begins = _moment(claims, "exp"), _moment(claims, "nbf")
        issued = _moment(claims, "iat") if "iat" in claims else begins
        if now >= ends + LEEWAY_SECONDS:
            raise UnauthenticatedError("expired")
        if now < max(begins, issued) - LEEWAY_SECONDS:
            raise UnauthenticatedError("early")
        if ends - min(begins, issued) > LIFE_SECONDS_MAX:
            raise UnauthenticatedError("life")


def _token(credentials: Credentials) -> str:
    value = credentials.only(AUTHORIZATION_HEADER)
    if value is None or not value[: len(SCHEME)].lower() == SCHEME:
        raise UnauthenticatedError("none")
    token = value[len(SCHEME) :]
    if len(token) > TOKEN_LENGTH_MAX:
        raise UnauthenticatedError("size")
    return token


def _opened(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims as they say of themselves, nothing verified."""
    parts = token.split(".")
    if len(parts) != PARTS:
        raise UnauthenticatedError("form")
    header, claims, _ = (_bytes(part) for part in parts)
    return _object(header), _object(claims)


def _bytes(part: str) -> bytes:
    """What *part* encodes, if it is the one way of encoding it."""
    try:
        content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (ValueError, binascii.Error):
        raise UnauthenticatedError("form") from None
    if base64.urlsafe_b64encode(content).rstrip(b"=").decode() != part:
        raise UnauthenticatedError("form")
    return content


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        value: Any = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise UnauthenticatedError("form") from None
    if not isinstance(value, dict):
        raise UnauthenticatedError("form")
    return cast("dict[str, Any]", value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnauthenticatedError("twice")
    return found


def _refused(_constant: str) -> Any:
    raise UnauthenticatedError("form")


def _check_signature(token: str, header: Mapping[str, Any], issuer: Issuer) -> None:
    if "crit" in header or "b64" in header:
        raise UnauthenticatedError("header")
    algorithm = _text(header, "alg")
    if algorithm not in issuer.algorithms:
        raise UnauthenticatedError("algorithm")
    key = issuer.keys.key(_text(header, "kid"))
    if key is None or key.algorithm_name != algorithm:
        raise UnauthenticatedError("key")
    try:
        jwt.PyJWS().decode(token, key, algorithms=[algorithm])
    except (jwt.PyJWTError, ValueError, TypeError):
        raise UnauthenticatedError("signature") from None


def _check_binding(claims: Mapping[str, Any], issuer: Issuer, credentials: Credentials) -> None:
    if "cnf" not in claims and not issuer.is_bound:
        return
    binding = claims.get("cnf")
    named = cast("dict[str, Any]", binding).get("x5t#S256") if isinstance(binding, dict) else None
    if not credentials.certificate or named != thumbprint(credentials.certificate):
        raise UnauthenticatedError("binding")


def thumbprint(certificate: bytes) -> str:
    """SHA-256 of a certificate in PEM as `x5t#S256` has it (RFC 8705)."""
    der = ssl.PEM_cert_to_DER_cert(certificate.decode("ascii"))
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def _principal(claims: Mapping[str, Any], issuer: Issuer) -> Principal:
    _text(claims, "sub")
    id_, kind = _text(claims, issuer.id_claim), _kind(claims, issuer)
    if not is_id(id_):
        raise UnauthenticatedError("subject")
    actor = Actor(kind, PrincipalId(id_))
    if kind is ActorKind.EMPLOYEE:
        return Principal(actor=actor)
    if kind is ActorKind.CLIENT:
        return Principal(actor=actor, grants=(Grant(CLIENT),))
    permissions = [Code(name) for name in _listed(claims, PERMISSIONS_CLAIM)]
    # An issuer that finds no unit lists none: only what is left out is the whole company.
    listed = [UnitId(unit) for unit in _listed(claims, UNITS_CLAIM)]
    units = listed if UNITS_CLAIM in claims else [None]
    grants = tuple(Grant(name, unit) for name in permissions for unit in units)
    return Principal(actor=actor, grants=grants)


def _kind(claims: Mapping[str, Any], issuer: Issuer) -> ActorKind:
    if KIND_CLAIM in claims:
        named = claims[KIND_CLAIM]
        found = [kind for kind in issuer.kinds if kind.value == named]
    else:
        found = list(issuer.kinds)
    if len(found) != 1 or found[0] is ActorKind.SYSTEM:
        raise UnauthenticatedError("kind")
    return found[0]


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise UnauthenticatedError(f"no-{name}")
    return value


def _moment(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnauthenticatedError(f"no-{name}")
    return value


def _listed(claims: Mapping[str, Any], name: str) -> Sequence[str]:
    value: Any = claims.get(name, [])
    if not isinstance(value, list):
        raise UnauthenticatedError("grants")
    items = cast("Sequence[Any]", value)
    if len(items) > LISTED_MAX or not all(_is_code(item) for item in items):
        raise UnauthenticatedError("grants")
    return items


def _is_code(item: object) -> bool:
    return isinstance(item, str) and 1 <= len(item) <= CODE_LENGTH_MAX
