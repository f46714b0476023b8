"""
What a company may set about interactions.
"""

from __future__ import annotations

import attrs

from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import Code


LEAVING_CAUSES = tuple(
    Code(code)
    for code in (
        "moved-away",
        "income-changed",
        "staff-brought-own-suppliers",
        "changed-requirements",
        "better-alternative",
        "dissatisfied",
        "advertising-did-not-catch",
        "terms-not-as-expected",
        "other",
    )
)
"""Causes of leaving that the source names (LIFE-23, LIFE-24)."""

CONFLICT_CAUSES = tuple(
    Code(code) for code in ("habituation", "error", "alternative-offer", "other")
)
"""Causes of a conflict that the source names (LIFE-21)."""


@attrs.frozen(kw_only=True)
class InteractionPolicy:
    """
    Settings of interactions, section `[interaction]` of the definitions.

    Attributes:
        leaving_causes: Causes of leaving besides `LEAVING_CAUSES`.

        conflict_causes: Causes of a conflict besides `CONFLICT_CAUSES`.
    """

    leaving_causes: tuple[Code, ...] = ()
    conflict_causes: tuple[Code, ...] = ()

    @property
    def all_leaving_causes(self) -> tuple[Code, ...]:
        """Every cause of leaving that may be recorded."""
        return (*LEAVING_CAUSES, *self.leaving_causes)

    @property
    def all_conflict_causes(self) -> tuple[Code, ...]:
        """Every cause of a conflict that may be recorded."""
        return (*CONFLICT_CAUSES, *self.conflict_causes)


def check_listed(field: str, given: tuple[Code, ...], listed: tuple[Code, ...]) -> None:
    """
    Check that everything *given* in *field* is among *listed*.

    Raises:
        InvalidValueError: something is not.
    """
    if any(code not in listed for code in given):
        raise InvalidValueError(field, f"of {', '.join(listed)}")
