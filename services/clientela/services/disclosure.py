"""
What of an event may leave the company's database.

Sealed values never do, and ids that other systems gave do as keyed hashes only. Both are found by
their types, so that nobody has to remember: a new event is covered when it is written.
"""

from __future__ import annotations

import types

from collections.abc import Callable
from typing import Any, NewType, Union, cast, get_args, get_origin, get_type_hints

import attrs

from clientela.domain.facts import BusinessKey
from clientela.domain.ids import Blind, BusinessId
from clientela.domain.loyalty.lots import LotId
from clientela.domain.personal import Personal, Sealed


SEALED = {"sealed": True}
"""What stands where a sealed value was."""

SCOPE = "bus"
"""Scope of the keyed hashes, so that they equal no hash kept elsewhere."""

Hashed = Callable[[str, str], Blind]
"""Keyed hash of a text in a scope."""

Disclose = Callable[[Any], Any]
"""Turns plain data of one type into what may leave of it."""


class UndisclosableError(Exception):
    """
    A type of which it is not known what may leave.

    Attributes:
        hint: Which.
    """

    def __init__(self, hint: object) -> None:
        self.hint = hint
        super().__init__(f"what may leave of a {hint} is not known: teach it to disclosure.py")


def disclosure_of(cls: Any, hashed: Hashed) -> Disclose | None:
    """
    What turns the plain data of an event class into what may leave of it.

    Args:
        cls: The class, or any type that a field of it may have.

        hashed: Makes keyed hashes.

    Returns:
        None if all of it may.

    Raises:
        UndisclosableError: it holds something unheard of.
    """
    if cls is Sealed or cls is Personal:
        return lambda _plain: SEALED
    if cls is BusinessKey:
        return lambda text: _key(text, hashed)
    if cls is BusinessId or cls is LotId:
        return lambda text: hashed(SCOPE, text)
    if isinstance(cls, NewType):
        return disclosure_of(cls.__supertype__, hashed)
    if get_origin(cls) is tuple:
        return _each(disclosure_of(get_args(cls)[0], hashed))
    if get_origin(cls) in {Union, types.UnionType}:
        return _either(get_args(cls), hashed)
    if get_args(cls) or cls is Any:
        raise UndisclosableError(cls)
    return _fields(cls, hashed) if attrs.has(cls) and not _is_text(cls) else None


def _is_text(cls: Any) -> bool:
    """Whether values of an attrs class are kept as one text, of ids that are ours."""
    return cls.__name__ in {"JournalId", "Ref", "Actor"}


def _key(text: str, hashed: Hashed) -> str:
    source, _, _ = text.partition(":")
    return f"{source}:{hashed(SCOPE, text)}"


def _each(disclose: Disclose | None) -> Disclose | None:
    if disclose is None:
        return None
    return lambda items: [disclose(item) for item in items]


def _either(hints: tuple[Any, ...], hashed: Hashed) -> Disclose | None:
    """Of `X | None`, and of a personal value, which is sealed once it is kept."""
    some = [hint for hint in hints if hint is not type(None)]
    if Sealed in some:
        some = [Sealed]
    if len(some) != 1:
        raise UndisclosableError(hints)
    disclose = disclosure_of(some[0], hashed)
    if disclose is None:
        return None
    return lambda plain: None if plain is None else disclose(plain)


def _fields(cls: Any, hashed: Hashed) -> Disclose | None:
    hints = get_type_hints(cls)
    found = {f.name: disclosure_of(hints[f.name], hashed) for f in attrs.fields(cls)}
    changed = {name: disclose for name, disclose in found.items() if disclose is not None}
    if not changed:
        return None

    def disclose_fields(plain: Any) -> Any:
        table = cast("dict[str, Any]", plain).copy()
        for name, disclose in changed.items():
            if name in table:
                table[name] = disclose(table[name])
        return table

    return disclose_fields
