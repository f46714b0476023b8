"""
Start-up: what importing the whole domain costs beside its two dependencies.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.rounds import Figures, ratio
from benchmarks.run import Part, Round, Run


IMPORTS_MAX = 7
"""Processes that import the same; the fastest counts."""

NOTHING = "pass"
DEPENDENCIES = "import attrs, cattrs"
DOMAIN = "import clientela.domain.standard"
"""All rules, not only the empty root of the package."""


def _spent(statement: str) -> float:
    """CPU seconds of a process that does only this, every module compiled before."""
    least = float("inf")
    compiled = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(IMPORTS_MAX):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", statement], check=True, env=compiled)  # noqa: S603 (ours)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        least = min(least, used)
    return least


@contextmanager
def _startup(_run: Run) -> Iterator[Round]:
    def measured() -> Figures:
        nothing, dependencies, domain = (_spent(s) for s in (NOTHING, DEPENDENCIES, DOMAIN))
        return {
            "30": ratio(domain - nothing, dependencies - nothing),
            "startup.attrs and cattrs ms": (dependencies - nothing) * 1_000,
            "startup.domain ms": (domain - nothing) * 1_000,
        }

    yield measured


STARTUP = Part(name="startup", about="import of the domain: goal 30", open=_startup)
