"""
Every stored event: what it may hold, how it is called, and that it stays readable.
"""

from __future__ import annotations

import enum
import re
import types

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import attrs
import pytest

from clientela.domain.codec import Codec
from clientela.domain.event import Origin, Visibility, event, event_type
from clientela.domain.ids import ClientId, Code, JournalId, Ref
from clientela.domain.money import Money
from clientela.domain.personal import Personal, PersonalText, Sealed
from clientela.domain.standard import standard_rulebook
from tests.domain.discovery import event_classes, rule_sets
from tests.domain.events.examples import AT, example, recorded
from tests.domain.events.goldens import (
    SUMS,
    codec,
    digest_of,
    fixed,
    path_of,
    read,
    stored_names,
    sums,
    write_new,
)


EVENTS = event_classes()
MADE_BY = [(rule_set, cls) for rule_set in rule_sets() for cls in rule_set.events]
DECIDED = [(r, cls) for r, cls in MADE_BY if event_type(cls).origin is Origin.DECIDED]

LEAVES = {int, bool, datetime, date, Decimal, Money, JournalId, Ref, type(None)}
"""What an event may hold as it is; the words in these are checked where they are made."""

IRREGULAR = {
    "begun",
    "bought",
    "given",
    "held",
    "kept",
    "left",
    "lost",
    "made",
    "met",
    "paid",
    "repaid",
    "sent",
    "set",
    "sold",
    "taken",
    "withdrawn",
    "won",
    "written",
}

STANDS_BESIDE: dict[str, str] = {}
"""Decided events for which another of the same append is asked again."""


def by_name(value: Any) -> str:
    """The stored name of an event class, the name of a rule set."""
    return value.name if hasattr(value, "name") else event_type(value).stored_name


def refused(hint: Any, place: str) -> Iterator[str]:
    """Where a type hint allows what an event may not hold."""
    if hint in LEAVES or _is_enum(hint) or _is_code(hint):
        return
    if get_origin(hint) is tuple:
        yield from refused(get_args(hint)[0], f"{place}[]")
    elif get_origin(hint) in {Union, types.UnionType}:
        members = set(get_args(hint))
        if {Personal, Sealed} <= members:
            members -= {Personal, Sealed}
        for member in members:
            yield from refused(member, place)
    elif isinstance(hint, type) and attrs.has(hint) and hint not in {Personal, Sealed}:
        for name, inner in get_type_hints(hint).items():
            yield from refused(inner, f"{place}.{name}")
    else:
        yield f"{place}: {getattr(hint, '__name__', hint)}"


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, enum.Enum)


def _is_code(hint: Any) -> bool:
    return isinstance(hint, NewType) and hint.__supertype__ in {str, int}


# What an event may hold


@pytest.mark.parametrize("cls", EVENTS, ids=by_name)
def test_event_holds_ids_codes_and_sealed_text_only(cls):
    """
    REC-4, design 7: free text in an event is personal unless its type is an id or a code; there is
    no plain string, no float and nothing that can be changed.
    """
    assert [] == list(refused(cls, cls.__name__))


@attrs.frozen(kw_only=True)
class Inner:
    """A value with a plain string."""

    text: str


@attrs.frozen(kw_only=True)
class Planted:
    """One field of each kind that is refused."""

    plain: str
    maybe: str | None
    many: tuple[str, ...]
    inner: tuple[Inner, ...]
    unsealed: Personal
    only_sealed: Sealed | None
    rate: float
    anything: Any
    table: dict[Code, Code]
    row: list[Code]
    bag: frozenset[Code]
    fine: Code
    note: PersonalText | None
    money: Money
    at: datetime


def test_what_an_event_may_not_hold_is_seen():
    """
    The check above sees each field that it is there for, however deep.
    """
    assert {
        "Planted.plain",
        "Planted.maybe",
        "Planted.many[]",
        "Planted.inner[].text",
        "Planted.unsealed",
        "Planted.only_sealed",
        "Planted.rate",
        "Planted.anything",
        "Planted.table",
        "Planted.row",
        "Planted.bag",
    } == {found.partition(":")[0] for found in refused(Planted, "Planted")}


@pytest.mark.parametrize("cls", EVENTS, ids=by_name)
def test_event_is_a_value_given_by_names(cls):
    """
    An event cannot be changed, equals what says the same, and says what it says by name.
    """
    made = example(cls)

    assert example(cls) == made
    assert hash(example(cls)) == hash(made)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(made, attrs.fields(cls)[0].name, None)
    with pytest.raises(TypeError):
        cls(*[getattr(made, field.name) for field in attrs.fields(cls)])


# How it is called


@pytest.mark.parametrize("cls", EVENTS, ids=by_name)
def test_event_is_named_in_kebab_case_and_past_tense(cls):
    """
    A stored name is kebab case and tells what happened: `owner-replaced`, never `replace-owner`.
    """
    name = event_type(cls).name

    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", name)
    assert any(word.endswith("ed") or word in IRREGULAR for word in name.split("-")[1:])
    assert f"{name}.v{event_type(cls).version}" == event_type(cls).stored_name


