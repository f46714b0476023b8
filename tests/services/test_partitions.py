"""
Which lane a journal's events leave in.
"""

from __future__ import annotations

from collections import Counter

import pytest

from clientela.adapters.memory import MemoryStore
from clientela.domain.ids import ClientId, JournalId, JournalKind, client_journal
from clientela.services.partitions import (
    PARTITIONS,
    PartitionsError,
    check_partitions,
    partition_of,
    subject_of,
)


# For ever: subscribers in other languages compute the same, as `b2sum -l 64` does.
KNOWN = {"client/petra": 47, "wallet/petra": 18, "unit/north": 23, "definitions/company": 40}


def named(text: str) -> JournalId:
    """The journal of a text."""
    kind, _, id_ = text.partition("/")
    return JournalId(JournalKind(kind), id_)


@pytest.mark.parametrize(("text", "partition"), KNOWN.items())
def test_partition_of_a_journal_never_changes(text: str, partition: int):
    """R13: a journal's partition is the same for ever, in every process and language."""
    assert partition == partition_of(named(text))
    assert f"clientela.v1.{text.partition('/')[0]}.{partition}" == subject_of(named(text))


def test_journals_are_spread():
    """R13: of 6,400 journals no partition has more than twice its share."""
    counts = Counter(partition_of(client_journal(ClientId(f"c{n}"))) for n in range(6_400))

    assert PARTITIONS == len(counts)
    assert max(counts.values()) < 200


async def test_number_of_partitions_is_noted_once_and_kept():
    """R13: a store whose events left in another number of partitions is refused."""
    store = MemoryStore()
    await check_partitions(store)
    await check_partitions(store)
    assert str(PARTITIONS) == await store.note("partitions")
    await store.note("partitions", "32")

    with pytest.raises(PartitionsError, match="32 partitions"):
        await check_partitions(store)
