"""
Links between the pages lead somewhere.
"""

from __future__ import annotations

import re

from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "deploy" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def text_of(page):
    """A page without its blocks of code."""
    return CODE.sub("", page.read_text(encoding="utf-8"))


def anchors(page):
    """Where on a page links may lead."""
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text_of(page)))
    return {words.replace(" ", "-") for words in kept}


def links():
    """Every link within the project, with the page it stands on."""
    return [
        (page.relative_to(ROOT), target)
        for page in PAGES
        for target in sorted(set(LINK.findall(text_of(page))))
        if "://" not in target
    ]


@pytest.mark.parametrize(("page", "target"), links())
def test_a_link_leads_somewhere(page, target):
    """
    The file named is there, and so is the heading.
    """
    path, _, anchor = target.partition("#")
    led = (ROOT / page).parent / path if path else ROOT / page

    assert led.exists()
    assert not anchor or anchor in anchors(led)


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_page_is_found_from_the_first(page):
    """
    README names every page.
    """
    assert f"]({page.relative_to(ROOT)}" in text_of(ROOT / "README.md")
