"""
Who does the work that one process alone does: relay, scheduler, messages in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from clientela.adapters.checks.finding import Finding, good, poor
from clientela.services.leases import Granted


def holders(found: Iterable[Granted], now: datetime) -> Iterator[Finding]:
    """
    What there is to say of each lease, by the clock of this machine.

    One that nobody holds while others are held is poor: processes run, and none does this work. It
    may have been left out (`--only`, `--bus none`), or somebody takes over in a moment.

    Args:
        found: Every lease.

        now: The present moment.
    """
    leases: Sequence[Granted] = tuple(found)
    is_any_held = any(now < each.until for each in leases)
    for each in leases:
        what, holder, until = f"lease {each.lease.name}", each.lease.holder, f"{each.until:%F %T}"
        if now < each.until:
            yield good(what, f"held by {holder} until {until}, epoch {each.lease.epoch}")
        elif is_any_held:
            yield poor(what, f"nobody's since {until}, last of {holder}; see that its role runs")
        else:
            yield good(what, f"nobody's since {until}, last of {holder}: no process is at work")
