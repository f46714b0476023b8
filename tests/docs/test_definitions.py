"""
The page of definitions tells every key and every condition, and what it shows is really loaded.
"""

from __future__ import annotations

import enum
import re
import tomllib

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from clientela.domain.definitions.conditions import CONDITIONS, Condition
from clientela.domain.definitions.loading import load, structured, value
from clientela.domain.definitions.preset import LifecyclePreset
from clientela.domain.definitions.problems import DefinitionsError
from clientela.domain.ids import Code
from clientela.domain.lifecycle.model import LifecycleDefinition
from clientela.domain.money import Money
from tests.docs import told
from tests.docs.definition_blocks import SHORTHANDS, example, expanding, sections, tables
from tests.docs.markdown import title


ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"(?<!<!-- refused -->\n)^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REFUSED = re.compile(
    r"^<!-- refused -->\n```toml\n(.*?)^```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
LEFT_OUT = {("loyalty", "never_expires")}
"""Keys that cannot stand beside others of the one example of their section."""


def written(name, cls):
    """The table that tells of *cls* in the part of the page that tells of a section."""
    [found] = re.findall(
        rf"^<!-- generated: section {name} -->\n(.*?)^<!-- end", PAGE, re.MULTILINE | re.DOTALL
    )
    parts = re.split(r"^#### ", found, flags=re.MULTILINE)
    is_section = cls is sections()[name]
    [part] = (
        parts[:1]
        if is_section
        else [p for p in parts[1:] if p.startswith(f"{title(cls).capitalize()}\n")]
    )
    return part


def keys(cls):
    """The keys that a table takes, from the class itself."""
    own = [field.name for field in attrs.fields(cls) if field.init]
    return [*(key.name for key in SHORTHANDS.get(cls, ())), *own]


def section_examples():
    """The example of each section, by its name."""
    shown = EXAMPLE.findall(PAGE)
    return {next(iter(tomllib.loads(text))): text for text in shown}


@pytest.mark.parametrize(
    ("name", "cls"), [(name, cls) for name, root in sections().items() for cls in tables(root)]
)
def test_every_key_of_a_section_is_told(name, cls):
    """
    REC-21: each key that a section, or a table within it, takes has a row in its table.
    """
    table = written(name, cls)

    assert [] == [key for key in keys(cls) if f"\n| `{key}` | " not in table]


def test_every_section_has_an_example_that_is_loaded():
    """
    Each section is shown once with every key it takes, and Clientela loads it.
    """
    examples = section_examples()

    assert set(sections()) == set(examples)
    for name, text in examples.items():
        assert [sections()[name]] == list(load(text, sections()))


@pytest.mark.parametrize("name", sections())
def test_an_example_shows_every_key(name):
    """
    Nothing that can be set is left out of the example of its section.
    """
    text = section_examples()[name]
    all_keys = {key for each in tables(sections()[name]) for key in keys(each)}

    missing = {
        key
        for key in all_keys
        if not re.search(rf"(?<![\w-]){key} =|\.{key}\]", text) and (name, key) not in LEFT_OUT
    }

    assert set() == missing


@pytest.mark.parametrize("tag", CONDITIONS)
def test_every_condition_is_told_with_what_it_takes(tag):
    """
    LIFE-11: each condition has a row, and one for each of its keys; its example is a condition.
    """
    cls: Any = CONDITIONS[tag]
    taken = len(re.findall(rf"^\| `{tag}` \| (?:`|the value)", PAGE, re.MULTILINE))
    when: Any = Condition

    assert f"| `{tag}` | {told.summary(cls)} | `{example(tag)}` |" in PAGE
    assert len(attrs.fields(cls)) == taken
    assert isinstance(value(tomllib.loads(f"when = {example(tag)}")["when"], when), cls)


