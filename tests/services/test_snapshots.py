"""
Snapshots: taken often, read where somebody looks.
"""

from __future__ import annotations

import attrs
import pytest

from clientela.domain.ids import JournalKind
from clientela.domain.interaction.rules import Contacts
from clientela.domain.ownership.holding import Ownership
from clientela.domain.purchase.purchases import Purchases
from clientela.services.snapshots import (
    LONG,
    SNAPSHOT_EVERY,
    SNAPSHOT_EVERY_LONG,
    SpoiltSnapshotError,
    last_point,
)
from tests.services.firm import IVO, JOURNAL, MARTA, PURCHASE, Firm, approach


@pytest.fixture
async def firm():
    """A company whose client has bought and was called on."""
    firm = await Firm().open(MARTA, IVO)
    await firm.run(PURCHASE)
    await firm.run(approach(MARTA))
    return firm


async def kept(firm):
    """The client's journal as memory has it."""
    return (await firm.path.read(JOURNAL)).record.journal(JournalKind.CLIENT)


def test_snapshots_are_taken_more_seldom_of_a_long_journal():
    """
    Every few events while a journal is short, and more seldom once its states may be long.
    """
    assert [0, 0, SNAPSHOT_EVERY] == [
        last_point(n) for n in (0, SNAPSHOT_EVERY - 1, SNAPSHOT_EVERY)
    ]
    assert SNAPSHOT_EVERY < SNAPSHOT_EVERY_LONG
    assert [LONG - SNAPSHOT_EVERY, LONG, LONG] == [
        last_point(n) for n in (LONG - 1, LONG, LONG + SNAPSHOT_EVERY_LONG - 1)
    ]


async def test_journal_comes_back_as_it_was(firm):
    """
    States and what each rule set heard last are those of the journal that was taken.
    """
    journal = await kept(firm)
    snapshots = firm.records.snapshots

    restored = snapshots.restored(snapshots.taken(journal))

    assert journal == restored
    assert all(state.is_sealed for state in restored.states.values())


async def test_state_is_read_when_somebody_asks(firm):
    """
    A state stays text until it is asked for, in a copy that is folded into as well; a snapshot
    taken anew repeats the text.
    """
    snapshots = firm.records.snapshots
    taken = snapshots.taken(await kept(firm))
    restored = snapshots.restored(taken)

    draft = restored.thaw()
    draft.draft(Contacts)
    asked = restored.states[Ownership]

    assert MARTA == asked.owner_id
    assert asked is restored.states[Ownership]
    assert {Ownership} == set(restored.states)
    assert {Contacts} == set(draft.states)
    assert taken == snapshots.taken(restored)


async def test_spoilt_snapshot_is_no_journal(firm):
    """
    A line that is missing is told at once; a state that is spoilt when it is asked for, and again
    when it is asked for again.
    """
    snapshots = firm.records.snapshots
    taken = snapshots.taken(await kept(firm))
    shorter = attrs.evolve(taken, body=taken.body.rpartition(b"\n")[0])
    spoilt = attrs.evolve(taken, body=taken.body.replace(b'"marta"', b"marta"))

    with pytest.raises(SpoiltSnapshotError):
        snapshots.restored(shorter)
    restored = snapshots.restored(spoilt)
    assert PURCHASE.purchase in restored.states[Purchases].open
    for _ in range(2):
        with pytest.raises(ValueError, match="Expecting value"):
            restored.states[Ownership]
