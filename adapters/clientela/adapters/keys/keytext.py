"""
A keyring as the text of a key file, and back.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from datetime import datetime
from typing import Any, cast

from clientela.adapters.keys.keyring import Kek, Keyring
from clientela.adapters.keys.secret import SECRET_LENGTH, Secret


FORMAT = "clientela-keys/1"
ABOUT = "Secret. Keep a copy apart from every copy of the database. Do not edit."

KEY_TEXT_LENGTH_MAX = 16_384
"""Bytes in a key file."""

_KEK_ID_LENGTH_MAX = 64


class KeyTextError(Exception):
    """A text is no keyring; says what is wrong, without any of it."""


def written(ring: Keyring) -> bytes:
    """*ring* as text, with a sum by which damage is seen."""
    body: dict[str, Any] = {
        "format": FORMAT,
        "about": ABOUT,
        "current": _plain(ring.current),
        "retiring": _plain(ring.retiring) if ring.retiring else None,
        "lookup": _text(ring.lookup),
        "company": _text(ring.company),
    }
    return (json.dumps({**body, "sum": _sum(body)}, indent=2) + "\n").encode()


def read(text: bytes) -> Keyring:
    """
    The ring in *text*.

    Raises:
        KeyTextError: it is no keyring, of another format, or damaged.
    """
    body = _body(text)
    try:
        retiring = body["retiring"]
        return Keyring(
            _kek(body["current"]),
            _kek(retiring) if retiring is not None else None,
            _secret(body["lookup"]),
            _secret(body["company"]),
        )
    except (KeyError, TypeError, ValueError):
        raise KeyTextError("a key in it is missing or malformed") from None


def _body(text: bytes) -> dict[str, Any]:
    if len(text) > KEY_TEXT_LENGTH_MAX:
        raise KeyTextError("longer than any key file")
    try:
        body = json.loads(text)
    except ValueError:
        raise KeyTextError("not JSON") from None
    if not isinstance(body, dict):
        raise KeyTextError("not a JSON object")
    plain = cast("dict[str, Any]", body)
    if plain.get("format") != FORMAT:
        raise KeyTextError(f"not of the format {FORMAT}")
    if plain.pop("sum", None) != _sum(plain):
        raise KeyTextError("its sum does not match")
    return plain


def _sum(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _plain(kek: Kek) -> dict[str, str]:
    return {"id": kek.id, "key": _text(kek.key), "made_at": kek.made_at.isoformat()}


def _kek(plain: dict[str, str]) -> Kek:
    kek_id = plain["id"]
    if not 0 < len(kek_id) <= _KEK_ID_LENGTH_MAX:
        raise ValueError
    return Kek(kek_id, _secret(plain["key"]), datetime.fromisoformat(plain["made_at"]))


def _text(secret: Secret) -> str:
    return base64.b64encode(secret.reveal()).decode()


def _secret(text: str) -> Secret:
    value = binascii.a2b_base64(text, strict_mode=True)
    if len(value) != SECRET_LENGTH:
        raise ValueError
    return Secret(value)
