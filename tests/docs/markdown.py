"""
How names, values and tables are written down on a page.
"""

from __future__ import annotations

import re

from collections.abc import Iterable
from typing import Any


def listed(names: Iterable[Any]) -> str:
    """*names*, each as code."""
    return ", ".join(f"`{name}`" for name in names)


def title(cls: type) -> str:
    """How a table is called."""
    words = re.findall("[A-Z][a-z]*", cls.__name__)
    return " ".join(words).lower()


def anchor(cls: type) -> str:
    """Where on the page a table stands."""
    return title(cls).replace(" ", "-")


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def inline(plain: Any) -> str:
    """Plain data as TOML on one line."""
    match plain:
        case dict():
            pairs = ", ".join(f"{key} = {inline(each)}" for key, each in plain.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case list():
            return f"[{', '.join(map(inline, plain))}]"
        case bool():
            return str(plain).lower()
        case str():
            return f'"{plain}"'
        case _:
            return str(plain)
