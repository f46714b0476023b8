"""
Verify: everything kept is held against the journal, and every harm is found.
"""

from __future__ import annotations

import asyncio
import itertools
import re

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import attrs
import pytest

from clientela.adapters.memory_reads import MemoryReads
from clientela.domain.definitions.versions import ApplyDefinitions
from clientela.domain.errors import UnknownError
from clientela.domain.ids import (
    Code,
    JournalId,
    Ref,
    UnitId,
    WalletId,
    client_journal,
    unit_journal,
    wallet_journal,
)
from clientela.domain.organisation.units import RegisterUnit, UnitKind
from clientela.services import journal_verification
from clientela.services.cards import CARDS, TOTALS
from clientela.services.core import Core
from clientela.services.due_times import DueTimes
from clientela.services.follow_ups import FollowUps
from clientela.services.operations import verify
from clientela.services.ports import PAGE_MAX
from clientela.services.read_models import Row, Term
from clientela.services.row_verification import PROBLEMS_MAX
from clientela.services.rows import Append, Head, Loaded, StoredEvent, Wanted
from clientela.services.scheduler import Scheduler
from clientela.services.verification import Findings, Verification
from tests.domain.insight.histories import (
    ANTON,
    AT,
    MARTA,
    OLGA,
    PETRA,
    TEXT,
    approach,
    buy,
    register,
)
from tests.services.office import Office, PagedStore


JOURNAL = client_journal(PETRA)
WALLET = wallet_journal(WalletId(PETRA))
MODELS = (CARDS, TOTALS)


def same(row: StoredEvent) -> StoredEvent | None:
    """No harm."""
    return row


class TornError(Exception):
    """A store cannot make rows of what is in its file."""


class HarmedStore(PagedStore):
    """
    A store whose rows somebody has changed behind its back.

    Attributes:
        harm: What has become of a row; None if it is gone.

        heads: Ends that somebody has changed.

        torn: Journals that it cannot load, nor any together with one of them.

        meanwhile: What happens before the due moment of Petra's wallet is told, once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.harm: Callable[[StoredEvent], StoredEvent | None] = same
        self.heads: dict[JournalId, Head] = {}
        self.torn: set[JournalId] = set()
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def read(
        self, journal_id: JournalId, after: int = 0, limit: int = PAGE_MAX
    ) -> Sequence[StoredEvent]:
        return self._harmed(await super().read(journal_id, after, limit))

    async def read_all(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[StoredEvent]:
        return self._harmed(await super().read_all(after, limit))

    async def load(self, wanted: Wanted) -> Loaded:
        if self.torn.intersection(wanted.journals):
            raise TornError
        loaded = await super().load(wanted)
        tails = {j: self._harmed(tail) for j, tail in loaded.tails.items()}
        return attrs.evolve(loaded, tails=tails, heads={**loaded.heads, **self.heads})

    async def due_at(self, journal_id: JournalId):
        if journal_id == WALLET and self.meanwhile is not None:
            happening, self.meanwhile = self.meanwhile, None
            await happening()
        return await super().due_at(journal_id)

    def _harmed(self, rows: Sequence[StoredEvent]) -> list[StoredEvent]:
        return [harmed for row in rows if (harmed := self.harm(row)) is not None]


class MovingReads(MemoryReads):
    """
    Rows that others bring up to date while they are compared.

    Attributes:
        meanwhile: What happens before rows are told, each time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: deque[Callable[[], Awaitable[object]]] = deque()

    async def find(
        self, model: str, terms: Sequence[Term], after: str, limit: int
    ) -> Sequence[tuple[str, bytes]]:
        if self.meanwhile:
            await self.meanwhile.popleft()()
        return await super().find(model, terms, after, limit)


class Whole:
    """A keeper whose file is whole."""

    data_dir = Path("/data")

    async def rotate_keys(self, now) -> int:
        return 0

    async def back_up(self, path) -> None:
        return None

    async def faults(self) -> tuple[str, ...]:
        return ()


