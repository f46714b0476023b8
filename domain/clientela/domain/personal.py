"""
Personal values: open in commands, sealed in everything that is kept.

The type is the mark. A command brings `Personal`; before an event is folded or stored each
`Personal` in it becomes `Sealed`, and the codec refuses to encode a `Personal`, so a value that
nobody sealed cannot reach a file.
"""

from __future__ import annotations

import hashlib
import hmac

from collections.abc import Iterator
from typing import Any, Protocol, get_args, get_type_hints

import attrs

from clientela.domain.ids import Blind, Code, EventId, JournalId


@attrs.frozen(repr=False)
class Personal:
    """
    A personal value in the open: short-lived, never printed, never encoded.

    Attributes:
        text: The value, at most `TEXT_LENGTH_MAX` characters.

        person: The journal of the person it is about, if not the one the event goes to.
    """

    text: str
    person: JournalId | None = None

    def __repr__(self) -> str:
        return "Personal(...)"

    __str__ = __repr__


@attrs.frozen(repr=False)
class Sealed:
    """
    A personal value that only the holder of the person's key can open.

    Attributes:
        person: The person whose key seals it.

        source: The event it was sealed for.

        field: The field it was sealed for.

        box: Ciphertext in a text form; meaning is the vault's.
    """

    person: JournalId
    source: EventId
    field: Code
    box: str

    def __repr__(self) -> str:
        return f"Sealed({self.person}, {self.field})"

    __str__ = __repr__


PersonalText = Personal | Sealed
"""Type of every personal field of an event or a state."""

TEXT_LENGTH_MAX = 4096


class Vault(Protocol):
    """Seals, opens and forgets personal values; the keys are the adapter's."""

    def seal(self, value: Personal, person: JournalId, source: EventId, field: Code) -> Sealed:
        """Seal *value* under the key of *person*, bound to *source* and *field*."""
        ...

    def open(self, sealed: Sealed) -> str | None:
        """The value, or None when the person was erased."""
        ...

    def blind(self, scope: str, normal: str) -> Blind:
        """Keyed hash of a normal form, the same for the same *scope* and *normal* for ever."""
        ...

    def forget(self, person: JournalId) -> None:
        """Destroy the key of *person*: nothing sealed for them opens any more."""
        ...


class TokenVault:
    """
    A vault without ciphers: boxes are tokens, the values stay in this object.

    For trials, examples and tests of the library without any extra installed; what it seals is
    readable only through it and is gone with the process.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._values: dict[JournalId, dict[str, str]] = {}

    def seal(self, value: Personal, person: JournalId, source: EventId, field: Code) -> Sealed:
        """Keep the value here and hand out a token for it."""
        token = f"{source}#{field}"
        self._values.setdefault(person, {})[token] = value.text
        return Sealed(person, source, field, token)

    def open(self, sealed: Sealed) -> str | None:
        """The value behind the token, or None when it was forgotten."""
        return self._values.get(sealed.person, {}).get(sealed.box)

    def blind(self, scope: str, normal: str) -> Blind:
        """HMAC-SHA-256 under this vault's secret, in hex."""
        message = f"{scope}\0{normal}".encode()
        return Blind(hmac.new(self._secret, message, hashlib.sha256).hexdigest())

    def forget(self, person: JournalId) -> None:
        """Destroy every value of *person*."""
        self._values.pop(person, None)


def seal_event(event: Any, person: JournalId, source: EventId, vault: Vault) -> Any:
    """
    The event with every `Personal` in it sealed, nested values and tuples included.

    Args:
        event: An attrs instance.

        person: The person a value is about unless the value names another one.

        source: Id of the event, bound into each box.

        vault: Seals.
    """
    return _seal(event, "", person, source, vault)


def _seal(value: Any, path: str, person: JournalId, source: EventId, vault: Vault) -> Any:
    if isinstance(value, Personal):
        return vault.seal(value, value.person or person, source, Code(path))
    if value.__class__ is tuple:
        items: tuple[Any, ...] = value
        sealed = tuple(
            _seal(item, f"{path}.{i}", person, source, vault) for i, item in enumerate(items)
        )
        return items if all(a is b for a, b in zip(items, sealed, strict=True)) else sealed
    changed: dict[str, Any] = {}
    for name, alias in _personal_fields(value.__class__):
        inner = getattr(value, name)
        sealed_inner = _seal(inner, f"{path}.{name}".lstrip("."), person, source, vault)
        if sealed_inner is not inner:
            changed[alias] = sealed_inner
    return attrs.evolve(value, **changed) if changed else value


_Fields = tuple[tuple[str, str], ...]

_PERSONAL_FIELDS: dict[Any, _Fields] = {}
"""By class; as many as there are classes of values."""


def _personal_fields(cls: Any) -> _Fields:
    """Name and alias of the fields of *cls* below which a `Personal` may be; most have none."""
    fields = _PERSONAL_FIELDS.get(cls)
    if fields is None:
        fields = _PERSONAL_FIELDS[cls] = tuple(_found_personal_fields(cls))
    return fields


def _found_personal_fields(cls: Any) -> Iterator[tuple[str, str]]:
    if attrs.has(cls) and cls is not Sealed:
        hints = get_type_hints(cls)
        for field in attrs.fields(cls):
            if not _reachable(hints[field.name]).isdisjoint({Personal, Any}):
                yield field.name, field.alias or field.name


def _reachable(cls: Any) -> set[Any]:
    """Every type that a value of *cls* can hold, itself included; they may hold each other."""
    found: set[Any] = set()
    open_ = [cls]
    while open_:
        hint = open_.pop()
        if hint in found:
            continue
        found.add(hint)
        open_.extend(get_args(hint))
        if attrs.has(hint) and hint is not Sealed:
            open_.extend(get_type_hints(hint).values())
    return found
