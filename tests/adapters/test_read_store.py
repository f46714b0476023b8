"""
The contract of a store of read models; every adapter passes all of it.
"""

from __future__ import annotations

import asyncio
import tempfile

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.adapters.memory_reads import MemoryReads
from clientela.adapters.postgres.positions import COUNTER
from clientela.adapters.postgres.reads import PostgresReads
from clientela.adapters.sqlite.reads import SqliteReads
from clientela.adapters.sqlite.store import SqliteStore
from clientela.services.ports import PAGE_MAX
from clientela.services.read_models import ReadStore, Row, Term
from tests.adapters import journal_stores


Opened = Callable[[], AbstractAsyncContextManager[ReadStore]]
"""Opens an empty store and closes it again."""


@asynccontextmanager
async def memory() -> AsyncIterator[ReadStore]:
    """A store in dicts."""
    yield MemoryReads()


@asynccontextmanager
async def sqlite() -> AsyncIterator[ReadStore]:
    """A store in the file of a journal store."""
    with tempfile.TemporaryDirectory() as folder:
        store = await SqliteStore.open(Path(folder) / "company.db")
        yield SqliteReads(store)
        await store.close()


@asynccontextmanager
async def postgres() -> AsyncIterator[ReadStore]:
    """A store in the database of a journal store."""
    store = await journal_stores.postgres(COUNTER)
    yield PostgresReads(store)
    await store.close()


STORES: tuple[Opened, ...] = (memory, sqlite, postgres)
"""Every adapter; add one here and it has to pass all of this."""

CARDS = "cards.v1"
TOTALS = "totals.v1"
MARTA: Term = ("owner", "marta")
IVO: Term = ("owner", "ivo")
REGULAR: Term = ("stage:shop", "regular")
ANNA: Term = ("token", "a1" * 32)
PETROVA: Term = ("token", "b2" * 32)
PHONE: Term = ("identifier:phone", "c3" * 32)


@pytest.fixture(params=STORES, ids=lambda opened: opened.__name__)
async def reads(request):
    """An empty store of each kind."""
    async with request.param() as store:
        yield store


def row(body: str, *terms: Term) -> Row:
    """A row with a body like this."""
    return Row(body.encode(), frozenset(terms))


async def keys_of(
    reads: ReadStore, *terms: Term, after: str = "", limit: int = PAGE_MAX, model: str = CARDS
) -> list[str]:
    """Keys of the rows found."""
    return [key for key, _ in await reads.find(model, terms, after, limit)]


async def test_new_model_is_empty(reads):
    """
    A model nobody has written to stands at position 0 and has no rows.
    """
    assert 0 == await reads.position(CARDS)
    assert {} == dict(await reads.rows(CARDS, ["petra"]))
    assert [] == list(await reads.find(CARDS, (), "", PAGE_MAX))
    assert {} == dict(await reads.count(CARDS, "owner"))


async def test_rows_are_written_with_the_position(reads):
    """
    Rows and the position up to which they are true are written together; asked for by key, those
    come back that exist, byte for byte.
    """
    body = '{"name":"Алёна \U0001f600 \\"\'%_"}'

    await reads.write(CARDS, 7, {"petra": row(body), "anton": row("{}")})

    assert 7 == await reads.position(CARDS)
    assert {"petra": body.encode()} == dict(await reads.rows(CARDS, ["petra", "olga"]))
    assert {} == dict(await reads.rows(CARDS, []))


async def test_position_moves_without_rows(reads):
    """
    A page of events that concern no row still moves the position.
    """
    await reads.write(CARDS, 7, {"petra": row("{}")})
    await reads.write(CARDS, 9, {})

    assert 9 == await reads.position(CARDS)
    assert ["petra"] == await keys_of(reads)


async def test_row_is_found_by_all_of_the_terms(reads):
    """
    A row is found when it has every term asked for; without any, all rows are.
    """
    await reads.write(
        CARDS,
        1,
        {
            "petra": row("{}", MARTA, REGULAR),
            "anton": row("{}", MARTA),
            "olga": row("{}", IVO, REGULAR),
            "bearer": row("{}"),
        },
    )

    assert ["anton", "petra"] == await keys_of(reads, MARTA)
    assert ["petra"] == await keys_of(reads, MARTA, REGULAR)
    assert ["petra"] == await keys_of(reads, REGULAR, MARTA, REGULAR)
    assert [] == await keys_of(reads, MARTA, IVO)
    assert [] == await keys_of(reads, ("owner", "nobody"))
    assert ["anton", "bearer", "olga", "petra"] == await keys_of(reads)


