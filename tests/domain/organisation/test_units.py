"""
Branches and departments.
"""

from __future__ import annotations

import attrs
import pytest

from clientela.domain.codec import Codec
from clientela.domain.context import Context, UnitPlace
from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.event import SYSTEM, Actor
from clientela.domain.ids import Code, JournalKind, Ref, UnitId, unit_journal
from clientela.domain.organisation.refusals import (
    TreeTooDeepError,
    UnitCycleError,
    UnitRegisteredError,
)
from clientela.domain.organisation.tree import DEPTH_MAX
from clientela.domain.organisation.units import (
    UNITS,
    MoveUnit,
    RegisterUnit,
    Unit,
    UnitKind,
    UnitMoved,
    UnitRegistered,
    place,
)
from tests.domain.spec import Scenario


COMPANY = UnitId("company")
NORTH = UnitId("north")
SALES = UnitId("sales")
GHOST = UnitId("ghost")
LABEL = Code("branch-north")


class Places(Scenario):
    """A company that knows its own tree of units."""

    def context(self, actor: Actor = SYSTEM) -> Context:
        return attrs.evolve(super().context(actor), units=self)

    def place(self, unit_id: UnitId) -> UnitPlace | None:
        return place(self.record(unit_journal(unit_id)).of(Unit))


@pytest.fixture
def company():
    """The company, its branch in the north, and sales there."""
    scenario = Places(UNITS)
    scenario.when(register(COMPANY), register(NORTH, COMPANY), register(SALES, NORTH))
    return scenario


def register(
    unit_id: UnitId, parent_id: UnitId | None = None, kind: UnitKind = UnitKind.BRANCH
) -> RegisterUnit:
    """Register a unit under the one label."""
    return RegisterUnit(unit_id=unit_id, kind=kind, label=LABEL, parent_id=parent_id)


def move(unit_id: UnitId, parent_id: UnitId | None) -> MoveUnit:
    """Move a unit."""
    return MoveUnit(unit_id=unit_id, parent_id=parent_id)


def test_unit_is_registered_in_its_place(company):
    """
    OWN-7: a department is registered below its branch, and rules learn where it stands.
    """
    stock = UnitId("stock")

    events = company.when(register(stock, NORTH, UnitKind.DEPARTMENT))

    assert (
        UnitRegistered(unit_id=stock, kind=UnitKind.DEPARTMENT, label=LABEL, parent_id=NORTH),
    ) == events
    assert UnitPlace(stock, NORTH) == company.place(stock)
    assert None is company.place(GHOST)


def test_registering_the_same_unit_twice_is_silent(company):
    """
    The same unit once more changes nothing; another one under its id is refused.
    """
    assert () == company.when(register(NORTH, COMPANY))
    for other in (register(NORTH), register(NORTH, COMPANY, UnitKind.DEPARTMENT)):
        with pytest.raises(UnitRegisteredError) as refused:
            company.when(other)
        assert {"unit_id": NORTH} == refused.value.details()


@pytest.mark.parametrize(
    ("field", "command"),
    [
        ("unit_id", register(UnitId("no blanks"))),
        ("label", RegisterUnit(unit_id=GHOST, kind=UnitKind.BRANCH, label=Code(" "))),
        ("label", RegisterUnit(unit_id=GHOST, kind=UnitKind.BRANCH, label=Code("x" * 129))),
    ],
)
def test_malformed_unit_is_refused(company, field, command):
    """
    REC-17: id and label have their bounds.
    """
    with pytest.raises(InvalidValueError, match=field):
        company.when(command)


def test_unit_moves_with_all_below_it(company):
    """
    OWN-7: a unit moves to another parent or to the top; what stands below it moves along.
    """
    events = company.when(move(NORTH, None))

    assert (UnitMoved(unit_id=NORTH, parent_id=None, previous_parent_id=COMPANY),) == events
    assert (Ref(unit_journal(NORTH), 1),) == company.events[-1].because
    assert UnitPlace(NORTH) == company.place(NORTH)
    assert () == company.when(move(NORTH, None))
    assert company.when(move(COMPANY, SALES))
    assert (Ref(unit_journal(COMPANY), 1),) == company.events[-1].because
    company.when(move(COMPANY, NORTH))
    assert (Ref(unit_journal(COMPANY), 2),) == company.events[-1].because


@pytest.mark.parametrize("parent_id", [COMPANY, NORTH, SALES])
def test_unit_does_not_stand_below_itself(company, parent_id):
    """
    OWN-7: a unit cannot be moved below itself, near or far.
    """
    with pytest.raises(UnitCycleError) as refused:
        company.when(move(COMPANY, parent_id))

    assert (COMPANY, parent_id, "OWN-7") == (
        refused.value.unit_id,
        refused.value.parent_id,
        refused.value.rule,
    )


def test_own_parent_is_refused_even_where_no_tree_is_known():
    """
    OWN-7: where nobody knows the tree, parents are taken as named, but never the unit itself.
    """
    company = Scenario(UNITS)

    assert company.when(register(NORTH, GHOST))
    with pytest.raises(UnitCycleError):
        company.when(register(SALES, SALES))


def test_unknown_units_are_named(company):
    """
    OWN-7: the unit that moves and the unit above it exist.
    """
    with pytest.raises(UnknownError, match="no unit ghost"):
        company.when(move(GHOST, NORTH))
    with pytest.raises(UnknownError, match="no unit ghost"):
        company.when(move(NORTH, GHOST))
    with pytest.raises(UnknownError, match="no unit ghost"):
        company.when(register(UnitId("stock"), GHOST))


def test_tree_has_a_greatest_depth():
    """
    At most thirty-two units stand above a unit.
    """
    company = Places(UNITS)
    chain = [UnitId(f"u{level}") for level in range(DEPTH_MAX + 2)]
    company.when(*map(register, chain[:-1], [None, *chain[:-2]]))

    with pytest.raises(TreeTooDeepError) as refused:
        company.when(register(chain[-1], chain[-2]))

    assert {"limit": "32"} == refused.value.details()


def test_units_survive_storage(company):
    """
    Events of units are the same after storing them.
    """
    company.when(move(NORTH, None))
    codec = Codec(company.rulebook.event_classes)

    assert JournalKind.UNIT is Unit.journal_kind
    for recorded in company.events:
        assert recorded.event == codec.decode(*codec.encode(recorded.event))
