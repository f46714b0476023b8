"""
Speculation: commands on one record do not wait for each other's commits, and nobody sees one early.
"""

from __future__ import annotations

import asyncio

import attrs
import pytest

from clientela.adapters.memory import MemoryStore
from clientela.domain.errors import KeyTakenError
from clientela.domain.event import Key, PendingEvent
from clientela.domain.facts import PurchaseRecorded
from clientela.domain.fingerprint import MismatchError
from clientela.domain.ids import Blind, ClientId, Code, JournalKind, Ref, client_journal
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.personal import Personal
from clientela.domain.purchase.purchases import Purchases
from clientela.domain.purchase.recording import PURCHASE as PURCHASES
from clientela.domain.record import Holder
from clientela.services.cache import KEY_ROW_SECONDS
from clientela.services.calls import EtagMismatchError, Outcome
from clientela.services.envelope import check_chain
from clientela.services.rows import Append
from clientela.services.store_errors import (
    ConflictError,
    StoreUnavailableError,
    VersionConflictError,
)
from tests.domain.purchase.till import TEA, bought, line
from tests.domain.register import Register
from tests.services.counting import COUNTS, Count, Counted
from tests.services.firm import (
    IVO,
    JOURNAL,
    MARTA,
    OLGA,
    PETRA,
    DisturbedStore,
    Firm,
    answer_of,
    approach,
    lost,
)


CALLERS = 64


