"""
What is peculiar to the journal store in PostgreSQL: statements, groups, several processes.
"""

from __future__ import annotations

import asyncio
import random

from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import asyncpg
import attrs
import pytest

from clientela.adapters.postgres import statement, writer
from clientela.adapters.postgres.connections import READERS
from clientela.adapters.postgres.failures import Errors, Failure, failure_of
from clientela.adapters.postgres.positions import COUNTER, STRATEGIES, XMIN
from clientela.adapters.postgres.store import PostgresStore
from clientela.domain.event import Key
from clientela.domain.fingerprint import NOTHING
from clientela.domain.ids import Blind, ClientId, Code, JournalId, client_journal
from clientela.services import gathering
from clientela.services.key_rows import KeyChanges
from clientela.services.rows import Append, Head, Wanted
from clientela.services.store_errors import (
    KeyConflictError,
    StoreError,
    StoreUnavailableError,
    VersionConflictError,
)
from tests.adapters import postgres_server
from tests.adapters.appends import (
    AT,
    CARD,
    FINGERPRINT,
    IVO,
    MARTA,
    PHONE,
    REFUSAL,
    WALLET,
    answered,
    audited,
    everything,
    held_by,
    key_of,
    rows,
    snapshot_of,
    writing,
)


DEFINITIONS = client_journal(ClientId("definitions"))
STAFF = client_journal(ClientId("staff"))
ROUNDS = 30


