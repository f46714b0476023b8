"""
A random life of one wallet, step by step beside the model, every invariant checked on the way.

The checks are kept by the number of their invariant, so that each can be run alone: that is how
the seeded mutants show that every check catches its own kind of mistake.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import ClassVar

import attrs

from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import booleans, integers, sampled_from

from clientela.domain.context import Definitions, DefinitionVersion
from clientela.domain.ids import Code
from clientela.domain.loyalty.adjustment import AdjustPoints
from clientela.domain.loyalty.programme import Award, Programme, Rounding, Shortfall
from clientela.domain.loyalty.spending import SpendPoints
from tests.domain.loyalty.checks import CHECKS, Glance
from tests.domain.loyalty.model import Model
from tests.domain.loyalty.shop import (
    WALLET,
    Shop,
    Write,
    bought,
    key,
    line,
    matched,
    programme,
    returned,
)


BERLIN = "Europe/Berlin"

STEPS = 20
"""Steps of one life."""


def _terms(
    per_line: int, basket: tuple[int, int], months: int | None, policy: Shortfall, zone: str
) -> tuple[Programme, dict[str, object]]:
    """A programme, and the same in the model's words."""
    awards = [Award(points=per_line, per_minor=100, rounding=Rounding.LINE)] if per_line else []
    if basket[0]:
        awards.append(Award(points=basket[0], per_minor=basket[1], rounding=Rounding.BASKET))
    made = programme(
        awards=tuple(awards),
        expires_after_months=months,
        never_expires=months is None,
        shortfall=policy,
        zone=Code(zone),
    )
    said: dict[str, object] = {
        "line": Fraction(per_line, 100),
        "basket": Fraction(*basket),
        "months": months,
        "shortfall": policy.value,
        "zone": zone,
    }
    return made, said


PROGRAMMES = (
    _terms(1, (0, 1), 1, Shortfall.DEBT, BERLIN),
    _terms(1, (1, 70), 2, Shortfall.DEBT, "America/Sao_Paulo"),
    _terms(0, (1, 130), 3, Shortfall.CLAMP, BERLIN),
    _terms(2, (0, 1), None, Shortfall.DEBT, "Pacific/Apia"),
    _terms(1, (1, 300), 1, Shortfall.DEDUCT_FROM_REFUND, "UTC"),
)

Basket = dict[str, tuple[int, int]]
"""Quantity and price in minor units by line."""

BASKETS: tuple[Basket, ...] = (
    {"a": (1, 1000)},
    {"a": (3, 1000)},
    {"a": (2, 250), "b": (1, 1999)},
    {"a": (3, 333), "b": (2, 333), "c": (1, 334)},
    {"b": (7, 700), "a": (2, 0)},
    {"a": (1, 40)},
    {"c": (2, 1500), "a": (1, 99), "b": (1, 1)},
)

GIVEN = datetime(2026, 1, 30, 22, 30, tzinfo=UTC)


