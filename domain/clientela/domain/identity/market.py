"""
Markets: what kind of buyer a client is, so that rules can differ by it (REC-12).

Whether a client is private or corporate is its kind, see `details.ClientKind`.
"""

from __future__ import annotations

from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import Code


CONSUMER = Code("consumer")
INDUSTRIAL = Code("industrial")
RESELLER = Code("reseller")
GOVERNMENT = Code("government")
INTERNATIONAL = Code("international")

MARKETS = (CONSUMER, INDUSTRIAL, RESELLER, GOVERNMENT, INTERNATIONAL)
"""Markets that clients are classed by."""


def check_market(market: Code | None) -> None:
    """
    Check that *market*, if it is known, is one of `MARKETS`.

    Raises:
        InvalidValueError: it is another one.
    """
    if market is not None and market not in MARKETS:
        raise InvalidValueError("market", f"one of {', '.join(MARKETS)}")
