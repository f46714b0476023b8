"""
What all tests share.
"""

from __future__ import annotations

import os
import re

import pytest

from hypothesis import settings

from tests.adapters import postgres_server


WORKERS_MIN = 4

# How long one example takes says nothing on a busy machine.
settings.register_profile("clientela", deadline=None)
settings.load_profile("clientela")

RULE = re.compile(r"\b([A-Z]{2,5})-(\d+[a-z]?)\b")
"""A rule of the catalogue, as docstrings cite it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let `pytest -k OWN_4` find the tests whose docstrings cite OWN-4."""
    for item in items:
        text = getattr(getattr(item, "function", None), "__doc__", None) or ""
        item.extra_keyword_matches.update(
            f"{group}_{number}" for group, number in RULE.findall(text)
        )


def pytest_xdist_auto_num_workers() -> int:
    """Workers of `-n auto`: more than two, since many tests wait for processes they started."""
    return max(WORKERS_MIN, os.cpu_count() or 1)


def pytest_unconfigure() -> None:
    """Stop the servers that tests have started."""
    postgres_server.stop_all()
