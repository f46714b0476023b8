"""
The clock of the machine, against what was written and against other machines.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clientela.adapters.checks.finding import Finding, bad, good, poor


BEHIND_MAX = timedelta(seconds=5)
"""How far the last thing written may lie ahead of the clock."""

OFFSET_MAX = timedelta(seconds=2)
"""How far two clocks may be apart."""


def clock(recorded_at: datetime | None, now: datetime | None = None) -> Finding:
    """
    What there is to say of the clock.

    Args:
        recorded_at: When the last event was recorded; None for none.

        now: The present moment; None for the machine's.
    """
    now = now or datetime.now(UTC)
    if recorded_at is not None and recorded_at - now > BEHIND_MAX:
        behind = timedelta(seconds=round((recorded_at - now).total_seconds()))
        text = f"behind the last event by {behind}; nothing becomes due meanwhile: set it right"
        return bad("clock", text)
    return good("clock", "real time")


def offset(other: datetime, before: datetime, after: datetime) -> Finding:
    """
    What there is to say of the clock beside that of the database server.

    Args:
        other: What that said.

        before: When it was asked, by the machine's clock.

        after: When it had answered.
    """
    apart = max(before - other, other - after, timedelta())
    seconds = apart.total_seconds()
    if apart > OFFSET_MAX:
        return poor("clock offset", f"{seconds:.1f} s from that of the database server: set it")
    return good("clock offset", f"within {max(seconds, (after - before).total_seconds()):.1f} s")
