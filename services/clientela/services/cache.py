"""
The cache: committed journals in memory, folded, with what the next append to them needs to know.

It may be behind the store, never beside it: what is decided on it is appended on its versions, and
whoever was behind learns it there. A journal found to be behind is doubted until it is read again.
"""

from __future__ import annotations

import time

from collections import OrderedDict
from collections.abc import Callable

import attrs

from clientela.domain.ids import JournalId
from clientela.domain.record import Journal
from clientela.services.key_rows import KeyRow, KeyWatch
from clientela.services.rows import Head


JOURNALS_MAX = 20_000
"""Folded journals kept in memory; the longest unused goes first."""

KEY_ROW_SECONDS = 30.0
"""How long the wrapped key of a person serves after it was last known to be the one committed: an
erasure or a rotation in another process holds here within a minute."""

FORGOTTEN_MAX = 1_000
"""Persons whose keys were forgotten of which it is remembered when; of others no key counts that
was read before the latest of those let go."""

NEVER = float("-inf")


@attrs.frozen(kw_only=True)
class Kept:
    """
    A journal in memory.

    Attributes:
        journal: Folded.

        head: Its end.

        key_row: Key of the person it is about, wrapped; None if there was none.

        read_s: When that was read, on the clock of pauses; `NEVER` if it was not.
    """

    journal: Journal
    head: Head
    key_row: KeyRow | None = None
    read_s: float = NEVER


class Cache:
    """
    Keeps journals.

    Args:
        journals_max: How many.

        monotonic: Seconds, for the age of keys.

        key_row_seconds: How long a wrapped key serves; for ever where nobody else changes it.
    """

    def __init__(
        self,
        journals_max: int = JOURNALS_MAX,
        monotonic: Callable[[], float] = time.monotonic,
        key_row_seconds: float = KEY_ROW_SECONDS,
    ) -> None:
        self._key_row_seconds = key_row_seconds
        self._journals_max = journals_max
        self._monotonic = monotonic
        self.key_watch = KeyWatch(monotonic)
        """Told how often keys were changed, by a store that counts that."""
        self._kept: OrderedDict[JournalId, Kept] = OrderedDict()
        self._doubted: set[JournalId] = set()
        self._forgot_s: OrderedDict[JournalId, float] = OrderedDict()
        self._forgot_all_s = NEVER

    def __len__(self) -> int:
        return len(self._kept)

    def now_s(self) -> float:
        """The present moment on the clock of pauses."""
        return self._monotonic()

    def journal(self, journal_id: JournalId) -> Journal | None:
        """A journal to be read on from; None if it is not here."""
        kept = self._kept.get(journal_id)
        return None if kept is None else kept.journal

    def trusted(self, journal_id: JournalId) -> Kept | None:
        """A journal to decide on; None if it is not here, or is known to be behind."""
        kept = self._kept.get(journal_id)
        if kept is None or journal_id in self._doubted:
            return None
        self._kept.move_to_end(journal_id)
        return kept

    def has_key(self, kept: Kept) -> bool:
        """Whether the key of *kept* was read, and known to be the one committed, lately enough."""
        if kept.read_s == NEVER:
            return False
        grows_old_s = self.key_watch.known_s(kept.read_s) + self._key_row_seconds
        return self._monotonic() < grows_old_s

    def put(self, kept: Kept) -> None:
        """Keep what was read or has landed, unless something newer is here."""
        journal_id = kept.journal.id
        forgot_s = max(self._forgot_s.get(journal_id, NEVER), self._forgot_all_s)
        if NEVER < kept.read_s <= forgot_s:
            # The key was read before it was forgotten, and comes only now.
            kept = attrs.evolve(kept, key_row=None, read_s=NEVER)
        held = self._kept.get(journal_id)
        if held is None or (held.head.version, held.read_s) <= (kept.head.version, kept.read_s):
            self._kept[journal_id] = kept
        if held is None or held.head.version <= kept.head.version:
            self._doubted.discard(journal_id)
        self._kept.move_to_end(journal_id)
        while len(self._kept) > self._journals_max:
            journal_id, _ = self._kept.popitem(last=False)
            self._doubted.discard(journal_id)

    def doubt(self, journal_id: JournalId, version: int) -> None:
        """Note that a journal has moved on from *version*."""
        kept = self._kept.get(journal_id)
        if kept is not None and kept.head.version == version:
            self._doubted.add(journal_id)

    def forget(self, person: JournalId) -> None:
        """Drop whatever is known of the key of *person*, which was made, wrapped or destroyed."""
        self._forgot_s[person] = self._monotonic()
        self._forgot_s.move_to_end(person)
        while len(self._forgot_s) > FORGOTTEN_MAX:
            self._forgot_all_s = self._forgot_s.popitem(last=False)[1]
        self._drop_key(person)

    def forget_keys(self) -> None:
        """Drop whatever is known of keys, since all were wrapped anew."""
        self._forgot_all_s = self._monotonic()
        self._forgot_s.clear()
        for person in self._kept:
            self._drop_key(person)

    def _drop_key(self, person: JournalId) -> None:
        kept = self._kept.get(person)
        if kept is not None:
            self._kept[person] = attrs.evolve(kept, key_row=None, read_s=NEVER)
