"""
The contract of every journal store.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from clientela.domain.ids import Blind, ClientId, JournalId, client_journal
from clientela.services.envelope import check_chain
from clientela.services.key_rows import KeyChanges, KeyRow
from clientela.services.ports import PAGE_MAX, JournalStore
from clientela.services.rows import Append, Head, StoredEvent, Wanted
from clientela.services.store_errors import (
    ConflictError,
    KekRetiredError,
    KeyConflictError,
    PersonKeyConflictError,
    RequestConflictError,
    VersionConflictError,
)
from tests.adapters.appends import (
    AT,
    CARD,
    IVO,
    KEK,
    MARTA,
    MINUTE,
    NEXT_KEK,
    PHONE,
    RECEIPT,
    REFUSAL,
    REQUEST,
    RULEBOOK,
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
from tests.adapters.journal_stores import JOURNAL_STORES


FAR = AT + timedelta(days=36_500)
CALLERS = 64
NOBODY = client_journal(ClientId("nobody"))


@pytest.fixture(params=JOURNAL_STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[JournalStore]:
    """An empty store."""
    opened = await JOURNAL_STORES[request.param](tmp_path)
    yield opened
    await opened.close()


async def head_of(store: JournalStore, journal: JournalId) -> Head:
    """The committed end of a journal."""
    return (await store.load(Wanted(journals=(journal,)))).heads[journal]


async def dump(store: JournalStore) -> dict[str, Any]:
    """Everything that can be asked about what the tests here write."""
    journals = (MARTA, IVO, WALLET)
    wanted = Wanted(
        journals=journals,
        keys=(PHONE, CARD, RECEIPT),
        request=REQUEST,
        persons=journals,
        fingerprint=RULEBOOK,
    )
    return {
        "loaded": await store.load(wanted),
        "refusal": await store.load(Wanted(journals=(), request=REFUSAL.request)),
        "events": list(await store.read_all()),
        "due": list(await store.due(FAR)),
        "audit": list(await store.audit()),
        "stale": list(await store.stale_keys("none")),
        "last": await store.last_position(),
    }


def placed(events: tuple[StoredEvent, ...], first: int = 1) -> list[StoredEvent]:
    """Rows as a store gives them back, positions from *first*."""
    return [attrs.evolve(row, position=first + i) for i, row in enumerate(events)]


async def test_journal_that_does_not_exist_has_an_empty_head(store: JournalStore):
    """A journal nobody wrote to is at version 0 and has no events, holders, answer or key."""
    loaded = await store.load(
        Wanted(journals=(MARTA,), keys=(PHONE,), request=REQUEST, persons=(MARTA,))
    )

    assert {MARTA: Head()} == loaded.heads
    assert [] == list(loaded.tails[MARTA])
    assert {} == loaded.snapshots
    assert {} == loaded.holders
    assert loaded.answer is None
    assert {MARTA: None} == loaded.key_rows
    assert 0 == await store.last_position()


async def test_ends_of_journals_are_told(store: JournalStore):
    """
    Asked one by one or by many at once, a journal's version is that of its last committed event; 0
    where there is none.
    """
    await store.append(writing({MARTA: None}, 3))
    await store.append(writing({IVO: None}))

    asked = (store.ends(journals) for journals in ((MARTA, NOBODY), (IVO, MARTA), ()))

    assert [{MARTA: 3, NOBODY: 0}, {IVO: 1, MARTA: 3}, {}] == await asyncio.gather(*asked)


async def test_everything_of_one_append_comes_back_as_it_was(store: JournalStore):
    """What was appended is read back equal, field by field, with positions from 1."""
    append = everything()

    assert 3 == await store.append(append)

    events = placed(append.events)
    marta, wallet = events[:2], events[2:]
    loaded = await store.load(
        Wanted(
            journals=(MARTA, WALLET),
            keys=(PHONE, CARD, RECEIPT),
            request=REQUEST,
            persons=(MARTA, IVO),
        )
    )
    assert events == list(await store.read_all())
    assert marta == list(loaded.tails[MARTA]) == list(await store.read(MARTA))
    assert wallet == list(loaded.tails[WALLET])
    assert {
        MARTA: Head(2, marta[-1].hash, marta[-1].recorded_at),
        WALLET: Head(1, wallet[-1].hash, wallet[-1].recorded_at),
    } == loaded.heads
    assert dict(append.reserve) == loaded.holders
    assert append.answer == loaded.answer
    assert {MARTA: key_of(MARTA), IVO: None} == loaded.key_rows
    assert [WALLET, MARTA] == list(await store.due(FAR))
    assert [(1, audited())] == list(await store.audit())


async def test_append_without_events_tells_the_last_position(store: JournalStore):
    """An answer or an audit row alone is an append, and moves nothing."""
    await store.append(writing({MARTA: None}, count=3))

    assert 3 == await store.append(Append(expected={}, answer=REFUSAL, audit=(audited(),)))
    assert 3 == await store.last_position()


async def test_refusal_comes_back_as_it_was(store: JournalStore):
    """A stored refusal keeps its reason, category, text and data."""
    await store.append(Append(expected={}, answer=REFUSAL))

    loaded = await store.load(Wanted(journals=(), request=REFUSAL.request))

    assert REFUSAL == loaded.answer


async def test_moments_keep_their_microseconds(store: JournalStore):
    """A moment is neither rounded nor shifted."""
    odd = AT.replace(microsecond=123_457)
    row = attrs.evolve(rows(MARTA)[0], occurred_at=odd, recorded_at=odd)

    await store.append(Append(expected={MARTA: 0}, events=(row,), due={MARTA: odd}))

    assert [odd] == [event.occurred_at for event in await store.read(MARTA)]
    assert odd == (await head_of(store, MARTA)).recorded_at
    assert [] == list(await store.due(odd - timedelta(microseconds=1)))
    assert [MARTA] == list(await store.due(odd))


async def test_only_the_tail_that_is_not_known_is_loaded(store: JournalStore):
    """A caller who has folded two of five events gets three, and none once it has five."""
    await store.append(writing({MARTA: None}, count=5))

    some = await store.load(Wanted(journals=(MARTA,), known={MARTA: 2}))
    none = await store.load(Wanted(journals=(MARTA,), known={MARTA: 5}))

    assert [3, 4, 5] == [row.version for row in some.tails[MARTA]]
    assert [] == list(none.tails[MARTA])
    assert 5 == none.heads[MARTA].version


async def test_snapshot_stands_for_the_events_before_it(store: JournalStore):
    """With a snapshot only what came after it is loaded."""
    await store.append(
        attrs.evolve(writing({MARTA: None}, count=5), snapshots=(snapshot_of(MARTA, 3),))
    )

    loaded = await store.load(Wanted(journals=(MARTA,), fingerprint=RULEBOOK))

    assert {MARTA: snapshot_of(MARTA, 3)} == loaded.snapshots
    assert [4, 5] == [row.version for row in loaded.tails[MARTA]]


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(journals=(MARTA,), fingerprint="another"),
        Wanted(journals=(MARTA,), fingerprint=RULEBOOK, known={MARTA: 0}),
    ],
)
async def test_snapshot_that_does_not_serve_is_left_out(store: JournalStore, wanted: Wanted):
    """A snapshot of another rulebook, or of what is known already, is not handed out."""
    await store.append(
        attrs.evolve(writing({MARTA: None}, count=2), snapshots=(snapshot_of(MARTA, 2),))
    )

    loaded = await store.load(wanted)

    assert {} == loaded.snapshots
    assert [1, 2] == [row.version for row in loaded.tails[MARTA]]


async def test_newer_snapshot_takes_the_place_of_the_older(store: JournalStore):
    """A journal has one snapshot."""
    await store.append(
        attrs.evolve(writing({MARTA: None}, count=2), snapshots=(snapshot_of(MARTA, 1),))
    )
    await store.append(Append(expected={MARTA: 2}, snapshots=(snapshot_of(MARTA, 2),)))

    loaded = await store.load(Wanted(journals=(MARTA,), fingerprint=RULEBOOK))

    assert {MARTA: snapshot_of(MARTA, 2)} == loaded.snapshots
    assert [] == list(loaded.tails[MARTA])


@pytest.mark.parametrize("version", [0, 1, 3])
async def test_append_on_another_version_is_refused(store: JournalStore, version: int):
    """A decision that rests on another version than the present one is not appended."""
    await store.append(writing({MARTA: None}, count=2))
    head = Head(version, "whatever", AT)

    with pytest.raises(VersionConflictError) as refusal:
        await store.append(writing({MARTA: head}, append_id="append-2"))

    assert MARTA == refusal.value.journal_id
    assert 2 == (await head_of(store, MARTA)).version


async def test_journal_that_is_only_read_must_not_have_moved(store: JournalStore):
    """A decision on a client and a wallet that writes to the wallet alone rests on both."""
    await store.append(writing({MARTA: None}))
    append = attrs.evolve(writing({WALLET: None}), expected={MARTA: 0, WALLET: 0})

    with pytest.raises(VersionConflictError) as refusal:
        await store.append(append)

    assert MARTA == refusal.value.journal_id
    assert 3 == await store.append(
        attrs.evolve(writing({WALLET: None}, 2), expected={MARTA: 1, WALLET: 0})
    )


@pytest.mark.parametrize("written", [True, False])
async def test_journal_that_a_decision_rests_on_must_not_have_moved(
    store: JournalStore, written: bool
):
    """
    An append names the versions of journals that it rests on and does not write to; when one of
    them has moved, or is there though it should not be, nothing is appended. Where all are as they
    were it lands, and they stay as they are, however often they are rested on.
    """
    if written:
        await store.append(writing({IVO: None}))
    stands = 1 if written else 0
    before = await dump(store)
    for facts in ({IVO: stands + 1}, {IVO: 1 - stands}, {IVO: stands, NOBODY: 1}):
        with pytest.raises(VersionConflictError) as lost:
            await store.append(attrs.evolve(everything(), facts=facts))

        assert ({IVO, NOBODY} & facts.keys()) >= {lost.value.journal_id}
        assert before == await dump(store)

    resting = {IVO: stands, NOBODY: 0}
    await asyncio.gather(
        store.append(attrs.evolve(everything(), facts=resting)),
        *(store.append(Append(expected={}, facts=resting, audit=(audited(),))) for _ in range(8)),
    )

    assert Head(stands) == attrs.evolve(await head_of(store, IVO), hash="", recorded_at=None)
    assert Head() == await head_of(store, NOBODY)
    assert stands + 3 == await store.last_position()
    assert 9 == len(await store.audit())


async def test_group_loses_whoever_rests_on_what_moves_in_it(store: JournalStore):
    """
    Of appends that come together, one that rests on a journal as it was before an earlier one of
    them moved it has lost; one that rests on it as it is afterwards lands.
    """
    stale = attrs.evolve(writing({WALLET: None}, append_id="stale"), facts={IVO: 0})
    fresh = attrs.evolve(writing({MARTA: None}, append_id="fresh"), facts={IVO: 1})

    outcomes = await asyncio.gather(
        store.append(writing({IVO: None})),
        store.append(stale),
        store.append(fresh),
        return_exceptions=True,
    )

    assert [1, VersionConflictError, 2] == [
        type(o) if isinstance(o, Exception) else o for o in outcomes
    ]


@pytest.mark.parametrize("is_fact", [True, False])
async def test_append_rests_on_the_event_it_names(store: JournalStore, is_fact: bool):
    """
    Design 4: what was decided on an append that had not landed names the hash it ends in. Somebody
    else has brought the journal to the same version: the append has lost, and everything it holds;
    on the right end it lands.
    """
    await store.append(writing({IVO: None}, append_id="winner"))
    [winner] = await store.read(IVO)
    [loser] = rows(IVO, append_id="loser")
    resting: dict[str, Any] = (
        {"facts": {IVO: 1}} if is_fact else {"expected": {IVO: 1, MARTA: 0, WALLET: 0}}
    )
    before = await dump(store)

    with pytest.raises(VersionConflictError) as lost:
        await store.append(attrs.evolve(everything(), **resting, hashes={IVO: loser.hash}))

    assert IVO == lost.value.journal_id
    assert before == await dump(store)
    assert 4 == await store.append(attrs.evolve(everything(), **resting, hashes={IVO: winner.hash}))


async def test_chain_of_appends_lands_in_order_without_the_losers(store: JournalStore):
    """
    Design 4: appends to one journal that come at once, each on the end of the one before, land in
    one after the other. Where one has lost, those that rest on it have lost as well, though by
    then somebody else has brought the journal to their version; the rest lands whole.
    """
    chain = list(rows(MARTA, count=4, append_id="chain"))
    other = list(rows(MARTA, Head(1, chain[0].hash, AT), count=3, append_id="other"))
    await store.append(Append(expected={}, reserve=((PHONE, held_by(IVO)),)))

    def link(row: StoredEvent, before: StoredEvent | None, **more: Any) -> Append:
        hashes = {} if before is None else {MARTA: before.hash}
        return Append(expected={MARTA: row.version - 1}, hashes=hashes, events=(row,), **more)

    outcomes = await asyncio.gather(
        store.append(link(chain[0], None)),
        store.append(link(chain[1], chain[0], reserve=((PHONE, held_by(MARTA)),))),
        store.append(link(other[0], chain[0])),
        store.append(link(chain[2], chain[1])),
        store.append(link(other[1], other[0])),
        store.append(link(chain[3], chain[2])),
        store.append(link(other[2], other[1])),
        store.append(writing({IVO: None})),
        return_exceptions=True,
    )

    kinds = [type(o) if isinstance(o, Exception) else o for o in outcomes]
    lost = VersionConflictError
    assert [1, KeyConflictError, 2, lost, 3, lost, 4, 5] == kinds
    assert placed((chain[0], *other)) == list(await store.read(MARTA))
    check_chain(await store.read(MARTA))


async def test_key_has_one_holder(store: JournalStore):
    """A key that is held is not given to another journal."""
    await store.append(attrs.evolve(writing({MARTA: None}), reserve=((PHONE, held_by(MARTA)),)))

    with pytest.raises(KeyConflictError) as refusal:
        await store.append(attrs.evolve(writing({IVO: None}), reserve=((PHONE, held_by(IVO)),)))

    assert PHONE == refusal.value.key
    assert held_by(MARTA) == await store.holder(PHONE)


async def test_key_given_back_may_be_taken(store: JournalStore):
    """Releasing comes before reserving, in one append as in two; a free key may be released."""
    await store.append(
        attrs.evolve(
            writing({MARTA: None}),
            reserve=((PHONE, held_by(MARTA)), (CARD, held_by(MARTA))),
            release=(RECEIPT,),
        )
    )
    head = await head_of(store, MARTA)

    await store.append(
        attrs.evolve(
            writing({MARTA: head}, append_id="append-2"),
            release=(PHONE, CARD),
            reserve=((PHONE, held_by(MARTA, 2)),),
        )
    )

    assert held_by(MARTA, 2) == await store.holder(PHONE)
    assert await store.holder(CARD) is None
    await store.append(
        attrs.evolve(writing({IVO: None}), reserve=((CARD, held_by(IVO)),), release=())
    )
    assert held_by(IVO) == await store.holder(CARD)


async def test_keys_of_two_scopes_are_two_keys(store: JournalStore):
    """The same value may be held in two scopes by two journals."""
    card = attrs.evolve(PHONE, scope=CARD.scope)

    await store.append(
        attrs.evolve(
            writing({MARTA: None, IVO: None}),
            reserve=((PHONE, held_by(MARTA)), (card, held_by(IVO))),
        )
    )

    assert held_by(MARTA) == await store.holder(PHONE)
    assert held_by(IVO) == await store.holder(card)


async def test_request_is_answered_once(store: JournalStore):
    """A second answer to a request is refused; the first one stays."""
    await store.append(Append(expected={}, answer=answered()))

    with pytest.raises(RequestConflictError):
        await store.append(Append(expected={}, answer=attrs.evolve(REFUSAL, request=REQUEST)))

    assert answered() == (await store.load(Wanted(journals=(), request=REQUEST))).answer


async def test_person_gets_one_key(store: JournalStore):
    """Whoever makes a person's key second has lost."""
    await store.append(Append(expected={}, keys=KeyChanges(made=(key_of(MARTA),))))

    with pytest.raises(PersonKeyConflictError) as refusal:
        await store.append(Append(expected={}, keys=KeyChanges(made=(key_of(MARTA, fill=8),))))

    assert MARTA == refusal.value.person
    assert key_of(MARTA) == await store.key_row(MARTA)


