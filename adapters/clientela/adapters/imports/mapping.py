"""
Mappings: which column of a file means what.

    source = "cdnow"                    names the system: who is called what there

    [file]
    format = "blanks"                   cells parted by blanks; else by `delimiter`
    header = false                      columns then go by number, from 1

    [columns]
    client = 2
    quantity = 4
    net = 5

    [constants]
    sku = "cd"

    [when]
    column = 3
    format = "%Y%m%d"
    zone = "UTC"
    time = "12:00"                      time of day of a date alone

    [amounts]
    currency = "USD"

A document is refused whole, each problem at its place.
"""

from __future__ import annotations

import codecs
import enum
import tomllib

from collections.abc import Iterable, Iterator, Mapping
from datetime import time
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from clientela.domain.errors import DomainError
from clientela.domain.ids import CODE_LENGTH_MAX
from clientela.domain.money import Money


DOCUMENT_BYTES_MAX = 100_000
"""Bytes of a mapping."""

WINDOW_ROWS = 1_000
"""Rows after which an entry is complete when none more belonged to it."""

WINDOW_ROWS_MAX = 10_000

ISO = "iso"
"""Format of moments as ISO 8601 writes them."""


class Kind(enum.StrEnum):
    """What a file tells of."""

    CLIENTS = "clients"
    PURCHASES = "purchases"
    RETURNS = "returns"
    INTERACTIONS = "interactions"


class MappingError(Exception):
    """
    A mapping cannot be used.

    Attributes:
        problems: What is wrong, by place, for instance `columns.client`.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        count = len(self.problems)
        super().__init__(f"the mapping has {count} problem{'s' if count > 1 else ''}")


Column = str | int
"""A column by its head, or by its number from 1."""


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
    zone: ZoneInfo = ZoneInfo("UTC")
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
class Mapping_:
    """
    What the columns of a file mean.

    Attributes:
        kind: What the file tells of.

        source: The system it comes from; ids in it are that system's.

        shape: How it is written.

        columns: Where each field stands.

        constants: Fields that are the same in every row.

        identifiers: By kind of identifier.

        when: When it happened; None where it is not told.

        currency: Of all amounts; empty where a column tells it.

        decimal: Point of amounts.

        thousands: Between groups of digits; empty for nothing.

        is_own_client_id: Whether clients are named by the id they have here, not by that of the
            source.

        has_returns: Whether a quantity below 0 means that it came back.

        window_rows: Rows after which an entry is complete when none more belonged to it.
    """

    kind: Kind
    source: str
    shape: FileShape = FileShape()
    columns: Mapping[str, Column] = attrs.field(factory=dict[str, Column])
    constants: Mapping[str, str] = attrs.field(factory=dict[str, str])
    identifiers: Mapping[str, IdentifierColumn] = attrs.field(factory=dict[str, IdentifierColumn])
    when: When | None = None
    currency: str = ""
    decimal: str = "."
    thousands: str = ""
    is_own_client_id: bool = False
    has_returns: bool = False
    window_rows: int = WINDOW_ROWS

    def tells(self, field: str) -> bool:
        """Whether rows tell of *field*."""
        return field in self.columns or field in self.constants
