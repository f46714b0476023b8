"""
What a company may set about points: how they are earned, kept, spent and taken back (LOY-10).

The source texts leave rate, expiry and exchange rate open, so none of them has a hidden default:
a programme that awards points states its currency, its expiry and what happens on a shortfall.
"""

from __future__ import annotations

import enum

from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs

from clientela.domain.calendar import DAYS_MAX, MONTHS_MAX, add_months, day_end, local_day, zone
from clientela.domain.errors import InvalidValueError
from clientela.domain.facts import Line
from clientela.domain.ids import Code
from clientela.domain.money import AMOUNT_MINOR_MAX, Money


AWARDS_MAX = 32
FACTORS_MAX = 1000
RATE_MAX = 10**9
PERCENT_MAX = 100_000
WHOLE_PERCENT = 100

UTC = Code("UTC")


class Enrol(enum.Enum):
    """How a client comes to have a wallet."""

    ON_REQUEST = "on-request"
    ON_FIRST_PURCHASE = "on-first-purchase"


class Shortfall(enum.Enum):
    """What happens when points to be taken back on a return are no longer there."""

    DEBT = "debt"
    """They are owed; whatever comes next repays them first."""

    CLAMP = "clamp"
    """They are forgiven."""

    DEDUCT_FROM_REFUND = "deduct-from-refund"
    """Their worth in money is told, to be kept back from the refund."""


class Rounding(enum.Enum):
    """Where an award drops fractions of a point; always downwards."""

    LINE = "line"
    """On each line."""

    BASKET = "basket"
    """Once for the whole purchase; its points are split over the lines by largest remainder."""


def _between(least: int, most: int) -> Callable[[Any, Any, int], None]:
    return attrs.validators.and_(attrs.validators.ge(least), attrs.validators.le(most))


@attrs.frozen(kw_only=True)
class Factor:
    """
    Another rate for some goods.

    Attributes:
        percent: Of the award's rate: 200 doubles, 0 excludes; 0 to `PERCENT_MAX`.

        skus: Articles it holds for.

        categories: Groups of goods it holds for.
    """

    percent: int = attrs.field(validator=_between(0, PERCENT_MAX))
    skus: tuple[Code, ...] = ()
    categories: tuple[Code, ...] = ()

    def holds_for(self, line: Line) -> bool:
        """Whether *line* is among the goods named."""
        return line.sku in self.skus or line.category in self.categories


@attrs.frozen(kw_only=True)
class Award:
    """
    Points for money paid: *points* for each *per_minor* minor units of the programme's currency.

    Attributes:
        points: 1 to `RATE_MAX`.

        per_minor: 1 to `RATE_MAX`.

        rounding: Where fractions of a point are dropped.

        factors: Other rates for some goods; the first that holds counts. At most `FACTORS_MAX`.
    """

    points: int = attrs.field(validator=_between(1, RATE_MAX))
    per_minor: int = attrs.field(validator=_between(1, RATE_MAX))
    rounding: Rounding
    factors: tuple[Factor, ...] = attrs.field(
        default=(), validator=attrs.validators.max_len(FACTORS_MAX)
    )

    def percent(self, line: Line) -> int:
        """What of the rate *line* gets."""
        held = (factor.percent for factor in self.factors if factor.holds_for(line))
        return next(held, WHOLE_PERCENT)


@attrs.frozen(kw_only=True)
class Spending:
    """
    What points are worth as tender: *points* pay *worth_minor* minor units.

    Attributes:
        points: 1 to `RATE_MAX`.

        worth_minor: 1 to `RATE_MAX`, of the programme's currency.
    """

    points: int = attrs.field(validator=_between(1, RATE_MAX))
    worth_minor: int = attrs.field(validator=_between(1, RATE_MAX))


@attrs.frozen(kw_only=True)
class PointValue:
    """
    What points are worth in money, pinned in what happened under it.

    Attributes:
        points: 1 or more.

        worth: What they are worth together.
    """

    points: int
    worth: Money

    def of(self, points: int) -> Money:
        """What *points* are worth, rounded down, at most the largest amount there is."""
        minor = points * self.worth.minor // self.points
        return Money(min(minor, AMOUNT_MINOR_MAX), self.worth.currency)


@attrs.frozen(kw_only=True)
class Programme:
    """
    Settings of points, section `[loyalty]` of the definitions; without one nothing is earned.

    Attributes:
        currency: ISO 4217 code of the purchases that count; required with awards or spending.

        zone: IANA time zone in which days begin and end, the same for every branch.

        enrol: How a client comes to have a wallet.

        awards: How points are earned; several add up. At most `AWARDS_MAX`.

        expires_after_months: Calendar months after which points expire, at the end of that day in
            *zone*, 1 to `MONTHS_MAX`; required with awards unless *never_expires*.

        never_expires: Whether points last for ever.

        shortfall: What happens when points to be taken back are gone; required with awards.

        spending: What points are worth as tender; None means that they cannot be spent.

        retro_days: Days after which a purchase that arrives late earns nothing; None without limit.

    Raises:
        InvalidValueError: something required is not stated, or two settings contradict each other.
    """

    currency: Code | None = None
    zone: Code = UTC
    enrol: Enrol = Enrol.ON_REQUEST
    awards: tuple[Award, ...] = attrs.field(
        default=(), validator=attrs.validators.max_len(AWARDS_MAX)
    )
    expires_after_months: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(_between(1, MONTHS_MAX))
    )
    never_expires: bool = False
    shortfall: Shortfall | None = None
    spending: Spending | None = None
    retro_days: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(_between(0, DAYS_MAX))
    )

    def __attrs_post_init__(self) -> None:
        zone(self.zone)
        if self.never_expires and self.expires_after_months is not None:
            raise InvalidValueError("never_expires", "no expires_after_months beside it")
        if self.currency is not None:
            Money.zero(self.currency)
        elif self.awards or self.spending:
            raise InvalidValueError("currency", "stated, where points are earned or spent")
        if self.awards and not self.never_expires and self.expires_after_months is None:
            raise InvalidValueError("expires_after_months", "stated, or never_expires")
        if self.awards and self.shortfall is None:
            raise InvalidValueError("shortfall", "stated, where points are earned")
        if self.shortfall is Shortfall.DEDUCT_FROM_REFUND and self.spending is None:
            raise InvalidValueError("spending", "stated, where a shortfall is deducted as money")

    def expires_at(self, effective_at: datetime) -> datetime | None:
        """
        First instant at which points effective since *effective_at* are gone; None means never.

        A month without that day of the month ends them on its last day.
        """
        if self.expires_after_months is None:
            return None
        where = zone(self.zone)
        last_day = add_months(local_day(effective_at, where), self.expires_after_months)
        return day_end(last_day, where)

    @property
    def point_value(self) -> PointValue | None:
        """What points are worth as tender; None where they cannot be spent."""
        if self.spending is None or self.currency is None:
            return None
        worth = Money(self.spending.worth_minor, self.currency)
        return PointValue(points=self.spending.points, worth=worth)
