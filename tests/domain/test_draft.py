"""
States: changeable while they are folded, frozen afterwards.
"""

from __future__ import annotations

import copy
import operator
import pickle

import attrs
import pytest

from clientela.domain.draft import FrozenDict, State, seal, state, thaw
from clientela.domain.ids import ClientId, Code, JournalKind


PETRA = ClientId("petra")
OLGA = ClientId("olga")


@attrs.frozen
class Visit:
    """A value of a dict, replaced and never changed."""

    count: int


@state(JournalKind.CLIENT)
class Visits(State):
    """A state with a scalar, a tuple and a dict."""

    last: ClientId | None = None
    names: tuple[Code, ...] = ()
    by_client: dict[ClientId, Visit] = attrs.field(factory=dict[ClientId, Visit])


def sealed() -> Visits:
    """Petra came once."""
    return seal(Visits(last=PETRA, names=(Code("a"),), by_client={PETRA: Visit(1)}))


@pytest.mark.parametrize(
    ("name", "value"), [("last", OLGA), ("names", ()), ("by_client", {}), ("by_client", None)]
)
def test_sealed_state_refuses_every_field(name, value):
    """
    A committed state is shared by many readers: nobody can set a field of it.
    """
    frozen = sealed()

    with pytest.raises(TypeError, match="sealed"):
        setattr(frozen, name, value)

    assert sealed() == frozen


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: operator.setitem(d, OLGA, Visit(1)), id="set"),
        pytest.param(lambda d: operator.delitem(d, PETRA), id="delete"),
        pytest.param(lambda d: d.clear(), id="clear"),
        pytest.param(lambda d: d.pop(PETRA), id="pop"),
        pytest.param(lambda d: d.popitem(), id="popitem"),
        pytest.param(lambda d: d.setdefault(OLGA, Visit(1)), id="setdefault"),
        pytest.param(lambda d: d.update({OLGA: Visit(1)}), id="update"),
        pytest.param(lambda d: operator.ior(d, {OLGA: Visit(1)}), id="or"),
    ],
)
def test_dict_of_a_sealed_state_refuses_every_change(change):
    """
    Nor can anybody change what a dict of it holds, whichever way.
    """
    frozen = sealed()

    with pytest.raises(TypeError, match="sealed"):
        change(frozen.by_client)

    assert sealed() == frozen


def test_draft_made_from_a_sealed_state_leaves_it_as_it_is():
    """
    A draft starts equal and takes every change; the state it was made from keeps its own.
    """
    before = sealed()

    draft = thaw(before)
    assert before == draft
    draft.last = OLGA
    draft.by_client[OLGA] = Visit(1)
    del draft.by_client[PETRA]

    assert sealed() == before
    assert Visits(last=OLGA, names=(Code("a"),), by_client={OLGA: Visit(1)}) == seal(draft)


def test_draft_of_a_draft_shares_nothing_with_it():
    """
    Two drafts of one state do not see each other.
    """
    one = thaw(sealed())
    two = thaw(one)

    two.by_client[OLGA] = Visit(1)

    assert sealed() == one


def test_dict_of_a_draft_is_sealed_where_it_is():
    """
    Sealing copies nothing: the dict of a draft becomes the one that refuses changes.
    """
    draft = thaw(sealed())
    entries = draft.by_client
    entries[OLGA] = Visit(2)

    frozen = seal(draft)

    assert entries is frozen.by_client
    assert FrozenDict is type(entries)
    assert sealed().by_client != entries


def test_dict_put_into_a_draft_is_not_sealed_itself():
    """
    A dict that a rule made and gave to the state stays the rule's own.
    """
    mine = {OLGA: Visit(2)}
    draft = thaw(sealed())
    draft.by_client = mine

    frozen = seal(draft)
    mine.clear()

    assert {OLGA: Visit(2)} == frozen.by_client


def test_state_knows_its_kind_of_journal_and_takes_names_only():
    """
    A state class says in which journals it is kept; its fields are given by name.
    """
    assert JournalKind.CLIENT is Visits.journal_kind
    with pytest.raises(TypeError):
        Visits(PETRA)  # type: ignore[call-arg]


def test_frozen_dict_survives_copying_and_pickling():
    """
    A frozen dict is copied and pickled as one; `dict` of it is a changeable copy.
    """
    frozen = FrozenDict({PETRA: Visit(1)})

    for again in (copy.copy(frozen), copy.deepcopy(frozen), pickle.loads(pickle.dumps(frozen))):  # noqa: S301 (its own bytes)
        assert (FrozenDict, frozen) == (type(again), again)
    assert {PETRA: Visit(1), OLGA: Visit(2)} == {**dict(frozen), OLGA: Visit(2)}
