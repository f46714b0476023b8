"""
Shapes of kept classes, and what snapshots are named after.
"""

from __future__ import annotations

import os
import subprocess
import sys

from typing import Any

import attrs
import pytest

from clientela.domain.draft import State, state
from clientela.domain.ids import Code, JournalKind
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import RuleSet
from clientela.domain.shape import shape_of
from clientela.domain.standard import standard_rulebook


@attrs.frozen
class Inner:
    """A value deep inside."""

    code: Code


def outer(**fields: Any) -> type:
    """A class called `Outer` with these fields."""
    made = {name: attrs.field(type=hint) for name, hint in fields.items()}
    return attrs.make_class("Outer", made)


def of_state(name: str, hint: object) -> Rulebook:
    """A rulebook with one state that has one field."""

    class Kept(State):
        """A state."""

    Kept.__annotations__ = {name: hint}
    setattr(Kept, name, None)
    kept = state(JournalKind.CLIENT)(Kept)
    return Rulebook([RuleSet(name="kept", state=kept, evolve=lambda _draft, _recorded: None)])


@pytest.mark.parametrize(
    "changed",
    [{"b": int}, {"a": str}, {"a": int, "b": int}, {}, {"a": int | None}, {"a": tuple[int, ...]}],
    ids=repr,
)
def test_every_change_of_a_field_changes_the_shape(changed):
    """
    A field that comes, goes, or changes its name or type makes another shape.
    """
    assert shape_of(outer(a=int)) == shape_of(outer(a=int))
    assert shape_of(outer(a=int)) != shape_of(outer(**changed))


@pytest.mark.parametrize(
    "hint", [Inner, Inner | None, dict[Code, Inner], tuple[dict[Code, tuple[Inner, ...]], ...]]
)
def test_classes_deep_inside_belong_to_the_shape(hint):
    """
    The fields of attrs classes in dicts, tuples and unions count too.
    """
    assert f"{__name__}.Inner(code:" in shape_of(outer(a=hint))


def test_order_of_classes_does_not_matter():
    """
    The shape is of a set of classes.
    """
    assert shape_of(Inner, outer(a=int)) == shape_of(outer(a=int), Inner, Inner)


def test_snapshots_are_named_after_the_shape_of_states():
    """
    Snapshots of a state with other fields are not read; the composition is the same all the same.
    """
    before, after = of_state("visits", int), of_state("calls", int)

    assert before.fingerprint == after.fingerprint
    assert before.snapshot_fingerprint == of_state("visits", int).snapshot_fingerprint
    assert before.snapshot_fingerprint != after.snapshot_fingerprint


def test_snapshots_are_named_after_the_versions_of_rule_sets():
    """
    A rule set that folds with another meaning raises its version.
    """
    rulebook = standard_rulebook()
    named = {rulebook.snapshot_fingerprint}
    for changed in rulebook.rule_sets:
        newer = Rulebook(
            attrs.evolve(r, version=r.version + 1) if r is changed else r
            for r in rulebook.rule_sets
        )
        assert rulebook.fingerprint == newer.fingerprint
        named.add(newer.snapshot_fingerprint)

    assert len(rulebook.rule_sets) + 1 == len(named)


def test_name_of_snapshots_is_the_same_in_every_process():
    """
    Nothing of one process is in it: no address, no seed of hashes.
    """
    program = (
        "from clientela.domain.standard import standard_rulebook as r;"
        "print(r().snapshot_fingerprint)"
    )
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert standard_rulebook().snapshot_fingerprint == told.stdout.strip()