async def test_field_and_value_are_told_apart(reads):
    """
    A term is a field and a value: neither another field with that value nor a value that only looks
    alike is found, whatever the characters.
    """
    odd = ("owner", "o'hara %_\\ \u00e9")
    await reads.write(CARDS, 1, {"petra": row("{}", odd, ("own", "er\u0000x"), ("unit", ""))})

    assert ["petra"] == await keys_of(reads, odd)
    assert ["petra"] == await keys_of(reads, ("unit", ""))
    assert [] == await keys_of(reads, ("unit", odd[1]))
    assert [] == await keys_of(reads, ("owner", "o'hara __\\ \u00e9"))
    assert [] == await keys_of(reads, ("owner", "O'HARA %_\\ \u00e9"))
    assert [] == await keys_of(reads, ("owner", "o'hara %_\\ e\u0301"))


async def test_rows_come_in_pages_by_key(reads):
    """
    Rows come in order of their keys, above the last one seen, at most as many as asked for and
    never more than a page.
    """
    many = [f"c{number:05}" for number in range(PAGE_MAX + 5)]
    await reads.write(CARDS, 1, {key: row("{}", MARTA) for key in reversed(many)})

    assert many[:3] == await keys_of(reads, MARTA, limit=3)
    assert many[3:5] == await keys_of(reads, MARTA, after=many[2], limit=2)
    assert many[:PAGE_MAX] == await keys_of(reads, MARTA, limit=PAGE_MAX + 5)
    assert many[PAGE_MAX:] == await keys_of(reads, after=many[PAGE_MAX - 1])
    assert [] == await keys_of(reads, MARTA, after=many[-1])
    assert ["c00001"] == await keys_of(reads, MARTA, after="c00000z", limit=1)


async def test_row_put_again_has_its_new_terms_only(reads):
    """
    A row that is written again is found by its new terms and no longer by its old ones; nothing of
    an old term is left to count.
    """
    await reads.write(CARDS, 1, {"petra": row("old", MARTA, REGULAR)})
    await reads.write(CARDS, 2, {"petra": row("new", IVO, REGULAR)})

    assert [("petra", b"new")] == list(await reads.find(CARDS, [IVO, REGULAR], "", PAGE_MAX))
    assert [] == await keys_of(reads, MARTA)
    assert {"ivo": 1} == dict(await reads.count(CARDS, "owner"))

    await reads.write(CARDS, 3, {"petra": row("none")})
    assert {} == dict(await reads.count(CARDS, "owner"))
    assert ["petra"] == await keys_of(reads)


async def test_values_of_a_field_are_counted(reads):
    """
    A count says how many rows have each value of a field; a row with two values counts for both.
    """
    await reads.write(
        CARDS,
        1,
        {
            "petra": row("{}", MARTA, REGULAR),
            "anton": row("{}", MARTA),
            "olga": row("{}", IVO, ("owner", "nora")),
        },
    )

    assert {"marta": 2, "ivo": 1, "nora": 1} == dict(await reads.count(CARDS, "owner"))
    assert {"regular": 1} == dict(await reads.count(CARDS, "stage:shop"))
    assert {} == dict(await reads.count(CARDS, "stage"))


async def test_row_is_found_by_hashes_and_codes_alike(reads):
    """
    A row is found by words of its name, by its identifiers and by codes, in any combination, a page
    at a time.
    """
    await reads.write(
        CARDS,
        1,
        {
            "petra": row("{}", ANNA, PETROVA, PHONE, MARTA),
            "anton": row("{}", ANNA, PHONE),
            "olga": row("{}", PETROVA, MARTA),
        },
    )

    assert ["anton", "petra"] == await keys_of(reads, ANNA)
    assert ["petra"] == await keys_of(reads, ANNA, PETROVA)
    assert ["petra"] == await keys_of(reads, MARTA, PHONE)
    assert ["petra"] == await keys_of(reads, PHONE, ANNA, MARTA, PETROVA, ANNA)
    assert ["anton"] == await keys_of(reads, PHONE, limit=1)
    assert ["petra"] == await keys_of(reads, PHONE, after="anton")
    assert [] == await keys_of(reads, ("identifier:email", PHONE[1]))
    assert [] == await keys_of(reads, ("token", PHONE[1]))
    assert [] == await keys_of(reads, ANNA, model=TOTALS)
    assert {ANNA[1]: 2, PETROVA[1]: 2} == dict(await reads.count(CARDS, "token"))
    assert {PHONE[1]: 2} == dict(await reads.count(CARDS, "identifier:phone"))


async def test_row_put_again_keeps_only_the_hashes_it_still_has(reads):
    """
    Hashes that a row has no more find nothing, those it kept or got do, and one that it had before
    may come back.
    """
    await reads.write(CARDS, 1, {"petra": row("1", ANNA, PHONE), "anton": row("1", ANNA)})
    await reads.write(CARDS, 2, {"petra": row("2", PETROVA, PHONE)})

    assert ["anton"] == await keys_of(reads, ANNA)
    assert ["petra"] == await keys_of(reads, PETROVA, PHONE)
    assert {ANNA[1]: 1, PETROVA[1]: 1} == dict(await reads.count(CARDS, "token"))

    await reads.write(CARDS, 3, {"petra": row("3", ANNA), "anton": row("3")})
    assert ["petra"] == await keys_of(reads, ANNA)
    assert [] == await keys_of(reads, PHONE)
    assert {} == dict(await reads.count(CARDS, "identifier:phone"))


