"""
Units: branches and departments, and where they stand in the tree (OWN-6, OWN-7).

A command names one unit's journal, so the tree above a parent comes from `context.units`. Where
that is not given, parents are taken as named; a circle closed by two moves at once is harmless to
whoever walks the tree by `tree`.
"""

from __future__ import annotations

import enum

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

import attrs

from clientela.domain.context import Context, UnitPlace
from clientela.domain.draft import State, state
from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.ids import (
    CODE_LENGTH_MAX,
    ID_LENGTH_MAX,
    Code,
    JournalId,
    JournalKind,
    Ref,
    UnitId,
    is_id,
    unit_journal,
)
from clientela.domain.organisation.refusals import (
    TreeTooDeepError,
    UnitCycleError,
    UnitRegisteredError,
)
from clientela.domain.organisation.tree import DEPTH_MAX, depth, is_within
from clientela.domain.record import Record
from clientela.domain.ruleset import RuleSet


class UnitKind(enum.Enum):
    """What a unit is."""

    BRANCH = "branch"
    DEPARTMENT = "department"


@attrs.frozen(kw_only=True)
class RegisterUnit:
    """
    The company has one more branch or department.

    Attributes:
        unit_id: Its id, chosen by the caller, for ever.

        kind: Branch or department.

        label: What it is called: a word of the company's own list, 1 to 128 characters, not prose.

        parent_id: The unit it belongs to; None at the top.

        occurred_at: When, if not now.
    """

    unit_id: UnitId
    kind: UnitKind
    label: Code
    parent_id: UnitId | None = None
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The unit's."""
        return (unit_journal(self.unit_id),)


@attrs.frozen(kw_only=True)
class MoveUnit:
    """
    A unit, with everything below it, belongs to another one from now on.

    Attributes:
        unit_id: The unit.

        parent_id: The unit it is to belong to; None puts it at the top.

        occurred_at: When, if not now.
    """

    unit_id: UnitId
    parent_id: UnitId | None
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The unit's."""
        return (unit_journal(self.unit_id),)


Command = RegisterUnit | MoveUnit


@event("unit-registered", origin=Origin.RECORDED)
class UnitRegistered:
    """
    The company has one more branch or department.

    Attributes:
        unit_id: Its id for ever.

        kind: Branch or department.

        label: What it is called.

        parent_id: The unit it belongs to; None at the top.
    """

    unit_id: UnitId
    kind: UnitKind
    label: Code
    parent_id: UnitId | None = None


@event("unit-moved", origin=Origin.RECORDED)
class UnitMoved:
    """
    A unit belongs to another one.

    Attributes:
        unit_id: The unit.

        parent_id: The unit it belongs to from now on; None at the top.

        previous_parent_id: The unit it belonged to.
    """

    unit_id: UnitId
    parent_id: UnitId | None
    previous_parent_id: UnitId | None


@state(JournalKind.UNIT)
class Unit(State):
    """
    A branch or department.

    Attributes:
        unit_id: Its id; None until it is registered.

        kind: Branch or department; None until it is registered.

        label: What it is called; None until it is registered.

        parent_id: The unit it belongs to; None at the top.

        placed: The event that put it there.
    """

    unit_id: UnitId | None = None
    kind: UnitKind | None = None
    label: Code | None = None
    parent_id: UnitId | None = None
    placed: Ref | None = None


def place(unit: Unit) -> UnitPlace | None:
    """What rules may know of a unit (`context.Units`); None while it is not registered."""
    return None if unit.unit_id is None else UnitPlace(unit.unit_id, unit.parent_id)


def decide(record: Record, command: Command, context: Context) -> Iterable[PendingEvent]:
    """
    Registration or move.

    Raises:
        UnknownError: no such unit or parent.

        InvalidValueError: id or label are malformed.

        UnitRegisteredError: the id belongs to another unit.

        UnitCycleError: the unit would stand below itself.

        TreeTooDeepError: too many units would stand above it.
    """
    unit = record.of(Unit)
    match command:
        case RegisterUnit():
            return _register(unit, command, context)
        case MoveUnit():
            return _move(unit, command, context)
        case _:
            assert_never(command)


def _register(unit: Unit, command: RegisterUnit, context: Context) -> tuple[PendingEvent, ...]:
    if unit.unit_id is not None:
        wanted = (command.kind, command.label, command.parent_id)
        if wanted == (unit.kind, unit.label, unit.parent_id):
            return ()
        raise UnitRegisteredError(command.unit_id)
    if not is_id(command.unit_id):
        raise InvalidValueError("unit_id", f"1 to {ID_LENGTH_MAX} of A-Z, a-z, 0-9, - and _")
    if not command.label.strip() or len(command.label) > CODE_LENGTH_MAX:
        raise InvalidValueError("label", f"1 to {CODE_LENGTH_MAX} characters")
    _check_parent(command, context)
    registered = UnitRegistered(
        unit_id=command.unit_id,
        kind=command.kind,
        label=command.label,
        parent_id=command.parent_id,
    )
    return (PendingEvent(registered, rule="OWN-7"),)


def _move(unit: Unit, command: MoveUnit, context: Context) -> tuple[PendingEvent, ...]:
    if unit.placed is None:
        raise UnknownError("unit", command.unit_id)
    if unit.parent_id == command.parent_id:
        return ()
    _check_parent(command, context)
    moved = UnitMoved(
        unit_id=command.unit_id,
        parent_id=command.parent_id,
        previous_parent_id=unit.parent_id,
    )
    return (PendingEvent(moved, rule="OWN-7", because=(unit.placed,)),)


def _check_parent(command: Command, context: Context) -> None:
    parent_id = command.parent_id
    if parent_id is None:
        return
    if parent_id == command.unit_id:
        raise UnitCycleError(command.unit_id, parent_id)
    if context.units is None:
        return
    if context.units.place(parent_id) is None:
        raise UnknownError("unit", parent_id)
    if is_within(parent_id, command.unit_id, context.units):
        raise UnitCycleError(command.unit_id, parent_id)
    if depth(parent_id, context.units) >= DEPTH_MAX:
        raise TreeTooDeepError(DEPTH_MAX)


def evolve(draft: Unit, recorded: RecordedEvent) -> None:
    """Fold an event into *draft*."""
    match recorded.event:
        case UnitRegistered() as registered:
            draft.unit_id = registered.unit_id
            draft.kind = registered.kind
            draft.label = registered.label
            draft.parent_id = registered.parent_id
            draft.placed = recorded.ref
        case UnitMoved(parent_id=parent_id):
            draft.parent_id = parent_id
            draft.placed = recorded.ref
        case _:
            pass


UNITS = RuleSet(
    name="units",
    state=Unit,
    commands=(RegisterUnit, MoveUnit),
    events=(UnitRegistered, UnitMoved),
    decide=decide,
    evolve=evolve,
)
