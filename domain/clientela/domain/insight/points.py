"""
Points: what was issued, spent and lost, by wallet or for the whole company.
"""

from __future__ import annotations

from typing import Any

import attrs

from clientela.domain.loyalty.entries import Account, entries


@attrs.frozen(kw_only=True)
class Points:
    """
    Sums of points, all 0 or more. Points that are due to expire count until they have.

    What is outstanding less debt is issued + granted - withdrawn - spent + restored - expired
    - revoked + forgiven + deducted.

    Attributes:
        issued: Earned by purchases.

        granted: Given by hand.

        withdrawn: Taken by hand.

        spent: Paid with.

        restored: Given back for returned pieces that had been paid for with them.

        expired: Not spent in time.

        revoked: Earned by pieces that came back, whether they could be taken from the wallet or
            became debt, were forgiven or deducted from a refund.

        forgiven: Of those revoked, what nobody bears.

        deducted: Of those revoked, what was deducted from refunds.

        outstanding: In wallets.

        debt: Owed by wallets.
    """

    issued: int = 0
    granted: int = 0
    withdrawn: int = 0
    spent: int = 0
    restored: int = 0
    expired: int = 0
    revoked: int = 0
    forgiven: int = 0
    deducted: int = 0
    outstanding: int = 0
    debt: int = 0

    def after(self, event: Any) -> Points:
        """These sums after *event*; the same for one that moves no points."""
        sums: dict[str, int] = {}
        for entry in entries(event):
            name, sign = _SUMS[entry.account, entry.points > 0]
            before: int = getattr(self, name)
            sums[name] = sums.get(name, before) + sign * abs(entry.points)
        return attrs.evolve(self, **sums) if sums else self


_SUMS: dict[tuple[Account, bool], tuple[str, int]] = {
    (Account.WALLET, True): ("outstanding", 1),
    (Account.WALLET, False): ("outstanding", -1),
    (Account.DEBT, True): ("debt", -1),
    (Account.DEBT, False): ("debt", 1),
    (Account.ISSUANCE, True): ("issued", -1),
    (Account.ISSUANCE, False): ("issued", 1),
    (Account.ADJUSTMENT, True): ("withdrawn", 1),
    (Account.ADJUSTMENT, False): ("granted", 1),
    (Account.REDEMPTION, True): ("spent", 1),
    (Account.REDEMPTION, False): ("restored", 1),
    (Account.BREAKAGE, True): ("expired", 1),
    (Account.BREAKAGE, False): ("expired", -1),
    (Account.REVOCATION, True): ("revoked", 1),
    (Account.REVOCATION, False): ("revoked", -1),
    (Account.FORGIVEN, True): ("forgiven", -1),
    (Account.FORGIVEN, False): ("forgiven", 1),
    (Account.REFUND, True): ("deducted", -1),
    (Account.REFUND, False): ("deducted", 1),
}
"""By account and whether it gained: which sum changes, and which way."""
