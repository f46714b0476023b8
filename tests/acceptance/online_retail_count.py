"""
Returns and points of the Online Retail slice, counted without any of the rules under test.

Pieces and points are single things here, each a dict of its own with its own fate.
"""

from __future__ import annotations

import calendar

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import attrs

from tests.acceptance.online_retail import LONDON, UTC, Row, Slip


def months_later(at: datetime, months: int) -> datetime:
    """Midnight in London after the day *months* later; the last day of a month that is shorter."""
    day = at.astimezone(LONDON).date()
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    last = date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
    return datetime.combine(last + timedelta(1), time(), LONDON).astimezone(UTC)


Thing = dict[str, Any]
"""One piece or one point."""


@attrs.define(repr=False)
class Count:
    """
    The shop counted piece by piece and point by point, slip by slip in the order of arrival.

    Attributes:
        points: Points for each *per* pence of a row, fractions dropped.

        per: See *points*.

        months: Months after which points are gone, at the end of the day.

        shelf: By customer and code every piece ever bought, the oldest purchase first.

        waiting: By customer the pieces that came back and were not bought as far as is known.

        found: Pieces that came back, by return and row, purchase and row.

        minted: By customer every point ever issued.

        owed: By customer the points owed.

        plan: Points that are to be spent after a purchase, by invoice; None for half of what there
            is after each purchase of an even number.

        spent: Points that were spent, by invoice.

        refused: Invoices after which there were not as many points as planned.

        totals: Sums of points.

        log: What happened to wallets, one tuple for each thing that happened: its name, the
            customer, the moment, and whatever tells it from others.
    """

    points: int = 1
    per: int = 100
    months: int = 6
    shelf: defaultdict[tuple[str, str], list[Thing]] = attrs.field(
        factory=lambda: defaultdict(list)
    )
    waiting: defaultdict[str, list[Thing]] = attrs.field(factory=lambda: defaultdict(list))
    found: Counter[tuple[str, int, str, int]] = attrs.field(factory=Counter)
    minted: defaultdict[str, list[Thing]] = attrs.field(factory=lambda: defaultdict(list))
    owed: Counter[str] = attrs.field(factory=Counter)
    plan: Mapping[str, int] | None = None
    spent: dict[str, int] = attrs.field(factory=dict)
    refused: list[str] = attrs.field(factory=list)
    totals: Counter[str] = attrs.field(factory=Counter)
    log: list[tuple[Any, ...]] = attrs.field(factory=list)
    _came: int = 0
    _back: Counter[str] = attrs.field(factory=Counter)
    _assessed: Counter[str] = attrs.field(factory=Counter)

    def take_in(self, slip: Slip, now: datetime) -> None:
        """A slip arrives at *now*, be it of that moment or late."""
        self.pass_time(slip.customer, now)
        self._came += 1
        pieces: list[Thing] = [
            {"slip": slip, "row": row, "age": (slip.at, self._came), "twin": None}
            for row in slip.rows
            for _ in range(row.pieces)
        ]
        if slip.is_return:
            self._revoke(self._match(pieces))
            self.waiting[slip.customer] += [p for p in pieces if p["twin"] is None]
            self.waiting[slip.customer].sort(key=lambda piece: piece["age"])
        else:
            for piece in pieces:
                self.shelf[slip.customer, piece["row"].code].append(piece)
            for row in slip.rows:
                self.shelf[slip.customer, row.code].sort(key=lambda piece: piece["age"])
            self._issue(slip, now)
            self._revoke(self._match(self.waiting[slip.customer]))
            still = [p for p in self.waiting[slip.customer] if p["twin"] is None]
            self.waiting[slip.customer] = still
            self._spend(slip, now)

    def pass_time(self, customer: str, now: datetime) -> None:
        """What is past its time at *now* is gone, moment by moment."""
        gone = [p for p in self._free(customer) if p["ends"] <= now]
        for moment in sorted({point["ends"] for point in gone}):
            ended = [point for point in gone if point["ends"] == moment]
            self._become("expired", ended)
            self.log.append(("points-expired", customer, moment, _lots(ended)))

    def free(self) -> int:
        """Points that are there."""
        return sum(p["fate"] == "free" for points in self.minted.values() for p in points)

    def _match(self, came: list[Thing]) -> list[tuple[Thing, Thing]]:
        """Each piece that came back is the oldest one like it that was bought by then."""
        pairs = []
        for piece in came:
            for bought in self.shelf[piece["slip"].customer, piece["row"].code]:
                if bought["twin"] is None and bought["slip"].at <= piece["slip"].at:
                    bought["twin"], piece["twin"] = piece, bought
                    pairs.append((piece, bought))
                    break
        for piece, bought in pairs:
            where = (bought["slip"].invoice, bought["row"].number)
            self.found[piece["slip"].invoice, piece["row"].number, *where] += 1
        return pairs

    def _issue(self, slip: Slip, now: datetime) -> None:
        ends = months_later(slip.at, self.months)
        told = []
        for row in sorted(slip.rows, key=lambda row: str(row.number)):
            lot = _lot(slip, row)
            earned = self._earned(row)
            rank = (ends, slip.at, lot)
            self.minted[slip.customer].extend(
                {"lot": lot, "ends": ends, "rank": rank, "fate": "free"} for _ in range(earned)
            )
            self.totals["issued"] += earned
            told += [(lot, row.pieces, earned)] if earned else []
        name = "points-issued" if told else "earning-declined"
        self.log.append((name, slip.customer, slip.at, slip.invoice, tuple(told)))
        self.pass_time(slip.customer, now)
        repaid = self._free(slip.customer)[: self.owed[slip.customer]]
        self.owed[slip.customer] -= len(repaid)
        self._become("repaid", repaid)
        if repaid:
            self.log.append(("debt-repaid", slip.customer, slip.at, _lots(repaid)))

    def _spend(self, slip: Slip, now: datetime) -> None:
        free = self._free(slip.customer)
        half = 0 if int(slip.invoice) % 2 else len(free) // 2
        wanted = half if self.plan is None else self.plan.get(slip.invoice, 0)
        if wanted > len(free):
            self.refused.append(slip.invoice)
        elif wanted:
            self._become("spent", free[:wanted])
            self.spent[slip.invoice] = wanted
            self.log.append(
                ("points-captured", slip.customer, now, slip.invoice, _lots(free[:wanted]))
            )

    def _earned(self, row: Row) -> int:
        return row.pence * self.points // self.per

    def _free(self, customer: str) -> list[Thing]:
        """Points that are there, in the order in which they go: what ends first goes first."""
        free = (point for point in self.minted[customer] if point["fate"] == "free")
        return sorted(free, key=lambda point: point["rank"])

    def _become(self, fate: str, points: Iterable[Thing]) -> None:
        for point in points:
            point["fate"] = fate
            self.totals[fate] += 1

    def _revoke(self, pairs: list[tuple[Thing, Thing]]) -> None:
        """What returned pieces had earned goes, return by return, purchase by purchase."""
        for returned in dict.fromkeys(piece["slip"] for piece, _ in pairs):
            own = [bought for piece, bought in pairs if piece["slip"] is returned]
            for purchase in sorted({b["slip"] for b in own}, key=lambda slip: slip.invoice):
                rows_back = Counter(b["row"] for b in own if b["slip"] is purchase)
                self._revoke_rows(returned, purchase, rows_back)

    def _revoke_rows(self, returned: Slip, purchase: Slip, rows_back: Counter[Row]) -> None:
        told = []
        owed = 0
        for row in sorted(rows_back, key=lambda row: str(row.number)):
            earned, lot = self._earned(row), _lot(purchase, row)
            self._back[lot] += rows_back[row]
            due = earned * self._back[lot] // row.pieces - self._assessed[lot]
            self._assessed[lot] += due
            taken, excused = self._take(purchase.customer, lot, due)
            missing = due - len(taken) - excused
            owed += missing
            told += [(lot, rows_back[row], due, _lots(taken), excused, missing)] if earned else []
        which = (
            purchase.customer,
            returned.at,
            returned.invoice,
            purchase.invoice,
        )
        if told:
            self.log.append(("points-revoked", *which, tuple(told)))
        if owed:
            self.owed[purchase.customer] += owed
            self.totals["owed"] += owed
            self.log.append(("debt-created", *which, owed))

    def _take(self, customer: str, lot: str, due: int) -> tuple[list[Thing], int]:
        """Points of the row itself, then those of it that expired, then whatever is there."""
        own = [p for p in self._free(customer) if p["lot"] == lot][:due]
        gone = [p for p in self.minted[customer] if p["lot"] == lot and p["fate"] == "expired"]
        gone = gone[: due - len(own)]
        self._become("revoked", own)
        for point in gone:
            point["fate"] = "excused"
        other = self._free(customer)[: due - len(own) - len(gone)]
        self._become("revoked", other)
        return own + other, len(gone)


def _lot(slip: Slip, row: Row) -> str:
    return f"{slip.invoice}/{row.number}"


def _lots(points: Iterable[Thing]) -> tuple[tuple[str, int], ...]:
    """Points by lot, in the order in which they went."""
    return tuple(Counter(point["lot"] for point in points).items())