@pytest.mark.parametrize("had_one", [True, False])
async def test_erased_person_never_gets_a_key_again(store: JournalStore, had_one: bool):
    """Forgetting leaves a row without a key, whether there was one or not."""
    if had_one:
        await store.append(Append(expected={}, keys=KeyChanges(made=(key_of(MARTA),))))
    await store.append(Append(expected={}, keys=KeyChanges(forgotten=(MARTA,))))

    with pytest.raises(PersonKeyConflictError):
        await store.append(Append(expected={}, keys=KeyChanges(made=(key_of(MARTA),))))

    assert KeyRow(MARTA, "", b"") == await store.key_row(MARTA)
    assert [] == list(await store.stale_keys(NEXT_KEK))


async def test_erasing_drops_the_snapshot(store: JournalStore):
    """The snapshot of a forgotten person's journal goes, even one of the same append."""
    await store.append(everything())
    head = await head_of(store, MARTA)

    await store.append(
        attrs.evolve(
            writing({MARTA: head}, append_id="append-2"),
            keys=KeyChanges(forgotten=(MARTA,)),
            snapshots=(snapshot_of(MARTA, 3),),
        )
    )

    loaded = await store.load(Wanted(journals=(MARTA,), fingerprint=RULEBOOK))
    assert {} == loaded.snapshots
    assert [1, 2, 3] == [row.version for row in loaded.tails[MARTA]]