class Torn(Whole):
    """A keeper whose file is not whole."""

    async def faults(self) -> tuple[str, ...]:
        return ("page 7 is torn",)


def core_of(office: Office) -> Core:
    """What servicers of the office work with."""

    async def nobody(_owner):
        return ()

    return Core(
        path=office.path,
        reads=office.reads,
        store=office.store,
        sessions=office.vault,
        ids=office.vault,
        forms=office.forms,
        clock=office.clock,
        new_id=lambda: "new",
        scheduler=Scheduler(office.path, office.store, office.clock, lambda *_: None),
        due_times=DueTimes(office.path, office.store, lambda *_: None),
        follow_ups=FollowUps(office.path, office.store, nobody, lambda *_: None),
    )


async def check(office: Office) -> Findings:
    """What a check finds."""
    return await verify(core_of(office), MODELS, Whole())


async def problems(office: Office) -> list[str]:
    """What a check finds wrong."""
    return list((await check(office)).problems)


@pytest.fixture
async def office() -> Office:
    """The shop with two clients who bought something; all models are up to date."""
    office = await Office(HarmedStore()).open()
    await office.run(
        register(PETRA, "Petra Novák"),
        register(OLGA, "Olga Майская"),
        approach(PETRA, MARTA),
        buy(PETRA, 1, 1000, AT),
        buy(OLGA, 2, 500, AT),
    )
    await office.reads.catch_up_all()
    await core_of(office).due_times.catch_up()
    return office


async def rows_of(office: Office, journal_id: JournalId = JOURNAL) -> Sequence[StoredEvent]:
    """Rows of a journal."""
    return await office.store.read(journal_id)


async def test_whole_store_has_no_problems(office):
    """
    A store that nobody has harmed is found whole, every journal and event of it checked.
    """
    found = await check(office)

    rows = await office.store.read_all()
    assert () == found.problems
    assert len(rows) == found.events
    assert len({row.journal for row in rows}) == found.journals


async def test_faults_of_the_file_come_first(office):
    """
    What is wrong with the file itself is told before what is wrong in it.
    """
    office.store.harm = lambda row: None if row.position == 3 else row

    found = await verify(core_of(office), MODELS, Torn())

    assert "page 7 is torn" == found.problems[0]
    assert len(found.problems) > 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "ownership-lapsed.v1"),
        ("name", "never-heard-of.v1"),
        ("occurred_at", AT - timedelta(days=400)),
        ("recorded_at", AT + timedelta(days=400)),
        ("event_id", "e99"),
        ("append_id", "a99"),
        ("version", 77),
        ("position", 777),
    ],
)
async def test_changed_column_is_noticed(office, column, value):
    """
    Trust: a column that was changed beside the hashed body is found at its event.
    """
    harmed = (await rows_of(office))[1]
    office.store.harm = lambda row: (
        attrs.evolve(row, **{column: value}) if row.event_id == harmed.event_id else row
    )

    found = await problems(office)

    assert [p for p in found if str(JOURNAL) in p or "position" in p]


async def test_event_under_another_name_is_told_exactly(office):
    """
    The stored name is part of what is hashed.
    """
    harmed = (await rows_of(office))[1]
    office.store.harm = lambda row: (
        attrs.evolve(row, name="never-heard-of.v1") if row == harmed else row
    )

    assert f"{JOURNAL} is altered (name) at version 2" in await problems(office)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b'{"envelope":{}}'])
async def test_spoilt_body_is_a_problem_and_no_crash(office, body):
    """
    Bytes that cannot be decoded are told of at their place, those that a snapshot stands for and
    those that are read after it; all else is checked all the same.
    """
    _, second, *_, last = await rows_of(office)
    office.store.harm = lambda row: attrs.evolve(row, body=body) if row == second else row

    found = await problems(office)
    office.store.harm = lambda row: attrs.evolve(row, body=body) if row == last else row
    found_last = await problems(office)

    assert f"{JOURNAL} is broken at version 2" in found
    assert f"{JOURNAL} is unreadable at version 2" in found
    assert f"{JOURNAL}: its events cannot be folded" in found
    assert f"{JOURNAL}: what is kept of it cannot be read" in found_last
    assert not [p for p in found if str(client_journal(OLGA)) in p]


