"""
What a company may set about purchases and returns.
"""

from __future__ import annotations

import attrs

from clientela.domain.calendar import DAYS_MAX


_DAYS = attrs.validators.and_(attrs.validators.ge(0), attrs.validators.le(DAYS_MAX))


@attrs.frozen(kw_only=True)
class PurchasePolicy:
    """
    Settings of purchases, section `[purchase]` of the definitions.

    Attributes:
        returnable_days: Calendar days after the purchase during which lines may come back and are
            matched, 0 to `DAYS_MAX`; None, the default, without limit. Later returns are recorded
            as unmatched.
    """

    returnable_days: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(_DAYS)
    )
