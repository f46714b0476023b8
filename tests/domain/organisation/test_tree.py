"""
Who stands above whom.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.context import UnitPlace
from clientela.domain.ids import UnitId
from clientela.domain.organisation.tree import DEPTH_MAX, ancestors, depth, is_within


COMPANY = UnitId("company")
NORTH = UnitId("north")
SALES = UnitId("sales")
SOUTH = UnitId("south")


class Tree:
    """Units in a dict from unit to parent."""

    def __init__(self, parents: dict[UnitId, UnitId | None]) -> None:
        self.parents = parents

    def place(self, unit_id: UnitId) -> UnitPlace | None:
        if unit_id not in self.parents:
            return None
        return UnitPlace(unit_id, self.parents[unit_id])


TREE = Tree({COMPANY: None, NORTH: COMPANY, SOUTH: COMPANY, SALES: NORTH})


def test_ancestors_come_nearest_first():
    """
    OWN-7: above a department stand its branch and the company.
    """
    assert (NORTH, COMPANY) == tuple(ancestors(SALES, TREE))
    assert () == tuple(ancestors(COMPANY, TREE))
    assert () == tuple(ancestors(UnitId("nowhere"), TREE))
    assert (2, 0) == (depth(SALES, TREE), depth(COMPANY, TREE))


def test_unit_is_within_itself_and_what_stands_above_it():
    """
    OWN-7: a scope of a unit reaches the unit and all below it, not what stands above or beside.
    """
    assert is_within(SALES, SALES, TREE)
    assert is_within(SALES, COMPANY, TREE)
    assert not is_within(NORTH, SALES, TREE)
    assert not is_within(SALES, SOUTH, TREE)


def test_walk_ends_at_the_greatest_depth():
    """
    A unit deeper than thirty-two levels is within no unit further above: access is not given.
    """
    chain = [UnitId(f"u{level}") for level in range(DEPTH_MAX + 2)]
    tree = Tree(dict(zip(chain, [None, *chain], strict=False)))

    assert DEPTH_MAX == depth(chain[-1], tree)
    assert is_within(chain[-1], chain[1], tree)
    assert not is_within(chain[-1], chain[0], tree)


@given(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("abcdef"), max_size=6))
def test_walk_ends_in_a_circle(parents):
    """
    Whatever two moves at once made of the tree, no walk goes round: each unit is met once.
    """
    tree = Tree(parents)

    for unit in "abcdef":
        above = tuple(ancestors(UnitId(unit), tree))
        assert len({unit, *above}) == 1 + len(above)