async def test_spoilt_event_that_a_read_model_has_yet_to_take_in_is_no_crash(office):
    """
    A read model that cannot take the journal in is told of by name.
    """
    await office.run(buy(PETRA, 3, 700, AT))
    harmed = (await rows_of(office))[-1]
    office.store.harm = lambda row: attrs.evolve(row, body=b"{") if row == harmed else row

    found = await problems(office)

    assert f"{CARDS.name}: it cannot take the journal in" in found


async def test_journal_whose_events_are_all_gone_is_noticed(office):
    """
    Every journal the store has an end of is visited, those without events too; the hole in the
    order of all events is told of besides.
    """
    office.store.harm = lambda row: None if row.journal == WALLET else row

    found = await problems(office)

    assert f"{WALLET}: its head is not its last event" in found
    assert [p for p in found if p.startswith("position ")]


async def test_last_event_that_is_gone_is_noticed(office):
    """
    Nothing follows on a last event but the end of its journal, and that tells.
    """
    last = (await rows_of(office))[-1]
    office.store.harm = lambda row: None if row.event_id == last.event_id else row

    assert f"{JOURNAL}: its head is not its last event" in await problems(office)


@pytest.mark.parametrize("head", [Head(), Head(1, "0" * 64, AT)])
async def test_end_that_lags_behind_the_events_is_noticed(office, head):
    """
    An end that was put back, or taken away, hides no event.
    """
    office.store.heads = {JOURNAL: head}

    assert f"{JOURNAL}: its head is not its last event" in await problems(office)


async def test_snapshot_is_checked_though_the_journal_is_in_memory(office):
    """
    What a process that has just started would read is compared, states and what the rule sets
    heard last, not what this one remembers.
    """
    records = office.path.records
    journal = records.folded(JOURNAL, await records.stored(JOURNAL))

    async def keep(text: bytes, harm: bytes) -> list[str]:
        snapshot = records.snapshots.taken(journal)
        assert 1 == len(re.findall(text, snapshot.body))
        harmed = attrs.evolve(snapshot, body=re.sub(text, harm, snapshot.body))
        await office.store.append(Append(expected={}, snapshots=(harmed,)))
        return await problems(office)

    told = f"{JOURNAL}: what is kept of it is not what its events come to"
    unreadable = f"{JOURNAL}: what is kept of it cannot be read"
    assert [] == await keep(rb"ownership", rb"ownership")
    assert [told] == await keep(rb"ownership \d+", rb"ownership 1")
    assert [told] == await keep(rb'"marta"', rb'"ivo"')
    assert [unreadable] == await keep(rb"ownership.*\n", rb"")
    assert [unreadable] == await keep(rb"ownership (\d+) .*", rb"ownership \1 null")


@pytest.mark.parametrize(("journals", "events"), [(1, PAGE_MAX), (2, PAGE_MAX), (100, 3)])
async def test_journals_are_checked_alike_in_groups_of_any_size(
    office, monkeypatch, journals, events
):
    """
    However many journals are checked together, or page by page, the same is told of the same ones:
    a journal that cannot be read hides no other.
    """
    monkeypatch.setattr(journal_verification, "JOURNALS_AT_ONCE", journals)
    monkeypatch.setattr(journal_verification, "PAGE_MAX", events)
    assert [] == await problems(office)
    records, other = office.path.records, client_journal(OLGA)
    for journal_id, body in ((JOURNAL, b"identity"), (WALLET, b"")):
        journal = records.folded(journal_id, await records.stored(journal_id))
        snapshot = attrs.evolve(records.snapshots.taken(journal), body=body)
        await office.store.append(Append(expected={}, snapshots=(snapshot,)))
    await office.store.append(Append(expected={}, due={other: AT}))

    found = await problems(office)

    assert [
        f"{other}: its due moment is not what its events come to",
        f"{JOURNAL}: what is kept of it cannot be read",
        f"{WALLET}: what is kept of it cannot be read",
    ] == found


