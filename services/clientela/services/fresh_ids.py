"""
Fresh ids: UUIDv7, so that later ones sort later (RFC 9562, section 5.7).
"""

from __future__ import annotations

import os
import time


BLOCK_IDS = 256
"""Ids that random bits are fetched for at once: asking the system costs more than an id."""

DIGITS = 20
"""Random hex digits fetched for one id; 74 of their 80 bits are used."""


def new_id() -> str:
    """A UUIDv7 as text: 48 bits of Unix milliseconds, then 74 random bits."""
    try:
        random = _UNUSED.pop()
    except IndexError:
        random = _fetched()
    time_ms = f"{time.time_ns() // 1_000_000:012x}"
    variant = _VARIANTS[random[3]]
    return f"{time_ms[:8]}-{time_ms[8:]}-7{random[:3]}-{variant}{random[4:7]}-{random[7:19]}"


def _fetched() -> str:
    """Digits for one id; those for others are kept, to be taken once each by any thread."""
    block = os.urandom(BLOCK_IDS * DIGITS // 2).hex()
    first, *others = (block[at : at + DIGITS] for at in range(0, len(block), DIGITS))
    _UNUSED.extend(others)
    return first


_UNUSED: list[str] = []

# Of two processes only one may go on with what was fetched before they parted.
os.register_at_fork(after_in_child=_UNUSED.clear)

_VARIANTS = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
"""The digit that bears the variant of the standard in its upper half."""
