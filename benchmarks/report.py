"""
The report of a run: what machine it was, how each goal stands, every figure; as text and as JSON.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import time

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import attrs

from benchmarks.goals import Standing
from benchmarks.rounds import Figures, Spread
from benchmarks.run import Run


PACKAGES = (
    "grpcio",
    "protobuf",
    "attrs",
    "cattrs",
    "uvloop",
    "asyncpg",
    "nats-py",
    "eventsourcing",
)
"""Packages whose versions are told."""

WIDTH = 66
"""Characters of the column of texts."""


def machine() -> dict[str, Any]:
    """What the run ran on."""
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "load": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def goal_lines(standings: Iterable[Standing]) -> list[str]:
    """The table of goals, a line each."""
    lines = [f"{'goal':<12} {'':<{WIDTH}} {'wanted':>9} {'median':>9} {'range':>17}  verdict"]
    for standing in standings:
        goal, spread = standing.goal, standing.spread
        wanted = f"{goal.side.value} {goal.limit:g}"
        median = reach = ""
        if spread is not None:
            median, reach = f"{spread.median:.2f}", f"{spread.least:.2f}-{spread.most:.2f}"
        text = f"{goal.key:<12} {goal.text:<{WIDTH}}"
        lines.append(f"{text} {wanted:>9} {median:>9} {reach:>17}  {standing.verdict}")
    return lines


def figure_lines(measured: Mapping[str, Spread], keys: Iterable[str]) -> list[str]:
    """The table of every figure that is no goal's, a line each."""
    goals = set(keys)
    lines = [f"{'figure':<{WIDTH}} {'median':>12} {'least':>12} {'most':>12}"]
    for name, spread in measured.items():
        if name not in goals:
            told = " ".join(
                f"{_short(figure):>12}" for figure in (spread.median, spread.least, spread.most)
            )
            lines.append(f"{name:<{WIDTH}} {told}")
    return lines


def _short(figure: float) -> str:
    if abs(figure) >= 100:  # noqa: PLR2004 (digits after the point say nothing beyond)
        return f"{figure:,.0f}"
    return f"{figure:.2f}"


def write(
    path: Path,
    run: Run,
    standings: Iterable[Standing],
    measured: Mapping[str, Spread],
    rounds: Iterable[Figures],
) -> None:
    """Write everything to a JSON file."""
    content = {
        "machine": machine(),
        "run": {"quick": run.is_quick, "seconds": run.seconds, "clients": run.clients},
        "goals": [
            {
                "goal": standing.goal.key,
                "text": standing.goal.text,
                "wanted": f"{standing.goal.side.value} {standing.goal.limit:g}",
                "median": None if standing.spread is None else standing.spread.median,
                "verdict": standing.verdict,
            }
            for standing in standings
        ],
        "figures": {name: attrs.asdict(spread) for name, spread in measured.items()},
        "rounds": list(rounds),
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