async def test_fence_refuses_new_keys_under_the_retired_one(store: JournalStore):
    """Once a rotation has begun, a key wrapped under the old key-encryption key is refused."""
    await store.append(Append(expected={}, keys=KeyChanges(made=(key_of(MARTA),))))
    await store.fence_keys(NEXT_KEK)

    with pytest.raises(KekRetiredError) as refusal:
        await store.append(Append(expected={}, keys=KeyChanges(made=(key_of(IVO),))))

    assert KEK == refusal.value.kek_id
    assert await store.key_row(IVO) is None
    await store.append(Append(expected={}, keys=KeyChanges(made=(key_of(IVO, NEXT_KEK),))))
    assert key_of(IVO, NEXT_KEK) == await store.key_row(IVO)


async def test_rotation_replaces_only_what_is_unchanged(store: JournalStore):
    """A key that changed or was destroyed since it was read is left as it is."""
    zoe = client_journal(ClientId("zoe"))
    made = (key_of(MARTA), key_of(IVO), key_of(zoe))
    await store.append(Append(expected={}, keys=KeyChanges(made=made)))
    stale = list(await store.stale_keys(NEXT_KEK))
    await store.append(Append(expected={}, keys=KeyChanges(forgotten=(MARTA,))))
    new = [key_of(row.person, NEXT_KEK, fill=9) for row in stale]

    assert [key_of(IVO), key_of(MARTA), key_of(zoe)] == stale
    assert [key_of(IVO)] == list(await store.stale_keys(NEXT_KEK, limit=1))
    assert 2 == await store.rewrap_keys(zip(stale, new, strict=True))
    assert 0 == await store.rewrap_keys(zip(stale, new, strict=True))
    assert KeyRow(MARTA, "", b"") == await store.key_row(MARTA)
    assert key_of(zoe, NEXT_KEK, fill=9) == await store.key_row(zoe)
    assert [] == list(await store.stale_keys(NEXT_KEK))


