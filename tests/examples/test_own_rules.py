"""
The rule set of the guide: what is shown is the example, and it runs in the library and the service.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib

from pathlib import Path

import pytest

from tests.e2e.process import VERB_SECONDS_MAX


ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own_rules.py"
GUIDE = ROOT / "docs" / "library.md"
TOUR = ROOT / "examples" / "tour"
LINES_MAX = 70

DEFINITIONS = """
[gifts]
above = "100.00 EUR"
"""

RUN = """
import runpy, sys

known = runpy.run_path(sys.argv[1])
print(end="BEGIN\\n")
exec(sys.stdin.read(), known)
"""


def first(folder):
    """The path of imports with *folder* before all others."""
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))


def guide():
    """The part of the guide that tells of rules of one's own."""
    return GUIDE.read_text(encoding="utf-8").partition("## Rules of your own")[2]


def blocks(language):
    """Its fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", guide(), re.DOTALL | re.MULTILINE)


def test_snippets_of_the_guide_are_the_example():
    """
    Each snippet but the last is a piece of the example, together all of it but its imports.
    """
    example = EXAMPLE.read_text(encoding="utf-8")
    pieces = [snippet.strip() for snippet in blocks("python")[:-1]]

    assert example.endswith("\n\n\n".join(pieces) + "\n")


def test_example_stays_short():
    """
    A reader takes a rule set in at one look.
    """
    assert LINES_MAX >= len(EXAMPLE.read_text(encoding="utf-8").splitlines())


def test_a_company_runs_a_rule_set_of_its_own():
    """
    The last snippet, run after the example of the library, prints what the guide shows.
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, str(ROOT / "examples" / "library.py")],
        input=blocks("python")[-1],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": first(EXAMPLE.parent)},
    )

    assert "" == done.stderr
    assert blocks("text") == [done.stdout.partition("BEGIN\n")[2]]


@pytest.fixture
def installed(tmp_path):
    """A folder as pip leaves it: the example as an installed package with its entry point."""
    folder = tmp_path / "site"
    info = folder / "own_rules-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "own_rules.py").write_bytes(EXAMPLE.read_bytes())
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-rules\nVersion: 1.0\n")
    [told] = blocks("toml")
    for group, entries in tomllib.loads(told)["project"]["entry-points"].items():
        lines = "\n".join(f"{name} = {place}" for name, place in entries.items())
        (info / "entry_points.txt").write_text(f"[{group}]\n{lines}\n")
    return folder


@pytest.fixture
def verb(tmp_path):
    """Runs verbs of the command line over one store, with or without a package installed."""
    (tmp_path / "gifts.toml").write_text(DEFINITIONS)

    def run(*arguments, beside=None):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CLIENTELA_")}
        kept |= {"CLIENTELA_DATA_DIR": str(tmp_path / "data"), "NO_COLOR": "1", "COLUMNS": "200"}
        return subprocess.run(
            [sys.executable, "-m", "clientela.adapters.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=VERB_SECONDS_MAX,
            stdin=subprocess.DEVNULL,
            env=kept if beside is None else {**kept, "PYTHONPATH": first(beside)},
        )

    return run


def test_the_service_runs_an_installed_rule_set(verb, installed, tmp_path):
    """
    A store made without it goes on with it after `migrate up`; its section is taken, its events
    are in the timeline; and without the package the store is not served.
    """
    purchases = ("import", "purchases", TOUR / "purchases.csv", "--map", TOUR / "purchases.toml")
    unknown = verb("apply", tmp_path / "gifts.toml", "--yes")
    other = verb("apply", tmp_path / "gifts.toml", "--yes", beside=installed)
    moved = verb("migrate", "up", beside=installed)
    applied = verb("apply", tmp_path / "gifts.toml", "--yes", beside=installed)
    imported = verb(*purchases, "--create-clients", beside=installed)
    shown = verb("show", "shop:C-3", beside=installed)
    without = verb("show", "shop:C-3")

    assert "gifts: unknown section" in unknown.stderr
    assert "rule set" in other.stderr
    assert [0, 0] == [moved.returncode, applied.returncode]
    assert "recorded" in imported.stdout
    assert "gift-due" in shown.stdout
    assert 0 != without.returncode
