"""
Lines of the log on their way out.
"""

from __future__ import annotations

import asyncio
import io
import logging
import time

import attrs
import pytest

from clientela.adapters.log_lines import LINES_MAX, LINGER_SECONDS, LineHandler


WAIT_SECONDS = 60


@attrs.define(slots=False)
class Paper(io.StringIO):
    """What was written, write by write."""

    writes: list[str] = attrs.field(factory=list)

    def write(self, text: str) -> int:
        """Note it down."""
        self.writes.append(text)
        return len(text)


@pytest.fixture
def paper():
    """What the log writes to."""
    return Paper()


@pytest.fixture
def log(paper):
    """A log of its own that writes to the paper."""
    own = logging.getLogger("clientela.lines")
    own.setLevel(logging.INFO)
    own.propagate = False
    own.addHandler(LineHandler(paper))
    yield own
    own.handlers.clear()


async def until(condition):
    """Let the loop turn until something holds."""
    deadline_s = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert deadline_s > time.monotonic()
        await asyncio.sleep(LINGER_SECONDS / 10)


def test_where_no_loop_runs_a_line_is_written_at_once(log, paper):
    """S9: a verb of the command line keeps nothing back."""
    log.info("one")
    log.info("two")

    assert ["one\n", "two\n"] == paper.writes


async def test_lines_of_calls_that_end_together_are_one_write(log, paper):
    """S9: calls of one moment wait for one write, which comes by itself and in their order."""
    for number in range(3):
        log.info("call %s", number)
    assert [] == paper.writes

    await until(lambda: paper.writes)
    assert ["call 0\ncall 1\ncall 2\n"] == paper.writes

    log.info("another")
    await until(lambda: len(paper.writes) > 1)
    assert "another\n" == paper.writes[1]


async def test_a_warning_waits_for_nothing(log, paper):
    """S9: what somebody must see is seen at once, after what went before."""
    log.info("a call")
    log.warning("the disk is nearly full")

    assert ["a call\nthe disk is nearly full\n"] == paper.writes


async def test_no_more_lines_wait_than_there_is_room_for(log, paper):
    """S11: what is kept has a bound."""
    for number in range(LINES_MAX + 1):
        log.info("%s", number)

    assert ["".join(f"{number}\n" for number in range(LINES_MAX))] == paper.writes


def test_a_loop_that_ends_leaves_nothing_behind(log, paper):
    """S9: what an ended loop was to write comes with the next line, or at the end."""

    async def speak(text):
        log.info(text)

    now_s = [0.0]
    log.handlers = [LineHandler(paper, monotonic=lambda: now_s[0])]
    asyncio.run(speak("one"))
    now_s[0] = 1.0
    asyncio.run(speak("two"))
    assert ["one\ntwo\n"] == paper.writes

    asyncio.run(speak("three"))
    log.handlers[0].close()
    log.handlers[0].flush()
    assert ["one\ntwo\n", "three\n"] == paper.writes


async def test_a_disk_that_is_full_stops_nobody(log, paper, monkeypatch, capsys):
    """F5: a line that cannot be written is gone, without a word elsewhere."""
    monkeypatch.setattr(logging, "raiseExceptions", False)

    def full(_text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(paper, "write", full, raising=True)
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    log.info("a call")
    log.error("a fault")
    log.info("a call")
    await asyncio.sleep(3 * LINGER_SECONDS)

    assert ([], "") == (told, "".join(capsys.readouterr()))
