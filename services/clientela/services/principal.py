"""
Principals: who calls, by verified credentials, and what was granted to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import attrs

from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import Code, PrincipalId, UnitId, is_id


METADATA_VALUE_LENGTH_MAX = 16_384
"""Characters of one metadata value that anybody looks at."""


@attrs.frozen
class Grant:
    """
    One thing granted to a principal.

    Attributes:
        name: A role for an employee, a permission for a service or partner.

        unit_id: The unit for which it is granted, with those below it; None for the company.

        until: First moment at which it no longer holds; None for ever.
    """

    name: Code
    unit_id: UnitId | None = None
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it holds at *now*."""
        return self.until is None or now < self.until


@attrs.frozen(kw_only=True)
class Principal:
    """
    Who calls.

    Attributes:
        actor: Kind and id.

        grants: What was granted; None where the company's records say it (employees).

        unit_id: The unit the principal works in; None for none.
    """

    actor: Actor
    grants: tuple[Grant, ...] | None = None
    unit_id: UnitId | None = None

    @property
    def kind(self) -> ActorKind:
        """What kind of principal."""
        return self.actor.kind

    @property
    def id(self) -> PrincipalId:
        """Which one."""
        return self.actor.id


@attrs.frozen(kw_only=True)
class Credentials:
    """
    What a caller showed.

    Attributes:
        metadata: Metadata of the call by name in small letters; binary values are left out.

        certificate: The client certificate as PEM, verified by the transport; empty for none.
    """

    metadata: Mapping[str, tuple[str, ...]] = attrs.field(repr=False)
    certificate: bytes = attrs.field(default=b"", repr=False)

    def only(self, name: str) -> str | None:
        """The one value of *name*; None if there is none, or more than one."""
        values = self.metadata.get(name, ())
        if len(values) != 1 or len(values[0]) > METADATA_VALUE_LENGTH_MAX:
            return None
        return values[0]


class Authenticator(Protocol):
    """Tells who calls."""

    @property
    def is_for_trials(self) -> bool:
        """Whether it believes what it is told; such a server listens on loopback only."""
        ...

    def authenticate(self, credentials: Credentials) -> Principal:
        """
        The principal behind *credentials*.

        Raises:
            UnauthenticatedError: there is none.
        """
        ...


def parsed_actor(text: str) -> Actor | None:
    """The actor of `kind/id`; None if *text* is no such, and none acts as the system."""
    kind, _, id_ = text.partition("/")
    if kind not in _OUTSIDE_KINDS or not is_id(id_):
        return None
    return Actor(ActorKind(kind), PrincipalId(id_))


_OUTSIDE_KINDS = frozenset(kind.value for kind in ActorKind if kind is not ActorKind.SYSTEM)
