"""
What rules are given: definitions by time and number, keys of names.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.context import Definitions, DefinitionVersion, Naming
from clientela.domain.errors import UnknownError
from clientela.domain.event import Key
from clientela.domain.ids import Code
from clientela.domain.interaction.policy import InteractionPolicy
from clientela.domain.ownership.policy import OwnershipPolicy
from clientela.domain.personal import TokenVault
from tests.domain.spec import AT, TrimmedForms


DAY = timedelta(days=1)
POLICY = OwnershipPolicy(lapses_after_days=30)


def version(number: int, effective_from: datetime) -> DefinitionVersion:
    """A version without sections."""
    return DefinitionVersion(number, effective_from, {})


def test_version_in_force_is_the_last_to_have_begun():
    """
    At each moment exactly one version is in force: the last to have begun, at its begin already.
    """
    one, two, three = version(1, AT), version(2, AT + DAY), version(3, AT + 3 * DAY)
    definitions = Definitions((one, two, three))

    assert [one, one, two, two, three, three] == [
        definitions.at(AT + n * DAY) for n in (0, 0.5, 1, 2, 3, 400)
    ]
    assert two is definitions.at(three.effective_from - timedelta(microseconds=1))


def test_defaults_of_a_section_are_made_once():
    """
    A section that the company did not write has its defaults, the same each time.
    """
    one = version(1, AT)

    assert OwnershipPolicy() == one.of(OwnershipPolicy)
    assert one.of(OwnershipPolicy) is one.of(OwnershipPolicy)
    assert version(1, AT) == one


def test_first_version_is_in_force_before_its_begin():
    """
    Imported history is older than any definitions: the first of them has its rules as well.
    """
    definitions = Definitions((version(1, AT), version(2, AT + DAY)))

    assert definitions.version(1) is definitions.at(datetime(1997, 1, 1, tzinfo=UTC))


def test_of_two_that_begin_together_the_later_version_holds():
    """
    A version that begins at the same moment as an earlier one replaces it whole.
    """
    definitions = Definitions((version(1, AT), version(2, AT)))

    assert definitions.version(2) is definitions.at(AT)


def test_version_planned_ahead_does_not_hide_a_later_one():
    """
    Versions need not begin in the order of their numbers.
    """
    ahead, soon = version(2, AT + 9 * DAY), version(3, AT + DAY)
    definitions = Definitions((version(1, AT), ahead, soon))

    assert [soon, ahead] == [definitions.at(AT + n * DAY) for n in (2, 9)]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.integers(-5, 25))
def test_version_in_force_is_that_of_a_plain_search(begins, day):
    """
    For any begins: of the versions begun, the last to begin, and among equals the highest.
    """
    versions = tuple(version(i, AT + begin * DAY) for i, begin in enumerate(begins, start=1))
    begun = [v for v in versions if v.effective_from <= AT + day * DAY]
    found = Definitions(versions).at(AT + day * DAY)

    if begun:
        assert max(begun, key=lambda v: (v.effective_from, v.number)) is found
    else:
        assert min(v.effective_from for v in versions) == found.effective_from


def test_version_is_found_by_its_number():
    """
    Built-in defaults are version 0; no other number finds them.
    """
    definitions = Definitions((version(0, AT),))

    assert 0 == definitions.version(0).number
    for number in (-1, 1):
        with pytest.raises(UnknownError) as unknown:
            definitions.version(number)
        assert {"kind": "definition version", "id": str(number)} == unknown.value.details()


def test_company_has_at_least_one_version():
    """
    There are always rules.
    """
    with pytest.raises(ValueError, match="versions"):
        Definitions(())


def test_section_left_out_has_its_defaults():
    """
    A company writes what it wants to differ; everything else is the default.
    """
    one = DefinitionVersion(3, AT, {OwnershipPolicy: POLICY})

    assert POLICY is one.of(OwnershipPolicy)
    assert InteractionPolicy() == one.of(InteractionPolicy)
    assert "ownership@3" == one.label("ownership")


@pytest.fixture
def naming():
    """Keys under one secret."""
    return Naming(vault=TokenVault(b"context"), forms=TrimmedForms())


def test_key_is_of_its_scope_and_says_nothing(naming):
    """
    The same name is the same key in one scope and another in the next, and cannot be read from it.
    """
    key = naming.key("phone", "49301")

    assert key == naming.key("phone", "49301")
    assert Key(Code("phone"), key.value) == key
    assert key.value != naming.key("email", "49301").value
    assert "49301" not in key.value


def test_no_two_business_identities_have_one_key(naming):
    """
    Kind, source and id stay apart: moving a letter over a border gives another key.
    """
    identities = [
        ("purchase", "till", "11"),
        ("purchase", "till1", "1"),
        ("return", "till", "11"),
        ("purchase", "tillx", "11"),
    ]

    assert 4 == len({naming.business_key(*identity) for identity in identities})


def test_policy_bounds_are_checked_where_it_is_made():
    """
    A term of no days is no policy.
    """
    with pytest.raises(ValueError, match="lapses_after_days"):
        attrs.evolve(POLICY, lapses_after_days=0)
