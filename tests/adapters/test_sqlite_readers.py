"""
Questions to SQLite: whoever asks something short does not wait for whoever asks something long.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clientela.adapters.sqlite import readers
from clientela.adapters.sqlite.store import SqliteStore
from clientela.services.store_errors import StoreUnavailableError


QUESTIONS = 100
"""Short questions asked at once."""

PATIENCE_S = 30.0
"""Seconds after which nothing comes any more."""


class Long:
    """A question that takes until it is let go."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.may_end = threading.Event()

    def ask(self, _connection: sqlite3.Connection) -> str:
        """Wait."""
        self.is_asked.set()
        self.may_end.wait(PATIENCE_S)
        return "long"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    opened = await SqliteStore.open(tmp_path / "company.db")
    yield opened
    await opened.close()


def echo(connection: sqlite3.Connection, number: int) -> int:
    """A short question."""
    (found,) = connection.execute("SELECT ?", (number,)).fetchone()
    return int(found)


async def test_each_caller_gets_their_own_answer(store: SqliteStore):
    """However answers are told together, each goes to whoever asked."""
    answers = await asyncio.gather(*(store.ask(echo, number) for number in range(QUESTIONS)))

    assert [*range(QUESTIONS)] == answers


async def test_long_question_holds_up_no_short_one(store: SqliteStore):
    """Answers are told while a question that was asked before them goes on."""
    long = Long()
    asked = asyncio.ensure_future(store.ask(long.ask))
    await asyncio.to_thread(long.is_asked.wait)

    async with asyncio.timeout(PATIENCE_S):
        answers = [await store.ask(echo, number) for number in range(QUESTIONS)]

    assert not asked.done()
    long.may_end.set()
    assert "long" == await asked
    assert [*range(QUESTIONS)] == answers


async def test_defect_of_a_question_is_its_callers(store: SqliteStore):
    """An error that is not of the database comes out as it is, and the store goes on."""

    def broken(_connection: sqlite3.Connection) -> None:
        raise ZeroDivisionError

    outcomes = await asyncio.gather(store.ask(broken), store.ask(echo, 7), return_exceptions=True)

    assert [ZeroDivisionError, int] == [type(outcome) for outcome in outcomes]
    assert 8 == await store.ask(echo, 8)


async def test_closing_answers_what_was_asked(tmp_path: Path):
    """Nobody who asked in time is left waiting."""
    store = await SqliteStore.open(tmp_path / "company.db")
    asked = [asyncio.ensure_future(store.ask(echo, number)) for number in range(QUESTIONS)]
    await asyncio.sleep(0)

    await store.close()

    assert [*range(QUESTIONS)] == await asyncio.gather(*asked)


async def test_questions_that_wait_are_bounded(store: SqliteStore, monkeypatch: pytest.MonkeyPatch):
    """More than may wait are refused at once."""
    monkeypatch.setattr(readers, "QUESTIONS_MAX", 3)
    longs = [Long(), Long()]
    busy = [asyncio.ensure_future(store.ask(long.ask)) for long in longs]
    for long in longs:
        await asyncio.to_thread(long.is_asked.wait)

    waiting = [asyncio.ensure_future(store.ask(echo, number)) for number in range(5)]
    await asyncio.sleep(0)
    for long in longs:
        long.may_end.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    assert [int] * 3 + [StoreUnavailableError] * 2 == [type(outcome) for outcome in outcomes]
    assert ["long", "long"] == await asyncio.gather(*busy)
