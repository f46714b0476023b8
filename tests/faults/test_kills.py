"""
What was acknowledged survives, and nothing is half, whenever the process dies.

`CLIENTELA_KILLS` says how many kills at random there are.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys

from pathlib import Path

import pytest

from tests.faults.history import Step, faults
from tests.faults.load import STOPPED
from tests.faults.processes import ROOT, killed, load, steps


KILLS = int(os.environ.get("CLIENTELA_KILLS", "20"))

KILLS_SABOTAGED_MAX = 100
"""Kills at random within which a sabotage must show."""

SECONDS_MAX = 0.3
"""Latest moment of a kill after the first acknowledgement."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "company.db"


def kill_at_every_statement(folder: Path, sabotage: str) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own, which forks and so must have no threads."""
    command = [sys.executable, "-m", "tests.faults.every_statement", str(folder), sabotage]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_nothing_is_lost_or_half_when_killed_at_random(path: Path):
    """G1, F1: 16 callers append, the process is killed with -9 over and over on one database."""
    moments = random.Random(17)
    acknowledged: set[Step] = set()

    for _ in range(KILLS):
        told = killed(path, moments.uniform(0, SECONDS_MAX))
        assert not told & acknowledged
        acknowledged |= told
        assert [] == faults(path, acknowledged)

    assert len(acknowledged) > KILLS


@pytest.mark.parametrize(
    ("sabotage", "sign"),
    [("hasty", "is lost"), ("torn", "of its answer"), ("unlisted", "is not listed")],
)
def test_kills_at_random_find_sabotage(path: Path, sabotage: str, sign: str):
    """G1: acknowledging before the commit, or an answer in a second transaction, is found."""
    moments = random.Random(17)
    acknowledged: set[Step] = set()
    found: list[str] = []

    for _ in range(KILLS_SABOTAGED_MAX):
        acknowledged |= killed(path, moments.uniform(0, SECONDS_MAX), "--sabotage", sabotage)
        found = faults(path, acknowledged)
        if found:
            break

    assert any(sign in fault for fault in found)


def test_nothing_is_lost_or_half_when_killed_at_any_statement(tmp_path: Path):
    """F2: killed before and after every statement of the writer, erasing included."""
    done = kill_at_every_statement(tmp_path / "points", "none")

    assert (0, "") == (done.returncode, done.stderr)
    assert int(done.stdout.split()[0]) > 50


@pytest.mark.parametrize(
    ("sabotage", "sign"),
    [("hasty", "is lost"), ("torn", "of its answer"), ("unlisted", "is not listed")],
)
def test_kills_at_statements_find_sabotage(tmp_path: Path, sabotage: str, sign: str):
    """F2: the same check is red when the store cheats."""
    done = kill_at_every_statement(tmp_path / "points", sabotage)

    assert (1, "") == (done.returncode, done.stderr)
    assert sign in done.stdout


def test_nothing_is_acknowledged_after_a_failed_write(path: Path):
    """F4: once the file cannot grow, everybody is refused, the process ends, all told is there."""
    acknowledged: set[Step] = set()
    for kilobytes in (128, 256, 512):
        with load(path, "--file-limit", str(kilobytes * 1024)) as process:
            told, _ = process.communicate()
        acknowledged |= steps(told)

        assert STOPPED == process.returncode
        assert [] == faults(path, acknowledged)

    assert acknowledged
