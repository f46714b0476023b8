"""
Services as they are generated, and how they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs


Service = tuple[Callable[[Any, Any], None], Any]
"""An `add_XServicer_to_server` function and its servicer."""


@attrs.define
class _Names:
    """Takes the place of a server to learn the full names of what is added."""

    names: list[str] = attrs.field(factory=list[str])

    def add_generic_rpc_handlers(self, handlers: Iterable[Any]) -> None:
        """Note the service."""
        self.names.extend(handler.service_name() for handler in handlers)

    def add_registered_method_handlers(self, name: str, handlers: Mapping[str, Any]) -> None:
        """Nothing: the service was noted."""


def service_names(services: Iterable[Service]) -> tuple[str, ...]:
    """Full names of *services*."""
    names = _Names()
    for add, servicer in services:
        add(servicer, names)
    return tuple(names.names)