def test_stored_names_are_unique():
    """
    One stored name means one event, over all rule sets.
    """
    counts = Counter(event_type(cls).stored_name for cls in EVENTS)

    assert [] == [name for name, count in counts.items() if count > 1]


def test_every_event_is_made_by_one_rule_set_of_the_standard_composition():
    """
    Every event class of the domain has exactly one rule set that makes it, and the standard
    composition has all rule sets.
    """
    makers = Counter(cls for _, cls in MADE_BY)

    assert dict.fromkeys(EVENTS, 1) == dict(makers)
    assert {r.name for r in rule_sets()} == {r.name for r in standard_rulebook().rule_sets}
    assert set(EVENTS) == set(standard_rulebook().event_classes)


# Asked again


@pytest.mark.parametrize(("rule_set", "cls"), DECIDED, ids=by_name)
def test_decided_event_can_be_asked_again(rule_set, cls):
    """
    A backtest asks decided events again: the rule set gives back a command of its own, of the
    moment at which it happened. Of several events of one append one stands for all.
    """
    if event_type(cls).name in STANDS_BESIDE:
        return
    made = recorded(example(cls), rule_set.state.journal_kind)

    command = rule_set.asks(made)

    assert type(command) in rule_set.commands
    assert AT == command.occurred_at


def test_events_that_stand_beside_another_are_decided_and_name_it():
    """
    The exceptions to the rule above are decided events beside decided events.
    """
    names = {event_type(cls).name for _, cls in DECIDED}

    assert names >= {*STANDS_BESIDE, *STANDS_BESIDE.values()}


@pytest.mark.parametrize(
    ("rule_set", "cls"), [pair for pair in MADE_BY if pair not in DECIDED], ids=by_name
)
def test_event_that_nobody_decided_is_not_asked_again(rule_set, cls):
    """
    Only decided events have a command behind them: what was recorded is kept, the rest made anew.
    """
    assert None is rule_set.asks(recorded(example(cls), rule_set.state.journal_kind))


# Kept for ever


@pytest.mark.parametrize("cls", EVENTS, ids=by_name)
def test_event_has_a_golden_payload(cls):
    """
    Every stored event has one; `python -m tests.domain.events` writes what is missing.
    """
    assert event_type(cls).stored_name in stored_names()


@pytest.mark.parametrize("cls", EVENTS, ids=by_name)
def test_origin_and_visibility_never_change(cls):
    """
    Backtest and time travel treat an event by its origin: it is fixed for ever, as is who may
    read it.
    """
    golden = read(event_type(cls).stored_name)

    assert fixed(event_type(cls)) == {name: golden[name] for name in ("origin", "visibility")}


@pytest.mark.parametrize("stored_name", stored_names())
def test_golden_payload_is_read_and_written_as_it_was(stored_name):
    """
    What was stored once is readable for ever; at the present version it is written back unchanged,
    at an old one it is lifted.
    """
    payload = read(stored_name)["payload"]

    decoded = codec().decode(stored_name, payload)

    name, encoded = codec().encode(decoded)
    if name == stored_name:
        assert payload == encoded
    assert name.rpartition(".v")[0] == stored_name.rpartition(".v")[0]
    assert decoded == codec().decode(name, encoded)


def test_golden_files_are_those_that_were_written():
    """
    Nobody has changed, added or removed one by hand.
    """
    found = {path_of(n).name: digest_of(path_of(n).read_bytes()) for n in stored_names()}

    assert sums() == found


@pytest.mark.parametrize("cls", EVENTS, ids=by_name)
def test_event_survives_storage_with_every_field_set(cls):
    """
    Whatever its fields hold comes back equal.
    """
    made = example(cls)

    assert made == Codec([cls]).decode(*Codec([cls]).encode(made))


@event("test-writer-tried", origin=Origin.RECORDED, visibility=Visibility.UNIT)
class Tried:
    """An event of no rule set."""

    client_id: ClientId
    count: int = 3


@event("test-writer-tried", origin=Origin.DERIVED)
class Changed:
    """The same event, changed in place."""

    count: int


@event("test-writer-tried", origin=Origin.DECIDED, version=2)
class TriedAgain:
    """Its second version."""

    client_id: ClientId


def test_writer_writes_what_is_new_and_touches_nothing_else(tmp_path):
    """
    A golden file is written once: not again when the event changes, and not again when somebody
    took it away.
    """
    assert ("test-writer-tried.v1",) == write_new((Tried,), tmp_path)
    first = path_of("test-writer-tried.v1", tmp_path)
    content, noted = first.read_bytes(), (tmp_path / SUMS).read_text()
    assert b'"count": 4' in content
    assert b'"visibility": "unit"' in content

    assert () == write_new((Changed,), tmp_path)
    assert ("test-writer-tried.v2",) == write_new((Tried, TriedAgain), tmp_path)
    assert content == first.read_bytes()
    assert noted in (tmp_path / SUMS).read_text()

    first.unlink()
    assert () == write_new((Tried, TriedAgain), tmp_path)
    assert not first.exists()
