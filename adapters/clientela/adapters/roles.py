"""
Roles: what a process of a company does, all of it or a part.
"""

from __future__ import annotations

import enum


class Role(enum.StrEnum):
    """One kind of work that any number of processes may be there for."""

    SERVICE = "service"
    """Answers calls."""

    SCHEDULER = "scheduler"
    """Lets time pass and carries out what events ask for: one process at a time."""

    RELAY = "relay"
    """Brings events to the bus: one process at a time."""

    INBOUND = "inbound"
    """Takes messages of other systems, and mends parked ones: one process at a time."""


ROLES = tuple(Role)
"""All of them, which a process has unless it is told otherwise."""

ON_THE_BUS = frozenset({Role.RELAY, Role.INBOUND})
"""Those that need a bus."""


def roles_in(text: str) -> tuple[Role, ...] | None:
    """The roles that *text* names, separated by commas, each once; None if it names another."""
    names = [name.strip() for name in text.split(",")] if text else []
    if not set(names) <= set(Role):
        return None
    return tuple(role for role in ROLES if role in names)
