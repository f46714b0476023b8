"""
Histories: what happened in a shop, as a file for `clientela import` and as what tills tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import attrs

from tests.acceptance import cdnow, online_retail
from tests.acceptance.cdnow import Sale
from tests.acceptance.online_retail import LONDON, UTC, Row, Slip


RETAIL_MAPPING = cdnow.MAPPING.with_name("online_retail.toml")
RETAIL_DEFINITIONS = cdnow.DEFINITIONS.with_name("online_retail_shop.toml")


@attrs.frozen
class Message:
    """
    Something that a till tells.

    Attributes:
        kind: Of message: `purchase` or `return`.

        customer: What the shop calls the client.

        at: When it happened.

        body: Plain data of the request; the client's id is still to be put in.
    """

    kind: str
    customer: str
    at: datetime
    body: dict[str, Any] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class History:
    """
    What happened in a shop.

    Attributes:
        source: The system that told it.

        file: All of it.

        mapping: What the columns of the file mean.

        definitions: Of the shop.

        messages: The same, told by tills as it happened.

        last_day: Up to when time passes afterwards.
    """

    source: str
    file: Path
    mapping: Path
    definitions: Path
    messages: tuple[Message, ...] = attrs.field(repr=False)
    last_day: date


def cdnow_history(file: Path, found: Iterable[Sale]) -> History:
    """What *file* holds, of which the rows are *found*."""
    messages = (_sold(sale) for sale in found)
    return History(
        source="cdnow",
        file=file,
        mapping=cdnow.MAPPING,
        definitions=cdnow.DEFINITIONS,
        messages=tuple(sorted(messages, key=lambda message: message.at)),
        last_day=date(1998, 6, 30),
    )


def retail_history(file: Path, found: Iterable[Slip]) -> History:
    """What *file* holds, of which the invoices are *found*, by time."""
    return History(
        source="uci",
        file=file,
        mapping=RETAIL_MAPPING,
        definitions=RETAIL_DEFINITIONS,
        messages=tuple(_returned(slip) if slip.is_return else _bought(slip) for slip in found),
        last_day=date(2010, 12, 31),
    )


def invoices_of(file: Path) -> list[Slip]:
    """Every invoice of a file like the slice, rows named by their lines: the header is first."""
    named = (attrs.evolve(row, number=row.number + 1) for row in online_retail.rows_in(file))
    return online_retail.slips(named)


def cut(file: Path, to: Path, encoding: str, is_kept: Callable[[str], bool]) -> Path:
    """The lines of *file* that are kept, as a file of their own."""
    with file.open(encoding=encoding, newline="") as lines:
        to.write_text("".join(filter(is_kept, lines)), encoding=encoding, newline="")
    return to


def _sold(sale: Sale) -> Message:
    at = datetime.combine(sale.day, time(12), UTC)
    line = {
        "lineId": "1",
        "sku": "cd",
        "quantity": str(sale.pieces),
        "net": _money(sale.cents, "USD"),
    }
    body = {
        "purchase": {"source": "cdnow", "id": str(sale.row)},
        "occurredAt": _moment(at),
        "localDate": _day(sale.day),
        "lines": [line],
    }
    return Message("purchase", sale.customer, at, body)


def _bought(slip: Slip) -> Message:
    lines = [{**_thing(row), "lineId": str(row.number), "net": _gbp(row)} for row in slip.rows]
    key = {"source": "uci", "id": slip.invoice}
    return Message("purchase", slip.customer, slip.at, {"purchase": key, **_rest(slip, lines)})


def _returned(slip: Slip) -> Message:
    lines = [{**_thing(row), "refund": _gbp(row)} for row in slip.rows]
    key = {"source": "uci", "id": slip.invoice}
    body = {"returnKey": key, "currency": "GBP", **_rest(slip, lines)}
    return Message("return", slip.customer, slip.at, body)


def _rest(slip: Slip, lines: list[dict[str, Any]]) -> dict[str, Any]:
    day = slip.at.astimezone(LONDON).date()
    return {"occurredAt": _moment(slip.at), "localDate": _day(day), "lines": lines}


def _thing(row: Row) -> dict[str, Any]:
    return {"sku": row.code, "quantity": str(row.pieces)}


def _gbp(row: Row) -> dict[str, Any]:
    return _money(row.pence, "GBP")


def _money(minor: int, currency: str) -> dict[str, Any]:
    return {
        "currencyCode": currency,
        "units": str(minor // 100),
        "nanos": minor % 100 * 10_000_000,
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}
