"""
The generated parts of the documentation are as the code says.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.docs.generate import PAGES, ROOT, BlocksError, filled, stale


PAGE = "before\n<!-- generated: one -->\nold\n<!-- end of generated -->\nafter\n"


def test_the_pages_are_as_the_code_says():
    """
    No page with generated parts has drifted; `python -m tests.docs.generate` writes them.
    """
    assert [] == stale(), "run `python -m tests.docs.generate`"


def test_a_look_tells_by_its_exit_code():
    """
    `--check` ends with 0 while the pages are right.
    """
    look = [sys.executable, "-m", "tests.docs.generate", "--check"]

    assert 0 == subprocess.run(look, cwd=ROOT, check=False, timeout=120).returncode


def test_a_part_takes_the_place_of_the_one_before():
    """
    What is written by hand around a part stays.
    """
    new = "before\n<!-- generated: one -->\nnew\n<!-- end of generated -->\nafter\n"

    assert new == filled(PAGE, {"one": "new"})
    assert new == filled(new, {"one": "new"})


@pytest.mark.parametrize("blocks", [{}, {"one": "", "two": ""}, {"two": ""}])
def test_every_part_has_one_place(blocks):
    """
    A part without a place, and a place without a part, are refused.
    """
    with pytest.raises(BlocksError):
        filled(PAGE, blocks)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_changed_word_is_noticed(page):
    """
    Planted: a page of which one generated line is missing is not what the code says.
    """
    text = page.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if line.startswith("| ---"))
    damaged = "".join(lines[: place + 1] + lines[place + 2 :])

    assert damaged != filled(damaged, PAGES[page]())
