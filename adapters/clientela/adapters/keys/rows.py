"""
One wrapped key a person, kept in the database of the journals.

What a table of keys owes its users:

- **One row a person, for ever.** A key is inserted in the transaction of the events that use it,
  and never over another: `INSERT`, not `ON CONFLICT DO NOTHING`. Values about one person may stand
  in several journals, so no journal's version decides who makes the key; the row does. Whoever
  inserts second has lost as if a journal had moved on: load again, decide again, seal with the
  winner's key.
- **Erasing leaves a row without a key**, in the transaction of the event that says so. It keeps a
  late writer from making the erased person a new key, and a restored backup is cleaned by it.
- **New rows are wrapped under the key-encryption key in force**, which the table knows; a process
  that has not heard of a rotation is refused and reloads. Otherwise its row would be lost with the
  old key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import attrs

from clientela.adapters.keys.failures import KekRetiredError, KeyConflictError, KeyNeededError
from clientela.domain.ids import JournalId


@attrs.frozen
class KeyRow:
    """
    A person's key as it is kept.

    Attributes:
        person: Whose.

        kek_id: The key-encryption key it is wrapped under, up to 64 characters; empty once erased.

        wrapped: The wrapped key, about 61 bytes; empty once the person is erased.
    """

    person: JournalId
    kek_id: str
    wrapped: bytes = attrs.field(repr=False)

    @property
    def is_erased(self) -> bool:
        """Whether the key was destroyed."""
        return not self.wrapped


def erased_row(person: JournalId) -> KeyRow:
    """What stays when a person's key is destroyed."""
    return KeyRow(person, "", b"")


@attrs.frozen
class KeyChanges:
    """
    What one append does to the keys; in its transaction or not at all.

    Attributes:
        made: Rows to insert.

        forgotten: Persons whose keys are destroyed, whether they had one or not.
    """

    made: tuple[KeyRow, ...] = ()
    forgotten: tuple[JournalId, ...] = ()


class KeyRows(Protocol):
    """Where a vault finds rows."""

    def find(self, person: JournalId) -> KeyRow | None:
        """
        The row of *person* as committed now, or None when there never was one.

        Raises:
            KeyNeededError: the rows were loaded beforehand, and this one was not among them.
        """
        ...


class KeyTable(KeyRows, Protocol):
    """What rotation needs besides."""

    def fence(self, kek_id: str, retiring: str) -> None:
        """
        From now on take new rows under *kek_id* only; durable when this returns.

        Raises:
            KekRetiredError: neither of them is in force; a later rotation has begun.
        """
        ...

    def stale(self, kek_id: str, limit: int) -> tuple[KeyRow, ...]:
        """Up to *limit* rows wrapped under another key than *kek_id*, erased ones left out."""
        ...

    def rewrap(self, pairs: Iterable[tuple[KeyRow, KeyRow]]) -> int:
        """
        Put the second row of each pair where the first still stands unchanged, in one transaction.

        A person erased in the meantime stays erased.

        Returns:
            How many were replaced.
        """
        ...


class LoadedKeys:
    """
    Rows loaded beforehand, for stores that cannot be asked in the middle of a decision.

    Args:
        rows: By person; None for a person looked for and not found.
    """

    def __init__(self, rows: Mapping[JournalId, KeyRow | None]) -> None:
        self._rows = dict(rows)

    def find(self, person: JournalId) -> KeyRow | None:
        """The row that was loaded."""
        if person not in self._rows:
            raise KeyNeededError(person)
        return self._rows[person]


class MemoryKeys:
    """
    A table of keys that lives and ends with the process.

    Args:
        kek_id: The key-encryption key in force.
    """

    def __init__(self, kek_id: str) -> None:
        self._kek_id = kek_id
        self._rows: dict[JournalId, KeyRow] = {}

    def find(self, person: JournalId) -> KeyRow | None:
        """The row of *person*."""
        return self._rows.get(person)

    def apply(self, changes: KeyChanges) -> None:
        """
        What the transaction of an append does to the keys, whole or not at all.

        Raises:
            KeyConflictError: somebody else made or erased one of the keys.

            KekRetiredError: a rotation has begun since they were wrapped.
        """
        for row in changes.made:
            if row.person in self._rows:
                raise KeyConflictError(row.person)
            if row.kek_id != self._kek_id:
                raise KekRetiredError(row.kek_id)
        self._rows.update((row.person, row) for row in changes.made)
        self._rows.update((person, erased_row(person)) for person in changes.forgotten)

    def fence(self, kek_id: str, retiring: str) -> None:
        """Take new rows under *kek_id* only."""
        if self._kek_id not in (kek_id, retiring):
            raise KekRetiredError(kek_id)
        self._kek_id = kek_id

    def stale(self, kek_id: str, limit: int) -> tuple[KeyRow, ...]:
        """Up to *limit* rows under another key, in the order of their persons."""
        found = (r for r in self._rows.values() if not r.is_erased and r.kek_id != kek_id)
        return tuple(sorted(found, key=lambda row: row.person)[:limit])

    def rewrap(self, pairs: Iterable[tuple[KeyRow, KeyRow]]) -> int:
        """Replace the rows that are still the same."""
        current = [(old, new) for old, new in pairs if self._rows.get(old.person) == old]
        self._rows.update((old.person, new) for old, new in current)
        return len(current)