def _conflict_of_version(append: Append) -> Append:
    return attrs.evolve(append, expected={**append.expected, WALLET: 7})


def _conflict_of_key(append: Append) -> Append:
    return attrs.evolve(append, reserve=(*append.reserve, (PHONE, held_by(IVO))))


def _conflict_of_request(append: Append) -> Append:
    return attrs.evolve(append, answer=answered())


def _conflict_of_person(append: Append) -> Append:
    return attrs.evolve(append, keys=attrs.evolve(append.keys, made=(key_of(IVO), key_of(MARTA))))


def _conflict_of_kek(append: Append) -> Append:
    return attrs.evolve(append, keys=attrs.evolve(append.keys, made=(key_of(IVO, "old"),)))


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (_conflict_of_version, VersionConflictError),
        (_conflict_of_key, KeyConflictError),
        (_conflict_of_request, RequestConflictError),
        (_conflict_of_person, PersonKeyConflictError),
        (_conflict_of_kek, KekRetiredError),
    ],
)
async def test_append_that_fails_one_claim_leaves_nothing(
    store: JournalStore, spoil: Callable[[Append], Append], error: type[ConflictError]
):
    """Everything of an append lands or nothing does: no event, key, answer, due moment, audit."""
    await store.append(everything())
    await store.fence_keys(KEK)
    head = await head_of(store, MARTA)
    sound = Append(
        expected={MARTA: 2, IVO: 0},
        events=(*rows(MARTA, head, append_id="append-2"), *rows(IVO, append_id="append-2")),
        reserve=((RECEIPT, held_by(IVO)),),
        release=(CARD,),
        answer=REFUSAL,
        due={MARTA: None, IVO: AT},
        audit=(audited("Later"),),
        keys=KeyChanges(made=(key_of(IVO),), forgotten=(WALLET,)),
        snapshots=(snapshot_of(MARTA, 3), snapshot_of(IVO, 1)),
    )
    before = await dump(store)

    with pytest.raises(error):
        await store.append(spoil(sound))

    assert before == await dump(store)
    assert 5 == await store.append(sound)
    assert before != await dump(store)


