"""
A TOML document being read: values of the types expected, and what is wrong, by place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, cast

from clientela.adapters.imports.mapping import Column


COLUMNS_MAX = 1_000

TABLES = ("file", "columns", "constants", "values", "identifiers", "when", "amounts")
"""Tables of a mapping."""

_NAMES: Mapping[type, str] = {str: "text", int: "whole number", bool: "true or false"}

_T = TypeVar("_T")


class Reading:
    """One document on its way to a mapping; collects what is wrong."""

    def __init__(self, plain: dict[str, Any]) -> None:
        self._plain = plain
        self._known: set[tuple[str, str]] = set()
        self.problems: dict[str, str] = {}

    def take(self, table: str, key: str, type_: type[_T], default: _T) -> _T:
        """The value of a key of a table, the top one being the empty name."""
        self._known.add((table, key))
        value: Any = self._table(table).get(key, default)
        # A truth value is no number.
        if isinstance(value, type_) and isinstance(value, bool) is (type_ is bool):
            return value
        self.refuse(_place(table, key), f"expected a {_NAMES[type_]}")
        return default

    def column(self, table: str, key: str, value: object) -> Column:
        """A column."""
        if isinstance(value, str) and value:
            return value
        if type(value) is int and 1 <= value <= COLUMNS_MAX:
            return value
        self.refuse(_place(table, key), f"expected a head, or a number from 1 to {COLUMNS_MAX}")
        return 1

    def items(self, table: str) -> Iterator[tuple[str, Any]]:
        """Keys and values of a table of free keys."""
        for key, value in self._table(table).items():
            self._known.add((table, key))
            yield key, value

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        return table in self._plain

    def refuse(self, place: str, problem: str) -> None:
        """Note that something is wrong."""
        self.problems.setdefault(place, problem)

    def check_known(self) -> None:
        """Note keys that mean nothing."""
        for key, value in self._plain.items():
            if isinstance(value, dict):
                inner = cast("dict[str, Any]", value)
                for name in inner if key in TABLES else ():
                    if (key, name) not in self._known:
                        self.refuse(_place(key, name), "means nothing here")
            if key not in TABLES and ("", key) not in self._known:
                self.refuse(key, "means nothing here")

    def _table(self, name: str) -> dict[str, Any]:
        found = self._plain.get(name, {}) if name else self._plain
        if not isinstance(found, dict):
            self.refuse(name, "expected a table")
            return {}
        return cast("dict[str, Any]", found)


def _place(table: str, key: str) -> str:
    return f"{table}.{key}" if table else key
