"""
The picture of a run: how far each goal was reached, and how cost grows. SVG, written by hand.
"""

from __future__ import annotations

import math
import re

from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.goals import Side, Standing
from benchmarks.rounds import Spread


WIDTH = 1_000
ROW = 22
LEFT = 470
RIGHT = 130
TOP = 60
CHART = 220

MET = "#2f7d5b"
MISSED = "#b3402e"
INK = "#222222"
FAINT = "#cccccc"

FULL = 2.0
"""Of a goal that is reached twice over the bar is full."""

_GROWTH = re.compile(r"growth\.(\d+) (events|clients), (.+)")


def picture(standings: Sequence[Standing], measured: Mapping[str, Spread]) -> str:
    """An SVG with a bar for every goal that was measured and a chart of growth."""
    known = [standing for standing in standings if standing.spread is not None]
    charts = [_points(measured, "events"), _points(measured, "clients")]
    height = TOP + ROW * len(known) + (CHART + TOP if any(charts) else 0) + ROW
    frame = f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" fill="{INK}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        _text(16, 26, "How far each goal is reached; the line is the goal", size=15),
    ]
    for place, standing in enumerate(known):
        parts += _bar(standing, TOP + ROW * place)
    line = LEFT + (WIDTH - LEFT - RIGHT) / FULL
    parts.append(_line(line, TOP - 8, line, TOP + ROW * len(known), INK))
    bottom = TOP + ROW * len(known) + TOP
    for place, (name, points) in enumerate(zip(("events", "clients"), charts, strict=True)):
        if points:
            parts += _chart(points, 40 + place * (WIDTH // 2), bottom, name)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _reached(standing: Standing) -> float:
    assert standing.spread is not None
    median, limit = standing.spread.median, standing.goal.limit
    if standing.goal.side is Side.LEAST:
        return median / limit
    return limit / median if median > 0 else FULL


def _bar(standing: Standing, top: int) -> list[str]:
    assert standing.spread is not None
    goal = standing.goal
    length = min(_reached(standing), FULL) / FULL * (WIDTH - LEFT - RIGHT)
    colour = MET if goal.is_met(standing.spread.median) else MISSED
    told = f"{standing.spread.median:.2f} ({goal.side.value} {goal.limit:g})"
    return [
        _text(LEFT - 10, top + 14, f"{goal.key}  {goal.text}", anchor="end", size=11),
        f'<rect x="{LEFT}" y="{top + 3}" width="{length:.1f}" height="{ROW - 8}" fill="{colour}"/>',
        _text(WIDTH - RIGHT + 8, top + 14, told, size=11),
    ]


def _points(measured: Mapping[str, Spread], of: str) -> dict[str, list[tuple[int, float]]]:
    """Points of each curve: how many, and microseconds."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for name, spread in measured.items():
        found = _GROWTH.fullmatch(name)
        if found and found[2] == of:
            curves.setdefault(found[3], []).append((int(found[1]), spread.median))
    return {name: sorted(points) for name, points in curves.items()}


def _chart(
    curves: Mapping[str, Sequence[tuple[int, float]]], left: int, top: int, name: str
) -> list[str]:
    """Curves of microseconds over a count, the count on a logarithmic scale."""
    width, height = WIDTH // 2 - 100, CHART - 60
    numbers = [number for points in curves.values() for number, _ in points]
    most = max(figure for points in curves.values() for _, figure in points) * 1.1
    span = math.log(max(numbers) / min(numbers)) or 1.0

    def across(number: int) -> float:
        return left + math.log(number / min(numbers)) / span * width

    parts = [
        _text(left, top - 14, f"Microseconds of a command by number of {name}", size=13),
        _line(left, top + height, left + width, top + height, FAINT),
        _line(left, top, left, top + height, FAINT),
        _text(left - 4, top + 4, f"{most:,.0f}", anchor="end", size=10),
    ]
    parts.extend(
        _text(across(number), top + height + 16, f"{number:,}", anchor="middle")
        for number in sorted(set(numbers))
    )
    for place, (curve, points) in enumerate(curves.items()):
        colour = (MET, MISSED, INK)[place % 3]
        path = " ".join(f"{across(n):.1f},{top + height * (1 - f / most):.1f}" for n, f in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(left + 8, top + 14 + 15 * place, curve, colour=colour, size=11))
    return parts


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, colour: str = INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="{colour}">{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