async def test_versions_are_checked_before_anything_else(store: JournalStore):
    """Of several lost claims the version is named, then the key, the request, the person's key."""
    await store.append(everything())

    with pytest.raises(VersionConflictError):
        await store.append(everything())
    with pytest.raises(KeyConflictError):
        await store.append(attrs.evolve(everything(), expected={}, events=()))
    with pytest.raises(RequestConflictError):
        await store.append(attrs.evolve(everything(), expected={}, events=(), reserve=()))
    with pytest.raises(PersonKeyConflictError):
        await store.append(
            attrs.evolve(everything(), expected={}, events=(), reserve=(), answer=None)
        )


async def test_one_of_many_concurrent_appends_wins(store: JournalStore):
    """64 callers who decided on the same version: one lands, the others know that they lost."""
    appends = [writing({MARTA: None}, append_id=f"append-{i}") for i in range(CALLERS)]

    outcomes = await asyncio.gather(*map(store.append, appends), return_exceptions=True)

    assert 1 == outcomes.count(1)
    assert CALLERS - 1 == sum(isinstance(o, VersionConflictError) for o in outcomes)
    assert [appends[outcomes.index(1)].events[0].append_id] == [
        row.append_id for row in await store.read_all()
    ]


async def test_losers_who_try_again_win_in_the_end(store: JournalStore):
    """64 callers who load and append until they win leave 64 versions and an unbroken chain."""

    async def caller(number: int) -> None:
        while True:
            head = await head_of(store, MARTA)
            try:
                await store.append(writing({MARTA: head}, append_id=f"append-{number}"))
            except VersionConflictError:
                continue
            return

    await asyncio.gather(*map(caller, range(CALLERS)))

    events = await store.read(MARTA)
    assert CALLERS == check_chain(events).version
    assert {f"append-{i}" for i in range(CALLERS)} == {row.append_id for row in events}


