"""
Rows of personal keys: what a store keeps of them, what an append does to them, and whether any was
changed since it was read.
"""

from __future__ import annotations

import math
import time

from collections.abc import Callable

import attrs

from clientela.domain.ids import Code, JournalId


@attrs.frozen
class KeyRow:
    """
    A person's data key as it is kept: one row a person, for ever.

    Attributes:
        person: Whose.

        kek_id: The key-encryption key it is wrapped under, up to 64 characters; empty once erased.

        wrapped: The wrapped key; empty once the person is erased. The empty row stays, so that a
            late writer cannot make the erased person a new key.
    """

    person: JournalId
    kek_id: str
    wrapped: bytes = attrs.field(repr=False)

    @property
    def is_erased(self) -> bool:
        """Whether the key was destroyed."""
        return not self.wrapped


@attrs.frozen
class KeyChanges:
    """
    What one append does to the keys of persons.

    Attributes:
        made: Rows to insert; a person that has a row already means conflict.

        forgotten: Persons whose keys are destroyed, whether they had one or not. With them and
            their own wallets go the fingerprints of keys that they hold and of answers that
            concern them.

        scopes: Scopes in which they and their own wallets give back every key, whatever its value.
    """

    made: tuple[KeyRow, ...] = ()
    forgotten: tuple[JournalId, ...] = ()
    scopes: tuple[Code, ...] = ()


NO_CHANGES = KeyChanges()
"""Of an append that leaves keys alone."""


class KeyWatch:
    """
    Until when keys that were read are known to be as they were read.

        look: 7 ------- key read ------- look: 7 ------- now     unchanged at the last look
        key read ------- look: 8 ------- look: 8 ------- now     known of the moment it was read

    A store that other processes write to counts what they do to keys that somebody may have read,
    in the transaction in which it is done, and tells the count with whatever else it is asked.

    Args:
        monotonic: Seconds, on the clock by which keys are read.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._changes = -1
        self._same_since_s = math.inf
        self._looked_s = -math.inf

    def seen(self, changes: int, asked_s: float) -> None:
        """
        Note how many changes there had been.

        Args:
            changes: As the store counts.

            asked_s: When it was asked, at the earliest.
        """
        if changes < self._changes:
            return
        if changes > self._changes:
            # What is read from now on is read after the last of them.
            self._changes, self._same_since_s = changes, self._monotonic()
        self._looked_s = max(self._looked_s, asked_s)

    def known_s(self, read_s: float) -> float:
        """The last moment at which a key read at *read_s* is known to have been the same."""
        return max(read_s, self._looked_s) if read_s >= self._same_since_s else read_s
