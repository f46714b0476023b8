"""
Scope: which records a principal reaches through the grants by which it may call an rpc.

What it does not reach is answered like what is not there: same code, same reason, same text.
"""

from __future__ import annotations

import attrs

from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.event import ActorKind
from clientela.domain.ids import (
    ID_LENGTH_MAX,
    ClientId,
    EmployeeId,
    UnitId,
    WalletId,
    is_id,
)
from clientela.services.access import MethodAccess, Scope
from clientela.services.directory import Directory, Standing
from clientela.services.principal import Grant, Principal


@attrs.frozen(kw_only=True)
class Reach:
    """
    Which records may be touched.

    Attributes:
        is_whole: Whether all of the company's.

        units: Units that with everything below them are within reach.

        employee_id: The employee who calls; sees the clients they look after.

        client_id: The client who calls; sees themself only.

        is_owning: Whether a client is within reach through its owner's unit only (`SCOPE_UNIT`).
    """

    is_whole: bool = False
    units: frozenset[UnitId] = frozenset()
    employee_id: EmployeeId | None = None
    client_id: ClientId | None = None
    is_owning: bool = False

    def covers(self, upward: frozenset[UnitId]) -> bool:
        """
        Whether a unit is within reach.

        Args:
            upward: The unit and every unit above it.
        """
        return self.is_whole or not self.units.isdisjoint(upward)

    def sees(self, standing: Standing) -> bool:
        """Whether a client is within reach."""
        if self.is_whole:
            return True
        if self.client_id is not None:
            return self.client_id == standing.client_id
        if self.is_owning:
            return self.covers(standing.owner_units)
        is_own = self.employee_id is not None and self.employee_id == standing.owner_id
        return is_own or self.covers(standing.units)


def reach_of(principal: Principal, grants: tuple[Grant, ...], scope: Scope) -> Reach:
    """
    What *principal* reaches.

    Args:
        principal: Who.

        grants: Those by which it may call the rpc, and no others: who may read the whole company
            as an accountant approaches clients as a seller only.

        scope: Of the rpc.
    """
    if principal.kind is ActorKind.CLIENT:
        return Reach(client_id=ClientId(principal.id))
    employee_id = EmployeeId(principal.id) if principal.kind is ActorKind.EMPLOYEE else None
    units = {grant.unit_id for grant in grants}
    # Partners reach nothing beyond the units they were given.
    is_whole = scope is Scope.COMPANY or scope is Scope.NONE or None in units
    return Reach(
        is_whole=is_whole and principal.kind is not ActorKind.PARTNER,
        units=frozenset(unit_id for unit_id in units if unit_id is not None),
        employee_id=employee_id,
        is_owning=scope is Scope.UNIT,
    )


async def check_target(
    access: MethodAccess, reach: Reach, target: str, directory: Directory
) -> None:
    """
    Check that the record a request names is within reach.

    Args:
        access: Of the rpc.

        reach: Of the principal.

        target: Content of the request field that `access.target` names.

        directory: Tells where the record stands.

    Raises:
        UnknownError: it is not there, or not within reach.

        InvalidValueError: it is no id.
    """
    own = reach.employee_id or reach.client_id
    is_about_self = access.scope is Scope.SELF and own is not None
    if not access.target or (reach.is_whole and not is_about_self):
        return
    _check_id(access.target, target)
    kind = access.target.removesuffix("_id")
    is_within = target == own if is_about_self else await _is_within(kind, target, reach, directory)
    if not is_within:
        raise UnknownError(kind, target)


async def sees_client(reach: Reach, client_id: ClientId, directory: Directory) -> bool:
    """Whether a client is there and within reach; for lists, whose items a query finds."""
    if reach.is_whole:
        return True
    standing = await directory.client(client_id)
    return standing is not None and reach.sees(standing)


async def _is_within(kind: str, target: str, reach: Reach, directory: Directory) -> bool:
    match kind:
        case "client":
            return await sees_client(reach, ClientId(target), directory)
        case "wallet":
            client_id = await directory.client_of(WalletId(target))
            return client_id is not None and await sees_client(reach, client_id, directory)
        case "unit":
            upward = await directory.upward(UnitId(target))
            return upward is not None and reach.covers(upward)
        case "employee":
            return await _is_colleague(EmployeeId(target), reach, directory)
        case _:
            return False


async def _is_colleague(employee_id: EmployeeId, reach: Reach, directory: Directory) -> bool:
    member = await directory.member(employee_id)
    if member is None:
        return False
    upward = await directory.upward(member.unit_id)
    return reach.covers(upward if upward is not None else frozenset({member.unit_id}))


def _check_id(field: str, text: str) -> None:
    if not is_id(text):
        raise InvalidValueError(field, f"1 to {ID_LENGTH_MAX} of A-Z, a-z, 0-9, - and _")
