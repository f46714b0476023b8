from __future__ import annotations

import enum

from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest

from clientela.domain.definitions.loading import load, structured, value
from clientela.domain.definitions.problems import DefinitionsError, Problem, suggestion
from clientela.domain.errors import Category
from clientela.domain.ids import Code
from clientela.domain.lifecycle.model import LifecycleDefinition
from clientela.domain.money import Money
from clientela.domain.ownership.policy import OwnershipPolicy


class Colour(enum.Enum):
    RED = "red"
    PALE_BLUE = "pale-blue"


@attrs.frozen(kw_only=True)
class Part:
    name: Code
    rate: Decimal = Decimal(1)


@attrs.frozen(kw_only=True)
class Everything:
    """One field of every kind a definition may hold."""

    flag: bool = False
    count: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    limit: int | None = None
    rate: Decimal = Decimal(1)
    price: Money = Money(100, "EUR")  # noqa: RUF009 (frozen)
    since: date = date(2026, 1, 1)
    begins_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    colour: Colour = Colour.RED
    codes: tuple[Code, ...] = ()
    tags: frozenset[Code] = frozenset()
    parts: tuple[Part, ...] = attrs.field(default=(), validator=attrs.validators.max_len(3))
    labels: dict[Code, str] = attrs.field(factory=dict[Code, str])


SECTIONS: dict[str, type] = {
    "everything": Everything,
    "ownership": OwnershipPolicy,
    "lifecycle": LifecycleDefinition,
}


def problems(text: str) -> list[str]:
    """Every problem of a document, as shown."""
    with pytest.raises(DefinitionsError) as refused:
        load(text, SECTIONS)
    return str(refused.value).splitlines()


def test_every_kind_of_value_is_read_from_plain_toml():
    """
    Numbers, amounts, dates, codes and choices are written as TOML has them.
    """
    text = """
    [everything]
    flag = true
    count = 3
    limit = 5
    rate = 0.1
    price = "12.50 EUR"
    since = 2026-03-02
    begins_at = 2026-03-02T10:00:00+01:00
    colour = "pale-blue"
    codes = ["a", "b-1"]
    tags = ["x"]
    parts = [{ name = "left" }, { name = "right", rate = "0.25" }]
    labels = { en = "All", ru = "Всё" }
    """

    assert {
        Everything: Everything(
            flag=True,
            count=3,
            limit=5,
            rate=Decimal("0.1"),
            price=Money(1250, "EUR"),
            since=date(2026, 3, 2),
            begins_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
            colour=Colour.PALE_BLUE,
            codes=(Code("a"), Code("b-1")),
            tags=frozenset({Code("x")}),
            parts=(Part(name=Code("left")), Part(name=Code("right"), rate=Decimal("0.25"))),
            labels={Code("en"): "All", Code("ru"): "Всё"},
        )
    } == load(text, SECTIONS)


def test_sections_not_written_are_left_to_their_defaults():
    """
    A document holds what the company sets; the rest is not invented.
    """
    assert {OwnershipPolicy: OwnershipPolicy(lapses_after_days=30)} == load(
        "[ownership]\nlapses_after_days = 30", SECTIONS
    )
    assert {} == load("", SECTIONS)


