"""
docs/imports.md against the code that reads mappings and rows.
"""

from __future__ import annotations

import re

from pathlib import Path

import pytest

from clientela.adapters.imports.document import WINDOW_ROWS_MAX, mapping_from
from clientela.adapters.imports.mapping import OPTIONAL, REQUIRED, FileMapping, FileShape, Kind
from clientela.v1.interaction_pb2 import Direction, Purpose


ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "imports.md").read_text(encoding="utf-8")
MAPPING = re.findall(r"<!-- mapping -->\n```toml\n(.*?)```", PAGE, re.DOTALL)
WORD = re.compile(r"`([a-z_]+)`")


def words(wire):
    """The words of an enumeration, as files have them."""
    prefix = f"{wire.DESCRIPTOR.name.upper()}_"
    return {name.removeprefix(prefix).lower() for name in wire.keys()} - {"unspecified"}  # noqa: SIM118  # an enumeration, not a dict


def test_the_mapping_shown_is_one_and_shows_the_defaults():
    """
    It is taken as it stands, and what it says of the file is what counts without it.
    """
    [text] = MAPPING
    shown = mapping_from(text, Kind.PURCHASES)
    unsaid = FileMapping(kind=Kind.PURCHASES, source="shop")

    assert FileShape() == shown.shape
    assert (unsaid.window_rows, unsaid.has_returns, unsaid.is_own_client_id) == (
        shown.window_rows,
        shown.has_returns,
        shown.is_own_client_id,
    )
    assert (unsaid.amounts.decimal, unsaid.amounts.thousands) == (
        shown.amounts.decimal,
        shown.amounts.thousands,
    )
    assert f"1 to {WINDOW_ROWS_MAX:,}" in text


@pytest.mark.parametrize("kind", list(Kind), ids=str)
def test_every_field_is_told(kind):
    """
    The row of each kind names all fields that a mapping may have, and no others.
    """
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `{kind}` |")]

    assert {*REQUIRED[kind], *OPTIONAL[kind]} == set(WORD.findall(row)) - {str(kind)}


def test_every_word_of_an_interaction_is_told():
    """
    Directions and purposes are those of the wire.
    """
    [line] = [line for line in PAGE.splitlines() if line.startswith("- `direction` is")]

    assert {*words(Direction), *words(Purpose)} == set(WORD.findall(line)) - {
        "direction",
        "purpose",
    }


def test_every_reason_is_told():
    """
    Whatever a row can be rejected for before it is sent has a place in the table.
    """
    folder = ROOT / "adapters" / "clientela" / "adapters" / "imports"
    made = (path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    reasons = {reason for text in made for reason in re.findall(r'RowError\(\s*"([A-Z]+)"', text)}
    table = PAGE.partition("## Why a row is rejected")[2]

    assert reasons
    assert reasons | {"CLIENT_UNKNOWN"} == set(re.findall(r"`([A-Z_]+)`", table))
