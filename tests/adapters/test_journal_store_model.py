"""
Any sequence of calls has the same outcome on every store as on the one in memory.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile

from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import attrs
import pytest

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from clientela.adapters.memory import MemoryStore
from clientela.domain.event import Key
from clientela.domain.ids import Blind, ClientId, Code, JournalId, client_journal
from clientela.services.key_rows import KeyChanges
from clientela.services.ports import JournalStore
from clientela.services.rows import Append, Head, Wanted
from clientela.services.store_errors import ConflictError, KeyConflictError
from tests.adapters.appends import (
    AT,
    MINUTE,
    answered,
    audited,
    held_by,
    key_of,
    rows,
    snapshot_of,
)
from tests.adapters.journal_stores import JOURNAL_STORES


EXAMPLES = 25
STEPS = 25

JOURNALS = [client_journal(ClientId(name)) for name in ("marta", "ivo", "zoe")]
KEYS = [Key(Code(scope), Blind(value)) for scope in ("phone", "card") for value in ("one", "two")]
REQUESTS = [Blind(f"request-{i}") for i in range(4)]
KEKS = ["kek-1", "kek-2"]
FINGERPRINTS = ["rules-1", "rules-2"]

journals = st.sampled_from(JOURNALS)
keys = st.sampled_from(KEYS)
keks = st.sampled_from(KEKS)
moments = st.integers(0, 9).map(lambda minutes: AT + minutes * MINUTE)
numbers = st.integers(0, 3)
pages = st.integers(1, 4)


@attrs.frozen
class Plan:
    """What an append is made of; its events follow on the present heads, give or take *off*."""

    counts: dict[JournalId, int]
    off: int
    reserve: list[tuple[Key, JournalId]]
    release: list[Key]
    request: Blind | None
    due: dict[JournalId, Any]
    audit: int
    made: dict[JournalId, str]
    forgotten: list[JournalId]
    snapshots: dict[JournalId, str]


plans = st.builds(
    Plan,
    counts=st.dictionaries(journals, numbers, max_size=2),
    off=st.sampled_from([0, 0, 0, 0, 0, 1]),
    reserve=st.lists(st.tuples(keys, journals), max_size=1),
    release=st.lists(keys, max_size=1),
    request=st.none() | st.sampled_from(REQUESTS),
    due=st.dictionaries(journals, st.none() | moments, max_size=2),
    audit=numbers,
    made=st.dictionaries(journals, keks, max_size=1),
    forgotten=st.lists(journals, max_size=1),
    snapshots=st.dictionaries(journals, st.sampled_from(FINGERPRINTS), max_size=2),
)


async def outcome(doing: Awaitable[Any]) -> Any:
    """What came of a call: what it gave, or how it was refused."""
    try:
        return await doing
    except ConflictError as conflict:
        named = conflict.key if isinstance(conflict, KeyConflictError) else vars(conflict)
        return type(conflict), named


class SameAsMemory(RuleBasedStateMachine):
    """Does everything to both stores and compares."""

    opened: Callable[[Path], Coroutine[None, None, JournalStore]]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.model = MemoryStore()
        self.store = self.runner.run(type(self).opened(self.folder))
        self.appends = 0

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def compare(self, ask: Callable[[JournalStore], Awaitable[Any]]) -> None:
        expected = self.runner.run(outcome(ask(self.model)))
        assert expected == self.runner.run(outcome(ask(self.store)))

    def append(self, plan: Plan) -> Append:
        """The append of a plan."""
        self.appends += 1
        wanted = Wanted(journals=tuple(plan.counts))
        heads = self.runner.run(self.model.load(wanted)).heads
        heads = {
            j: attrs.evolve(head, version=head.version + plan.off) for j, head in heads.items()
        }
        name = f"append-{self.appends}"
        return Append(
            expected={j: heads[j].version for j in plan.counts},
            events=tuple(row for j, n in plan.counts.items() for row in rows(j, heads[j], n, name)),
            reserve=tuple((key, held_by(journal)) for key, journal in plan.reserve),
            release=tuple(plan.release),
            answer=answered(plan.request, AT + self.appends * MINUTE) if plan.request else None,
            due=plan.due,
            audit=(audited(name),) * plan.audit,
            keys=KeyChanges(
                made=tuple(key_of(p, kek, self.appends % 256) for p, kek in plan.made.items()),
                forgotten=tuple(plan.forgotten),
            ),
            snapshots=tuple(
                snapshot_of(j, heads.get(j, Head()).version, f) for j, f in plan.snapshots.items()
            ),
        )

    @rule(plan=plans)
    def append_one(self, plan: Plan) -> None:
        append = self.append(plan)
        self.compare(lambda store: store.append(append))

    @rule(several=st.lists(plans, min_size=2, max_size=5))
    def append_at_once(self, several: list[Plan]) -> None:
        """Decided on the same versions and sent off together, so that some of them lose."""
        appends = [self.append(plan) for plan in several]

        async def together(store: JournalStore) -> list[Any]:
            return await asyncio.gather(*(outcome(store.append(append)) for append in appends))

        self.compare(together)

    @rule(kek_id=keks)
    def fence(self, kek_id: str) -> None:
        self.compare(lambda store: store.fence_keys(kek_id))

    @rule(kek_id=keks, limit=pages)
    def rotate(self, kek_id: str, limit: int) -> None:
        async def rewrap(store: JournalStore) -> int:
            stale = await store.stale_keys(kek_id, limit)
            return await store.rewrap_keys((r, attrs.evolve(r, kek_id=kek_id)) for r in stale)

        self.compare(rewrap)

    @rule(minutes=st.integers(0, 60), limit=pages)
    def purge(self, minutes: int, limit: int) -> None:
        self.compare(lambda store: store.purge_answers(AT + minutes * MINUTE, limit))

    @rule(value=st.none() | st.text(max_size=5))
    def note(self, value: str | None) -> None:
        self.compare(lambda store: store.note("clock", value))

    @rule(old=st.none() | st.text(max_size=1), new=st.text(max_size=1))
    def swap(self, old: str | None, new: str) -> None:
        self.compare(lambda store: store.swap_note("clock", old, new))

    @rule(until=moments, limit=pages, offset=st.integers(0, 3))
    def ask_due(self, until: Any, limit: int, offset: int) -> None:
        self.compare(lambda store: store.due(until, limit, offset))
        self.compare(lambda store: store.due_at(JOURNALS[limit % 3]))

    @rule(journal=journals, after=numbers, limit=pages)
    def ask_pages(self, journal: JournalId, after: int, limit: int) -> None:
        self.compare(lambda store: store.read(journal, after, limit))
        self.compare(lambda store: store.read_all(after, limit))
        self.compare(lambda store: store.audit(after, limit))

    @rule(after=st.just("") | journals.map(str), limit=pages)
    def ask_journals(self, after: str, limit: int) -> None:
        self.compare(lambda store: store.journals(after, limit))

    @rule(known=st.dictionaries(journals, numbers, max_size=2), request=st.sampled_from(REQUESTS))
    def load_known(self, known: dict[JournalId, int], request: Blind) -> None:
        wanted = Wanted(journals=tuple(JOURNALS), known=known, request=request)
        self.compare(lambda store: store.load(wanted))

    @invariant()
    def hold_the_same(self) -> None:
        for fingerprint in FINGERPRINTS:
            wanted = Wanted(
                journals=tuple(JOURNALS),
                keys=tuple(KEYS),
                persons=tuple(JOURNALS),
                fingerprint=fingerprint,
            )
            self.compare(lambda store, wanted=wanted: store.load(wanted))  # type: ignore[misc]
        self.compare(lambda store: store.last_position())


@pytest.mark.parametrize("name", [name for name in JOURNAL_STORES if name != "memory"])
def test_every_store_does_what_the_one_in_memory_does(name: str):
    """Whatever is done, results, refusals and what is kept are equal."""
    opened = staticmethod(JOURNAL_STORES[name])
    machine = type(f"SameAsMemory{name.title()}", (SameAsMemory,), {"opened": opened})

    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None),
    )
