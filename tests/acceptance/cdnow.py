"""
The CDNOW sample read and counted by plain Python, without any of the rules under test.
"""

from __future__ import annotations

import calendar

from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import attrs


ROOT = Path(__file__).parents[2]
MAPPING = ROOT / "examples" / "mappings" / "cdnow.toml"
DEFINITIONS = Path(__file__).with_name("shop.toml")


@attrs.frozen
class Sale:
    """One row of the file."""

    row: int
    customer: str
    day: date
    pieces: int
    cents: int


def imported(file: Path) -> tuple[object, ...]:
    """Arguments that bring a file in."""
    return ("import", "purchases", file, "--map", MAPPING, "--create-clients", "-o", "json")


def sample(folder: Path) -> Path:
    """The file of the sample."""
    return folder / "cdnow_sample" / "CDNOW_sample.txt"


def sales(folder: Path) -> list[Sale]:
    """Every row of the sample, in the order of the file."""
    return sales_in(sample(folder))


def sales_in(file: Path) -> list[Sale]:
    """Every row of a file like the sample, in its order."""
    found = []
    for row, line in enumerate(file.read_text(encoding="ascii").splitlines(), start=1):
        _, customer, day, pieces, dollars = line.split()
        whole, _, cents = dollars.partition(".")
        found.append(
            Sale(
                row,
                customer,
                date(int(day[:4]), int(day[4:6]), int(day[6:])),
                int(pieces),
                int(whole) * 100 + int((cents + "00")[:2]),
            )
        )
    return found


def year_later(day: date) -> date:
    """The same day of the next year; the last day of February where there is none."""
    last = calendar.monthrange(day.year + 1, day.month)[1]
    return date(day.year + 1, day.month, min(day.day, last))


@attrs.define
class Counts:
    """What the shop should look like at the end of a day."""

    clients: int
    purchases: int
    cents: int
    issued: int
    expired: int
    outstanding: int
    orders: Counter[str]
    days: dict[str, list[date]]


def counts(found: list[Sale], end: date) -> Counts:
    """A point for each whole dollar of a purchase, gone at the end of the day a year later."""
    orders: Counter[str] = Counter()
    days: defaultdict[str, set[date]] = defaultdict(set)
    issued = expired = 0
    for sale in found:
        orders[sale.customer] += 1
        days[sale.customer].add(sale.day)
        points = sale.cents // 100
        issued += points
        if year_later(sale.day) <= end:
            expired += points
    return Counts(
        clients=len(orders),
        purchases=len(found),
        cents=sum(sale.cents for sale in found),
        issued=issued,
        expired=expired,
        outstanding=issued - expired,
        orders=orders,
        days={customer: sorted(each) for customer, each in days.items()},
    )


def ladder(days: list[date], end: date, silence: int) -> str:
    """
    Stage of a client on the six-step ladder whose buyers and regulars leave after *silence* days.

    A former client that buys again is a buyer, and regular at the next visit.
    """
    stage = "potential"
    previous = None
    for day in days:
        if previous is not None and day - previous >= timedelta(silence):
            stage = "former"
        stage = "regular" if stage in {"buyer", "regular"} else "buyer"
        previous = day
    if previous is not None and end - previous >= timedelta(silence):
        stage = "former"
    return stage


def expected(found: list[Sale], end: date) -> dict[str, Any]:
    """
    All figures of the shop at the end of a day, none by the rules under test.

    Args:
        found: Every sale.

        end: The day.
    """
    told = counts(found, end)
    several = sum(orders > 1 for orders in told.orders.values())
    days = sum(len(own) > 1 for own in told.days.values())
    once, one_day = told.clients - several, told.clients - days
    return {
        "clients": told.clients,
        "unowned": told.clients,
        **dict.fromkeys(("prospects", "erased", "owned", "orphaned"), 0),
        "several_purchases": several,
        "several_days": days,
        "stages": {
            "clm": {"loyalty": several, "purchase": once},
            "efremova": {"buyer": one_day, "regular": days},
            "ladder": dict(Counter(ladder(own, end, 180) for own in told.days.values())),
        },
        "trade": {
            "purchases": told.purchases,
            "pieces": sum(sale.pieces for sale in found),
            "revenue": {"USD": told.cents},
            **dict.fromkeys(NO_RETURNS, 0),
            "refunds": {},
            "refunds_unmatched": {},
        },
        "points": {
            **dict.fromkeys(NO_POINTS, 0),
            "issued": told.issued,
            "expired": told.expired,
            "outstanding": told.outstanding,
        },
    }


NO_RETURNS = ("returns", "lines_matched", "lines_unmatched", "pieces_matched", "pieces_unmatched")

NO_POINTS = (
    *("granted", "withdrawn", "spent", "restored"),
    *("revoked", "forgiven", "deducted", "debt"),
)
"""What no sale of the sample leads to."""