@pytest.fixture(params=[COUNTER, XMIN])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Of an empty store of each strategy."""
    async with postgres_server.database(request.param) as made:
        yield made


@pytest.fixture
async def store(url: str) -> AsyncIterator[PostgresStore]:
    """An empty store."""
    opened = await PostgresStore.open(url)
    yield opened
    await opened.close()


@pytest.fixture
async def other(store: PostgresStore, url: str) -> AsyncIterator[PostgresStore]:
    """Another process over the same database."""
    opened = await PostgresStore.open(url)
    yield opened
    await opened.close()


class Counted:
    """Counts the statements that a store sends from here on."""

    def __init__(self, store: PostgresStore) -> None:
        self.statements: list[str] = []
        self._store = store

    async def __aenter__(self) -> Self:
        (await self._store.connections.writer()).add_query_logger(self._note)
        return self

    async def __aexit__(self, *_: object) -> None:
        (await self._store.connections.writer()).remove_query_logger(self._note)

    def _note(self, record: Any) -> None:
        self.statements.append(record.query)


async def outcome(doing: Any) -> Any:
    """What came of it: what it gave, or the class of its error."""
    try:
        return await doing
    except StoreError as error:
        return type(error)
    except Exception as error:  # noqa: BLE001
        return type(error)


def hot(head: Head, number: int) -> Append:
    """What a purchase on a record leaves: an event, a key, an answer, a due moment, audit."""
    append_id = f"purchase-{number}"
    return Append(
        expected={MARTA: head.version, WALLET: 0},
        facts={DEFINITIONS: 1, STAFF: 1},
        events=rows(MARTA, head, append_id=append_id),
        reserve=((attrs.evolve(CARD, value=Blind(append_id)), held_by(MARTA, head.version + 1)),),
        answer=attrs.evolve(answered(Blind(append_id)), versions={MARTA: head.version + 1}),
        due={MARTA: AT},
        audit=(audited("RecordPurchase"),),
    )


async def test_append_to_a_known_record_is_one_statement(store: PostgresStore):
    """Speed: with everything in it, a purchase on a record at hand is exactly one round trip."""
    await store.append(writing({MARTA: None, DEFINITIONS: None, STAFF: None}))
    heads = (await store.load(Wanted(journals=(MARTA,)))).heads

    async with Counted(store) as counted:
        await store.append(hot(heads[MARTA], 1))

    assert 1 == len(counted.statements)
    assert counted.statements[0].startswith("WITH here")


async def test_what_waits_together_is_one_statement(store: PostgresStore):
    """A chain of appends to one journal, sent off without waiting, lands in order at once."""
    await store.append(writing({DEFINITIONS: None, STAFF: None}))
    head, appends = Head(), []
    for number in range(20):
        appends.append(hot(head, number))
        last = appends[-1].events[-1]
        head = Head(last.version, last.hash, last.recorded_at)

    async with Counted(store) as counted:
        positions = await asyncio.gather(*map(store.append, appends))

    assert 1 == len(counted.statements)
    assert sorted(positions) == positions
    assert [e for a in appends for e in a.events] == [
        attrs.evolve(row, position=0) for row in await store.read(MARTA)
    ]


async def test_company_is_waited_for_while_it_keeps_coming(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
):
    """
    Speed: appends that calls under way are about to send off share a statement, where there was
    company lately; whoever was alone waits for nobody.
    """
    monkeypatch.setattr(gathering, "SECONDS_MAX", 60.0)
    sizes: list[int] = []
    store.tell_groups(sizes.append)

    async def late(turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        await store.append(Append(expected={}, audit=(audited(),)))

    await late(0)
    await late(0)
    assert [1, 1] == sizes
    await asyncio.gather(*(late(0) for _ in range(16)))
    sizes.clear()
    await asyncio.gather(*map(late, range(0, 24, 3)))

    assert [8] == sizes


async def test_losers_cost_two_statements_more(store: PostgresStore):
    """Of eight at once the third and the fifth lose: one that fails, a look, the rest."""
    await store.append(attrs.evolve(writing({MARTA: None}), reserve=((PHONE, held_by(MARTA)),)))
    appends = [writing({journal(i): None}, append_id=f"append-{i}") for i in range(1, 9)]
    appends[2] = attrs.evolve(appends[2], reserve=((PHONE, held_by(journal(3))),))
    appends[4] = attrs.evolve(appends[4], facts={MARTA: 7})

    async with Counted(store) as counted:
        found = await asyncio.gather(*(outcome(store.append(append)) for append in appends))

    assert 3 == len(counted.statements)
    assert [KeyConflictError, VersionConflictError] == [found[2], found[4]]
    assert [1, 0, 1, 0, 1, 1, 1] == [
        (await store.load(Wanted(journals=(journal(i),)))).heads[journal(i)].version
        for i in (2, 3, 4, 5, 6, 7, 8)
    ]


def journal(number: int) -> JournalId:
    """One of many."""
    return client_journal(ClientId(f"client-{number}"))


async def test_group_is_bounded(store: PostgresStore, monkeypatch: pytest.MonkeyPatch):
    """A statement takes at most so many rows, unless a single append has more."""
    monkeypatch.setattr("clientela.adapters.postgres.group.GROUP_MAX", 4)
    appends = [writing({journal(i): None}, count=2, append_id=f"a{i}") for i in range(3)]
    appends.append(writing({journal(3): None}, count=9, append_id="a3"))
    await store.append(writing({MARTA: None}))

    async with Counted(store) as counted:
        await asyncio.gather(*map(store.append, appends))

    assert 3 == len(counted.statements)
    assert 16 == len(await store.read_all())


async def test_queue_is_bounded(store: PostgresStore, monkeypatch: pytest.MonkeyPatch):
    """More than may wait are refused at once."""
    monkeypatch.setattr(writer, "QUEUE_MAX", 3)

    found = await asyncio.gather(
        *(outcome(store.append(writing({journal(i): None}, append_id=f"a{i}"))) for i in range(5))
    )

    assert [StoreUnavailableError] * 2 == found[3:]
    assert 3 == len(await store.read_all())


async def test_cancelled_while_waiting_is_not_carried_out(store: PostgresStore):
    """Whoever goes away before their turn has changed nothing, and takes nobody with them."""
    tasks = [
        asyncio.ensure_future(store.append(writing({journal(i): None}, append_id=f"a{i}")))
        for i in range(3)
    ]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert [journal(0), journal(2)] == list(await store.journals())


def _event_id_used_twice(append: Append) -> Append:
    event = attrs.evolve(append.events[0], event_id=rows(MARTA)[0].event_id)
    return attrs.evolve(append, events=(event,))


def _wrong_type(append: Append) -> Append:
    nothing: Any = object()
    return attrs.evolve(append, events=(attrs.evolve(append.events[0], body=nothing),))


def _no_text(append: Append) -> Append:
    return attrs.evolve(append, audit=(attrs.evolve(audited(), method="\x00"),))


def _too_large(append: Append) -> Append:
    return attrs.evolve(append, events=(attrs.evolve(append.events[0], version=1 << 70),))


@pytest.mark.parametrize("spoil", [_event_id_used_twice, _wrong_type, _no_text, _too_large])
async def test_mistake_of_one_caller_harms_no_other(
    store: PostgresStore, spoil: Callable[[Append], Append]
):
    """A row that contradicts what is stored, or is no row, is its caller's failure alone."""
    await store.append(writing({MARTA: None}))
    appends = [writing({journal(i): None}, append_id=f"a{i}") for i in range(5)]
    appends[2] = spoil(appends[2])

    found = await asyncio.gather(*(outcome(store.append(append)) for append in appends))

    assert StoreError is found[2]
    assert [journal(0), journal(1), journal(3), journal(4), MARTA] == list(await store.journals())


