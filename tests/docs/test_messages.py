"""
What docs/messages.md says of the stream of messages, against the code that checks it.
"""

from __future__ import annotations

from pathlib import Path

from clientela.adapters.consumers.stream import (
    MESSAGE_BYTES_MAX,
    STREAM,
    STREAM_BYTES_MAX,
    SUBJECT,
    WINDOW_S,
)


PAGE = (Path(__file__).parents[2] / "docs" / "messages.md").read_text(encoding="utf-8")


def test_whoever_makes_the_stream_finds_its_settings():
    """
    R12: the page names the stream, its subjects, and every setting that it is made with.
    """
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `{STREAM}` |")]

    for said in (
        f"`{SUBJECT}.*`",
        "work queue retention",
        "`discard: new`",
        "no age limit",
        f"messages up to {MESSAGE_BYTES_MAX // 1024} KiB",
        f"{STREAM_BYTES_MAX // 1024**3} GiB",
        f"ids remembered for {WINDOW_S:g} s",
    ):
        assert said in row
