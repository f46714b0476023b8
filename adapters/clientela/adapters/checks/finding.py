"""
What one look found.
"""

from __future__ import annotations

import enum

import attrs


class State(enum.StrEnum):
    """How something is."""

    GOOD = "good"
    POOR = "poor"
    """It works, and an operator should know."""

    BAD = "bad"
    """It does not work, or must not be used so."""


@attrs.frozen
class Finding:
    """
    What one look found.

    Attributes:
        what: What was looked at.

        state: How it is.

        text: What was found, and what to do.
    """

    what: str
    state: State
    text: str


def good(what: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(what, State.GOOD, text)


def poor(what: str, text: str) -> Finding:
    """It works, and an operator should know."""
    return Finding(what, State.POOR, text)


def bad(what: str, text: str) -> Finding:
    """It does not work, or must not be used so."""
    return Finding(what, State.BAD, text)
