"""
The goals: each a ratio of two figures of one round, and the side of it that is met.
"""

from __future__ import annotations

import enum

from collections.abc import Mapping

import attrs

from benchmarks.rounds import Spread


class Side(enum.Enum):
    """On which side of the limit a figure must lie."""

    LEAST = "≥"
    MOST = "≤"


@attrs.frozen(kw_only=True)
class Goal:
    """
    One goal.

    Attributes:
        key: Number, and a word where one number has two; figures bear it.

        text: What is compared with what.

        side: Whether it is at least or at most *limit*.

        limit: The value to reach.
    """

    key: str
    text: str
    side: Side
    limit: float

    def is_met(self, figure: float) -> bool:
        """Whether *figure* reaches it."""
        return figure >= self.limit if self.side is Side.LEAST else figure <= self.limit

    def missed_by(self, figure: float) -> float:
        """By what share of the limit *figure* misses it; 0 where it is met."""
        if self.is_met(figure):
            return 0.0
        return abs(figure - self.limit) / self.limit


def _least(key: str, limit: float, text: str) -> Goal:
    return Goal(key=key, text=text, side=Side.LEAST, limit=limit)


def _most(key: str, limit: float, text: str) -> Goal:
    return Goal(key=key, text=text, side=Side.MOST, limit=limit)


GOALS: tuple[Goal, ...] = (
    _least("1", 0.70, "commands/s, PostgreSQL, 64 in flight / min(echo, raw append)"),
    _least("2", 0.70, "commands/s, SQLite, 64 in flight / min(echo, raw append)"),
    _most("3 postgres", 1.35, "service CPU of a command / of an echo, PostgreSQL"),
    _most("3 sqlite", 1.45, "service CPU of a command / of an echo, SQLite"),
    _most("4", 0.95, "PostgreSQL CPU of a command / of a raw append"),
    _most("5 postgres", 1.6, "one command alone: p50 / (echo + raw append), PostgreSQL"),
    _most("5 sqlite", 1.6, "one command alone: p50 / (echo + raw append), SQLite"),
    _most("6 postgres", 2.0, "p99 / p50 of commands, 64 in flight, PostgreSQL"),
    _most("6 sqlite", 2.0, "p99 / p50 of commands, 64 in flight, SQLite"),
    _least("7 postgres", 0.75, "hot client, 16 in flight / many clients, PostgreSQL"),
    _least("7 sqlite", 0.75, "hot client, 16 in flight / many clients, SQLite"),
    _least("8 postgres", 0.9, "reads of cached clients / echo, PostgreSQL"),
    _least("8 sqlite", 0.9, "reads of cached clients / echo, SQLite"),
    _least("9 postgres", 0.5, "reads of cold clients of 20 events / echo, PostgreSQL"),
    _least("9 sqlite", 0.5, "reads of cold clients of 20 events / echo, SQLite"),
    _least("10 postgres", 0.8, "relay drain / raw windowed publish, PostgreSQL"),
    _least("10 sqlite", 0.65, "relay drain / raw windowed publish, SQLite"),
    _least("11", 6.0, "relay drain / publish awaited one at a time"),
    _least("12 postgres", 0.8, "commands/s with relay and a projection / alone, PostgreSQL"),
    _least("12 sqlite", 0.8, "commands/s with relay and a projection / alone, SQLite"),
    _most("13 postgres", 3.0, "append to consumer: p50 / (raw append + publish), PostgreSQL"),
    _most("13 sqlite", 3.0, "append to consumer: p50 / (raw append + publish), SQLite"),
    _least("14", 0.7, "one projection / fetch only"),
    _least("15", 0.75, "four projections / one"),
    _most("16", 0.6, "encode an event / build and serialise it as protobuf"),
    _most("17", 1.8, "decode and fold an event / parse it as protobuf into attrs"),
    _most("18", 1.25, "decode and fold an event at 2,000 / at 20"),
    _most("19", 1.25, "command on a client of 2,000 events / of 20, not cached"),
    _most("20", 1.15, "command on a client of 2,000 events / of 20, cached"),
    _least("21", 0.85, "commands/s with 100,000 clients / with 1,000, not cached"),
    _least("22 many postgres", 0.6, "commits 5 ms slower: commands/s / echo, PostgreSQL"),
    _least("22 many sqlite", 0.6, "commits 5 ms slower: commands/s / echo, SQLite"),
    _least("22 hot postgres", 0.4, "commits 5 ms slower: hot / many clients, PostgreSQL"),
    _least("22 hot sqlite", 0.4, "commits 5 ms slower: hot / many clients, SQLite"),
    _least("23 sqlite", 3.0, "in process, not cached / eventsourcing as it comes, SQLite"),
    _least("23 postgres", 3.0, "in process, not cached / eventsourcing as it comes, PostgreSQL"),
    _least("24 sqlite", 5.0, "in process, 64 in flight / eventsourcing at its best, SQLite"),
    _least("24 postgres", 5.0, "in process, 64 in flight / eventsourcing at its best, PostgreSQL"),
    _least("25", 4.0, "gRPC and PostgreSQL / eventsourcing in process on PostgreSQL"),
    _most("26", 1.5, "memory of a cached client, kB"),
    _least("27 sqlite", 0.20, "import, rows/s / raw group append of as many rows, SQLite"),
    _least("27 postgres", 0.20, "import, rows/s / raw group append of as many rows, PostgreSQL"),
    _most("28", 1.0, "may a seller approach, record of 2,000 events, p99 in ms"),
    _most("29 sqlite", 400.0, "memory of the service with 1,000,000 clients, SQLite, MiB"),
    _most("29 postgres", 400.0, "memory of the service with 1,000,000 clients, PostgreSQL, MiB"),
    _most("30", 1.5, "import of the domain / import of attrs and cattrs"),
)
"""All of them, in the order of their numbers."""


@attrs.frozen(kw_only=True)
class Standing:
    """
    How one goal stands after a run.

    Attributes:
        goal: The goal.

        spread: What was measured; None where nothing was.
    """

    goal: Goal
    spread: Spread | None

    @property
    def verdict(self) -> str:
        """`met`, `missed by ...` or `not measured`."""
        if self.spread is None:
            return "not measured"
        missed = self.goal.missed_by(self.spread.median)
        return f"missed by {missed:.0%}" if missed else "met"


def standings(measured: Mapping[str, Spread]) -> tuple[Standing, ...]:
    """How every goal stands, by what was measured under its key."""
    return tuple(Standing(goal=goal, spread=measured.get(goal.key)) for goal in GOALS)
