"""
Metrics: what the service counts about itself, told to whoever keeps the figures.

    Count     only grows       conflict retries, failures of the store, events sent out
    Level     goes both ways   backlogs, lags, things parked, things cached
    Measure   is spread        size of a group that was committed together

Services tell; an adapter keeps. Nothing told is personal: labels are names of rpcs, codes, reasons,
read models, consumers and partitions, of which there are few.
"""

from __future__ import annotations

import enum

from typing import Protocol

import attrs


LABEL_LENGTH_MAX = 128
"""Characters of a label; the rest is cut off."""

LABELS_MAX = 512
"""Different labels of one figure; what comes after is told under `OTHER_LABEL`."""

OTHER_LABEL = "other"


@attrs.frozen
class Figure:
    """
    What a figure is.

    Attributes:
        name: In small letters, its unit last.

        text: What it tells, for whoever reads it.

        label: What tells its values apart; empty for nothing.
    """

    name: str
    text: str
    label: str = ""


class Count(enum.Enum):
    """What only grows."""

    CONFLICTS = Figure(
        "conflicts", "Appends that lost against a faster one and were decided again.", "conflict"
    )

    STORE_FAILURES = Figure(
        "store_failures", "Calls that ended because the store could not be reached.", "method"
    )

    PUBLISHED = Figure("published", "Events that the bus has acknowledged.")

    TAKEN_IN = Figure("taken_in", "Messages from the bus, by what became of them.", "fate")


class Level(enum.Enum):
    """What goes up and down."""

    OUTBOX_LAG = Figure(
        "outbox_lag_seconds",
        "Seconds that the oldest event which the bus has not acknowledged has waited at least.",
    )

    OUTBOX_BACKLOG = Figure(
        "outbox_backlog",
        "Committed events that the bus has not acknowledged, at most a page.",
    )

    CONSUMER_LAG = Figure(
        "consumer_lag", "Messages that wait on the bus for a consumer.", "consumer"
    )

    DUE_BACKLOG = Figure(
        "due_backlog", "Journals in which something is due and has not happened, at most a page."
    )

    FOLLOW_UP_BACKLOG = Figure(
        "follow_up_backlog", "Events whose follow-ups are still to be carried out, at most a page."
    )

    FOLLOW_UP_LAG = Figure(
        "follow_up_lag_seconds", "Seconds that the oldest of them has waited at least."
    )

    PARKED_NOW = Figure("parked_now", "Things that are put aside at present.", "what")

    CACHED = Figure("cached", "Things kept in memory.", "what")

    SERVING = Figure("serving", "1 while the service serves, 0 while it does not.", "part")


class Measure(enum.Enum):
    """What is spread."""

    GROUP_SIZE = Figure("group_size", "Appends that were committed together.")

    COMMIT_SECONDS = Figure(
        "commit_seconds",
        "Seconds from handing an append to the store until it was durable or lost.",
    )


class Metrics(Protocol):
    """
    Keeps figures; called from any thread, never waits, never fails.

    Labels are names from code or configuration: never a value that a caller sent.
    """

    def called(self, method: str, code: str, seconds: float | None) -> None:
        """
        An rpc was answered.

        Args:
            method: Path of the rpc, such as `/clientela.v1.OwnershipService/Approach`.

            code: Name of the status code.

            seconds: How long it took; None for a stream, which lasts as long as its caller likes.
        """
        ...

    def brought(self, method: str, code: str, reason: str, times: int) -> None:
        """
        Commands that one call brought along were answered, and came to the same.

        Args:
            method: Path of the rpc that they are when they come alone.

            code: Name of the status code that it would have been answered with.

            reason: Stable reason of the refusal; empty for none.

            times: How many, 1 or more.
        """
        ...

    def count(self, what: Count, label: str = "", times: int = 1) -> None:
        """Something happened *times* times, 0 or more."""
        ...

    def level(self, what: Level, value: float, label: str = "") -> None:
        """Something is at *value* now."""
        ...

    def measure(self, what: Measure, value: float) -> None:
        """Something came to *value* this time, 0 or more."""
        ...


class NoMetrics:
    """Keeps nothing."""

    def called(self, method: str, code: str, seconds: float | None) -> None:
        """Nothing."""

    def brought(self, method: str, code: str, reason: str, times: int) -> None:
        """Nothing."""

    def count(self, what: Count, label: str = "", times: int = 1) -> None:
        """Nothing."""

    def level(self, what: Level, value: float, label: str = "") -> None:
        """Nothing."""

    def measure(self, what: Measure, value: float) -> None:
        """Nothing."""


NO_METRICS: Metrics = NoMetrics()
"""For whoever is told of no other."""