async def test_two_processes_never_both_win(store: PostgresStore, other: PostgresStore):
    """R5: of two processes that decided on the same version one lands, round after round."""
    for number in range(ROUNDS):
        mine, theirs = (
            writing(
                {journal(number): None, journal(-1 - number): None}, append_id=f"{name}{number}"
            )
            for name in ("mine", "theirs")
        )
        found = await asyncio.gather(outcome(store.append(mine)), outcome(other.append(theirs)))
        assert 1 == found.count(VersionConflictError)

    assert 2 * ROUNDS == len(await store.read_all())


async def test_fact_moved_by_another_process_is_noticed(store: PostgresStore, other: PostgresStore):
    """A decision rests on its facts: one that another process has moved on refuses it."""
    await store.append(writing({DEFINITIONS: None}))
    head = (await other.load(Wanted(journals=(DEFINITIONS,)))).heads[DEFINITIONS]
    await other.append(writing({DEFINITIONS: head}, append_id="append-2"))

    with pytest.raises(VersionConflictError) as refusal:
        await store.append(attrs.evolve(writing({MARTA: None}), facts={DEFINITIONS: 1}))

    assert DEFINITIONS == refusal.value.journal_id


async def skews(store: PostgresStore, other: PostgresStore, *, begun: bool) -> int:
    """How often two processes each wrote what the other's decision rested on."""
    count = 0
    for number in range(ROUNDS):
        one, another = journal(number), client_journal(ClientId(f"other-{number}"))
        heads = {one: Head(), another: Head()}
        if begun:
            append = writing(heads, append_id=f"begin-{number}")
            await store.append(append)
            heads = {r.journal: Head(1, r.hash, r.recorded_at) for r in append.events}
        versions = {j: head.version for j, head in heads.items()}
        mine = Append(expected=versions, events=rows(one, heads[one], append_id=f"mine-{number}"))
        theirs = Append(
            expected=versions, events=rows(another, heads[another], append_id=f"theirs-{number}")
        )
        found = await asyncio.gather(outcome(store.append(mine)), outcome(other.append(theirs)))
        count += VersionConflictError not in found
        assert set(map(type, found)) <= {int, type}
    return count


@pytest.mark.parametrize("begun", [True, False])
async def test_two_decisions_never_rest_on_each_other(
    store: PostgresStore, other: PostgresStore, begun: bool
):
    """A journal that is only read is held until the commit, be it there or not."""
    assert 0 == await skews(store, other, begun=begun)


@pytest.mark.parametrize("begun", [True, False])
async def test_without_the_lock_decisions_rest_on_each_other(
    url: str, monkeypatch: pytest.MonkeyPatch, begun: bool
):
    """Sabotage: looking without holding lets both of two contradicting decisions in."""
    looked = {
        name: attrs.evolve(part, steps={step: unlocked(sql) for step, sql in part.steps.items()})
        for name, part in statement.PARTS.items()
    }
    statement.statement.cache_clear()
    monkeypatch.setattr(statement, "PARTS", looked)
    store, other = await PostgresStore.open(url), await PostgresStore.open(url)
    try:
        assert 0 < await skews(store, other, begun=begun)
    finally:
        statement.statement.cache_clear()
        await store.close()
        await other.close()


def unlocked(sql: str) -> str:
    """A step that looks and holds nothing."""
    if "new.id, 0, ''" in sql:
        return """
    SELECT 1 FROM here, {new} WHERE NOT EXISTS (
        SELECT 1 FROM journals
        WHERE journals.kind = new.kind AND journals.id = new.id
    )"""
    return sql.replace("FOR SHARE OF journals", "")


