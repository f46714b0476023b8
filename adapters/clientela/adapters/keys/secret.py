"""
Bytes that are never printed.
"""

from __future__ import annotations

import hmac
import os

from typing import NoReturn


SECRET_LENGTH = 32
"""Bytes in every secret made here: 256 bits."""


class Secret:
    """
    Bytes that must not leave the process: not printed, not pickled, not copied into a report.

    Args:
        value: The bytes.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    @classmethod
    def fresh(cls) -> Secret:
        """`SECRET_LENGTH` bytes from the system's source of randomness."""
        return cls(os.urandom(SECRET_LENGTH))

    def reveal(self) -> bytes:
        """The bytes; every call of this is a place to review."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        msg = "a secret is not pickled or copied"
        raise TypeError(msg)
