"""
Who was denied what, and who saw whose personal values.
"""

from __future__ import annotations

import asyncio

import pytest

from clientela.adapters.memory import MemoryStore
from clientela.services.audit import KINDS_MAX, WINDOW_SECONDS, Audit
from clientela.services.clocks import VirtualClock
from clientela.services.store_errors import StoreUnavailableError
from tests.services.edge import AT, Ticks, as_employee, edge, request_of


DENIED = ("employee/marta", "Method", "?", "NOT_FOUND")


class Book:
    """An audit over a memory store."""

    def __init__(self):
        self.store, self.ticks = MemoryStore(), Ticks()
        self.audit = Audit(self.store, VirtualClock(AT), self.ticks)

    async def rows(self):
        rows: list[tuple[str, str, str, str]] = []
        after = 0
        while page := await self.store.audit(after):
            rows.extend((r.actor, r.target, r.decision, r.reason) for _, r in page)
            after = page[-1][0]
        return rows


async def test_every_read_is_a_row():
    """
    G30: a read of personal values is never merely counted.
    """
    book = Book()
    await book.audit.read("employee/marta", "Method", "client/petra")
    await book.audit.read("employee/marta", "Method", "client/petra")

    assert [("employee/marta", "client/petra", "read", "")] * 2 == await book.rows()


async def test_a_flood_of_denials_is_two_rows_a_minute():
    """
    S14: the first is written at once, the others are counted and nothing is lost.
    """
    book = Book()
    for _ in range(1_000):
        await book.audit.denied(*DENIED)
    at_once = await book.rows()
    book.ticks.now += WINDOW_SECONDS
    await book.audit.flush()

    first = ("employee/marta", "?", "denied", "NOT_FOUND")
    assert [first] == at_once
    assert [first, ("employee/marta", "", "denied", "NOT_FOUND x999")] == await book.rows()


async def test_the_next_denial_after_a_minute_writes_the_count_and_itself():
    """
    S14: a count is written out at the latest when the next one comes.
    """
    book = Book()
    await book.audit.denied(*DENIED)
    await book.audit.denied(*DENIED)
    book.ticks.now += WINDOW_SECONDS
    await book.audit.denied(*DENIED)

    assert ["NOT_FOUND", "NOT_FOUND x1", "NOT_FOUND"] == [row[3] for row in await book.rows()]


async def test_what_is_counted_is_written_when_the_service_stops():
    """
    S14: a stop loses no count.
    """
    book = Book()
    for _ in range(3):
        await book.audit.denied(*DENIED)
    await book.audit.close()

    assert ["NOT_FOUND", "NOT_FOUND x2"] == [row[3] for row in await book.rows()]


async def test_counts_outlive_a_store_that_is_away(monkeypatch):
    """
    S14: while nothing can be written, denials are refused or counted, and no count is lost: neither
    by the minute's end, nor by the next denial, nor by writing out what makes room.
    """
    book = Book()

    async def away(_rows):
        raise StoreUnavailableError("it is away")

    for _ in range(3):
        await book.audit.denied(*DENIED)
    book.ticks.now += WINDOW_SECONDS
    with monkeypatch.context() as patched:
        patched.setattr(book.audit._rounds, "_work", away)
        with pytest.raises(StoreUnavailableError):
            await book.audit.flush()
        with pytest.raises(StoreUnavailableError):
            await book.audit.denied(*DENIED)
    assert ["NOT_FOUND"] == [row[3] for row in await book.rows()]
    await book.audit.denied(*DENIED)

    assert ["NOT_FOUND", "NOT_FOUND x2", "NOT_FOUND"] == [row[3] for row in await book.rows()]


async def test_counts_are_written_though_the_store_was_away(monkeypatch):
    """
    S14: what writes out counts goes on after a failure.
    """
    book = Book()
    await book.audit.denied(*DENIED)
    await book.audit.denied(*DENIED)
    book.ticks.now += WINDOW_SECONDS
    flush, failures = book.audit.flush, [StoreUnavailableError("it is away")]
    is_written = asyncio.Event()

    async def moody():
        if failures:
            raise failures.pop()
        await flush()
        is_written.set()

    monkeypatch.setattr(book.audit, "flush", moody)
    writing = asyncio.create_task(book.audit.run())
    async with asyncio.timeout(60):
        await is_written.wait()
    writing.cancel()

    assert ["NOT_FOUND", "NOT_FOUND x1"] == [row[3] for row in await book.rows()]


async def test_counts_are_bounded():
    """
    S14: an attacker with many names fills the store, row by row, but not the memory.
    """
    book = Book()
    await book.audit.denied("employee/first", "Method", "", "NOT_FOUND")
    await book.audit.denied("employee/first", "Method", "", "NOT_FOUND")
    for number in range(KINDS_MAX):
        await book.audit.denied(f"employee/{number}", "Method", "", "NOT_FOUND")

    assert ("employee/first", "", "denied", "NOT_FOUND x1") in await book.rows()


@pytest.mark.parametrize(
    ("method", "fields", "caller", "row"),
    [
        (
            "ListClients",
            {},
            {},
            ("anonymous", "ClientService.ListClients", "", "UNAUTHENTICATED none"),
        ),
        (
            "EraseClient",
            {"client_id": "petra"},
            as_employee("marta"),
            ("employee/marta", "ClientService.EraseClient", "", "ACCESS_DENIED"),
        ),
        (
            "GetClient",
            {"client_id": "pavel"},
            as_employee("marta"),
            ("employee/marta", "ClientService.GetClient", "?", "NOT_FOUND"),
        ),
    ],
)
async def test_a_denial_over_the_wire_is_a_row(method, fields, caller, row):
    """
    G30: who is nobody, who may not, who asks for what is out of reach: each is on record.
    """
    async with edge() as served:
        await served.refused(method, request_of(method, **fields), caller)

        actor, name, target, reason = row
        expected = [(actor, f"clientela.v1.{name}", target, "denied", reason)]
        assert expected == await served.audited()