async def test_losers_of_a_group_leave_the_others_whole(store: JournalStore):
    """Of eight appends at once the third and the fifth lose: exactly six are there, whole."""
    await store.append(attrs.evolve(writing({MARTA: None}), reserve=((PHONE, held_by(MARTA)),)))
    journals = [client_journal(ClientId(f"client-{i}")) for i in range(1, 9)]
    appends = [
        attrs.evolve(
            writing({journal: None}, count=2, append_id=f"append-{i}"),
            reserve=((attrs.evolve(CARD, value=Blind(f"card-{i}")), held_by(journal)),),
            answer=answered(Blind(f"request-{i}")),
            due={journal: AT},
            audit=(audited(f"method-{i}"),),
            keys=KeyChanges(made=(key_of(journal),)),
        )
        for i, journal in enumerate(journals, start=1)
    ]
    appends[2] = attrs.evolve(appends[2], reserve=((PHONE, held_by(journals[2])),))
    appends[4] = attrs.evolve(appends[4], expected={journals[4]: 0, MARTA: 0})

    outcomes = await asyncio.gather(*map(store.append, appends), return_exceptions=True)

    won = [1, 2, 4, 6, 7, 8]
    assert [KeyConflictError, VersionConflictError] == [type(outcomes[i]) for i in (2, 4)]
    assert [3, 5, 7, 9, 11, 13] == [outcomes[i - 1] for i in won]
    assert [f"append-{i}" for i in won for _ in range(2)] == [
        row.append_id for row in await store.read_all(after=1)
    ]
    for i, journal in enumerate(journals, start=1):
        is_there = i in won
        loaded = await store.load(Wanted(journals=(journal,), request=Blind(f"request-{i}")))
        assert (2 if is_there else 0) == loaded.heads[journal].version
        assert is_there == (loaded.answer is not None)
        assert is_there == (await store.key_row(journal) is not None)
        assert is_there == (journal in await store.due(AT))
        card = attrs.evolve(CARD, value=Blind(f"card-{i}"))
        assert is_there == (await store.holder(card) is not None)
    assert [f"method-{i}" for i in won] == [row.method for _, row in await store.audit()]


async def test_later_append_of_a_group_may_rest_on_an_earlier_one(store: JournalStore):
    """Appends sent off in order without waiting are taken in that order."""
    chain = rows(MARTA, count=20)
    appends = [Append(expected={MARTA: row.version - 1}, events=(row,)) for row in chain]

    assert [*range(1, 21)] == await asyncio.gather(*map(store.append, appends))
    assert placed(chain) == list(await store.read(MARTA))


