"""
The Online Retail slice read by plain Python, and its clients' stages told without our rules.
"""

from __future__ import annotations

import csv

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs


BEGIN = datetime(2009, 12, 1, tzinfo=ZoneInfo("UTC"))
LONDON = ZoneInfo("Europe/London")
UTC = ZoneInfo("UTC")
END = datetime(2011, 1, 1, tzinfo=UTC)
"""The end of the last day of 2010."""


@attrs.frozen(eq=False)
class Row:
    """One row of the file; a row that was taken back has its pieces and pence above 0 too."""

    number: int
    invoice: str
    code: str
    pieces: int
    pence: int
    at: datetime
    day: date
    customer: str


@attrs.frozen(eq=False)
class Slip:
    """All rows of one invoice, in the order of the file, at the time of its first row."""

    invoice: str
    customer: str
    at: datetime
    day: date
    rows: tuple[Row, ...] = attrs.field(repr=False)

    @property
    def is_return(self) -> bool:
        """Whether goods came back."""
        return self.invoice.startswith("C")


def retail_file(folder: Path) -> Path:
    """The file of the slice."""
    return folder / "online_retail_slice" / "online_retail_2009_2010_slice.csv"


def rows(folder: Path) -> list[Row]:
    """Every row of the slice, in the order of the file."""
    return rows_in(retail_file(folder))


def rows_in(path: Path) -> list[Row]:
    """Every row of a file like the slice, in its order."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_row(number, each) for number, each in enumerate(csv.DictReader(file), start=1)]


def _row(number: int, each: dict[str, str]) -> Row:
    pounds, _, pence = each["Price"].partition(".")
    price = int(pounds) * 100 + int((pence + "00")[:2])
    assert len(pence) <= 2, number
    local = datetime.fromisoformat(each["InvoiceDate"]).replace(tzinfo=LONDON)
    pieces = int(each["Quantity"])
    assert (pieces < 0) == each["Invoice"].startswith("C"), number
    return Row(
        number=number,
        invoice=each["Invoice"],
        code=each["StockCode"],
        pieces=abs(pieces),
        pence=abs(pieces) * price,
        at=local.astimezone(UTC),
        day=local.date(),
        customer=each["Customer ID"],
    )


def slips(found: Iterable[Row]) -> list[Slip]:
    """Every invoice, by time, and where that is the same by its first row."""
    by_invoice: defaultdict[str, list[Row]] = defaultdict(list)
    for row in found:
        by_invoice[row.invoice].append(row)
    made = [
        Slip(invoice, own[0].customer, own[0].at, own[0].day, tuple(own))
        for invoice, own in by_invoice.items()
    ]
    return sorted(made, key=lambda slip: (slip.at, slip.rows[0].number))


def ladder(own: list[Slip], end: datetime, silence: int, visits: int) -> list[tuple[Any, ...]]:
    """
    Every step of a client on a ladder with an end, the last one being where it stands at *end*.

    Args:
        own: The client's slips by time.

        end: Up to when.

        silence: Days after the last purchase after which buyers and regulars are former clients.

        visits: Days with a purchase that make a buyer a regular.

    Returns:
        For each step: whether time alone did it, when, from where, to where, and which round.
    """
    steps: list[tuple[Any, ...]] = [("fact", BEGIN, None, "potential", 1)]
    days: set[date] = set()
    last: datetime | None = None

    def fall_silent(now: datetime) -> None:
        gone_at = last and last + timedelta(silence)
        if gone_at and gone_at <= now and steps[-1][3] in {"buyer", "regular"}:
            steps.append(("time", gone_at, steps[-1][3], "former", steps[-1][4]))

    for slip in (slip for slip in own if not slip.is_return):
        fall_silent(slip.at)
        stage, turn = steps[-1][3:]
        last = slip.at
        days.add(slip.day)
        if stage in {"potential", "former"}:
            days = {slip.day}
            steps.append(("fact", slip.at, stage, "buyer", turn + (stage == "former")))
        elif stage == "buyer" and len(days) >= visits:
            steps.append(("fact", slip.at, stage, "regular", turn))
    fall_silent(end)
    return steps


def presets(own: list[Slip]) -> tuple[str, str]:
    """Where a client stands in the five stages (by orders) and on the six steps (by visits)."""
    bought = [slip for slip in own if not slip.is_return]
    if not bought:
        return "attraction", "potential"
    visits = len({slip.day for slip in bought})
    return ("loyalty" if len(bought) > 1 else "purchase", "regular" if visits > 1 else "buyer")


def by_customer(found: Iterable[Slip]) -> dict[str, list[Slip]]:
    """Slips by customer, in the order given."""
    made: dict[str, list[Slip]] = {}
    for slip in found:
        made.setdefault(slip.customer, []).append(slip)
    return made
