"""
Folded journals kept in memory: always a state that was committed.
"""

from __future__ import annotations

import attrs
import pytest

from clientela.domain.definitions.versions import definitions_rule_set, section_types
from clientela.domain.ids import (
    JournalKind,
    client_journal,
    employee_journal,
)
from clientela.domain.organisation.staff import RecordLeaving
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.purchase.purchases import Purchases
from clientela.domain.rulebook import Rulebook
from clientela.services.records import Records
from clientela.services.rows import Append
from clientela.services.snapshots import SNAPSHOT_EVERY
from clientela.services.views import Needs
from tests.domain.purchase.till import TEA, bought, line
from tests.domain.spec import AT
from tests.services.counting import COUNTS
from tests.services.firm import (
    IVO,
    JOURNAL,
    MARTA,
    OLGA,
    PETRA,
    PURCHASE,
    RULE_SETS,
    Firm,
    approach,
)


@pytest.fixture
async def firm():
    """A company with two sellers and two clients."""
    return await Firm().open(MARTA, IVO)


async def test_read_that_overlaps_a_commit_does_not_fold_it_twice(firm):
    """
    A read waits for the store while a command commits: what it answers, and what stays in memory,
    is a state that was committed, each event folded once.
    """
    await firm.run(approach(MARTA))
    firm.store.loading.append(lambda: firm.run(PURCHASE))
    await firm.path.read(JOURNAL)
    firm.store.loading.append(lambda: firm.run(bought(2, line("1", TEA, 2, 200))))
    await firm.path.read(JOURNAL)

    here = (await firm.path.read(JOURNAL)).record.journal(JournalKind.CLIENT)
    anew = (await firm.other().path.read(JOURNAL)).record.journal(JournalKind.CLIENT)

    assert anew == here
    assert 2 == len(here.states[Purchases].open)


async def test_read_survives_that_its_record_is_dropped_from_memory_meanwhile(firm):
    """
    What was in memory when the read began is what it builds on, though it has been dropped since.
    """
    firm.records = firm.path._decisions.records = Records(
        firm.rulebook, firm.codec, firm.store, cached_max=1
    )
    await firm.run(approach(MARTA))
    firm.store.loading.append(lambda: firm.path.read(client_journal(OLGA)))
    view = await firm.path.read(JOURNAL)

    assert MARTA == view.record.of(Ownership).owner_id
    assert MARTA == (await firm.path.read(JOURNAL)).record.of(Ownership).owner_id


async def test_late_answer_of_the_store_does_not_push_a_newer_state_out(firm):
    """
    A slow read ends after a command: the newer state stays in memory.
    """
    await firm.run(approach(MARTA))
    firm.store.loading.append(lambda: firm.run(PURCHASE))
    await firm.path.read(JOURNAL)
    del firm.store.wanted[:]

    await firm.path.read(JOURNAL)

    assert 4 == firm.store.wanted[0].known[JOURNAL]


async def test_memory_is_bounded_and_what_falls_out_is_loaded_again():
    """
    Only so many folded journals are kept; the longest unused goes first and comes back equal.
    """
    firm = await Firm().open(MARTA)
    firm.records = firm.path._decisions.records = Records(
        firm.rulebook, firm.codec, firm.store, cached_max=2
    )
    await firm.run(approach(MARTA))
    for client in (OLGA, PETRA, OLGA):
        await firm.path.read(client_journal(client))
    del firm.store.wanted[:]

    views = [await firm.path.read(client_journal(c)) for c in (OLGA, PETRA)]
    await firm.path.read(employee_journal(MARTA))
    await firm.path.read(client_journal(OLGA))

    assert [True, True, False, False] == [
        bool(wanted.known.keys() & set(wanted.journals)) for wanted in firm.store.wanted
    ]
    assert MARTA == views[1].record.of(Ownership).owner_id


