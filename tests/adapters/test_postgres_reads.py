"""
Rows of read models in PostgreSQL, kept by several processes at once.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncIterator

import pytest

from clientela.adapters.postgres import read_rows
from clientela.adapters.postgres.positions import COUNTER, XMIN
from clientela.adapters.postgres.reads import PostgresReads
from clientela.adapters.postgres.store import PostgresStore
from clientela.services.ports import PAGE_MAX
from clientela.services.read_models import Row
from clientela.services.store_errors import ModelMovedError
from tests.adapters import postgres_server


CARDS = "cards.v1"
EVENTS = 60
TERMS = 10
PAGES = 2


@pytest.fixture(params=[COUNTER, XMIN])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Of an empty store of each strategy."""
    async with postgres_server.database(request.param) as made:
        yield made


@pytest.fixture
async def processes(url: str) -> AsyncIterator[tuple[PostgresReads, ...]]:
    """Three processes over it."""
    stores = [await PostgresStore.open(url) for _ in range(3)]
    yield tuple(map(PostgresReads, stores))
    for store in stores:
        await store.close()


async def test_page_is_taken_in_once(processes):
    """A page of events that another process has taken in is not written over what it wrote."""
    one, another, _ = processes
    assert [0, 0] == [await one.position(CARDS), await another.position(CARDS)]
    await one.write(CARDS, 5, {"petra": Row(b"5", frozenset())})

    with pytest.raises(ModelMovedError):
        await another.write(CARDS, 3, {"petra": Row(b"3", frozenset())})

    assert 5 == await another.position(CARDS)
    assert {"petra": b"5"} == await another.rows(CARDS, ["petra"])
    await another.write(CARDS, 6, {"petra": Row(b"6", frozenset())})


async def test_full_page_is_taken_in(processes):
    """
    A page of events of as many different clients, each found by many terms, of which some change
    with every page, is written well within the time that a transaction may take.
    """
    one = processes[0]
    names = [f"client-{number}" for number in range(PAGE_MAX)]
    found_by = [
        frozenset((f"field-{number}", f"{number % 5 and turn}") for number in range(TERMS))
        for turn in range(PAGES)
    ]
    await one.position(CARDS)

    for turn, terms in enumerate(found_by, start=1):
        await one.write(CARDS, turn, dict.fromkeys(names, Row(b"%d" % turn, terms)))

    assert PAGES == await one.position(CARDS)
    assert dict.fromkeys(names, found_by[-1]) == await one.terms(CARDS, names)


def test_rows_that_leave_the_same_value_leave_it_together():
    """
    Terms are dropped value by value: so many statements as there are values, however many rows.
    """
    terms = [(f"client-{number}", "stage", b"new") for number in range(PAGE_MAX)]

    assert [("stage", b"new", [key for key, *_ in terms]), ("owner", b"olga", ["ivo"])] == (
        read_rows.by_value([*terms, ("ivo", "owner", b"olga")])
    )


async def counted(processes: tuple[PostgresReads, ...]) -> bytes:
    """What a count of events comes to that all processes keep by reading and writing."""

    async def keep(reads: PostgresReads) -> None:
        while (position := await reads.position(CARDS)) < EVENTS:
            kept = await reads.rows(CARDS, ["count"])
            count = int(kept.get("count", b"0")) + 1
            try:
                await reads.write(CARDS, position + 1, {"count": Row(b"%d" % count, frozenset())})
            except ModelMovedError:
                continue

    await asyncio.gather(*map(keep, processes))
    return (await processes[0].rows(CARDS, ["count"]))["count"]


async def test_no_event_is_taken_in_twice_or_left_out(processes):
    """Three processes that keep one model at the same time come to what one would."""
    assert b"%d" % EVENTS == await counted(processes)


async def test_without_the_position_events_are_taken_in_wrongly(
    processes, monkeypatch: pytest.MonkeyPatch
):
    """Sabotage: whoever writes without comparing the position spoils the rows."""
    careless = "UPDATE read_models SET position = greatest(position, $3)"
    monkeypatch.setattr(
        read_rows, "_MOVE", f"{careless} WHERE model = $1 AND $2 >= 0::bigint RETURNING 1"
    )

    one, another, _ = processes
    assert [0, 0] == [await one.position(CARDS), await another.position(CARDS)]
    await one.write(CARDS, 5, {"petra": Row(b"5", frozenset())})
    await another.write(CARDS, 3, {"petra": Row(b"3", frozenset())})

    assert (5, {"petra": b"3"}) == (
        await another.position(CARDS),
        await another.rows(CARDS, ["petra"]),
    )


async def test_terms_are_told_after_a_write_of_another(processes):
    """What one process wrote the others find at once."""
    one, another, _ = processes
    owner = ("owner", "marta")
    await one.write(CARDS, 1, {"petra": Row(b"{}", frozenset({owner}))})

    assert [("petra", b"{}")] == list(await another.find(CARDS, [owner], "", 10))
    assert {"petra": frozenset({owner})} == await another.terms(CARDS, ["petra"])