async def test_follower_misses_nothing_while_others_write(store: JournalStore):
    """Whoever always asks for what came after the last event seen sees all of them, in order."""
    count = 200
    seen: list[StoredEvent] = []

    async def writer(number: int) -> None:
        head = Head()
        journal = client_journal(ClientId(f"client-{number}"))
        for i in range(count // 10):
            append = writing({journal: head}, append_id=f"{number}-{i}")
            await store.append(append)
            last = append.events[-1]
            head = Head(last.version, last.hash, last.recorded_at)

    async def follower() -> None:
        while len(seen) < count:
            seen.extend(await store.read_all(after=seen[-1].position if seen else 0, limit=7))
            await asyncio.sleep(0)

    await asyncio.gather(follower(), *map(writer, range(10)))

    positions = [row.position for row in seen]
    assert sorted(set(positions)) == positions
    assert list(await store.read_all()) == seen
    for number in range(10):
        journal = client_journal(ClientId(f"client-{number}"))
        check_chain(row for row in seen if row.journal == journal)


async def test_pages_are_bounded(store: JournalStore):
    """A reader gets at most what it asks for, and never more than a page."""
    await store.append(writing({MARTA: None}, count=PAGE_MAX + 5))

    assert [3, 4] == [row.version for row in await store.read(MARTA, after=2, limit=2)]
    assert [8, 9] == [row.position for row in await store.read_all(after=7, limit=2)]
    assert PAGE_MAX == len(await store.read(MARTA, limit=PAGE_MAX * 2))
    assert PAGE_MAX == len(await store.read_all(limit=PAGE_MAX * 2))
    assert 5 == len(await store.read(MARTA, after=PAGE_MAX))
    loaded = await store.load(Wanted(journals=(MARTA,)))
    assert PAGE_MAX + 5 == len(loaded.tails[MARTA])


async def test_journals_come_in_the_order_of_their_texts(store: JournalStore):
    """Each that holds an event comes once, page by page; a due moment alone makes no journal."""
    await store.append(writing({WALLET: None, MARTA: None, IVO: None}, count=2))
    await store.append(Append(expected={}, due={NOBODY: AT}))

    assert [IVO, MARTA, WALLET] == list(await store.journals())
    assert [IVO, MARTA] == list(await store.journals(limit=2))
    assert [MARTA] == list(await store.journals(str(IVO), limit=1))
    assert [MARTA, WALLET] == list(await store.journals("client/jana"))
    assert [WALLET] == list(await store.journals("client0"))
    assert [] == list(await store.journals(str(WALLET)))


async def test_a_page_of_journals_is_bounded(store: JournalStore):
    """However many are asked for, a page is a page."""
    many = [client_journal(ClientId(f"c{number:04}")) for number in range(PAGE_MAX + 2)]
    await store.append(writing(dict.fromkeys(many)))

    first = list(await store.journals(limit=PAGE_MAX * 2))

    assert many[:PAGE_MAX] == first
    assert many[PAGE_MAX:] == list(await store.journals(str(first[-1])))


async def test_due_journals_come_earliest_first(store: JournalStore):
    """A due moment is set, moved and removed; the moment itself is due."""
    await store.append(Append(expected={}, due={MARTA: AT + MINUTE, IVO: AT + MINUTE, WALLET: AT}))

    assert [] == list(await store.due(AT - MINUTE))
    assert [WALLET] == list(await store.due(AT))
    assert [WALLET, IVO, MARTA] == list(await store.due(AT + MINUTE))
    assert [WALLET, IVO] == list(await store.due(AT + MINUTE, limit=2))
    assert [IVO] == list(await store.due(AT + MINUTE, limit=1, offset=1))
    assert [MARTA] == list(await store.due(AT + MINUTE, offset=2))
    assert [] == list(await store.due(AT + MINUTE, offset=3))
    await store.append(Append(expected={}, due={WALLET: None, MARTA: AT, NOBODY: None}))
    assert [None, AT] == [await store.due_at(WALLET), await store.due_at(MARTA)]
    assert [MARTA, IVO] == list(await store.due(AT + MINUTE))


async def test_old_answers_are_purged_a_page_at_a_time(store: JournalStore):
    """The oldest go first, the moment named is kept, and a purged request may be answered anew."""
    for i in (2, 0, 1, 3):
        answer = answered(Blind(f"request-{i}"), at=AT + i * MINUTE)
        await store.append(Append(expected={}, answer=answer))

    async def left() -> list[int]:
        asked = [
            await store.load(Wanted(journals=(), request=Blind(f"request-{i}"))) for i in range(4)
        ]
        return [i for i, loaded in enumerate(asked) if loaded.answer is not None]

    assert 1 == await store.purge_answers(AT + 2 * MINUTE, limit=1)
    assert [1, 2, 3] == await left()
    assert 1 == await store.purge_answers(AT + 2 * MINUTE)
    assert 0 == await store.purge_answers(AT + 2 * MINUTE)
    assert [2, 3] == await left()
    await store.append(Append(expected={}, answer=answered(Blind("request-0"))))
    assert [0, 2, 3] == await left()


async def test_notes_are_written_and_read(store: JournalStore):
    """A note is absent, then there, then another; writing gives it back."""
    assert await store.note("clock") is None
    assert "one" == await store.note("clock", "one")
    assert "" == await store.note("clock", "")
    assert "" == await store.note("clock")


async def test_note_is_swapped_only_for_what_it_says(store: JournalStore):
    """A note is written if it is as the writer knows it, absent or empty or something else."""
    assert not await store.swap_note("clock", "", "one")
    assert await store.swap_note("clock", None, "one")
    assert not await store.swap_note("clock", None, "two")
    assert not await store.swap_note("clock", "two", "three")
    assert "one" == await store.note("clock")
    assert await store.swap_note("clock", "one", "")
    assert await store.swap_note("clock", "", "two")
    assert "two" == await store.note("clock")


async def added(store: JournalStore, words: Iterable[str]) -> None:
    """Add words to a note, one by one, whoever else does so."""
    for word in words:
        while not await store.swap_note(
            "words", noted := await store.note("words"), f"{noted or ''} {word}"
        ):
            pass


async def test_two_writers_of_a_note_lose_nothing(store: JournalStore):
    """Of two who read, change and swap a note at the same time neither undoes the other."""
    own, others = ([f"{writer}{number}" for number in range(10)] for writer in "ab")
    await asyncio.gather(added(store, own), added(store, others))

    words = (await store.note("words") or "").split()
    assert sorted([*own, *others]) == sorted(words)


async def test_audit_rows_are_numbered_in_order(store: JournalStore):
    """Rows of appends and rows alone share one numbering."""
    await store.append(Append(expected={}, audit=(audited("one"), audited("two"))))
    await store.write_audit([audited("three")])

    assert [(1, "one"), (2, "two"), (3, "three")] == [
        (number, row.method) for number, row in await store.audit()
    ]
    assert [(2, audited("two"))] == list(await store.audit(after=1, limit=1))


async def test_what_is_loaded_is_of_one_moment(store: JournalStore):
    """Two journals that are always written together are never seen at different versions."""
    heads = {MARTA: Head(), WALLET: Head()}
    is_over = False

    async def writer() -> None:
        nonlocal heads, is_over
        for i in range(100):
            append = writing(heads, append_id=f"append-{i}")
            await store.append(append)
            heads = {r.journal: Head(r.version, r.hash, r.recorded_at) for r in append.events}
            await asyncio.sleep(0)
        is_over = True

    async def reader() -> int:
        looks = 0
        while not is_over:
            loaded = await store.load(Wanted(journals=(MARTA, WALLET)))
            assert loaded.heads[MARTA].version == loaded.heads[WALLET].version
            assert loaded.heads[MARTA].version == len(loaded.tails[WALLET])
            looks += 1
            await asyncio.sleep(0)
        return looks

    _, looks, _ = await asyncio.gather(writer(), reader(), reader())
    assert looks > 0


async def test_cancelled_append_lands_whole_or_not_at_all(store: JournalStore):
    """A caller who goes away leaves nothing half."""
    journals = [client_journal(ClientId(f"client-{i}")) for i in range(40)]
    tasks = [
        asyncio.ensure_future(store.append(writing({journal: None}, count=3)))
        for journal in journals
    ]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    versions = [(await head_of(store, journal)).version for journal in journals]
    assert {3} == set(versions[1::2])
    assert set(versions[::2]) <= {0, 3}
    assert sum(versions) == await store.last_position()


async def test_closing_finishes_what_was_begun(store: JournalStore):
    """Appends under way when the store is closed are carried out and answered."""
    journals = [client_journal(ClientId(f"client-{i}")) for i in range(20)]
    tasks = [asyncio.ensure_future(store.append(writing({journal: None}))) for journal in journals]
    await asyncio.sleep(0)

    await store.close()
    await store.close()

    assert [*range(1, 21)] == await asyncio.gather(*tasks)
