"""
Leases: who alone does a piece of background work, for a while.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import attrs


NAME_LENGTH_MAX = 64
"""Characters of a lease's name, and of a holder's."""

LEASES_MAX = 100
"""Leases listed at most; there are as many as there are pieces of background work."""


@attrs.frozen
class Lease:
    """
    Work that somebody alone may do until it runs out.

    A holder that was stopped for longer does not know that it ran out: whatever it writes must be
    fenced where it is written, by the epoch or by something as strict.

    Attributes:
        name: Which work, 1 to `NAME_LENGTH_MAX` characters.

        holder: Who does it, 1 to `NAME_LENGTH_MAX` characters.

        epoch: From 1; grows whenever another holder takes over.
    """

    name: str
    holder: str
    epoch: int


@attrs.frozen
class Granted:
    """
    A lease as it is kept.

    Attributes:
        lease: Granted last under its name.

        until: When it runs out or ran out, or was given back.
    """

    lease: Lease
    until: datetime


class Leases(Protocol):
    """Grants leases, each to one holder at a time."""

    async def acquire(self, name: str, holder: str, ttl: timedelta) -> Lease | None:
        """
        Take or renew a lease: it runs out *ttl* from now.

        Returns:
            The lease, or None while somebody else holds it.

        Raises:
            StoreUnavailableError: the store cannot be reached; it may have been granted.
        """
        ...

    async def release(self, lease: Lease) -> None:
        """
        Give a lease back before it runs out; one that somebody else holds by now stays theirs.

        Raises:
            StoreUnavailableError: the store cannot be reached; it runs out by itself.
        """
        ...