# Each row: a document and every problem in it, by hand.
WRONG = {
    "no TOML": (
        "[ownership",
        ["no TOML: Expected ']' at the end of a table declaration (at end of document)"],
    ),
    "nested too deeply": ("x = " + "[" * 3000, ["nested too deeply"]),
    "thousands of digits": ("x = " + "9" * 5000, ["a number is too large"]),
    "thousands of hex digits": ("x = 0x" + "f" * 5000, ["a number is too large"]),
    "an exponent of twenty digits": ("x = 1e" + "9" * 20, ["a number is too large"]),
    "unknown section": (
        "[ownershp]\n[sales]",
        ["ownershp: unknown section (did you mean 'ownership'?)", "sales: unknown section"],
    ),
    "unknown key": (
        "[ownership]\nlapse_after_days = 3",
        ["ownership.lapse_after_days: unknown key (did you mean 'lapses_after_days'?)"],
    ),
    "section is no table": ("ownership = 3", ["ownership: expected a table"]),
    "single values": (
        """
        [everything]
        flag = "true"
        count = true
        limit = "5"
        rate = "many"
        price = "12.50"
        since = "tomorrow"
        begins_at = 2026-03-02T10:00:00
        colour = "rad"
        codes = "a"
        """,
        [
            "everything.flag: expected true or false",
            "everything.count: expected a whole number",
            "everything.limit: expected a whole number",
            "everything.rate: expected a decimal number, such as 2.5",
            'everything.price: expected an amount with its currency, such as "12.50 EUR"',
            "everything.since: expected a date, such as 2026-03-01",
            "everything.begins_at: expected a moment with its offset, such as 2026-03-01T09:00:00Z",
            "everything.colour: expected one of red, pale-blue (did you mean 'red'?)",
            "everything.codes: expected a list",
        ],
    ),
    "values within lists and tables": (
        """
        [everything]
        codes = ["a", 3, "b c", ""]
        parts = [{ rate = inf }, 7, { name = "x", rat = 2 }]
        labels = { en = "x", "d e" = "x" }
        price = "12.505 EUR"
        """,
        [
            "everything.price: expected at most 2 digits after the point",
            "everything.codes[1]: expected a code, in quotes",
            "everything.codes[2]: expected a code of 1 to 128 characters without blanks",
            "everything.codes[3]: expected a code of 1 to 128 characters without blanks",
            "everything.parts[0].name: missing",
            "everything.parts[0].rate: expected a decimal number, such as 2.5",
            "everything.parts[1]: expected a table",
            "everything.parts[2].rat: unknown key (did you mean 'rate'?)",
            "everything.labels.d e: expected a code of 1 to 128 characters without blanks",
        ],
    ),
    "values of maps": (
        """
        [everything]
        labels = { en = "", ru = 3 }
        price = "12.50 euro"
        rate = true
        """,
        [
            "everything.rate: expected a decimal number, such as 2.5",
            "everything.price: expected three capital letters of ISO 4217, such as EUR",
            "everything.labels.en: expected a text of 1 to 4096 characters",
            "everything.labels.ru: expected a text of 1 to 4096 characters",
        ],
    ),
    "no models": (
        "lifecycle.presets = ['clm']\nlifecycle.models = 3",
        ["lifecycle.models: expected a list"],
    ),
    "bounds": (
        "[everything]\ncount = 0",
        ["everything.count: must be >= 1: 0"],
    ),
    "lengths": (
        "[everything]\nparts = [{ name = 'a' }, { name = 'b' }, { name = 'c' }, { name = 'd' }]",
        ["everything.parts: length must be <= 3: 4"],
    ),
    "conditions": (
        """
        [[lifecycle.models]]
        id = "m"
        entry = "a"
        labels = { en = "M" }
        [[lifecycle.models.stages]]
        id = "a"
        labels = { en = "A" }
        exits = [
          { to = "b", when = { purchase = { at_least = 2 } } },
          { to = "b", when = { purchases = { at_least = 2 }, left = {} } },
          { to = "b", when = { all = [
            { signal = "x" },
            { any = [{ purchases = {} }, { idle_for = { days = 0 } }] },
          ] } },
          { to = "b", when = { not = { in_stage = { approaches = {} } } } },
          { to = "b", when = { purchases = { at_least = 3, at_most = 2 } } },
          { to = "b", when = { interactions = { at_least = 1, direction = "inward" } } },
          { to = "b", when = { spent = { at_least = 5 } } },
          { to = "b", when = { all = [] } },
          { to = "b", when = "left" },
          { to = "b" },
        ]
        """,
        [
            (
                "lifecycle.models[0].stages[0].exits[0].when: unknown condition 'purchase'"
                " (did you mean 'purchases'?)"
            ),
            (
                "lifecycle.models[0].stages[0].exits[1].when:"
                " expected a table with one key, the name of the condition"
            ),
            (
                "lifecycle.models[0].stages[0].exits[2].when.all[1].any[0].purchases.at_least:"
                " expected at_least, at_most or both"
            ),
            (
                "lifecycle.models[0].stages[0].exits[2].when.all[1].any[1].idle_for.days:"
                " expected 1 to 36500"
            ),
            "lifecycle.models[0].stages[0].exits[3].when.not.in_stage.approaches.at_least: missing",
            (
                "lifecycle.models[0].stages[0].exits[4].when.purchases.at_most:"
                " expected no less than at_least"
            ),
            (
                "lifecycle.models[0].stages[0].exits[5].when.interactions.direction:"
                " expected one of inbound, outbound"
            ),
            (
                "lifecycle.models[0].stages[0].exits[6].when.spent.at_least:"
                ' expected an amount with its currency, such as "12.50 EUR"'
            ),
            "lifecycle.models[0].stages[0].exits[7].when.all: expected 1 to 32 of them",
            "lifecycle.models[0].stages[0].exits[8].when: expected a table",
            "lifecycle.models[0].stages[0].exits[9].when: missing",
        ],
    ),
    "stages that do not fit together": (
        """
        [lifecycle]
        presets = ["clm"]
        [[lifecycle.models]]
        id = "m"
        entry = "star"
        labels = { en = "M" }
        stages = [
          { id = "start", labels = { en = "S" }, exits = [
            { to = "ende", when = { left = {} } },
            { to = "start", when = { left = {} } },
            { to = "end", when = { signal = "x" } },
            { to = "part", when = { stage_is = { model = "clm", stage = "loyalty" } } },
          ] },
          { id = "part", parent = "stat", labels = { en = "P" } },
          { id = "piece", parent = "part", labels = { en = "P" } },
          { id = "end", end = true, labels = { en = "E" } },
          { id = "end", labels = { en = "E" } },
        ]
        """,
        [
            "lifecycle.models[0].stages[4].id: 'end' is taken",
            "lifecycle.models[0].entry: no stage 'star' (did you mean 'start'?)",
            "lifecycle.models[0].stages[0].exits[0].to: no stage 'ende' (did you mean 'end'?)",
            "lifecycle.models[0].stages[0].exits[1].to: 'start' leads nowhere else",
            "lifecycle.models[0].stages[0].exits[3].when: a lifecycle cannot ask for stages",
            "lifecycle.models[0].stages[1].parent: no stage 'stat' (did you mean 'start'?)",
            "lifecycle.models[0].stages[2].parent: 'part' is itself a part of 'stat'",
        ],
    ),
    "an end without a cause": (
        """
        [[lifecycle.models]]
        id = "m"
        entry = "start"
        labels = { en = "M" }
        stages = [
          { id = "start", labels = { en = "S" }, exits = [
            { to = "end", when = { signal = "x" } },
          ] },
          { id = "end", end = true, labels = { en = "E" } },
        ]
        """,
        [
            (
                "lifecycle.models[0].stages[0].exits[0].cause:"
                " missing: an end has a recorded cause (LIFE-23)"
            ),
        ],
    ),
    "presets and models": (
        """
        [lifecycle]
        presets = ["clm", "efremov"]
        """,
        ["lifecycle.presets[1]: expected one of clm, efremova (did you mean 'efremova'?)"],
    ),
    "a preset's id is taken": (
        """
        [lifecycle]
        presets = ["clm"]
        [[lifecycle.models]]
        id = "clm"
        entry = "a"
        labels = { en = "M" }
        stages = [{ id = "a", labels = { en = "A" } }]
        """,
        ["lifecycle.models[1].id: 'clm' is taken"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_document_is_refused_whole_with_every_problem_at_its_place(name):
    """
    A wrong document is refused whole, and each problem says where it is and what would be right.
    """
    text, expected = WRONG[name]

    assert expected == problems(text)


def test_too_long_a_document_is_not_read():
    """
    The length of a document is bounded.
    """
    assert ["longer than 1000000 characters"] == problems("#" * 1_000_001)


def test_more_problems_than_can_be_read_are_counted():
    """
    An error shows a hundred problems and tells how many more there are.
    """
    found = problems("[everything]\ncodes = [" + "1, " * 150 + "]")

    assert (101, "and 50 more") == (len(found), found[-1])


def test_error_is_data_too():
    """
    A caller gets each problem by its place, under a stable reason.
    """
    with pytest.raises(DefinitionsError) as refused:
        load("[ownership]\nmay_request = 1", SECTIONS)

    assert ("DEFINITIONS_INVALID", Category.INVALID) == (
        refused.value.reason,
        refused.value.category,
    )
    assert {"ownership.may_request": "expected true or false"} == refused.value.details()
    assert (Problem("ownership.may_request", "expected true or false"),) == refused.value.problems


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("purchase", " (did you mean 'purchases'?)"),
        ("purhcases", " (did you mean 'purchases'?)"),
        ("lost", " (did you mean 'left'?)"),
        ("x", ""),
        ("something", ""),
    ],
)
def test_only_near_names_are_suggested(name, found):
    """
    A suggestion is at most two letters away, and fewer for short names.
    """
    assert found == suggestion(name, ["purchases", "left", "signal"])


def test_plain_data_is_structured_like_text():
    """
    What was stored as plain data is read by the same rules.
    """
    assert Everything(rate=Decimal("0.10")) == value({"rate": "0.10"}, Everything)
    assert {Everything: Everything(since=date(2026, 3, 2))} == structured(
        {"everything": {"since": "2026-03-02"}}, SECTIONS
    )
