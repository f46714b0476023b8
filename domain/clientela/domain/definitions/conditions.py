"""
Conditions: the closed vocabulary in which definitions speak of a client's behaviour.

In TOML a condition is a table with one key, its tag:

    when = { purchases = { at_least = 2 } }
    when = { all = [ { signal = "recommends" }, { not = { left = {} } } ] }
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any as Any_
from typing import TypeVar, dataclass_transform

import attrs

from clientela.domain.calendar import DAYS_MAX
from clientela.domain.errors import InvalidValueError
from clientela.domain.facts import Direction
from clientela.domain.ids import Code
from clientela.domain.money import Money


COUNT_MAX = 10_000
"""Largest count a condition may ask for."""

OPERANDS_MAX = 32
"""Operands of one `all` or `any`, kinds or causes of one condition."""

CONDITIONS: dict[str, type[object]] = {}
"""Every condition class by its tag."""

SCALARS: dict[str, str] = {"signal": "name"}
"""Conditions that may be written as a bare value, and the field it fills."""

OPERANDS: dict[str, str] = {"all": "operands", "any": "operands", "not": "operand"}
OPERANDS["in_stage"] = "operand"
"""Conditions made of conditions, and the field that holds these."""

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(attrs.field, attrs.Factory))
def _condition(tag: str) -> Callable[[type[_T]], type[_T]]:
    def decorate(cls: type[_T]) -> type[_T]:
        made = attrs.frozen(cls)
        CONDITIONS[tag] = made
        return made

    return decorate


def _within(least: int, most: int) -> Callable[[object, attrs.Attribute[int], int], None]:
    def check(_instance: object, attribute: attrs.Attribute[int], value: int) -> None:
        if not least <= value <= most:
            raise InvalidValueError(attribute.name, f"{least} to {most}")

    return check


def _sized(least: int, most: int) -> Callable[[object, attrs.Attribute[Any_], Any_], None]:
    def check(_instance: object, attribute: attrs.Attribute[Any_], value: Any_) -> None:
        if not least <= len(value) <= most:
            raise InvalidValueError(attribute.name, f"{least} to {most} of them")

    return check


_COUNT = _within(0, COUNT_MAX)
_DAYS = _within(1, DAYS_MAX)
_FEW = _sized(0, OPERANDS_MAX)
_SOME = _sized(1, OPERANDS_MAX)


def _check_range(at_least: int | None, at_most: int | None) -> None:
    if at_least is None and at_most is None:
        raise InvalidValueError("at_least", "at_least, at_most or both")
    if at_least is not None and at_most is not None and at_least > at_most:
        raise InvalidValueError("at_most", "no less than at_least")


@_condition("purchases")
class Purchases:
    """
    How often the client bought; a purchase that came back still counts as made.

    Attributes:
        at_least: 0 to `COUNT_MAX`; at least one of the two bounds is given.

        at_most: 0 to `COUNT_MAX`.

        on_distinct_days: Whether calendar days with a purchase are counted instead of purchases.
    """

    at_least: int | None = attrs.field(default=None, validator=attrs.validators.optional(_COUNT))
    at_most: int | None = attrs.field(default=None, validator=attrs.validators.optional(_COUNT))
    on_distinct_days: bool = False

    def __attrs_post_init__(self) -> None:
        _check_range(self.at_least, self.at_most)


@_condition("approaches")
class Approaches:
    """
    How often the client turned to us, «обращение» (LIFE-20): purchases, and interactions of any
    purpose that the client began, service visits and renewals among them.

    Attributes:
        at_least: 0 to `COUNT_MAX`.

        on_distinct_days: Whether calendar days are counted, so that two receipts of one visit are
            one approach.
    """

    at_least: int = attrs.field(validator=_COUNT)
    on_distinct_days: bool = False


@_condition("spent")
class Spent:
    """
    What the client paid, less refunds, in one currency.

    Attributes:
        at_least: The sum, for instance `500.00 EUR`.
    """

    at_least: Money


@_condition("idle_for")
class IdleFor:
    """
    The client has not approached us for so long; counted from the begin while there is no approach.

    Attributes:
        days: Times 24 hours, 1 to `DAYS_MAX`.
    """

    days: int = attrs.field(validator=_DAYS)


@_condition("signal")
class Signal:
    """
    A named signal holds (LIFE-17, LIFE-22): it was recorded and not taken back.

    Attributes:
        name: Code of the company's list.
    """

    name: Code


@_condition("interactions")
class Interactions:
    """
    How many interactions there were.

    Attributes:
        at_least: 0 to `COUNT_MAX`.

        kinds: Which kinds; all when empty.

        direction: Who began them; anybody when absent.
    """

    at_least: int = attrs.field(validator=_COUNT)
    kinds: tuple[Code, ...] = attrs.field(default=(), validator=_FEW)
    direction: Direction | None = None


@_condition("left")
class Left:
    """
    The client left and has not bought since (LIFE-23).

    Attributes:
        causes: For one of these causes; for any when empty.
    """

    causes: tuple[Code, ...] = attrs.field(default=(), validator=_FEW)


@_condition("conflict_handled_well")
class ConflictHandledWell:
    """The last conflict is over and was handled well (LIFE-21)."""


@_condition("stage_is")
class StageIs:
    """
    The client is in a stage; for other rule sets, not for the lifecycle itself.

    Attributes:
        model: Lifecycle model.

        stage: Its stage.
    """

    model: Code
    stage: Code


@_condition("in_stage_for")
class InStageFor:
    """
    The client has been in the present stage for so long (LIFE-16, LIFE-18).

    Attributes:
        days: Times 24 hours, 1 to `DAYS_MAX`.
    """

    days: int = attrs.field(validator=_DAYS)


@_condition("in_stage")
class InStage:
    """
    A condition asked of what happened in the present stage only, from the fact that led into it on,
    that fact included.

    Attributes:
        operand: The condition.
    """

    operand: Condition


@_condition("all")
class All:
    """
    Every operand holds.

    Attributes:
        operands: 1 to `OPERANDS_MAX`.
    """

    operands: tuple[Condition, ...] = attrs.field(validator=_SOME)


@_condition("any")
class Any:
    """
    At least one operand holds.

    Attributes:
        operands: 1 to `OPERANDS_MAX`.
    """

    operands: tuple[Condition, ...] = attrs.field(validator=_SOME)


@_condition("not")
class Not:
    """
    The operand does not hold.

    Attributes:
        operand: The condition.
    """

    operand: Condition


Leaf = (
    Purchases
    | Approaches
    | Spent
    | IdleFor
    | Signal
    | Interactions
    | Left
    | ConflictHandledWell
    | StageIs
    | InStageFor
)
"""A condition that is not made of conditions."""

Condition = Leaf | All | Any | Not | InStage
"""Any condition."""


def leaves(condition: Condition) -> tuple[Leaf, ...]:
    """The conditions that *condition* is made of in the end, from left to right."""
    match condition:
        case All(operands=operands) | Any(operands=operands):
            return tuple(leaf for operand in operands for leaf in leaves(operand))
        case Not(operand=operand) | InStage(operand=operand):
            return leaves(operand)
        case _:
            return (condition,)
