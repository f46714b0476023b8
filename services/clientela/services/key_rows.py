"""
Rows of personal keys: what a store keeps of them, and what an append does to them.
"""

from __future__ import annotations

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
