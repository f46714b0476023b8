"""
Fingerprints of commands: whether a repeat says the same as the first time.

A fingerprint holds one short keyed hash per field, so that a mismatch can name the fields that
differ without keeping what they said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NewType, get_type_hints

import attrs

from clientela.domain.errors import Category, DomainError
from clientela.domain.personal import Vault
from clientela.domain.stored import OPEN


Fingerprint = NewType("Fingerprint", str)
"""`field=hash` pairs, comma-separated, in field order."""

HASH_LENGTH = 16
"""Hex digits kept of each field's hash: 64 bits, enough against accident and useless alone."""

NOTHING = Fingerprint("")


class MismatchError(DomainError):
    """
    The identity was used before with another body (loyalty invariant 12).

    Attributes:
        fields: Names of the fields that differ.
    """

    reason = "IDEMPOTENCY_MISMATCH"
    category = Category.INVALID

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.fields = fields
        super().__init__(f"this identity was used before with other values of: {', '.join(fields)}")

    def details(self) -> dict[str, str]:
        """The fields that differ."""
        return {"fields": ",".join(self.fields)}


def fingerprint(command: Any, vault: Vault) -> Fingerprint:
    """Fingerprint of every field of *command*, an attrs instance, personal values included."""
    cls = command.__class__
    known = _FIELDS.get(cls)
    if known is None:
        known = _FIELDS[cls] = _fields(cls)
    pairs = [f"command={cls.__name__}"]
    for name, default, text in known:
        value = getattr(command, name)
        if value is not default and value != default:
            digest = vault.blind("fingerprint", text(value))
            pairs.append(f"{name}={digest[:HASH_LENGTH]}")
    return Fingerprint(",".join(pairs))


_Fields = tuple[tuple[str, Any, Callable[[Any], str]], ...]

_FIELDS: dict[type, _Fields] = {}
"""By class; as many as there are classes of commands."""


def _fields(cls: type[attrs.AttrsInstance]) -> _Fields:
    """Name and default of each field of *cls*, and what writes a value of it."""
    hints = get_type_hints(cls)
    return tuple(
        (field.name, field.default, OPEN.of(hints[field.name]).text) for field in attrs.fields(cls)
    )


def check_same(first: Fingerprint, again: Fingerprint) -> None:
    """
    Check that a repeat says what the first said; where one of them is empty nothing can differ.

    Raises:
        MismatchError: it does not.
    """
    if first == again or NOTHING in {first, again}:
        return
    one = dict(pair.split("=", 1) for pair in first.split(","))
    two = dict(pair.split("=", 1) for pair in again.split(","))
    raise MismatchError(
        tuple(name for name in sorted({*one, *two}) if one.get(name) != two.get(name))
    )
