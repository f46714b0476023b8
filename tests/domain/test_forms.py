"""
How values of each type are written as JSON text and made again.
"""

from __future__ import annotations

import enum
import json

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NewType

import attrs
import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.codec import canonical
from clientela.domain.facts import BusinessKey
from clientela.domain.forms import Form, FormlessError, Forms
from clientela.domain.ids import BusinessId, Code, Ref, client_journal
from clientela.domain.stored import OPEN, STORED


Sku = NewType("Sku", str)

AT = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
RECEIPT = BusinessKey(Code("till"), BusinessId('17 "a"'))


class Size(enum.Enum):
    """An enum of numbers."""

    SMALL = 1
    LARGE = 2


class Shade(enum.Enum):
    """An enum of texts."""

    LIGHT = "light"
    DARK = "dark"


@attrs.frozen(kw_only=True)
class Branch:
    """A value that holds others of its class."""

    name: str
    branches: tuple[Branch, ...] = ()


@attrs.frozen(kw_only=True)
class Loose:
    """A value with a field that may hold anything."""

    anything: object
    more: Any = None


@attrs.frozen(kw_only=True)
class Zoo:
    """Fields that are not in the order of their names, with defaults of every sort."""

    shade: Shade
    code: Code | None
    count: int = 7
    names: dict[str, int] = attrs.field(factory=lambda: {"a": 1})
    holds: bool = False


PAIRS = [
    pytest.param(str, 'a "b"\n\\ё\x01\u2028', id="text"),
    pytest.param(Sku, "tea", id="id"),
    pytest.param(int, -(10**18), id="number"),
    pytest.param(bool, True, id="bool"),
    pytest.param(Shade, Shade.DARK, id="enum"),
    pytest.param(datetime, AT, id="moment"),
    pytest.param(BusinessKey, RECEIPT, id="atom"),
    pytest.param(Code | None, None, id="nothing"),
    pytest.param(Shade | None, Shade.LIGHT, id="something"),
    pytest.param(tuple[Shade, ...], (Shade.DARK, Shade.LIGHT), id="tuple"),
    pytest.param(tuple[int, ...], (), id="empty tuple"),
    pytest.param(tuple[datetime, int, Shade], (AT, 1, Shade.DARK), id="tuple of three"),
    pytest.param(frozenset[Shade], frozenset(Shade), id="set"),
    pytest.param(frozenset[Sku], frozenset({"b", "a"}), id="set of ids"),
    pytest.param(dict[Sku, int], {"b": 1, 'a"': 2, "a!": 3}, id="dict by id"),
    pytest.param(dict[int, Shade], {2: Shade.DARK, 1: Shade.LIGHT}, id="dict by number"),
    pytest.param(dict[datetime, int], {AT: 1}, id="dict by moment"),
    pytest.param(dict[BusinessKey, Branch], {RECEIPT: Branch(name="x")}, id="dict by identity"),
    pytest.param(dict[Shade, bool], {Shade.DARK: False}, id="dict by enum"),
    pytest.param(
        Branch, Branch(name="a", branches=(Branch(name="b"), Branch(name="c"))), id="its own class"
    ),
]


def read(form: Form, plain: Any) -> Any:
    """The value of plain data."""
    return form.value(plain) if form.value else plain


@pytest.mark.parametrize(("hint", "value"), PAIRS)
def test_value_comes_back_equal(hint, value):
    """
    Through JSON text and back a value of any type that can be kept is the same.
    """
    form = STORED.of(hint)

    again = read(form, json.loads(form.text(value)))

    assert (value, type(value)) == (again, type(again))


@pytest.mark.parametrize(("hint", "value"), PAIRS)
def test_text_is_canonical(hint, value):
    """
    The text of a value is what canonical JSON makes of its plain data.
    """
    text = STORED.of(hint).text(value)

    assert canonical(json.loads(text)) == text.encode()


def test_sets_stand_in_one_order():
    """
    Equal sets are written with the same text, in every process.
    """
    words = [f"word-{number}" for number in range(9)]

    assert json.dumps(words, separators=(",", ":")) == STORED.of(frozenset[Sku]).text(
        frozenset(reversed(words))
    )


def test_numbers_that_are_keys_stand_in_their_order():
    """
    Entries of a dict stand in the order of its keys, as canonical JSON has them.
    """
    text = STORED.of(dict[int, int]).text({11: 1, 2: 2})

    assert canonical({11: 1, 2: 2}) == text.encode()


def test_fields_stand_in_the_order_of_their_names_without_defaults():
    """
    An object holds its fields by name; those at their defaults are left out, a value of None that
    is no default is not.
    """
    form = STORED.of(Zoo)

    assert '{"code":null,"shade":"dark"}' == form.text(Zoo(shade=Shade.DARK, code=None))
    assert '{"code":"c","count":0,"holds":true,"names":{},"shade":"dark"}' == form.text(
        Zoo(shade=Shade.DARK, code=Code("c"), count=0, names={}, holds=True)
    )


def test_fields_that_nobody_knows_any_more_are_passed_over():
    """
    A kept object with fields that its class has lost is read without them.
    """
    plain = {"name": "a", "lost": 1, "branches": [{"name": "b", "gone": None}]}

    assert Branch(name="a", branches=(Branch(name="b"),)) == read(STORED.of(Branch), plain)
    assert {"name", "lost", "branches"} == plain.keys()


def test_field_without_a_default_must_be_there():
    """
    An object that lacks a field is not taken for one that has it.
    """
    with pytest.raises(TypeError):
        read(STORED.of(Branch), {"branches": []})


def test_field_of_any_type_is_written_by_its_value():
    """
    What a field of no stated type holds is written as what it is.
    """
    form = OPEN.of(Loose)

    assert '{"anything":{"name":"a"},"more":["light",1,null]}' == form.text(
        Loose(anything=Branch(name="a"), more=(Shade.LIGHT, 1, None))
    )


@pytest.mark.parametrize("hint", [complex, Size, int | str, dict[tuple[int, ...], int], list[int]])
def test_type_without_a_form_is_refused(hint):
    """
    A type whose values cannot be kept is refused when its form is made, not written somehow.
    """
    with pytest.raises(FormlessError) as refused:
        STORED.of(hint)

    assert str(refused.value.hint) in str(refused.value)


def test_form_is_made_once():
    """
    Asking for the form of a type again gives the very same.
    """
    assert STORED.of(Zoo) is STORED.of(Zoo)
    assert STORED.of(Zoo) is not OPEN.of(Zoo)


def test_atom_has_the_form_it_was_given():
    """
    A type can be given a form of its own, whatever it consists of.
    """
    forms = Forms({Branch: Form(lambda branch: f'"{branch.name}"', lambda name: Branch(name=name))})

    form = forms.of(tuple[Branch, ...])

    assert '["a","b"]' == form.text((Branch(name="a"), Branch(name="b")))
    assert (Branch(name="a"),) == read(form, ["a"])


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3))])), st.text())
def test_references_and_moments_are_texts_of_json(moment, name):
    """
    Whatever characters stand in them, their texts are JSON.
    """
    ref = Ref(client_journal(name), 7)

    assert moment.isoformat() == json.loads(STORED.of(datetime).text(moment))
    assert f"client/{name}@7" == json.loads(STORED.of(Ref).text(ref))
