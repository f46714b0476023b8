"""
Keyed hashes: HMAC-SHA-256 under one secret, as many as are asked for.
"""

from __future__ import annotations

import hashlib

from clientela.adapters.keys.secret import Secret


BLOCK_LENGTH = 64
"""Bytes that SHA-256 takes in at once."""

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class KeyedHash:
    """
    HMAC-SHA-256 as in RFC 2104.

    What the secret alone leads to is worked out once and copied for every hash: that is half the
    work of a short one, and a command needs some ten of them.

    Args:
        secret: The key.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: Secret) -> None:
        key = secret.reveal()
        if len(key) > BLOCK_LENGTH:
            key = hashlib.sha256(key).digest()
        block = key.ljust(BLOCK_LENGTH, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER))
        self._outer = hashlib.sha256(block.translate(_OUTER))

    def of(self, message: bytes) -> bytes:
        """The hash of *message*, 32 bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()