async def test_dropped_model_loses_its_hashes_alone(reads):
    """
    A model thrown away is found by no hash any more; another model's rows still are.
    """
    await reads.write(CARDS, 5, {"petra": row("card", ANNA)})
    await reads.write(TOTALS, 5, {"petra": row("sum", ANNA, PHONE)})

    await reads.drop(CARDS)

    assert [] == await keys_of(reads, ANNA)
    assert ["petra"] == await keys_of(reads, ANNA, PHONE, model=TOTALS)
    assert {ANNA[1]: 1} == dict(await reads.count(TOTALS, "token"))
    await reads.write(CARDS, 1, {"petra": row("again", PHONE)})
    await reads.drop(TOTALS)
    assert ["petra"] == await keys_of(reads, PHONE)
    assert [] == await keys_of(reads, ANNA, model=TOTALS)


async def test_row_tells_what_it_is_found_by(reads):
    """
    Codes and hashes of rows are told as they were put, those of each row apart; rows that are not
    there are left out.
    """
    await reads.write(CARDS, 1, {"petra": row("{}", MARTA, ANNA, PHONE), "olga": row("{}")})
    await reads.write(CARDS, 2, {"petra": row("{}", MARTA, PETROVA), "vera": row("{}", IVO)})
    await reads.write(TOTALS, 2, {"petra": row("{}", IVO)})

    told = await reads.terms(CARDS, ["petra", "olga", "vera", "nobody"])

    assert {"petra": {MARTA, PETROVA}, "olga": set(), "vera": {IVO}} == told
    assert {"petra": {IVO}} == await reads.terms(TOTALS, ["petra"])


async def test_models_go_apart(reads):
    """
    Two models may have rows of one key; neither sees anything of the other.
    """
    await reads.write(CARDS, 5, {"petra": row("card", MARTA)})
    await reads.write(TOTALS, 3, {"petra": row("sum", IVO)})

    assert (5, 3) == (await reads.position(CARDS), await reads.position(TOTALS))
    assert {"petra": b"sum"} == dict(await reads.rows(TOTALS, ["petra"]))
    assert [] == await keys_of(reads, MARTA, model=TOTALS)
    assert {"marta": 1} == dict(await reads.count(CARDS, "owner"))


async def test_dropped_model_begins_anew(reads):
    """
    A model thrown away is as if it had never been, and the others stay.
    """
    await reads.write(CARDS, 5, {"petra": row("card", MARTA)})
    await reads.write(TOTALS, 3, {"company": row("sum")})

    await reads.drop(CARDS)
    await reads.drop("never-written.v1")

    assert 0 == await reads.position(CARDS)
    assert [] == await keys_of(reads)
    assert {} == dict(await reads.count(CARDS, "owner"))
    assert ["company"] == await keys_of(reads, model=TOTALS)
    await reads.write(CARDS, 1, {"petra": row("again", IVO)})
    assert [] == await keys_of(reads, MARTA)


TERMS = st.frozensets(
    st.tuples(
        st.sampled_from(["owner", "stage", "token", "identifier:phone"]),
        st.sampled_from(["a", "b", "c"]),
    )
)
WRITES = st.lists(st.dictionaries(st.sampled_from("pqrstu"), TERMS, max_size=4), max_size=8)


@pytest.mark.parametrize("opened", STORES, ids=lambda opened: opened.__name__)
@settings(max_examples=40, deadline=None)
@given(writes=WRITES, wanted=TERMS, after=st.sampled_from(["", "q", "s"]), limit=st.integers(1, 4))
def test_store_answers_like_a_plain_dict(opened, writes, wanted, after, limit):
    """
    After any writes, what is found and counted is what looking at every row finds and counts.
    """
    asyncio.run(_compare(opened, writes, wanted, after, limit))


async def _compare(
    opened: Opened,
    writes: Iterable[dict[str, frozenset[Term]]],
    wanted: frozenset[Term],
    after: str,
    limit: int,
) -> None:
    plain: dict[str, frozenset[Term]] = {}
    async with opened() as reads:
        for position, written in enumerate(writes, start=1):
            plain.update(written)
            await reads.write(
                CARDS, position, {key: row("{}", *terms) for key, terms in written.items()}
            )
        found = await keys_of(reads, *wanted, after=after, limit=limit)
        counted = {field: dict(await reads.count(CARDS, field)) for field in ("owner", "token")}

    fitting = (key for key in sorted(plain) if wanted <= plain[key] and key > after)
    assert list(fitting)[:limit] == found
    for field, values in counted.items():
        had = [value for terms in plain.values() for name, value in terms if name == field]
        assert {value: had.count(value) for value in set(had)} == values
