"""
The points ledger once more, written apart from it: a bag of single points, each with its fate.

Nothing here is taken from the ledger but the facts it hears and the programme's settings. Slow,
plain, and wrong in other ways than the ledger if it is wrong.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo


FREE = "free"
SPENT = "spent"
EXPIRED = "expired"
REVOKED = "revoked"
REPAID = "repaid"
WITHDRAWN = "withdrawn"

FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


class Point:
    """One point: which lot it came in, when it goes, and what became of it."""

    __slots__ = ("excused", "expires", "fate", "lot", "paid_for", "rank")

    def __init__(self, lot: str, priority: int, since: datetime, expires: datetime | None) -> None:
        self.lot = lot
        self.expires = expires
        self.rank = (priority, expires or FOR_EVER, since, lot)
        self.fate = FREE
        self.paid_for: str | None = None
        self.excused = False


class Bought:
    """What the model remembers of a purchase."""

    def __init__(self, policy: str) -> None:
        self.policy = policy
        self.quantity: dict[str, int] = {}
        self.earned: dict[str, int] = {}
        self.back: Counter[str] = Counter()
        self.revoked: Counter[str] = Counter()
        self.paid: dict[str, int] = {}
        self.restored: Counter[str] = Counter()


class Model:
    """Petra's wallet."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.points: list[Point] = []
        self.bought: dict[str, Bought] = {}
        self.early: dict[str, list[dict[str, int]]] = {}
        self.owed = 0
        self.totals: Counter[str] = Counter()
        self.is_open = False

    # Time.

    def pass_time(self, to: datetime) -> None:
        self.now = to
        self._expire()

    def _expire(self) -> None:
        for point in self.points:
            if point.fate == FREE and point.expires is not None and point.expires <= self.now:
                point.fate = EXPIRED
                self.totals["expired"] += 1

    # Points come.

    def buy(
        self,
        number: str,
        goods: dict[str, tuple[int, int]],
        not_money: int,
        tendered: int,
        when: datetime,
        rules: dict[str, object],
    ) -> None:
        """*goods* are quantity and price by line; *not_money* minor units were paid otherwise."""
        if number in self.bought:
            return
        self.is_open = True
        bought = self.bought[number] = Bought(str(rules["shortfall"]))
        prices = {name: price for name, (_, price) in goods.items()}
        bought.quantity = {name: quantity for name, (quantity, _) in goods.items()}
        other = share_out(min(not_money, sum(prices.values())), prices)
        base = {name: prices[name] - other[name] for name in goods}
        bought.earned = award(base, rules)
        bought.paid = share_out(tendered, prices)
        ends = end_of_month_days(when, rules)
        for name, earned in bought.earned.items():
            self._mint(earned, f"{number}/{name}", 0, when, ends)
            self.totals["issued"] += earned
        self._come_in()
        for pieces in self.early.pop(number, []):
            self.bring_back({number: pieces})

    def grant(self, lot: str, points: int, priority: int, expires: datetime | None) -> None:
        self._mint(points, lot, priority, self.now, expires)
        self.totals["granted"] += points
        self._come_in()

    def _mint(
        self, count: int, lot: str, priority: int, since: datetime, expires: datetime | None
    ) -> None:
        self.points.extend(Point(lot, priority, since, expires) for _ in range(count))

    def _come_in(self) -> None:
        """Whatever came is too late, or owed, or there to be spent: in that order."""
        self._expire()
        repaid = self._take(self.owed, REPAID)
        self.owed -= repaid
        self.totals["debt_repaid"] += repaid

    # Points go.

    def free(self) -> list[Point]:
        return sorted((p for p in self.points if p.fate == FREE), key=lambda p: p.rank)

    def _take(self, count: int, fate: str, paid_for: str | None = None) -> int:
        taken = self.free()[:count]
        for point in taken:
            point.fate = fate
            point.paid_for = paid_for
        return len(taken)

    def spend(self, count: int, purchase: str | None) -> bool:
        if count > len(self.free()):
            return False
        self.totals["captured"] += self._take(count, SPENT, purchase)
        return True

    def withdraw(self, count: int) -> bool:
        if count > len(self.free()):
            return False
        self.totals["withdrawn"] += self._take(count, WITHDRAWN)
        return True

    # Goods come back.

    def bring_back(self, returned: dict[str, dict[str, int]]) -> None:
        """*returned* are pieces by line by purchase."""
        known = {n: pieces for n, pieces in sorted(returned.items()) if n in self.bought}
        counted = {n: self._count(self.bought[n], pieces) for n, pieces in known.items()}
        for number, before in counted.items():
            self._restore(number, before)
        for number, before in counted.items():
            self._revoke(number, before)

    def come_back_early(self, number: str, pieces: dict[str, int]) -> None:
        if not self.is_open:
            return
        if number in self.bought:
            self.bring_back({number: pieces})
        else:
            self.early.setdefault(number, []).append(pieces)

    def _count(self, bought: Bought, pieces: dict[str, int]) -> list[str]:
        """Count the pieces as returned; the lines that are touched."""
        touched = []
        for name, quantity in sorted(pieces.items()):
            room = bought.quantity.get(name, 0) - bought.back[name]
            if min(quantity, room) > 0:
                bought.back[name] += min(quantity, room)
                touched.append(name)
        return touched

    def _restore(self, number: str, touched: list[str]) -> None:
        bought = self.bought[number]
        spent = [p for p in self.points if p.fate == SPENT and p.paid_for == number]
        for name in touched:
            due = bought.paid[name] * bought.back[name] // bought.quantity[name]
            give = min(due - bought.restored[name], len(spent) - self._planned)
            bought.restored[name] += give
            self._planned += give
        share = share_out(self._planned, Counter(p.lot for p in spent)) if spent else {}
        for point in spent:
            if share[point.lot]:
                share[point.lot] -= 1
                point.fate, point.paid_for = FREE, None
        self.totals["restored"] += self._planned
        self._planned = 0
        self._come_in()

    _planned = 0

    def _revoke(self, number: str, touched: list[str]) -> None:
        bought = self.bought[number]
        for name in touched:
            due = bought.earned.get(name, 0) * bought.back[name] // bought.quantity[name]
            for _ in range(due - bought.revoked[name]):
                bought.revoked[name] += 1
                self._revoke_one(f"{number}/{name}", bought.policy)

    def _revoke_one(self, lot: str, policy: str) -> None:
        own = [p for p in self.points if p.lot == lot and p.fate == FREE]
        gone = [p for p in self.points if p.lot == lot and p.fate == EXPIRED and not p.excused]
        any_other = self.free()
        if own or (any_other and not gone):
            (own or any_other)[0].fate = REVOKED
            self.totals["revoked"] += 1
        elif gone:
            gone[0].excused = True
        elif policy == "debt":
            self.owed += 1
            self.totals["debt_created"] += 1
        else:
            self.totals["forgiven" if policy == "clamp" else "deducted"] += 1

    # What is there.

    def lots(self) -> dict[str, tuple[int, int, int]]:
        """Points issued, remaining and expired of each lot."""
        issued, remaining, expired = Counter[str](), Counter[str](), Counter[str]()
        for point in self.points:
            issued[point.lot] += 1
            remaining[point.lot] += point.fate == FREE
            expired[point.lot] += point.fate == EXPIRED
        return {lot: (issued[lot], remaining[lot], expired[lot]) for lot in issued}


