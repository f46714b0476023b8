"""
What a rule may not fetch by itself: now, ids, definitions, staff facts, normal forms, keys.
"""

from __future__ import annotations

import bisect

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol, TypeVar

import attrs

from clientela.domain.errors import UnknownError
from clientela.domain.event import Actor, Key
from clientela.domain.fingerprint import NOTHING, Fingerprint
from clientela.domain.ids import Blind, ClientId, Code, EmployeeId, Ref, UnitId
from clientela.domain.personal import Vault


_D = TypeVar("_D")


@attrs.frozen
class DefinitionVersion:
    """
    One version of a company's definitions.

    Attributes:
        number: 1 for the first, then without gaps.

        effective_from: From when on `Definitions.at` answers with it.

        sections: One value per rule set that has a definition, by its class.
    """

    number: int
    effective_from: datetime
    sections: Mapping[type, Any]
    _defaults: dict[type, Any] = attrs.field(
        init=False, eq=False, repr=False, factory=dict[type, Any]
    )

    def of(self, kind: type[_D]) -> _D:
        """The section of class *kind*; its defaults where the company wrote none."""
        found: _D | None = self.sections.get(kind)
        if found is None:
            found = self._defaults.get(kind)
        if found is None:
            found = self._defaults[kind] = kind()
        return found

    def label(self, name: str) -> str:
        """How an envelope names a definition of this version, for instance `loyalty@3`."""
        return f"{name}@{self.number}"


@attrs.frozen
class Definitions:
    """
    All versions of a company's definitions, oldest first; never empty.

    Attributes:
        versions: By rising number; the first one is also in force before its own start, so that
            imported history has rules.
    """

    versions: tuple[DefinitionVersion, ...] = attrs.field(validator=attrs.validators.min_len(1))

    def at(self, moment: datetime) -> DefinitionVersion:
        """The version in force at *moment*: of those begun, the last to begin, then the highest."""
        if len(self.versions) == 1:
            return self.versions[0]
        after = bisect.bisect_right(self._begins, moment)
        return self._begun[max(after - 1, 0)]

    @cached_property
    def _begun(self) -> tuple[DefinitionVersion, ...]:
        return tuple(
            sorted(self.versions, key=lambda version: (version.effective_from, version.number))
        )

    @cached_property
    def _begins(self) -> tuple[datetime, ...]:
        return tuple(version.effective_from for version in self._begun)

    def version(self, number: int) -> DefinitionVersion:
        """
        The version of this number.

        Raises:
            UnknownError: there is none.
        """
        for version in self.versions:
            if version.number == number:
                return version
        raise UnknownError("definition version", str(number))


@attrs.frozen
class StaffMember:
    """
    What rules may know of an employee.

    Attributes:
        employee_id: Who.

        unit_id: Where they work.

        left_at: When they left the company; None while they work here.

        roles: Their role codes.

        left: The event of their leaving, where it is on record.
    """

    employee_id: EmployeeId
    unit_id: UnitId
    left_at: datetime | None = None
    roles: frozenset[Code] = frozenset()
    left: Ref | None = attrs.field(default=None, eq=False)


class Staff(Protocol):
    """Staff facts as of the command."""

    def member(self, employee_id: EmployeeId) -> StaffMember | None:
        """The employee, or None if the company knows none of this id."""
        ...


@attrs.frozen
class UnitPlace:
    """
    Where a unit stands in the tree of branches and departments.

    Attributes:
        unit_id: Which unit.

        parent_id: The unit it belongs to; None at the top.
    """

    unit_id: UnitId
    parent_id: UnitId | None = None


class Units(Protocol):
    """The tree of units as of the command."""

    def place(self, unit_id: UnitId) -> UnitPlace | None:
        """The unit's place, or None if the company knows none of this id."""
        ...


class NormalForms(Protocol):
    """Brings identifiers into the one form in which they are compared."""

    def normal(self, kind: Code, text: str) -> str:
        """
        Normal form of an identifier of *kind* (`phone`, `email`, `tax-id` ...).

        Raises:
            InvalidValueError: *text* is no such identifier.
        """
        ...


class Directory(Protocol):
    """Look-ups over all records that follow-up commands need."""

    def owned_by(self, employee_id: EmployeeId) -> Iterator[ClientId]:
        """Clients whose owner is *employee_id*."""
        ...


@attrs.frozen(kw_only=True)
class Naming:
    """
    What turns identifiers into keys; known before anything is loaded.

    Attributes:
        vault: Makes keyed hashes, and seals where values are sealed.

        forms: Normal forms of identifiers.
    """

    vault: Vault
    forms: NormalForms

    def key(self, scope: str, normal: str) -> Key:
        """The key of a normal form within *scope*."""
        return Key(Code(scope), self.vault.blind(scope, normal))

    def business_key(self, kind: str, source: str, id: str) -> Key:  # noqa: A002 (the field's name)
        """The key of a business identity: what *source* calls *id*, once and for ever."""
        return self.key(kind, f"{source}\0{id}")


@attrs.frozen(kw_only=True)
class Context(Naming):
    """
    Everything a rule set is given besides record and command.

    Attributes:
        now: The moment of deciding, aware, UTC.

        actor: Who asks.

        definitions: All versions of the company's definitions.

        staff: Staff facts.

        new_id: Makes a fresh unique id, for instance a UUIDv7.

        on_behalf_of: Whom the actor stands in for.

        unit: The unit the actor acts for.

        request: Keyed hash of caller and request id.

        correlation_id: Shared by everything one outside request sets off.

        fingerprint: Of the command being decided.

        units: The tree of units; None where nobody knows it, and units are then taken as named.
    """

    now: datetime
    actor: Actor
    definitions: Definitions
    staff: Staff
    new_id: Callable[[], str]
    on_behalf_of: Actor | None = None
    unit: UnitId | None = None
    request: Blind | None = None
    correlation_id: str = ""
    fingerprint: Fingerprint = NOTHING
    units: Units | None = None