class SlowStore(DisturbedStore):
    """
    A store that takes appends in groups and commits a group when it is told to.

    Attributes:
        waiting: What waits for the next commit, in order.

        commits: How many appends landed with each commit, and how many were lost.

        is_slow: Whether it waits to be told.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[Append, asyncio.Future[int]]] = []
        self.commits: list[tuple[int, int]] = []
        self.is_slow = False

    async def append(self, append: Append) -> int:
        if not self.is_slow:
            return await super().append(append)
        self.appends.append(append)
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.waiting.append((append, told))
        return await told

    async def commit(self) -> None:
        """Commit what waits, in order: losers drop out, the rest lands."""
        group, self.waiting = self.waiting, []
        landed = 0
        for append, told in group:
            try:
                position = await MemoryStore.append(self, append)
            except ConflictError as conflict:
                told.set_exception(conflict)
            else:
                landed += 1
                told.set_result(position)
        self.commits.append((landed, len(group) - landed))

    async def keep_committing(self) -> None:
        """Commit whenever something waits and nothing else goes on."""
        while True:
            await turns()
            if self.waiting:
                await self.commit()


async def turns(count: int = 200) -> None:
    """Let everybody go as far as they can."""
    for _ in range(count):
        await asyncio.sleep(0)


def purchase(number: int, client: ClientId = PETRA):
    """A purchase of its own."""
    return bought(number, line("1", TEA, 1, 100), client=client)


@pytest.fixture
async def store():
    """A store that commits when it is told to, once it is slow."""
    return SlowStore()


@pytest.fixture
async def firm(store):
    """A company with two sellers and two clients, both journals in memory."""
    firm = await Firm(store, more=(COUNTS,)).open(MARTA, IVO)
    for client in (PETRA, OLGA):
        await firm.run(approach(MARTA, client, Personal("hello")))
        await firm.run(purchase(900 if client == PETRA else 901, client))
    return firm


async def check(firm: Firm) -> None:
    """Every journal is gapless and chained, and folds anew to what is in memory."""
    for journal_id in (JOURNAL, client_journal(OLGA)):
        rows = await firm.store.read(journal_id)
        assert list(range(1, len(rows) + 1)) == [row.version for row in rows]
        check_chain(rows)
        here = (await firm.path.read(journal_id)).record.journal(JournalKind.CLIENT)
        anew = (await firm.other((COUNTS,)).path.read(journal_id)).record
        assert anew.journal(JournalKind.CLIENT) == here


# Fast


async def test_hot_record_takes_many_commands_with_one_commit(firm, store):
    """
    Goal 7: sixty-four commands on one client at once are decided behind each other and land in one
    group: nobody is told of contention, no version is missing, each was appended once and nothing
    was loaded for it.
    """
    begin, store.is_slow = len(store.appends), True
    del store.wanted[:]
    calls = [asyncio.create_task(firm.run(purchase(n), f"r{n}")) for n in range(CALLERS)]
    await turns()

    assert (CALLERS, []) == (len(store.waiting), store.wanted)
    await store.commit()
    outcomes = await asyncio.gather(*calls)

    assert [(CALLERS, 0)] == store.commits
    assert CALLERS == len(store.appends) - begin
    assert list(range(5, 5 + CALLERS)) == sorted(o.versions[JOURNAL] for o in outcomes)
    store.is_slow = False
    await check(firm)


async def test_command_alone_waits_for_nobody(firm, store):
    """
    What is alone is appended at once: one call of the store, and no other.
    """
    del store.wanted[:]
    begin = len(store.appends)

    await firm.run(purchase(1), "r1")

    assert ([], 1) == (store.wanted, len(store.appends) - begin)


async def test_facts_that_rules_ask_about_are_found_in_memory(firm, store):
    """
    An approach asks about its seller and their unit: both are in memory, and what was found there
    is checked by the append.
    """
    await firm.run(approach(MARTA))
    del store.wanted[:]

    await firm.run(approach(MARTA))

    assert [] == store.wanted
    assert {"definitions", "employee"} == {j.kind.value for j in store.appends[-1].facts}


async def test_key_of_a_person_is_read_anew_after_a_while(firm, store):
    """
    Design 7: a wrapped key in memory serves for half a minute: an erasure elsewhere holds by then.
    """
    seconds = [0.0]
    firm.records.cache._monotonic = lambda: seconds[0]
    seconds[0] = 1e9
    del store.wanted[:]
    for more in (0, KEY_ROW_SECONDS - 1, 1, 1):
        seconds[0] += more
        await firm.run(approach(MARTA, note=Personal("x")))

    assert 2 * [(JOURNAL,)] == [each.persons for each in store.wanted if len(each.journals) == 2]


def asking_about(key: Key):
    """A rule set whose command may not be carried out while somebody holds *key*."""

    def decide(record, _command, _context):
        if record.holder(key) is not None:
            raise KeyTakenError(key)
        return (PendingEvent(Counted(count=0), rule="X"),)

    return attrs.evolve(COUNTS, decide=decide, keys=lambda _command, _naming: (key,))


async def test_holder_of_a_key_is_never_guessed(store):
    """
    A command that asks who holds a key which it does not reserve is decided on what is committed:
    memory does not know.
    """
    key = Key(Code("label"), Blind("a"))
    firm = await Firm(store, more=(asking_about(key),)).open(MARTA)
    await firm.run(Count())
    ref = Ref(JOURNAL, 1)
    await store.append(Append(expected={}, reserve=((key, Holder(ref)),)))

    with pytest.raises(KeyTakenError):
        await firm.run(Count())


async def test_command_that_must_be_loaded_waits_for_those_under_way(store):
    """
    What cannot be decided in memory waits until nothing is under way on its record, is decided on
    what is committed then, and lands at the first try; what comes later is decided behind it.
    """
    key = Key(Code("label"), Blind("a"))
    firm = await Firm(store, more=(asking_about(key),)).open(MARTA)
    await firm.run(purchase(900))
    store.is_slow = True
    before = [asyncio.create_task(firm.run(purchase(n))) for n in range(3)]
    await turns()
    del store.wanted[:]
    loading = asyncio.create_task(firm.run(Count()))
    after = [asyncio.create_task(firm.run(purchase(n))) for n in range(3, 6)]
    await turns()

    assert (3, []) == (len(store.waiting), store.wanted)
    await store.commit()
    await turns()
    assert (4, 1) == (len(store.waiting), len(store.wanted))
    await store.commit()

    outcomes = await asyncio.gather(*before, loading, *after)
    assert [(3, 0), (4, 0)] == store.commits
    assert [3, 4, 5, 6, 7, 8, 9] == [o.versions[JOURNAL] for o in outcomes]


# Nobody sees what has not landed


async def test_nothing_is_answered_before_it_is_committed(firm, store):
    """
    Answers, refusals that leave events, and reads come from what is committed only.
    """
    store.is_slow = True
    sale = asyncio.create_task(firm.run(purchase(1), "r1"))
    refused = asyncio.create_task(firm.run(approach(IVO), "r2"))
    await turns()

    view = await firm.path.read(JOURNAL)

    assert 2 == len(store.waiting)
    assert (False, False) == (sale.done(), refused.done())
    assert (4, 1) == (view.versions[JOURNAL], len(view.record.of(Purchases).open))
    await store.commit()
    await turns()
    assert (True, True) == (sale.done(), refused.done())
    assert "CLIENT_TAKEN" == getattr(refused.exception(), "reason", "")
    assert 2 == len((await firm.path.read(JOURNAL)).record.of(Purchases).open)
    await sale


async def test_refusal_on_what_has_not_landed_is_decided_again(firm, store):
    """
    A purchase that is refused because of one before it is refused only once that has landed; when
    that is lost, it is not refused at all.
    """
    store.is_slow = True
    for is_lost, client in ((False, PETRA), (True, OLGA)):
        first = asyncio.create_task(firm.run(purchase(1 + is_lost, client), "a" + client))
        again = attrs.evolve(purchase(1 + is_lost, client), lines=(line("1", TEA, 2, 300),))
        second = asyncio.create_task(firm.run(again, "b" + client))
        await turns()
        assert not second.done()

        if is_lost:
            [(_, told)] = store.waiting[:1]
            told.set_exception(StoreUnavailableError())
            del store.waiting[0]
        while not (first.done() and second.done()):
            await store.commit()
            await turns()

        recorded = sum([PurchaseRecorded is e for e in await firm.events(client_journal(client))])
        assert 2 == recorded
        failures = [type(call.exception()) for call in (first, second)]
        nothing = type(None)
        told_of = [StoreUnavailableError, nothing] if is_lost else [nothing, MismatchError]
        assert told_of == failures


async def test_etag_is_checked_against_what_lands(firm, store):
    """
    Two callers with one etag write at once: one is taken, the other is refused with the etag that
    was committed.
    """
    etag = firm.records.etag((await firm.path.read(JOURNAL)).record, PURCHASES)
    other = firm.records.etag((await firm.path.read(JOURNAL)).record, OWNERSHIP)
    store.is_slow = True
    calls = [
        asyncio.create_task(firm.run(purchase(n), f"r{n}", etags={"purchase": etag}))
        for n in range(2)
    ]
    bystander = asyncio.create_task(firm.run(purchase(7), etags={"ownership": other}))
    committing = asyncio.create_task(store.keep_committing())

    taken, refused = await asyncio.gather(*calls, return_exceptions=True)
    stood_by = await bystander
    committing.cancel()

    assert isinstance(taken, Outcome)
    assert isinstance(refused, EtagMismatchError)
    current = firm.records.etag(taken.record, PURCHASES)
    assert {"rule_set": "purchase", "etag": current} == refused.details()
    assert 1 == len(stood_by.events) == len(taken.events)


# Who is lost


async def test_loser_in_a_group_takes_along_what_rests_on_it_and_the_rest_lands(firm, store):
    """
    Design 4: of eight that come together, the third and the fifth lose to somebody else, who has
    the same purchases: six land whole; the two are told, and only what rested on them was decided
    again.
    """
    other = firm.other((COUNTS,))
    firm_clients = [ClientId(f"c{n}") for n in range(8)]
    theirs = [ClientId(f"d{n}") for n in range(8)]
    for client in (*firm_clients, *theirs):
        await firm.run(Register(client_id=client))
        await firm.run(purchase(100 + len(store.appends), client))
    for n in (2, 4):
        await other.run(purchase(n, theirs[n]))
    store.is_slow = True

    calls = [
        asyncio.create_task(firm.run(purchase(n, client), f"r{n}"))
        for n, client in enumerate(firm_clients)
    ]
    await turns()
    assert 8 == len(store.waiting)
    await store.commit()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [(6, 2)] == store.commits
    assert [2, 4] == [n for n, o in enumerate(outcomes) if isinstance(o, KeyTakenError)]
    for n, client in enumerate(firm_clients):
        assert [3, 2][n in {2, 4}] == len(await firm.events(client_journal(client)))


async def test_what_rests_on_a_loser_is_decided_again(firm, store):
    """
    Of eight commands on one record the third and the fifth lose: all six others land, once each, in
    order and chained, though the fourth was decided on what the third would have left.
    """
    other = firm.other((COUNTS,))
    for n in (2, 4):
        await other.run(purchase(n, OLGA))
    begin = len(await store.read(JOURNAL))
    store.is_slow = True
    calls = [asyncio.create_task(firm.run(purchase(n), f"r{n}")) for n in range(8)]
    await turns()
    assert 8 == len(store.waiting)
    await store.commit()
    assert [(2, 6)] == store.commits
    committing = asyncio.create_task(store.keep_committing())

    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    committing.cancel()
    store.is_slow = False
    assert [2, 4] == [n for n, o in enumerate(outcomes) if isinstance(o, KeyTakenError)]
    assert 6 == len(await store.read(JOURNAL)) - begin
    await check(firm)


async def test_what_rests_on_a_loser_never_lands_on_its_winner(firm, store):
    """
    Somebody else brings the record to the very version that the lost append would have: what was
    decided on the lost one is not taken for a follower of the winner.
    """
    other = firm.other((COUNTS,))
    store.is_slow = True
    first = asyncio.create_task(firm.run(Count()))
    second = asyncio.create_task(firm.run(purchase(1)))
    await turns()
    mine, store.waiting = store.waiting, []
    theirs = asyncio.create_task(other.run(purchase(2)))
    await turns()
    await store.commit()
    await theirs
    store.waiting = mine
    committing = asyncio.create_task(store.keep_committing())

    await asyncio.gather(first, second)

    committing.cancel()
    store.is_slow = False
    assert [PurchaseRecorded, Counted, PurchaseRecorded] == (await firm.events())[-3:]
    assert Counted(count=5) == (await first).events[0].event
    await check(firm)


async def test_lost_epoch_does_not_end_a_newer_one(firm, store):
    """
    A chain of appends is lost one after the other, while a new one has begun: what was decided on
    the new one stays.
    """
    store.is_slow = True
    lost_ones = [asyncio.create_task(firm.run(purchase(n))) for n in range(3)]
    await turns()
    [first, *rest] = [told for _, told in store.waiting]
    store.waiting = []
    first.set_exception(VersionConflictError(JOURNAL))
    await turns()
    begun = [asyncio.create_task(firm.run(purchase(n))) for n in range(3, 6)]
    await turns()
    for told in rest:
        told.set_exception(VersionConflictError(JOURNAL))
    await turns()
    assert [4, 5, 6, 7, 8, 9] == [append.expected[JOURNAL] for append, _ in store.waiting]
    committing = asyncio.create_task(store.keep_committing())

    await asyncio.gather(*lost_ones, *begun)

    committing.cancel()
    store.is_slow = False
    await check(firm)


async def test_many_processes_on_one_hot_record(store):
    """
    Three processes, thirty-two commands each on one record: all land, once, whatever is lost on the
    way, and nobody is told of contention.
    """
    firm = await Firm(store).open(MARTA)
    firms = [firm, firm.other(), firm.other()]
    for each in firms:
        await each.run(purchase(1000 + firms.index(each)))

    calls = [
        each.run(purchase(3 * n + f), f"r{n}-{f}")
        for n in range(32)
        for f, each in enumerate(firms)
    ]
    outcomes = await asyncio.gather(*calls)

    assert 96 == len({o.versions[JOURNAL] for o in outcomes})
    assert 96 + 3 == (await firm.events()).count(PurchaseRecorded)
    check_chain(await store.read(JOURNAL))


# Who goes away


async def test_caller_who_goes_away_cancels_nobody(firm, store):
    """
    One of three callers on one record is cancelled: all three appends land, and the two get theirs.
    """
    store.is_slow = True
    calls = [asyncio.create_task(firm.run(purchase(n), f"r{n}")) for n in range(3)]
    await turns()
    calls[1].cancel()
    await turns()
    await store.commit()

    with pytest.raises(asyncio.CancelledError):
        await calls[1]
    outcomes = [await calls[n] for n in (0, 2)]

    store.is_slow = False
    assert [(3, 0)] == store.commits
    assert [5, 7] == [o.versions[JOURNAL] for o in outcomes]
    repeat = await firm.run(purchase(1), "r1")
    assert (True, 6) == (repeat.replayed, repeat.versions[JOURNAL])
    await check(firm)


async def test_outage_under_a_chain_is_told_to_all_and_leaves_no_trace(firm, store):
    """
    The store breaks while three are under way: each is told, nothing landed, and the record goes on
    from where it was.
    """
    store.is_slow = True
    calls = [asyncio.create_task(firm.run(purchase(n), f"r{n}")) for n in range(3)]
    await turns()
    waiting, store.waiting = store.waiting, []
    for _, told in waiting:
        told.set_exception(StoreUnavailableError())
    told_of = await asyncio.gather(*calls, return_exceptions=True)
    store.is_slow = False

    assert [StoreUnavailableError] * 3 == [type(each) for each in told_of]
    assert [5, 6, 7] == [(await firm.run(purchase(n), f"r{n}")).versions[JOURNAL] for n in range(3)]
    await check(firm)


async def test_lost_answer_under_a_chain_is_found_again(firm, store):
    """
    Everything landed and the store could not say so: whoever asks gets what landed, once.
    """
    store.is_slow = True
    calls = [asyncio.create_task(firm.run(purchase(n), f"r{n}")) for n in range(3)]
    await turns()
    waiting, store.waiting = store.waiting, []
    for append, told in waiting:
        await MemoryStore.append(store, append)
        told.set_exception(StoreUnavailableError())
    outcomes = await asyncio.gather(*calls)
    store.is_slow = False

    assert [5, 6, 7] == [o.versions[JOURNAL] for o in outcomes]
    assert [answer_of(o) for o in outcomes] == [
        answer_of(await firm.run(purchase(n), f"r{n}")) for n in range(3)
    ]
    await check(firm)


# Erasure in between


def forgetting():
    """A rule set whose command destroys the client's key."""
    return attrs.evolve(
        COUNTS,
        decide=lambda _r, command, _c: (
            PendingEvent(Counted(count=0), rule="X", forget=(client_journal(command.client_id),)),
        ),
    )