async def test_journal_that_the_store_cannot_hand_out_hides_no_other(office):
    """
    Where journals cannot be loaded together, each is loaded alone.
    """
    office.store.torn = {JOURNAL}

    assert [f"{JOURNAL}: what is kept of it cannot be read"] == await problems(office)


async def test_due_moment_is_checked(office):
    """
    A due moment that is wrong, or gone, is noticed.
    """
    await office.store.append(Append(expected={}, due={WALLET: AT}))
    assert [f"{WALLET}: its due moment is not what its events come to"] == await problems(office)

    await office.store.append(Append(expected={}, due={WALLET: None}))
    assert [f"{WALLET}: its due moment is not what its events come to"] == await problems(office)


async def put_row(office: Office, row: Row) -> None:
    """Put Petra's card in behind the journal's back."""
    await office.kept.write(CARDS.name, await office.store.last_position(), {PETRA: row})


async def test_row_of_a_read_model_that_differs_is_noticed(office):
    """
    A changed body is told of by model and key.
    """
    other = office.kept.kept[CARDS.name][OLGA]
    mine = office.kept.kept[CARDS.name][PETRA]
    await put_row(office, attrs.evolve(mine, body=other.body))

    assert [f"{CARDS.name} {PETRA}: not what the journal comes to"] == await problems(office)


async def test_row_that_has_lost_a_term_is_noticed(office):
    """
    A row that is not found by what it should be found by is wrong, though its body is right.
    """
    whole = office.kept.kept[CARDS.name][PETRA]
    for term in whole.terms:
        lacking = attrs.evolve(whole, terms=whole.terms - {term})
        await put_row(office, lacking)
        told = await problems(office)
        await put_row(office, whole)

        assert [f"{CARDS.name} {PETRA}: not what the journal comes to"] == told


async def test_row_that_has_a_term_too_many_is_noticed(office):
    """
    A row that is found by what is not so of it any more is wrong: an erased client who still has a
    phone, somebody listed under an owner they do not have.
    """
    whole = office.kept.kept[CARDS.name][PETRA]
    for term in (("owner", "ghost"), ("token", "d4" * 32), ("identifier:fax", "e5" * 32)):
        await put_row(office, attrs.evolve(whole, terms=whole.terms | {term}))
        told = await problems(office)
        await put_row(office, whole)

        assert [f"{CARDS.name} {PETRA}: not what the journal comes to"] == told


async def test_row_that_nothing_stands_for_is_noticed(office):
    """
    A row that the journal knows nothing of is told of.
    """
    row = office.kept.kept[CARDS.name][PETRA]
    position = await office.store.last_position()
    await office.kept.write(CARDS.name, position, {"nobody": row, "zzz": row})

    assert [
        f"{CARDS.name} nobody: the journal knows nothing of it",
        f"{CARDS.name} zzz: the journal knows nothing of it",
    ] == await problems(office)


async def test_row_that_is_missing_is_noticed(office):
    """
    A row that must be there and is not is told of.
    """
    position = await office.store.last_position()
    fresh = MemoryReads()
    kept = {k: r for k, r in office.kept.kept[CARDS.name].items() if k != OLGA}
    await fresh.write(CARDS.name, position, kept)
    await fresh.write(TOTALS.name, position, office.kept.kept[TOTALS.name])
    office.reads = office.read_models(fresh)

    assert [f"{CARDS.name} {OLGA}: missing"] == await problems(office)


