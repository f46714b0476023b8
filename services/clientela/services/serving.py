"""
Who serves whom: a read model of every client's owner and of the units that deal with it.

A branch sees a client it serves; this is where "serves" is said. A refused approach is none.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from clientela.domain.context import Naming
from clientela.domain.event import RecordedEvent
from clientela.domain.facts import (
    ApproachMade,
    InteractionRecorded,
    PurchaseRecorded,
    ReturnRecorded,
)
from clientela.domain.identity.registration import ClientRegistered
from clientela.domain.ids import ClientId, EmployeeId, JournalKind, UnitId
from clientela.domain.ownership.claim import ClientClaimed
from clientela.domain.ownership.lapse import OwnershipLapsed
from clientela.domain.ownership.replacement import OwnerReplaced
from clientela.services.read_models import ReadModel, Term


UNITS_MAX = 200
"""Units kept for one client; the one that dealt with it first goes first."""


@attrs.frozen(kw_only=True)
class Serving:
    """
    Who serves one client.

    Attributes:
        client_id: The client.

        owner_id: Its owner, also one who has left; None for nobody.

        owner_unit_id: The owner's unit when ownership began; None without an owner.

        units: Units that registered it, approached it, sold to it or met it, latest last.
    """

    client_id: ClientId
    owner_id: EmployeeId | None = None
    owner_unit_id: UnitId | None = None
    units: tuple[UnitId, ...] = ()


def _key(recorded: RecordedEvent) -> str | None:
    return recorded.journal.id if recorded.journal.kind is JournalKind.CLIENT else None


def _evolve(serving: Serving | None, recorded: RecordedEvent) -> Serving:
    serving = serving or Serving(client_id=ClientId(recorded.journal.id))
    match recorded.event:
        case (
            ClientClaimed(owner_id=owner_id, unit_id=unit_id)
            | OwnerReplaced(owner_id=owner_id, unit_id=unit_id)
        ):
            owned = attrs.evolve(serving, owner_id=owner_id, owner_unit_id=unit_id)
            return _served(owned, unit_id)
        case OwnershipLapsed():
            return attrs.evolve(serving, owner_id=None, owner_unit_id=None)
        case ClientRegistered():
            return _served(serving, recorded.unit)
        case (
            ApproachMade(unit_id=unit_id)
            | InteractionRecorded(unit_id=unit_id)
            | PurchaseRecorded(unit_id=unit_id)
            | ReturnRecorded(unit_id=unit_id)
        ):
            return _served(serving, unit_id or recorded.unit)
        case _:
            return serving


def _served(serving: Serving, unit_id: UnitId | None) -> Serving:
    if unit_id is None or unit_id in serving.units:
        return serving
    return attrs.evolve(serving, units=(*serving.units, unit_id)[-UNITS_MAX:])


def _terms(serving: Serving, _naming: Naming) -> Iterable[Term]:
    if serving.owner_id is not None:
        yield ("owner", serving.owner_id)
    if serving.owner_unit_id is not None:
        yield ("owner-unit", serving.owner_unit_id)
    for unit_id in serving.units:
        yield ("unit", unit_id)


SERVING = ReadModel(name="serving.v1", state=Serving, key=_key, evolve=_evolve, terms=_terms)
"""One row a client, by client id."""
