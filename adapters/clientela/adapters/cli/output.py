"""
Writing answers: tables for people, JSON for programs.
"""

from __future__ import annotations

import json

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp
    from google.type.date_pb2 import Date
    from google.type.money_pb2 import Money as WireMoney


def written(plain: Any) -> None:
    """Write plain data as JSON."""
    print(json.dumps(plain, indent=2, ensure_ascii=False))


def written_line(plain: Any) -> None:
    """Write plain data as one line of JSON, for answers without an end in sight."""
    print(json.dumps(plain, ensure_ascii=False))


def plain(message: Message) -> Any:
    """A message as plain data: proto field names, fields without presence included."""
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table; columns of numbers stand right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    taken = [tuple(row) for row in rows]
    for index, head in enumerate(heads):
        is_number = bool(taken) and all(isinstance(row[index], int) for row in taken)
        made.add_column(head, justify="right" if is_number else "left", overflow="fold")
    for row in taken:
        made.add_row(*(Text(_cell(cell)) for cell in row))
    if title:
        print(title)
    Console(highlight=False).print(made)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def moment(stamp: Timestamp) -> str:
    """A moment, UTC, for people; empty for none."""
    if not stamp.seconds and not stamp.nanos:
        return ""
    at = datetime.fromtimestamp(stamp.seconds, UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}".removesuffix(" 00:00:00")


def amount(money: WireMoney) -> str:
    """An amount with its currency, `12.50 EUR`."""
    from clientela.domain.money import exponent

    # A sum may well be more than one amount can be.
    digits = exponent(money.currency_code)
    sign = "-" if min(money.units, money.nanos) < 0 else ""
    fraction = f".{abs(money.nanos) // 10 ** (9 - digits):0{digits}}" if digits else ""
    return f"{sign}{abs(money.units)}{fraction} {money.currency_code}"


def day(date: Date) -> str:
    """A calendar day."""
    return f"{date.year:04}-{date.month:02}-{date.day:02}"