def share_out(total: int, weights: dict[str, int]) -> dict[str, int]:
    """Hand *total* out one by one, each to who lacks most of the exact share once it is floored."""
    whole = sum(weights.values())
    if not whole:
        weights, whole = dict.fromkeys(weights, 1), len(weights)
    exact = {name: Fraction(total * weight, whole) for name, weight in weights.items()}
    given = {name: int(share) for name, share in exact.items()}
    while sum(given.values()) < total:
        name = min(exact, key=lambda n: (given[n] - exact[n], n))
        given[name] += 1
    return given


def award(base: dict[str, int], rules: dict[str, object]) -> dict[str, int]:
    """Points by line: *line* awards floor each line, *basket* awards floor the sum."""
    per_line, per_basket = rules["line"], rules["basket"]
    assert isinstance(per_line, Fraction)
    assert isinstance(per_basket, Fraction)
    points = {name: int(money * per_line) for name, money in base.items()}
    if per_basket:
        for name, more in share_out(int(sum(base.values()) * per_basket), base).items():
            points[name] += more
    return {name: earned for name, earned in points.items() if earned}


def end_of_month_days(when: datetime, rules: dict[str, object]) -> datetime | None:
    """Midnight after the day that many months on, stepping back where the month is too short."""
    months = rules["months"]
    if months is None:
        return None
    assert isinstance(months, int)
    zone = ZoneInfo(str(rules["zone"]))
    day = when.astimezone(zone).date()
    year, month = day.year + (day.month + months - 1) // 12, (day.month + months) % 12 or 12
    number = day.day
    while True:
        try:
            last = date(year, month, number)
        except ValueError:
            number -= 1
        else:
            break
    following = last + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(UTC)