async def test_locks_in_a_circle_reach_no_caller(store: PostgresStore, other: PostgresStore):
    """F13: appends of two processes over the same journals in any order deadlock for nobody."""
    many = [journal(i) for i in range(6)]
    await store.append(writing(dict.fromkeys(many)))
    choice = random.Random(7)

    async def caller(at: PostgresStore, number: int) -> int:
        lost = 0
        while True:
            picked = choice.sample(many, 3)
            heads = (await at.load(Wanted(journals=tuple(picked)))).heads
            append = writing({picked[0]: heads[picked[0]]}, append_id=f"append-{number}")
            expected = {j: heads[j].version for j in picked}
            try:
                await at.append(attrs.evolve(append, expected=expected))
            except VersionConflictError:
                lost += 1
                continue
            return lost

    callers = [caller((store, other)[i % 2], i) for i in range(40)]
    await asyncio.gather(*callers)

    assert 46 == len(await store.read_all())


async def test_lock_held_elsewhere_is_waited_for(store: PostgresStore, url: str):
    """F13: a row that somebody else holds for a while is tried again, not refused."""
    await store.append(writing({MARTA: None}))
    head = (await store.load(Wanted(journals=(MARTA,)))).heads[MARTA]
    holder = await asyncpg.connect(url)
    held = holder.transaction()
    await held.start()
    await holder.execute("SELECT 1 FROM journals FOR UPDATE")

    waiting = asyncio.ensure_future(store.append(writing({MARTA: head}, append_id="append-2")))
    done, _ = await asyncio.wait({waiting}, timeout=0.8)
    assert not done
    await held.rollback()
    await waiting
    await holder.close()

    assert 2 == len(await store.read(MARTA))


async def test_lock_held_for_ever_is_refused_in_the_end(
    store: PostgresStore, url: str, monkeypatch: pytest.MonkeyPatch
):
    """F13: tries are bounded; the caller learns that the store cannot do it now."""
    monkeypatch.setattr(writer, "TRIES_MAX", 2)
    await store.append(writing({MARTA: None}))
    head = (await store.load(Wanted(journals=(MARTA,)))).heads[MARTA]
    holder = await asyncpg.connect(url)
    held = holder.transaction()
    await held.start()
    await holder.execute("SELECT 1 FROM journals FOR UPDATE")

    with pytest.raises(StoreUnavailableError):
        await store.append(writing({MARTA: head}, append_id="append-2"))

    await held.rollback()
    await holder.close()
    assert 1 == len(await store.read(MARTA))


async def end_backends(url: str) -> None:
    """End every connection of stores to the database of *url*."""
    await postgres_server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'clientela'",
        url,
    )


async def test_broken_connections_are_made_anew(store: PostgresStore, url: str):
    """F11: reads and appends go on after every connection was ended, and nothing is lost."""
    landed: list[int] = []
    for number in range(6):
        append = writing({journal(number): None}, append_id=f"append-{number}")
        ended = asyncio.ensure_future(end_backends(url))
        found = await outcome(store.append(append))
        await ended
        assert found is StoreUnavailableError or isinstance(found, int)
        heads = (await store.load(Wanted(journals=(journal(number),)))).heads
        is_there = heads[journal(number)].version == 1
        assert is_there or found is StoreUnavailableError
        landed.append(is_there)

    assert sum(landed) == len(await store.read_all())
    await store.append(writing({MARTA: None}))


async def test_more_questions_than_connections_are_answered(store: PostgresStore):
    """Who asks while every connection is in use waits for one; who goes away keeps none."""
    await store.append(writing({MARTA: None}))
    asked = [asyncio.create_task(store.last_position()) for _ in range(10 * READERS)]
    await asyncio.sleep(0)
    gone = asked.pop()
    gone.cancel()

    assert {await store.last_position()} == {*await asyncio.gather(*asked)}
    assert gone.cancelled()


async def test_answers_of_another_process_are_read(store: PostgresStore, other: PostgresStore):
    """Masks made by one process are those of all: a repeat is recognised everywhere."""
    mine = attrs.evolve(answered(Blind("one")), versions={MARTA: 1})
    theirs = attrs.evolve(answered(Blind("two")), versions={MARTA: 1})
    for at in (store, other):
        await at.load(Wanted(journals=(MARTA,)))
    await store.append(Append(expected={}, answer=mine))
    await other.append(Append(expected={}, answer=theirs))

    for at in (store, other):
        for answer in (mine, theirs):
            found = (await at.load(Wanted(journals=(), request=answer.request))).answer
            assert answer == found


async def test_masks_made_at_the_same_time_are_one(store: PostgresStore, other: PostgresStore):
    """Two processes that answer about the same new journals at once both stay readable."""
    for number in range(ROUNDS):
        answers = [
            attrs.evolve(answered(Blind(f"{name}{number}")), versions={journal(number): 1})
            for name in ("one", "two")
        ]
        await asyncio.gather(
            store.append(Append(expected={}, answer=answers[0])),
            other.append(Append(expected={}, answer=answers[1])),
        )
        for answer in answers:
            found = (await store.load(Wanted(journals=(), request=answer.request))).answer
            assert found is not None
            assert FINGERPRINT == found.fingerprint


