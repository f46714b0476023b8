"""
The form of everything that is encrypted: version byte, nonce, ciphertext with its tag.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clientela.adapters.keys.secret import Secret


VERSION = b"\x01"
NONCE_LENGTH = 12
TAG_LENGTH = 16
OVERHEAD = len(VERSION) + NONCE_LENGTH + TAG_LENGTH
"""Bytes a box is longer than what it holds."""


class BoxError(Exception):
    """A box does not open; whoever holds it knows what it was."""


def cipher_of(key: Secret) -> AESGCM:
    """AES-256-GCM under *key*."""
    return AESGCM(key.reveal())


def bound(*parts: str) -> bytes:
    """*parts* as bytes from which they can be told again, so that no two bindings are alike."""
    return "".join([f"{len(part)}:{part}" for part in parts]).encode("utf-8", "surrogatepass")


def shut(cipher: AESGCM, plain: bytes, binding: bytes) -> bytes:
    """A box of *plain* that opens only with the same *binding*."""
    # Random nonces are safe up to about 2**32 boxes a key; a person has thousands.
    nonce = os.urandom(NONCE_LENGTH)
    return VERSION + nonce + cipher.encrypt(nonce, plain, binding)


def opened(cipher: AESGCM, box: bytes, binding: bytes) -> bytes:
    """
    What *box* holds.

    Raises:
        BoxError: it was changed, is of another version, or was made with another key or binding.
    """
    if len(box) < OVERHEAD or box[:1] != VERSION:
        raise BoxError
    try:
        return cipher.decrypt(box[1 : 1 + NONCE_LENGTH], box[1 + NONCE_LENGTH :], binding)
    except InvalidTag:
        raise BoxError from None