class LedgerMachine(RuleBasedStateMachine):
    """Petra's wallet; the ledger and the model side by side."""

    checked: ClassVar[tuple[str, ...]] = tuple(CHECKS)
    first_terms: ClassVar[int | None] = None

    @initialize(terms=sampled_from(range(len(PROGRAMMES))), basket=sampled_from(BASKETS))
    def open(self, terms: int, basket: Basket) -> None:
        terms = terms if self.first_terms is None else self.first_terms
        made, _ = PROGRAMMES[terms]
        self.shop = Shop(made)
        self.shop.at(GIVEN)
        self.terms = [(datetime(1970, 1, 1, tzinfo=UTC), terms)]
        self.model = Model(GIVEN)
        self.sold: list[tuple[str, Write]] = []
        self.asked: list[SpendPoints | AdjustPoints] = []
        self.number = 0
        self.glance = Glance(self.shop, self.model)
        self._buy(basket, 0, 0, points=0)

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _says(self, when: datetime) -> dict[str, object]:
        begun = [terms for start, terms in self.terms if start <= when]
        return PROGRAMMES[begun[-1]][1]

    def _available(self) -> int:
        return len(self.model.free())

    @rule(
        basket=sampled_from(BASKETS),
        late=sampled_from((0, 0, 0, 5, 35, 70)),
        voucher=sampled_from((0, 0, 0, 101)),
    )
    def buy(self, basket: Basket, late: int, voucher: int) -> None:
        self._buy(basket, late, voucher, points=0)

    @rule(
        basket=sampled_from(BASKETS),
        tenths=sampled_from((1, 4, 10)),
        spent_first=booleans(),
        covers=sampled_from((1, 1, 1, 2)),
    )
    def buy_with_points(self, basket: Basket, tenths: int, spent_first: bool, covers: int) -> None:
        """A till that takes points, and one that takes fewer than it says."""
        tendered = -(-self._available() * tenths // 10)
        points = tendered // covers
        if not points:
            return
        number = f"p{len(self.sold):03}"
        pay = SpendPoints(
            wallet_id=WALLET, spend=key(f"s{self._next()}"), points=points, purchase=key(number)
        )
        if spent_first:
            self._ask(pay, points, number)
        self._buy(basket, 0, 0, tendered)
        if not spent_first:
            self._ask(pay, min(points, self._available()), number)

    def _buy(self, basket: Basket, late: int, voucher: int, points: int) -> None:
        number = f"p{len(self.sold):03}"
        total = sum(price for _, price in basket.values())
        voucher = min(voucher, total)
        in_points = min(points * 10, total)
        when = self.shop.now - timedelta(days=late)
        lines = (line(name, price, quantity) for name, (quantity, price) in basket.items())
        fact = bought(number, *lines, points=points, points_minor=in_points, voucher_minor=voucher)
        command = Write((fact,), when)
        self.sold.append((number, command))
        self.model.buy(number, basket, voucher + in_points, points, when, self._says(when))
        self.glance.run(command)

    @precondition(lambda self: self.sold)
    @rule(which=integers(0, 30))
    def hear_of_a_purchase_twice(self, which: int) -> None:
        _, command = self.sold[which % len(self.sold)]
        self.glance.run(command)

    @rule(fifths=sampled_from((5, 5, 3, 1, 0, 6)))
    def spend(self, fifths: int) -> None:
        """Nothing, some, all, or one too many."""
        points = self._available() + 1 if fifths > 5 else self._available() * fifths // 5
        command = SpendPoints(wallet_id=WALLET, spend=key(f"s{self._next()}"), points=points)
        self._ask(command, points, None)

    def _ask(self, command: SpendPoints, points: int, purchase: str | None) -> None:
        command = attrs.evolve(command, points=points)
        available = self._available()
        fits = self.model.is_open and 0 < points and self.model.spend(points, purchase)
        self.glance.run(command, may=fits, available=available)
        if fits:
            self.asked.append(command)

    @precondition(lambda self: self.asked)
    @rule(which=integers(0, 30), same=booleans())
    def ask_again(self, which: int, same: bool) -> None:
        """The same identity: nothing happens with the same body, an error with another."""
        command = self.asked[which % len(self.asked)]
        if not same:
            command = attrs.evolve(command, points=command.points + 1)
        self.glance.repeat(command, same=same)

    @precondition(lambda self: self.model.is_open)
    @rule(
        points=sampled_from((1, 7, 40)),
        priority=sampled_from((-1, 0, 1)),
        days=sampled_from((None, 0, 20, 200)),
    )
    def grant(self, points: int, priority: int, days: int | None) -> None:
        number = f"g{self._next()}"
        zone = str(self._says(self.shop.now)["zone"])
        last, expires = self._ends(days, zone)
        command = AdjustPoints(
            wallet_id=WALLET,
            adjustment=key(number),
            points=points,
            reason=Code("goodwill"),
            expires_on=last,
            priority=priority,
        )
        self.model.grant(number, points, priority, expires)
        self.glance.run(command)
        self.asked.append(command)

    def _ends(self, days: int | None, zone: str) -> tuple[date | None, datetime | None]:
        says = self._says(self.shop.now)
        return self.glance.grant_ends(days, zone, says)

    @precondition(lambda self: self.model.is_open)
    @rule(points=sampled_from((1, 25)))
    def withdraw(self, points: int) -> None:
        command = AdjustPoints(
            wallet_id=WALLET,
            adjustment=key(f"w{self._next()}"),
            points=-points,
            reason=Code("correction"),
        )
        available = self._available()
        fits = self.model.withdraw(points)
        self.glance.run(command, may=fits, available=available)
        if fits:
            self.asked.append(command)

    @precondition(lambda self: self.sold)
    @rule(which=integers(0, 30), name=sampled_from("abc"), quantity=integers(1, 3))
    def bring_back_pieces(self, which: int, name: str, quantity: int) -> None:
        number, _ = self.sold[-1 - which % len(self.sold)]
        self.model.bring_back({number: {name: quantity}})
        self.glance.run(Write((returned(f"r{self._next()}", (number, name, quantity)),)))

    @precondition(lambda self: self.sold)
    @rule(which=integers(0, 30), how_many=integers(1, 2))
    def bring_back_everything(self, which: int, how_many: int) -> None:
        numbers = {self.sold[-1 - (which + i) % len(self.sold)][0] for i in range(how_many)}
        self.model.bring_back({n: dict.fromkeys("cba", 9) for n in numbers})
        wanted = ((n, name, 9) for n in numbers for name in "cba")
        self.glance.run(Write((returned(f"r{self._next()}", *wanted),)))

    @rule(quantity=integers(1, 2))
    def bring_back_early(self, quantity: int) -> None:
        """Pieces of the next purchase come back before it is heard of."""
        number = f"p{len(self.sold):03}"
        self.model.come_back_early(number, {"a": quantity})
        self.glance.run(Write((matched(f"r{self._next()}", (number, "a", quantity)),)))

    @rule(hours=sampled_from((1, 25, 24 * 9, 24 * 31, 24 * 70)), watched=booleans())
    def pass_time(self, hours: int, watched: bool) -> None:
        """The clock moves; points expire on time, or when somebody next looks."""
        now = self.shop.now + timedelta(hours=hours)
        self.glance.before_time(now)
        self.model.pass_time(now)
        if watched:
            self.shop.advance(now)
            self.glance.catch_up()
        else:
            self.shop.at(now)

    @rule(terms=sampled_from(range(len(PROGRAMMES))))
    def change_programme(self, terms: int) -> None:
        made, _ = PROGRAMMES[terms]
        versions = self.shop.definitions.versions
        version = DefinitionVersion(len(versions) + 1, self.shop.now, {Programme: made})
        self.shop.definitions = Definitions((*versions, version))
        self.terms.append((self.shop.now, terms))

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "glance"):
            for name in self.checked:
                CHECKS[name](self.glance)
            self.glance.forget()

    def teardown(self) -> None:
        if hasattr(self, "glance"):
            self.glance.close(self.checked)


def live(first_terms: int, lives: int) -> None:
    """
    Live random lives that begin under one programme, every invariant checked at every step.

    Args:
        first_terms: Which of `PROGRAMMES`.

        lives: How many.
    """
    run_state_machine_as_test(
        type("Life", (LedgerMachine,), {"first_terms": first_terms}),
        settings=settings(
            max_examples=max(1, lives),
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
