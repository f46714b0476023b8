"""
What a company may set about ownership.
"""

from __future__ import annotations

import attrs

from clientela.domain.calendar import DAYS_MAX
from clientela.domain.ids import Code


EMPLOYEE_LEFT = Code("employee-left")
"""Special case of OWN-3; holds only when the owner has left the company."""

CONFLICT = Code("conflict")
"""Special case of OWN-4; holds only when a conflict with the present owner is on record."""

_DAYS = attrs.validators.and_(attrs.validators.ge(1), attrs.validators.le(DAYS_MAX))


@attrs.frozen(kw_only=True)
class OwnershipPolicy:
    """
    Settings of ownership, section `[ownership]` of the definitions.

    Attributes:
        special_cases: Reasons beyond the built-in two for which an owner may be replaced (OWN-5).

        lapses_after_days: Days without an approach of the owner after which ownership ends, 1 to
            `DAYS_MAX`; None, the default, means never: the source knows no lapse.

        may_request: Whether a refused seller is told that a transfer can be requested.
    """

    special_cases: tuple[Code, ...] = ()
    lapses_after_days: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(_DAYS)
    )
    may_request: bool = True

    @property
    def reasons(self) -> tuple[Code, ...]:
        """Every reason for which an owner may be replaced, the built-in ones first."""
        return (EMPLOYEE_LEFT, CONFLICT, *self.special_cases)