async def test_fence_waits_for_keys_under_way(store: PostgresStore, url: str):
    """R9: when the fence stands, no key under the retired one is still to come."""
    holder = await asyncpg.connect(url)
    held = holder.transaction()
    await held.start()
    await holder.execute("SELECT 1 FROM key_fence FOR SHARE")

    fencing = asyncio.ensure_future(store.fence_keys("kek-2"))
    done, _ = await asyncio.wait({fencing}, timeout=0.2)
    assert not done
    await held.rollback()
    await fencing
    await holder.close()


async def content(url: str) -> bytes:
    """Everything in every live row, as text."""
    connection = await asyncpg.connect(url)
    tables = await connection.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    texts = [
        row[0]
        for (table,) in tables
        for row in await connection.fetch(f"SELECT {table}::text FROM {table}")  # noqa: S608  Ours.
    ]
    await connection.close()
    return "\n".join(texts).encode()


async def test_no_live_row_tells_of_an_erased_person(
    store: PostgresStore, other: PostgresStore, url: str
):
    """S8: key, keyed hashes, fingerprints and snapshot are gone from every table."""
    mail = Key(Code("email"), Blind("f0" * 32))
    await store.append(everything())
    await other.append(
        Append(
            expected={},
            reserve=((mail, held_by(MARTA)),),
            answer=attrs.evolve(REFUSAL, journals=(MARTA,)),
        )
    )
    before = await content(url)
    scopes = (Code("phone"), Code("email"), Code("card"))
    changes = KeyChanges(forgotten=(MARTA,), scopes=scopes)
    await store.append(Append(expected={MARTA: 2}, keys=changes))
    await other.append(
        Append(expected={}, answer=attrs.evolve(REFUSAL, request=Blind("z"), journals=(MARTA,)))
    )
    await store.cleared()

    traces = [
        PHONE.value.encode(),
        mail.value.encode(),
        CARD.value.encode(),
        key_of(MARTA).wrapped.hex().encode(),
        snapshot_of(MARTA, 2).body.hex().encode(),
    ]
    assert [True] * len(traces) == [trace in before for trace in traces]
    after = await content(url)
    assert [False] * len(traces) == [trace in after for trace in traces]
    for request in (REFUSAL.request, Blind("z")):
        answer = (await other.load(Wanted(journals=(), request=request))).answer
        assert answer is not None
        assert NOTHING == answer.fingerprint
    assert [IVO] == list((await _with_ivo(other)).heads)


async def _with_ivo(store: PostgresStore) -> Any:
    await store.append(writing({IVO: None}, append_id="ivo"))
    return await store.load(Wanted(journals=(IVO,)))


async def test_closed_store_serves_nobody(url: str):
    """What comes after closing is refused."""
    store = await PostgresStore.open(url)
    await store.close()

    for doing in (store.append(everything()), store.last_position(), store.note("a", "b")):
        assert StoreUnavailableError is await outcome(doing)


def test_every_error_of_the_driver_means_something():
    """
    Errors by which a statement had no effect are told from those by which it may have had one.
    """
    assert Failure.CLAIM is failure_of(asyncpg.UniqueViolationError())
    assert Failure.CLAIM is failure_of(asyncpg.DivisionByZeroError())
    assert Failure.AGAIN is failure_of(asyncpg.SerializationError())
    assert Failure.AGAIN is failure_of(asyncpg.DeadlockDetectedError())
    assert Failure.AGAIN is failure_of(asyncpg.LockNotAvailableError())
    gone = [
        asyncpg.AdminShutdownError(),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.QueryCanceledError(),
        asyncpg.ReadOnlySQLTransactionError(),
        asyncpg.DiskFullError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.InterfaceError("closed"),
        OSError(),
        TimeoutError(),
    ]
    assert [Failure.GONE] * len(gone) == list(map(failure_of, gone))
    assert [True] * len(gone) == [isinstance(error, Errors) for error in gone]


def test_strategies_are_told_apart():
    """R10: one counts, one asks the server; each says from where on nothing is handed out."""
    assert {COUNTER: True, XMIN: False} == {s.name: s.counts for s in STRATEGIES.values()}
