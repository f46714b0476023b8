"""
Documents: definitions as text and as plain data, and what changed between two of them.
"""

from __future__ import annotations

import enum
import hashlib
import json
import tomllib

from collections.abc import Iterator, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, NewType, TypeGuard

import attrs

from clientela.domain.codec import canonical
from clientela.domain.definitions.problems import DefinitionsError, Problem, join


Document = NewType("Document", str)
"""Definitions as canonical JSON: no comments, sorted keys, so that equal content is equal text."""

Digest = NewType("Digest", str)
"""SHA-256 of a document, in hex."""

DOCUMENT_LENGTH_MAX = 1_000_000
"""Characters of one document."""

INTEGER_MAX = 2**63 - 1
"""Largest integer of a document, as TOML has it."""

CHANGES_MAX = 1000
"""Changes told between two documents."""

Plain = dict[str, Any]


def parse(text: str) -> Plain:
    """
    A TOML document as plain data that JSON can hold: moments and decimals become text.

    Raises:
        DefinitionsError: it is no TOML, too long, nested too deeply, or holds an endless number.
    """
    if len(text) > DOCUMENT_LENGTH_MAX:
        raise DefinitionsError([Problem("", f"longer than {DOCUMENT_LENGTH_MAX} characters")])
    try:
        parsed = tomllib.loads(text, parse_float=Decimal)
        plain: Plain = _plain(parsed)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionsError([Problem("", f"no TOML: {error}")]) from None
    except (ValueError, ArithmeticError):
        raise DefinitionsError([Problem("", "a number is too large")]) from None
    except RecursionError:
        raise DefinitionsError([Problem("", "nested too deeply")]) from None
    return plain


def document(plain: Mapping[str, Any]) -> Document:
    """Plain data as canonical text."""
    return Document(canonical(dict(plain)).decode())


def plain_of(text: Document) -> Plain:
    """
    A document as plain data again.

    Raises:
        DefinitionsError: it is no document.
    """
    try:
        plain: Any = json.loads(text, parse_float=str)
    except (ValueError, RecursionError):
        plain = None
    if not is_table(plain):
        raise DefinitionsError([Problem("", "no document")])
    return plain


def digest(text: Document) -> Digest:
    """What is equal for equal definitions, whatever their comments and order of keys."""
    return Digest(hashlib.sha256(text.encode()).hexdigest())


class ChangeKind(enum.Enum):
    """What happened to a value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@attrs.frozen
class Change:
    """
    One value that differs between two documents.

    Attributes:
        path: Where, for instance `loyalty.awards[0].points`.

        kind: Added, removed or changed.

        old: The value before, as plain data; None if it was added.

        new: The value after; None if it was removed.
    """

    path: str
    kind: ChangeKind
    old: Any = None
    new: Any = None


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """
    What differs between two documents as plain data, by path.

    Tables of a list are matched by their `id` where they have one, otherwise by position.

    Returns:
        At most `CHANGES_MAX` changes, in order of path.
    """
    found = sorted(_differences("", dict(old), dict(new)), key=lambda change: change.path)
    return tuple(found[:CHANGES_MAX])


def is_table(value: object) -> TypeGuard[Plain]:
    """Whether *value* is a table of plain data."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether *value* is a list of plain data."""
    return isinstance(value, list)


def _plain(value: Any) -> Any:
    if isinstance(value, int) and abs(value) > INTEGER_MAX:
        raise OverflowError
    if is_table(value):
        return {key: _plain(inner) for key, inner in value.items()}
    if is_list(value):
        return [_plain(inner) for inner in value]
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _differences(path: str, old: Any, new: Any) -> Iterator[Change]:
    if is_table(old) and is_table(new):
        yield from _tables(path, old, new)
    elif is_list(old) and is_list(new):
        yield from _tables(path, _keyed(old), _keyed(new))
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield Change(path, ChangeKind.CHANGED, old, new)


def _tables(path: str, old: Plain, new: Plain) -> Iterator[Change]:
    for key in sorted(old.keys() | new.keys()):
        place = join(path, key)
        if key not in new:
            yield Change(place, ChangeKind.REMOVED, old=old[key])
        elif key not in old:
            yield Change(place, ChangeKind.ADDED, new=new[key])
        else:
            yield from _differences(place, old[key], new[key])


def _keyed(items: list[Any]) -> Plain:
    ids: list[Any] = [item.get("id") if is_table(item) else None for item in items]
    if all(isinstance(id_, str) for id_ in ids) and len(set(ids)) == len(ids):
        return {f"[{id_}]": item for id_, item in zip(ids, items, strict=True)}
    return {f"[{i}]": item for i, item in enumerate(items)}