@pytest.mark.parametrize("rows_at_once", [1, 2, 3, 100])
async def test_parts_of_a_read_model_give_the_whole(office, rows_at_once):
    """
    However few rows are held in memory, each is checked and none is taken for too many.
    """
    position = await office.store.last_position()
    row = office.kept.kept[CARDS.name][PETRA]

    whole = await Verification(core_of(office), MODELS, rows_at_once).run()
    await office.kept.write(CARDS.name, position, {"aaron": row, OLGA: row, "zoe": row})
    harmed = await Verification(core_of(office), MODELS, rows_at_once).run()

    assert () == whole.problems
    assert ["aaron", OLGA, "zoe"] == [text.split()[1].rstrip(":") for text in harmed.problems]


async def test_writing_meanwhile_is_no_fault(office):
    """
    Purchases and new journals that come during a check are neither missing nor too much.
    """
    numbers = iter(range(10, 10_000))
    done = asyncio.Event()

    async def trade() -> None:
        while not done.is_set():
            number = next(numbers)
            unit = UnitId(f"u{number}")
            await office.run(
                buy(PETRA, number, 100, AT),
                RegisterUnit(unit_id=unit, kind=UnitKind.BRANCH, label=Code("stall")),
            )
            await asyncio.sleep(0)

    async def turn() -> None:
        await office.run(buy(OLGA, next(numbers), 100, AT))

    trading = asyncio.create_task(trade())
    office.store.meanwhile = turn
    found = [await check(office) for _ in range(3)]
    done.set()
    await trading

    assert [()] * 3 == [each.problems for each in found]


async def test_definitions_applied_a_moment_ago_are_no_fault(office):
    """
    Due moments that have yet to follow new definitions are renewed, not told of.
    """
    await office.run(ApplyDefinitions.of(TEXT.replace("days = 60", "days = 2")))
    before = await office.store.due_at(JOURNAL)

    assert [] == await problems(office)
    assert before > await office.store.due_at(JOURNAL)


async def test_journal_that_moves_between_two_questions_is_asked_again(office):
    """
    The due moment is asked for after the journal; what comes between is no fault.
    """
    numbers = itertools.count(10)

    async def turn() -> None:
        office.clock.move(office.clock.now() + timedelta(days=200))
        await office.run(buy(PETRA, next(numbers), 100, office.clock.now()))

    for _ in range(10):
        office.store.meanwhile = turn
        assert [] == await problems(office)


async def test_rows_that_move_while_they_are_compared_are_compared_again(office):
    """
    A read model that has taken in more than the check has is no fault; new rows are none either.
    """
    moving = MovingReads()
    office.reads = office.read_models(moving)

    async def turn() -> None:
        await office.run(buy(PETRA, 9, 100, AT), register(ANTON, "Anton Weiß"))
        await office.reads.catch_up_all()

    moving.meanwhile.append(turn)

    assert [] == await problems(office)


async def test_problems_are_bounded(office):
    """
    However much is wrong, no more than `PROBLEMS_MAX` problems are collected.
    """
    row = office.kept.kept[CARDS.name][PETRA]
    position = await office.store.last_position()
    many = {f"n{n:05}": row for n in range(PROBLEMS_MAX + 500)}
    await office.kept.write(CARDS.name, position, many)

    assert PROBLEMS_MAX == len(await problems(office))


async def test_empty_store_is_whole():
    """
    Nothing is checked and nothing is wrong.
    """
    found = await check(Office(HarmedStore()))

    assert Findings(problems=(), journals=0, events=0) == found


async def test_one_event_is_read_by_its_reference(office):
    """
    The event of a reference is the one of that version; there is none of version 0.
    """
    core = core_of(office)

    assert (await core.event(Ref(JOURNAL, 2))).ref == Ref(JOURNAL, 2)
    for version in (0, -1, 99):
        with pytest.raises(UnknownError):
            await core.event(Ref(JOURNAL, version))
    with pytest.raises(UnknownError):
        await core.event(Ref(unit_journal(UnitId("nowhere")), 1))
