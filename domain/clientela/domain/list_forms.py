"""
List forms: attrs classes as the lists of their values, shorter than objects and sooner read.

    an attrs class      a list of its fields' values in their order, without those at the end that
                        are at their defaults

What is written so names no field: it can be read by the very same classes only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from clientela.domain.forms import Forms, default_of, reader


class ListForms(Forms):
    """The forms of types, those of attrs classes lists; see `Forms`."""

    def _object_text(
        self, cls: type[attrs.AttrsInstance], hints: Mapping[str, Any]
    ) -> Callable[[Any], str]:
        fields = _fields(cls)
        writes = [self.of(hints[field.name]).text for field in fields]
        defaults = [default_of(field) for field in fields]
        values = reader([field.name for field in fields])

        def text(made: Any) -> str:
            given = values(made)
            end = len(given)
            while end and _same(given[end - 1], defaults[end - 1]):
                end -= 1
            pairs = zip(writes, given[:end], strict=False)
            return f"[{','.join([write(value) for write, value in pairs])}]"

        return text

    def _object_value(
        self, cls: type[attrs.AttrsInstance], hints: Mapping[str, Any]
    ) -> Callable[[Any], Any]:
        fields = _fields(cls)
        names = [field.name for field in fields]
        made: Any = cls
        forms = [self.of(hints[name]).value for name in names]
        reads = [(place, read) for place, read in enumerate(forms) if read is not None]
        is_named = any(field.kw_only for field in fields)

        def value(plain: Any) -> Any:
            values = [*plain]
            end = len(values)
            for place, read in reads:
                if place >= end:
                    break
                values[place] = read(values[place])
            if is_named:
                return made(**dict(zip(names, values, strict=False)))
            return made(*values)

        return value


def _fields(cls: type[attrs.AttrsInstance]) -> list[attrs.Attribute[Any]]:
    return [field for field in attrs.fields(cls) if field.init]


def _same(value: Any, default: Any) -> bool:
    return value is default or bool(value == default)
