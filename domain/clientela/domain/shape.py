"""
The shape of kept classes: what another reader must know to take a kept value for the same.
"""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import attrs


def shape_of(*classes: type) -> str:
    """
    Fields of *classes* and of every attrs class in them, as text.

    Equal in every process that has the same classes; another one as soon as a field comes, goes
    or changes its name or type. Defaults are no part of it.
    """
    lines: dict[str, str] = {}
    left: list[Any] = list(classes)
    while left:
        hint = left.pop()
        left.extend(get_args(hint))
        if not (isinstance(hint, type) and attrs.has(hint)) or _name(hint) in lines:
            continue
        hints = get_type_hints(hint)
        fields = [(field.name, hints[field.name]) for field in attrs.fields(hint)]
        lines[_name(hint)] = ",".join(f"{name}:{_name(of)}" for name, of in fields)
        left.extend(of for _, of in fields)
    return "\n".join(f"{name}({lines[name]})" for name in sorted(lines))


def _name(hint: Any) -> str:
    if isinstance(hint, type) and not get_args(hint):
        return f"{hint.__module__}.{hint.__qualname__}"
    return repr(hint)
