"""
Partitions: which of a fixed number of ordered lanes a journal's events leave in.
"""

from __future__ import annotations

import functools
import hashlib

from clientela.domain.ids import JournalId
from clientela.services.ports import JournalStore
from clientela.services.store_errors import StoreUnsuitableError


PARTITIONS = 64
"""How many there are, for ever: with another number every journal would change its lane."""

SUBJECT = "clientela.v1"
"""What the subject of every event begins with."""

NOTED = "partitions"
"""Note: the number of partitions that the store's events have left in."""

SUBJECTS_KEPT_MAX = 16_384
"""Subjects of journals that are kept in memory."""

_HASH_BYTES = 8


class PartitionsError(StoreUnsuitableError):
    """
    The events of a store have left in another number of partitions.

    Attributes:
        noted: How many.
    """

    def __init__(self, noted: str) -> None:
        self.noted = noted
        super().__init__(
            f"the events of this store leave in {noted} partitions and this release knows "
            f"{PARTITIONS}: install the release that has served it so far"
        )


def partition_of(journal_id: JournalId) -> int:
    """
    The partition of a journal: the first 8 bytes of the BLAKE2b digest of `kind/id`, as a
    big-endian number, modulo `PARTITIONS`.
    """
    digest = hashlib.blake2b(str(journal_id).encode(), digest_size=_HASH_BYTES).digest()
    return int.from_bytes(digest, "big") % PARTITIONS


@functools.lru_cache(maxsize=SUBJECTS_KEPT_MAX)
def subject_of(journal_id: JournalId) -> str:
    """Where the events of a journal leave: `clientela.v1.<journal kind>.<partition>`."""
    return f"{SUBJECT}.{journal_id.kind.value}.{partition_of(journal_id)}"


async def check_partitions(store: JournalStore) -> None:
    """
    Check that events leave in the partitions they always left in; a new store notes them.

    Raises:
        PartitionsError: they would not.

        StoreUnavailableError: the store cannot be reached.
    """
    noted = await store.note(NOTED)
    if noted is None:
        await store.note(NOTED, str(PARTITIONS))
    elif noted != str(PARTITIONS):
        raise PartitionsError(noted)
