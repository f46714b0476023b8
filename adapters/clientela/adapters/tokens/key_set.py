"""
The public keys of an issuer of tokens, in a local file (JWK set, RFC 7517).

Keys come from this file and from nowhere else: a token only names one. The file is read again when
it has changed, and looked at no more than once in half a minute, however many unknown keys tokens
name. A file that cannot be read leaves the last good set in force for a day; then no token holds.
"""

from __future__ import annotations

import json
import logging
import stat
import time

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import attrs
import jwt

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey


REREAD_SECONDS = 30.0
"""Shortest time between two looks at the file."""

STALE_SECONDS_MAX = 24 * 3_600.0
"""How long the last good set stays in force while the file cannot be read."""

FILE_BYTES_MAX = 256 * 1_024
KEYS_MAX = 100
KEY_ID_LENGTH_MAX = 128
RSA_BITS_MIN = 2_048

ALGORITHMS: Mapping[tuple[str, str], str] = {
    ("OKP", "Ed25519"): "EdDSA",
    ("EC", "P-256"): "ES256",
    ("RSA", ""): "RS256",
}
"""The one algorithm of every kind of key that may sign, by `kty` and `crv`."""

_LOG = logging.getLogger(__name__)


class KeySetError(Exception):
    """
    The file of public keys must not be used.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"public keys {path}: {problem}")


@attrs.frozen
class _Seen:
    """What a file looked like when it was read."""

    inode: int
    size: int
    changed_ns: int


class KeySet:
    """
    Public keys in a file.

    Args:
        path: The file.

        monotonic: Seconds.

    Raises:
        KeySetError: it must not be used.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._seen, self._keys = _load(path)
        self._looked_at = self._good_at = monotonic()

    def key(self, key_id: str) -> jwt.PyJWK | None:
        """The key of this id; None if the issuer has none, or may have revoked it."""
        now = self._monotonic()
        if now - self._looked_at >= REREAD_SECONDS:
            self._looked_at = now
            self._look(now)
        if now - self._good_at >= STALE_SECONDS_MAX:
            return None
        return self._keys.get(key_id)

    def _look(self, now: float) -> None:
        try:
            if _seen(self._path) != self._seen:
                self._seen, self._keys = _load(self._path)
        except (KeySetError, OSError):
            _LOG.error("public keys %s cannot be read; the last good ones stay", self._path)
        else:
            self._good_at = now


def _seen(path: Path) -> _Seen:
    status = path.stat()
    return _Seen(status.st_ino, status.st_size, status.st_mtime_ns)


def _load(path: Path) -> tuple[_Seen, dict[str, jwt.PyJWK]]:
    try:
        seen = _seen(path)
        mode = path.stat().st_mode
        text = path.read_bytes() if seen.size <= FILE_BYTES_MAX else b""
    except OSError as error:
        raise KeySetError(path, f"cannot be read: {error.strerror}") from None
    if mode & stat.S_IWOTH:
        raise KeySetError(path, f"anybody can change it; run `chmod o-w {path}`")
    if not text or len(text) > FILE_BYTES_MAX:
        raise KeySetError(path, f"expected 1 to {FILE_BYTES_MAX} bytes")
    try:
        listed: Any = json.loads(text)["keys"]
    except (ValueError, RecursionError, TypeError, KeyError):
        raise KeySetError(path, "expected a JWK set: a JSON object with a list `keys`") from None
    items = cast("Sequence[Any]", listed) if isinstance(listed, list) else ()
    if not 1 <= len(items) <= KEYS_MAX:
        raise KeySetError(path, f"expected 1 to {KEYS_MAX} keys")
    keys: dict[str, jwt.PyJWK] = {}
    for place, item in enumerate(items):
        key_id, key = _key(path, place, item)
        if key_id in keys:
            raise KeySetError(path, f"keys[{place}]: another key has the same `kid`")
        keys[key_id] = key
    return seen, keys


def _key(path: Path, place: int, item: Any) -> tuple[str, jwt.PyJWK]:
    def refused(problem: str) -> KeySetError:
        return KeySetError(path, f"keys[{place}]: {problem}")

    if not isinstance(item, dict):
        raise refused("expected an object")
    fields = cast("dict[str, Any]", item)
    key_id = fields.get("kid")
    if not isinstance(key_id, str) or not 1 <= len(key_id) <= KEY_ID_LENGTH_MAX:
        raise refused(f"expected a `kid` of 1 to {KEY_ID_LENGTH_MAX} characters")
    if "d" in fields or "k" in fields:
        raise refused("holds a secret; only public keys belong here, and this one is now known")
    algorithm = ALGORITHMS.get((str(fields.get("kty")), str(fields.get("crv", ""))))
    if algorithm is None or fields.get("alg", algorithm) != algorithm:
        raise refused("expected a key for EdDSA (Ed25519), ES256 (P-256) or RS256")
    if fields.get("use", "sig") != "sig":
        raise refused("expected a key for signatures")
    try:
        key = jwt.PyJWK(fields, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        raise refused("cannot be read") from None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < RSA_BITS_MIN:
        raise refused(f"expected at least {RSA_BITS_MIN} bits")
    return key_id, key
