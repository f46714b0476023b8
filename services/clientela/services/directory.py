"""
The directory: what access must know of clients, units and staff, fresh from the journals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import attrs

from clientela.domain.context import StaffMember
from clientela.domain.ids import (
    ClientId,
    EmployeeId,
    JournalId,
    UnitId,
    WalletId,
    employee_journal,
    unit_journal,
)
from clientela.domain.organisation.tree import ancestors
from clientela.domain.record import NeededError
from clientela.services.read_models import ReadModels
from clientela.services.records import Records
from clientela.services.serving import SERVING, Serving
from clientela.services.views import JournalNeededError, Needs, Registry


_T = TypeVar("_T")

WALKS_MAX = 1_000
"""How often one look-up may ask for one more unit or employee."""


@attrs.frozen(kw_only=True)
class Standing:
    """
    Where a client stands in the company: what decides who may see it.

    Attributes:
        client_id: The client.

        owner_id: Who looks after it; None for nobody.

        owner_units: The owner's unit and every unit above it.

        units: Every unit that serves the client, the owner's included, and every unit above them.
    """

    client_id: ClientId
    owner_id: EmployeeId | None = None
    owner_units: frozenset[UnitId] = frozenset()
    units: frozenset[UnitId] = frozenset()


class Directory(Protocol):
    """Tells who belongs where; everything committed before the call is taken in."""

    async def member(self, employee_id: EmployeeId) -> StaffMember | None:
        """The employee; None if there is none of this id."""
        ...

    async def upward(self, unit_id: UnitId) -> frozenset[UnitId] | None:
        """The unit and every unit above it; None if there is none of this id."""
        ...

    async def client(self, client_id: ClientId) -> Standing | None:
        """Where the client stands; None if there is none of this id."""
        ...

    async def client_of(self, wallet_id: WalletId) -> ClientId | None:
        """The client whose wallet it is; None if nobody's."""
        ...


class JournalDirectory:
    """
    A directory over records and the read model of who serves whom.

    Args:
        records: Staff and units.

        reads: Clients; must keep `SERVING`.
    """

    def __init__(self, records: Records, reads: ReadModels) -> None:
        self._records = records
        self._reads = reads

    async def member(self, employee_id: EmployeeId) -> StaffMember | None:
        """The employee."""
        own = employee_journal(employee_id)
        return await self._asked(lambda registry: registry.member(employee_id), own)

    async def upward(self, unit_id: UnitId) -> frozenset[UnitId] | None:
        """The unit and every unit above it."""
        return await self._asked(lambda registry: _upward(registry, unit_id), unit_journal(unit_id))

    async def client(self, client_id: ClientId) -> Standing | None:
        """Where the client stands."""
        serving = await self._reads.get(SERVING, client_id)
        if not isinstance(serving, Serving):
            return None
        owning = () if serving.owner_unit_id is None else (serving.owner_unit_id,)
        owner_units, units = await self._asked(
            lambda registry: (
                _all_upward(registry, owning),
                _all_upward(registry, serving.units),
            ),
            *map(unit_journal, (*owning, *serving.units)),
        )
        return Standing(
            client_id=client_id,
            owner_id=serving.owner_id,
            owner_units=owner_units,
            units=owner_units | units,
        )

    async def client_of(self, wallet_id: WalletId) -> ClientId | None:
        """The client of the same id: a client's own wallet bears it."""
        serving = await self._reads.get(SERVING, wallet_id)
        return serving.client_id if isinstance(serving, Serving) else None

    async def _asked(self, ask: Callable[[Registry], _T], *about: JournalId) -> _T:
        """What *ask* says, journals loaded as it needs them: those of *about* to begin with."""
        needs = Needs(journals=(), facts=set(about))
        for _ in range(WALKS_MAX):
            view = await self._records.load(needs)
            try:
                return ask(view.registry)
            except JournalNeededError as needed:
                needs.facts.add(needed.journal_id)
        raise NeededError("too much")


def _upward(registry: Registry, unit_id: UnitId) -> frozenset[UnitId] | None:
    if registry.place(unit_id) is None:
        return None
    return frozenset((unit_id, *ancestors(unit_id, registry)))


def _all_upward(registry: Registry, unit_ids: tuple[UnitId, ...]) -> frozenset[UnitId]:
    """The units and all above them; one that nobody registered stands alone."""
    found: set[UnitId] = set()
    for unit_id in unit_ids:
        found |= _upward(registry, unit_id) or {unit_id}
    return frozenset(found)
