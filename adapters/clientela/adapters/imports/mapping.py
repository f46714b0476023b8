"""
Mappings: which column of a file means what.
"""

from __future__ import annotations

import enum

from collections.abc import Mapping
from datetime import time
from types import MappingProxyType
from zoneinfo import ZoneInfo

import attrs


WINDOW_ROWS = 1_000
"""Rows after which an entry is complete when none more belonged to it."""

ISO = "iso"
"""Format of moments as ISO 8601 writes them."""

Column = str | int
"""A column by its head, or by its number from 1."""


class Kind(enum.StrEnum):
    """What a file tells of."""

    CLIENTS = "clients"
    PURCHASES = "purchases"
    RETURNS = "returns"
    INTERACTIONS = "interactions"


@attrs.frozen(kw_only=True)
class FileShape:
    """
    How a file is written.

    Attributes:
        delimiter: Character between cells; None for any number of blanks.

        quote: Character around cells that hold it; empty for none.

        has_header: Whether the first line names the columns.

        encoding: Of the text.
    """

    delimiter: str | None = ","
    quote: str = '"'
    has_header: bool = True
    encoding: str = "utf-8"


@attrs.frozen(kw_only=True)
class When:
    """
    When what a row tells of happened.

    Attributes:
        column: Where it stands; None for the same moment in every row.

        constant: That moment.

        format: As `strptime` has it, or `ISO`.

        zone: In which it is told, unless it says so itself.

        time_of_day: Of a date alone.
    """

    column: Column | None = None
    constant: str = ""
    format: str = ISO
    zone: ZoneInfo = attrs.field(factory=lambda: ZoneInfo("UTC"))
    time_of_day: time = time(12)


@attrs.frozen(kw_only=True)
class IdentifierColumn:
    """
    An identifier that clients are recognised by.

    Attributes:
        column: Where it stands.

        is_shared: Whether other clients may have the same.
    """

    column: Column
    is_shared: bool = False


@attrs.frozen(kw_only=True)
class Amounts:
    """
    How amounts are written.

    Attributes:
        currency: Of all amounts (ISO 4217); empty where a column tells it.

        decimal: The decimal point.

        thousands: Between groups of digits; empty for nothing.
    """

    currency: str = ""
    decimal: str = "."
    thousands: str = ""


@attrs.frozen(kw_only=True)
class FileMapping:
    """
    What the columns of a file mean.

    Attributes:
        kind: What the file tells of.

        source: The system it comes from; ids in it are that system's.

        shape: How it is written.

        columns: Where each field stands.

        constants: Fields that are the same in every row.

        values: By field: what a cell stands for.

        identifiers: By kind of identifier.

        when: When it happened; None where it is not told.

        amounts: How amounts are written.

        is_own_client_id: Whether clients are named by the id they have here, not by that of the
            source.

        has_returns: Whether a quantity below 0 means that it came back.

        window_rows: Rows after which an entry is complete when none more belonged to it.
    """

    kind: Kind
    source: str
    shape: FileShape = FileShape()
    columns: Mapping[str, Column] = MappingProxyType({})
    constants: Mapping[str, str] = MappingProxyType({})
    values: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    identifiers: Mapping[str, IdentifierColumn] = MappingProxyType({})
    when: When | None = None
    amounts: Amounts = Amounts()
    is_own_client_id: bool = False
    has_returns: bool = False
    window_rows: int = WINDOW_ROWS

    def tells(self, field: str) -> bool:
        """Whether rows tell of *field*."""
        return field in self.columns or field in self.constants


CLIENT = "client"
SOURCE_ID = "id"
"""What names an entry in its system; rows that share it are one entry."""

REQUIRED: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.CLIENTS: (CLIENT,),
        Kind.PURCHASES: (CLIENT, "sku"),
        Kind.RETURNS: (CLIENT,),
        Kind.INTERACTIONS: (CLIENT, "channel", "direction", "purpose", "kind"),
    }
)
"""Fields that must be told, by what a file tells of."""

_LINE = ("quantity", "net", "price", "currency", "unit", SOURCE_ID)

OPTIONAL: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.CLIENTS: (
            "client_kind",
            "standing",
            "name",
            "given_name",
            "family_name",
            "market",
            "language",
        ),
        Kind.PURCHASES: (*_LINE, "tax", "category", "seller"),
        Kind.RETURNS: (*_LINE, "sku", "purchase", "line"),
        Kind.INTERACTIONS: (SOURCE_ID, "employee", "note"),
    }
)
"""Fields that may be told besides."""
