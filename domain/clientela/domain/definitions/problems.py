"""
What is wrong with definitions, each problem at its place.

    DomainError
      + DefinitionsError          the document is refused whole       INVALID
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from clientela.domain.errors import Category, DomainError


PROBLEMS_SHOWN_MAX = 100
"""Problems an error tells; a file with more is better read from its beginning."""

NEAR_MAX = 2
"""Letters by which a suggested name may differ."""


@attrs.frozen(order=True)
class Problem:
    """
    One thing that is wrong.

    Attributes:
        path: Where, for instance `lifecycle.models[0].stages[3].exits[1].when`; empty for the
            document as a whole.

        text: What, and what would be right.
    """

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text

    def below(self, path: str) -> Problem:
        """The same problem, seen from above: its place is within *path*."""
        return Problem(join(path, self.path), self.text)


class DefinitionsError(DomainError):
    """
    Definitions are wrong and refused whole.

    Attributes:
        problems: Every problem found, in the order of the document.
    """

    reason = "DEFINITIONS_INVALID"
    category = Category.INVALID

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [str(problem) for problem in self.problems[:PROBLEMS_SHOWN_MAX]]
        if len(self.problems) > PROBLEMS_SHOWN_MAX:
            shown.append(f"and {len(self.problems) - PROBLEMS_SHOWN_MAX} more")
        super().__init__("\n".join(shown))

    def details(self) -> dict[str, str]:
        """Each problem by its place."""
        return {problem.path: problem.text for problem in self.problems[:PROBLEMS_SHOWN_MAX]}


def join(path: str, inner: str) -> str:
    """The place *inner* within *path*."""
    if not path or not inner:
        return path or inner
    return f"{path}{inner}" if inner.startswith("[") else f"{path}.{inner}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the known name nearest to *name*, or nothing if none is near."""
    near = [(distance, other) for other in known if (distance := _distance(name, other))]
    distance, other = min(near, default=(NEAR_MAX + 1, ""))
    return f" (did you mean {other!r}?)" if distance <= min(NEAR_MAX, len(name) // 2) else ""


def _distance(left: str, right: str) -> int:
    """Letters to add, drop or replace to get from *left* to *right*."""
    if abs(len(left) - len(right)) > NEAR_MAX:
        return NEAR_MAX + 1
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        corner, row[0] = row[0], i
        for j, b in enumerate(right, start=1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (a != b))
    return row[-1]