def test_every_preset_is_told_with_its_stages():
    """
    LIFE-4, LIFE-6: each preset has its part, with every stage and every way out.
    """
    definition = structured(
        {"lifecycle": {"presets": [preset.value for preset in LifecyclePreset]}}, sections()
    )[LifecycleDefinition]
    found = {
        model.id: [(stage.id, [str(way.to) for way in stage.exits]) for stage in model.stages]
        for model in definition.models
    }

    assert found == {preset.value: preset_shown(preset.value) for preset in LifecyclePreset}


def preset_shown(name):
    """Stages and ways out of a preset as the page has them."""
    shown = rf"^`{name}`: .*?\n\n(.*?)(?:\n\n|^<!--)"
    [table] = re.findall(shown, PAGE, re.MULTILINE | re.DOTALL)
    rows = [line.split(" | ") for line in table.splitlines()[2:]]
    return [
        (row[0].strip("| `").split("`")[0], re.findall(r"(?:^|<br>)`([\w-]+)` when", row[2]))
        for row in rows
    ]


def test_what_is_shown_as_refused_is_refused_in_these_words():
    """
    The located errors on the page are those that Clientela tells, each at its place.
    """
    [(text, errors)] = REFUSED.findall(PAGE)
    with pytest.raises(DefinitionsError) as refused:
        load(text, sections())

    assert errors.strip() == str(refused.value)


def test_every_shorthand_is_known():
    """
    A section that writes something out before it is read has that among its keys.
    """
    assert expanding() == set(SHORTHANDS)
    for name, cls in sections().items():
        for key in SHORTHANDS.get(cls, ()):
            with pytest.raises(DefinitionsError) as refused:
                structured({name: {key.name: 0}}, sections())
            assert f"{name}.{key.name}" == refused.value.problems[0].path


class Colour(enum.Enum):
    """A colour."""

    RED = "red"
    """Like a rose."""

    BLUE = "blue"


@attrs.frozen(kw_only=True)
class Everything:
    """
    One key of every kind (LIFE-11).

    Attributes:
        flag: Whether it waves, as *count* says.

        count: How many, 1 to 9; more is refused.

        rate: Of all.

        price: Paid.

        day: When; None for never.

        at: To the second.

        colour: Its colour (OWN-5).

        codes: At most 3.
    """

    flag: bool = False
    count: int = attrs.field(
        validator=attrs.validators.and_(attrs.validators.ge(1), attrs.validators.le(9))
    )
    rate: Decimal = Decimal(1)
    price: Money
    day: date | None = None
    at: datetime
    colour: Colour = Colour.RED
    codes: tuple[Code, ...] = attrs.field(default=(), validator=attrs.validators.max_len(3))


def test_keys_are_told_by_type_default_bounds_and_meaning():
    """
    Types, defaults, bounds and words come from the class, each bound once.
    """
    assert [
        ("flag", "true or false", "`false`", "Whether it waves, as `count` says.", ()),
        ("count", "whole number, 1 to 9", "required", "How many; more is refused.", ()),
        ("rate", 'decimal number, `2.5` or `"2.5"`', "`1`", "Of all.", ()),
        ("price", 'amount, `"12.50 EUR"`', "required", "Paid.", ()),
        ("day", "date, `2026-03-01`", "not set", "When; left out for never.", ()),
        ("at", "moment, `2026-03-01T09:00:00Z`", "required", "To the second.", ()),
        (
            "colour",
            "one of `red`, `blue`",
            '`"red"`',
            "Its colour. `red`: like a rose.",
            ("OWN-5",),
        ),
        ("codes", "list of codes, 0 to 3", "none", "see above", ()),
    ] == [attrs.astuple(key) for key in told.keys(Everything)]


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [(0, 7, (0, 7)), (1, 10**9, (1, 10**9)), (2, 2, (2, 2)), (1, None, (1, told.NUMBER_MAX))],
)
def test_bounds_are_found_by_trying(least, most, expected):
    """
    The bounds told are those that the validator keeps.
    """

    def check(number):
        if number < least or (most is not None and number > most):
            raise ValueError

    assert expected == told.bounds(check, int)
    assert told.bounds(lambda _number: None, int) is None
