"""
The example of the library runs by itself and is what the guide shows.
"""

from __future__ import annotations

import re
import subprocess
import sys

from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "library.py"
GUIDE = ROOT / "docs" / "library.md"
LINES_MAX = 60

UNWANTED = ("asyncio", "cryptography", "google", "grpc", "nats", "phonenumbers", "sqlite3")

RUN = """
import runpy, sys

runpy.run_path(sys.argv[1], run_name="__main__")
loaded = {name.partition(".")[0] for name in sys.modules}
sys.exit(", ".join(sorted(loaded.intersection(sys.argv[2:]))) or None)
"""


def blocks(language):
    """The fenced blocks of one language in the guide, in order, up to rules of one's own."""
    text, _, _ = GUIDE.read_text(encoding="utf-8").partition("## Rules of your own")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The example, run elsewhere, with nothing of the environment or the checkout in its path."""
    return subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", RUN, str(EXAMPLE), *UNWANTED],
        capture_output=True,
        text=True,
        cwd=tmp_path_factory.mktemp("elsewhere"),
        check=False,
        timeout=60,
    )


def test_example_runs_without_any_technology(ran):
    """
    The example runs to its end, with nothing on standard error and no server, bus, key or database
    library loaded.
    """
    assert (0, "") == (ran.returncode, ran.stderr)


def test_example_prints_what_the_guide_shows(ran):
    """
    The output shown in the guide, block after block, is all that the example prints.
    """
    assert "".join(blocks("text")) == ran.stdout


def test_snippets_of_the_guide_are_the_example():
    """
    Each snippet is a piece of the example, and together they are all of it but its imports.
    """
    example = EXAMPLE.read_text(encoding="utf-8")
    _, marker, body = example.partition("RULES = ")

    assert marker + body == "".join(blocks("python"))


def test_example_stays_short():
    """
    A reader takes the example in at one look: at most 60 lines.
    """
    assert LINES_MAX >= len(EXAMPLE.read_text(encoding="utf-8").splitlines())


def test_example_tells_who_was_refused_and_why(ran):
    """
    OWN-2: the second seller is refused, and the line says by which rule and for which fact.
    """
    refused = [line for line in ran.stdout.splitlines() if "refused" in line]

    assert ["ivo is refused by OWN-2, CLIENT_TAKEN: client-claimed (client/petra@4)"] == refused
