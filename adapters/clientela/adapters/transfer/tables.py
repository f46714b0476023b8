"""
What is moved, as rows that both ends agree on.

    read models, leases     stay behind: they are made anew
    migrations, positions   belong to the database itself, as do
    key_changes             which other processes over it look at
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


Row = tuple[Any, ...]

ROWS_AT_ONCE = 1_000
"""Rows in memory."""


@attrs.frozen
class Table:
    """
    One kind of rows.

    Attributes:
        columns: Names, in the order of values in a row.

        order: Columns that every end reads the rows in the order of.
    """

    columns: tuple[str, ...]
    order: tuple[str, ...]


def _table(columns: str, order: str) -> Table:
    return Table(tuple(columns.split()), tuple(order.split()))


TABLES: Mapping[str, Table] = {
    "notes": _table("name value", "name"),
    "journals": _table("kind id version hash recorded_at", "kind id"),
    "events": _table(
        "position kind id version event_id append_id name occurred_at recorded_at body hash",
        "position",
    ),
    "keys": _table("scope value kind id version fingerprint", "scope value"),
    "masks": _table("kind id mask", "kind id"),
    "answers": _table("request at body", "request"),
    "due": _table("kind id at", "kind id"),
    "snapshots": _table("kind id version fingerprint body", "kind id"),
    "key_rows": _table("kind id kek_id wrapped", "kind id"),
    "key_fence": _table("kek_id", "kek_id"),
    "erasures": _table("kind id scopes", "kind id scopes"),
    "audit": _table("number at actor method target decision reason request", "number"),
    "parked": _table(
        "id lane mark kind headers principal reason problem parked_at tried_at tries body", "number"
    ),
}
"""In the order in which they are moved."""

LEFT_BEHIND = frozenset(
    {
        "key_changes",
        "leases",
        "migrations",
        "positions",
        "read_hashes",
        "read_models",
        "read_rows",
        "read_terms",
    }
)
"""Tables that are not moved."""
