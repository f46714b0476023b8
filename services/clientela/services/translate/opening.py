"""
Opening personal values for an answer, where the caller may see them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from clientela.domain.personal import Personal, PersonalText, Sealed, Vault


@attrs.frozen(kw_only=True)
class Opening:
    """
    What of personal values an answer may show.

    Attributes:
        vault: Opens them; must know the keys of the persons concerned.

        shows: Whether the caller may see personal values.
    """

    vault: Vault
    shows: bool

    def text(self, value: PersonalText | None) -> str:
        """The value; empty where there is none, it was erased, or the caller may not see it."""
        if not self.shows or not isinstance(value, Sealed):
            return ""
        return self.vault.open(value) or ""

    def withholds(self, *values: PersonalText | None) -> bool:
        """Whether one of *values* is there and is not shown."""
        return not self.shows and any(value is not None for value in values)


def sealed_values(value: Any, path: str = "") -> Iterator[tuple[str, Sealed]]:
    """
    Every sealed value within *value*, an event or a part of one, with its path.

    A value that an event repeats from another one stands under its path here.
    """
    assert not isinstance(value, Personal)
    if isinstance(value, Sealed):
        yield path, value
    elif value.__class__ is tuple:
        items: tuple[Any, ...] = value
        for index, item in enumerate(items):
            yield from sealed_values(item, f"{path}[{index}]")
    elif attrs.has(value.__class__):
        for field in attrs.fields(value.__class__):
            inner = f"{path}.{field.name}" if path else field.name
            yield from sealed_values(getattr(value, field.name), inner)
