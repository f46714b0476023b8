"""
Variants: a frozen value again, with other values in some fields.

What `attrs.evolve` does, for the paths that every command takes: which fields a class has is asked
once per class, not once per value.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

import attrs


_T = TypeVar("_T", bound=attrs.AttrsInstance)

_Fields = tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]


def variant(value: _T, **changes: Any) -> _T:
    """
    *value* with *changes*, made and checked by its class.

    Args:
        value: An instance of an attrs class with two fields or more.

        changes: New values by argument name of the class.
    """
    cls = value.__class__
    known = _FIELDS.get(cls)
    if known is None:
        known = _FIELDS[cls] = _fields(cls)
    names, read = known
    values = dict(zip(names, read(value), strict=False))
    values.update(changes)
    return cls(**values)


_FIELDS: dict[type, _Fields] = {}
"""By class; as many as there are classes of values."""


def _fields(cls: type[attrs.AttrsInstance]) -> _Fields:
    fields = [field for field in attrs.fields(cls) if field.init]
    names = [field.alias or field.name for field in fields]
    return tuple(names), attrgetter(*(field.name for field in fields))