async def test_snapshot_gives_the_same_record_as_all_events():
    """
    A long journal is begun from its latest snapshot; the record is that of all its events folded,
    etags included. One of another composition is passed over.
    """
    firm = await Firm().open(MARTA)
    for n in range(SNAPSHOT_EVERY + 3):
        await firm.run(bought(n, line("1", TEA, 1, n)))
    await firm.run(approach(MARTA))
    history = await firm.records.history(JOURNAL)
    folded = firm.rulebook.fold(firm.rulebook.empty(JOURNAL), history)

    fresh, foreign = firm.other(), firm.other((COUNTS,))
    fingerprint = firm.rulebook.snapshot_fingerprint
    began = await firm.store.load(attrs.evolve(firm.store.wanted[-1], known={}))
    view = await fresh.path.read(JOURNAL)

    [snapshot] = began.snapshots.values()
    assert 0 < folded.version - snapshot.version < SNAPSHOT_EVERY
    assert fingerprint == snapshot.fingerprint
    assert folded == view.record.journal(JournalKind.CLIENT)
    foreign_view = await foreign.path.read(JOURNAL)
    assert folded.version == foreign_view.record.journal(JournalKind.CLIENT).version
    assert firm.records.etag(view.record, OWNERSHIP) == f"ownership-{folded.touched[Ownership]}"


async def test_journal_as_stored_passes_memory_by():
    """
    What the store has is told, snapshot and all, whatever is in memory; memory stays as it is.
    """
    firm = await Firm().open(MARTA)
    await firm.run(approach(MARTA))
    [journal] = (await firm.path.read(JOURNAL)).record.journals
    del firm.store.wanted[:]

    stored = await firm.records.stored(JOURNAL)

    assert journal == firm.records.folded(JOURNAL, stored)
    assert journal.version == stored.heads[JOURNAL].version
    assert [{}] == [wanted.known for wanted in firm.store.wanted]


async def test_snapshot_of_another_meaning_is_passed_over():
    """
    A rule set whose `evolve` changed its meaning folds anew, though it is called the same.
    """
    firm = await Firm().open(MARTA)
    await firm.run(approach(MARTA))
    [journal] = (await firm.path.read(JOURNAL)).record.journals
    snapshot = firm.records.snapshots.taken(journal)
    await firm.store.append(Append(expected={}, snapshots=(snapshot,)))
    rule_sets = [attrs.evolve(r, version=9) if r is OWNERSHIP else r for r in RULE_SETS]
    newer = Rulebook((definitions_rule_set(section_types(rule_sets)), *rule_sets))
    wanted = attrs.evolve(firm.store.wanted[-1], known={}, journals=(JOURNAL,))

    same = await firm.store.load(wanted)
    other = await firm.store.load(attrs.evolve(wanted, fingerprint=newer.snapshot_fingerprint))

    assert newer.fingerprint == firm.rulebook.fingerprint
    assert (1, 0) == (len(same.snapshots), len(other.snapshots))


async def test_journal_that_ends_where_memory_does_is_not_loaded(firm):
    """
    Over a store that others write to as well, a read asks where the journal ends; only if it has
    moved, it is loaded: what others committed before the read is in it.
    """
    firm.store.tells_ends = True
    await firm.run(approach(MARTA))
    await firm.path.read(JOURNAL)
    del firm.store.wanted[:]

    again = await firm.path.read(JOURNAL)
    assert MARTA == again.record.of(Ownership).owner_id
    assert [] == firm.store.wanted

    await firm.other().run(PURCHASE)
    del firm.store.wanted[:]
    moved = await firm.path.read(JOURNAL)
    assert 1 == len(moved.record.of(Purchases).open)
    assert [JOURNAL in wanted.journals for wanted in firm.store.wanted] == [True]


async def test_staff_that_a_read_asks_about_is_looked_at_as_well(firm):
    """
    What rules ask for besides the record is as committed, too, though it was in memory.
    """
    firm.store.tells_ends = True
    await firm.run(approach(MARTA))
    needs = Needs(journals=(JOURNAL,), facts={employee_journal(MARTA)})
    await firm.records.load(needs)
    other = firm.other()
    await other.run(RecordLeaving(employee_id=MARTA, left_at=AT))

    view = await firm.records.load(needs)

    assert AT == view.registry.member(MARTA).left_at
    assert 2 == view.heads[employee_journal(MARTA)].version
