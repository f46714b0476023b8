"""
The generated parts of the documentation, written into their pages.

    python -m tests.docs.generate           writes them
    python -m tests.docs.generate --check   ends with 1 if one is not as the code says

A part stands between two comments, `generated: NAME` and `end of generated`; what is around it is
written by hand.
"""

from __future__ import annotations

import re
import sys

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.docs import access_blocks, definition_blocks


ROOT = Path(__file__).parents[2]

PAGES: Mapping[Path, Callable[[], dict[str, str]]] = {
    ROOT / "docs" / "definitions.md": definition_blocks.blocks,
    ROOT / "docs" / "production.md": access_blocks.blocks,
}
"""The pages that have generated parts, and what makes these."""

BLOCK = re.compile(
    r"(?<=^<!-- generated: )([^\n]*?)( -->\n).*?(^<!-- end of generated -->$)",
    re.MULTILINE | re.DOTALL,
)


class BlocksError(Exception):
    """A page lacks a part, or has a place for one that nobody makes."""


def filled(text: str, blocks: Mapping[str, str]) -> str:
    """
    *text* with every generated part as it is to be.

    Raises:
        BlocksError: the places in it are not those of *blocks*, each once.
    """
    places = [found[1] for found in BLOCK.finditer(text)]
    if sorted(places) != sorted(blocks):
        msg = f"places {sorted(places)}, parts {sorted(blocks)}"
        raise BlocksError(msg)
    return BLOCK.sub(lambda found: f"{found[1]}{found[2]}{blocks[found[1]]}\n{found[3]}", text)


def stale() -> list[Path]:
    """The pages that are not as the code says."""
    return [page for page, made in PAGES.items() if filled(_text(page), made()) != _text(page)]


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def main() -> int:
    """Write the pages, or with `--check` only look."""
    if "--check" in sys.argv:
        return 1 if stale() else 0
    for page, made in PAGES.items():
        page.write_text(filled(_text(page), made()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
