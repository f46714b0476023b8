"""
A SQLite file as an end of a move, whoever goes away in the middle.
"""

from __future__ import annotations

import asyncio
import threading

from pathlib import Path

import pytest

from clientela.adapters.transfer.file_end import file_end


ROWS = [(f"note-{number}", "said") for number in range(500)]
PATIENCE_S = 60.0


class Crossing:
    """
    Keeps a thread in the middle of what it writes until everybody else has had their turn.
    """

    def __init__(self) -> None:
        self.is_reached, self.may_go_on = threading.Event(), threading.Event()

    def hold(self, statement: str) -> None:
        """Called by SQLite for every statement."""
        if statement.startswith("\nINSERT INTO notes") and not self.is_reached.is_set():
            self.is_reached.set()
            self.may_go_on.wait(PATIENCE_S)


async def notes_in(path: Path) -> int:
    """How many rows a file keeps of what was written."""
    async with file_end(path) as end:
        pages = [page async for page in end.rows("notes")]
    return sum(name.startswith("note-") for page in pages for name, _ in page)


async def test_whoever_leaves_while_rows_are_written_leaves_none(tmp_path):
    """
    R8: all of a move is kept or nothing, also of one that is cancelled while a thread writes: the
    thread has done before the transaction ends and the file is let go.
    """
    path, crossing = tmp_path / "clientela.db", Crossing()

    async def write() -> None:
        async with file_end(path) as end:
            end.connection.set_trace_callback(crossing.hold)
            await end.write("notes", ROWS)

    writing = asyncio.create_task(write())
    assert await asyncio.to_thread(crossing.is_reached.wait, PATIENCE_S)
    # What is cancelled may wait for the thread, which nobody else may keep from going on.
    threading.Timer(0.2, crossing.may_go_on.set).start()
    for _ in range(2):
        writing.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert 0 == await notes_in(path)


async def test_what_was_written_is_kept_at_the_end(tmp_path):
    """
    R8: what a block wrote that ended well is in the file.
    """
    path = tmp_path / "clientela.db"
    async with file_end(path) as end:
        await end.write("notes", ROWS)

    assert len(ROWS) == await notes_in(path)