async def test_command_behind_an_erasure_seals_with_no_key_that_is_gone(store):
    """
    Design 7: what is decided while an erasure is under way knows the key as destroyed, and once the
    erasure has landed the key is gone from memory.
    """
    firm = await Firm(store, more=(forgetting(),)).open(MARTA)
    await firm.run(approach(MARTA, note=Personal("a")))
    await firm.run(approach(MARTA, note=Personal("b")))
    store.is_slow = True
    erasing = asyncio.create_task(firm.run(Count()))
    await turns()
    behind = asyncio.create_task(firm.run(approach(MARTA)))
    await turns()

    assert 2 == len(store.waiting)
    tip = firm.path._speculation.tip(JOURNAL)
    assert tip is not None
    assert tip.key_row is not None
    assert tip.key_row.is_erased
    await store.commit()
    await asyncio.gather(erasing, behind)

    store.is_slow = False
    assert [JOURNAL] == firm.sessions.forgotten
    kept = firm.records.cache.trusted(JOURNAL)
    assert kept is not None
    assert kept.key_row is None or kept.key_row.is_erased
    stored = await store.key_row(JOURNAL)
    assert stored is not None
    assert stored.is_erased


async def test_key_of_somebody_else_is_forgotten_too(store):
    """
    Whoever is forgotten by what stands in another record: their key is gone from memory.
    """
    olga = client_journal(OLGA)
    forgetting_olga = attrs.evolve(
        COUNTS,
        decide=lambda _r, _command, _c: (PendingEvent(Counted(count=0), rule="X", forget=(olga,)),),
    )
    firm = await Firm(store, more=(forgetting_olga,)).open(MARTA)
    await firm.run(approach(MARTA, OLGA, Personal("a")))
    before = firm.records.cache.trusted(olga)
    assert before is not None
    assert firm.records.cache.has_key(before)

    await firm.run(Count())

    after = firm.records.cache.trusted(olga)
    assert after is not None
    assert (None, False) == (after.key_row, firm.records.cache.has_key(after))


async def test_erasure_that_is_lost_forgets_nothing(store):
    """
    When the erasure is lost the key is as it was, for those behind it as well.
    """
    firm = await Firm(store, more=(forgetting(),)).open(MARTA)
    await firm.run(approach(MARTA, note=Personal("a")))
    await firm.run(approach(MARTA, note=Personal("b")))
    store.before.append(lost)

    with pytest.raises(StoreUnavailableError):
        await firm.run(Count())
    await firm.run(approach(MARTA, note=Personal("c")))

    assert [] == firm.sessions.forgotten
    stored = await store.key_row(JOURNAL)
    assert stored is not None
    assert not stored.is_erased
