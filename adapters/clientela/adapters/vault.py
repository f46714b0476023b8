"""
The vault: personal values sealed with AES-256-GCM under one key a person.

A value opens only for its person, the event it was sealed for and its field: moved anywhere else it
is broken. The keys of persons are rows of the database, so everything goes through a *session*: it
gets the rows that were loaded with the journals, and what it makes goes into the append.

    session = vault.session(loaded.key_rows)
    decision = rulebook.handle(record, command, context with vault=session)
    append(decision.events, keys=session.changes)       one transaction

**Who makes a person's key.** Values about one person may stand in several journals, so no journal's
version decides it; the row does. A row is inserted and never put over another: whoever inserts
second has lost as if a journal had moved on, loads again, decides again in a new session, and seals
with the winner's key. Erasing leaves a row without a key, which keeps a late writer from making the
erased person a new one.

Unwrapped keys live in sessions only, and every session is given rows as committed now: an erasure
holds everywhere from the next session on. A session serves one attempt or one view, and for a
minute at most.
"""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clientela.adapters.keys.box import cipher_of
from clientela.adapters.keys.failures import KekUnknownError, PersonErasedError
from clientela.adapters.keys.keyfile import SecretStore
from clientela.adapters.keys.keyring import Keyring
from clientela.adapters.keys.sealing import opened_with, sealed_with
from clientela.adapters.keys.secret import Secret
from clientela.domain.ids import Blind, ClientId, Code, EventId, JournalId
from clientela.domain.personal import Personal, Sealed
from clientela.services.key_rows import KeyChanges, KeyRow
from clientela.services.store_errors import KeyNeededError


class KeyVault:
    """
    Hands out sessions over the keyring of the company; one a process, for all threads.

    Args:
        secrets: Where the keyring is kept.

    Raises:
        KeyFileError: the keyring cannot be used; the message says what to do.
    """

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets
        self._ring = secrets.load()
        self._former = self._ring

    @property
    def ring(self) -> Keyring:
        """The keyring as last loaded."""
        return self._ring

    def session(self, rows: Mapping[JournalId, KeyRow | None]) -> KeySession:
        """
        A vault for one attempt of one command, or for one view.

        Args:
            rows: The rows of those persons whose values may be met, None where there is none.
        """
        return KeySession(self, rows)

    def blind(self, scope: str, normal: str) -> Blind:
        """Keyed hash of a normal form, the same for the same *scope* and *normal* for ever."""
        return self._ring.blind(scope, normal)

    def client_id_for(self, source: str, id: str) -> ClientId:  # noqa: A002 (the field's name)
        """Id of the client whom *source* calls *id*; the same in every store with these keys."""
        return ClientId(self._ring.id_for("client", source, id))

    def forget(self, person: JournalId) -> None:
        """Nothing is left to drop: keys of persons are kept in sessions only."""

    def wrapped(self, person: JournalId, key: Secret) -> KeyRow:
        """
        The row of a new key.

        The keyring is loaded anew, so that after a rotation nothing is wrapped under the old one,
        nor under one that is gone from the key file and would be lost with this process.
        """
        self._load()
        return self._ring.wrap(person, key)

    def cipher_in(self, row: KeyRow) -> AESGCM:
        """
        The cipher of the key in *row*, which is not an erased one.

        A row that was read before a rotation may be under the key before: what is in memory for
        half a minute still opens then.

        Raises:
            KekUnknownError: the row belongs to another key file.

            KeyRowBrokenError: the row was changed or moved.
        """
        try:
            return cipher_of(self._ring.unwrap(row))
        except KekUnknownError:
            self._load()
        is_former = row.kek_id == self._former.current.id
        return cipher_of((self._former if is_former else self._ring).unwrap(row))

    def _load(self) -> None:
        loaded = self._secrets.load()
        if loaded.current.id != self._ring.current.id:
            self._former = self._ring
        self._ring = loaded


class KeySession:
    """
    A vault for one attempt or one view; makes keys, and destroys them, with its append.

    Made by `KeyVault.session`. Not for several threads. Its methods raise `KeyNeededError` for a
    person whose row it was not given.
    """

    def __init__(self, vault: KeyVault, rows: Mapping[JournalId, KeyRow | None]) -> None:
        self._vault = vault
        self._rows = rows
        self._ciphers: dict[JournalId, AESGCM] = {}
        self._made: dict[JournalId, KeyRow] = {}
        self._forgotten: dict[JournalId, None] = {}

    @property
    def changes(self) -> KeyChanges:
        """What the transaction of the append does to the keys."""
        return KeyChanges(tuple(self._made.values()), tuple(self._forgotten))

    def seal(self, value: Personal, person: JournalId, source: EventId, field: Code) -> Sealed:
        """
        Seal under the key of *person*, which is made if there is none.

        Raises:
            PersonErasedError: *person* was erased.

            InvalidValueError: the text is longer than `TEXT_LENGTH_MAX`.
        """
        cipher = self._cipher(person) or self._make(person)
        return sealed_with(cipher, value, person, source, field)

    def open(self, sealed: Sealed) -> str | None:
        """
        The value, or None when the person was erased.

        Raises:
            SealBrokenError: it was changed or moved.
        """
        cipher = self._cipher(sealed.person)
        return None if cipher is None else opened_with(cipher, sealed)

    def blind(self, scope: str, normal: str) -> Blind:
        """Keyed hash of a normal form."""
        return self._vault.blind(scope, normal)

    def forget(self, person: JournalId) -> None:
        """Destroy the key of *person* with the append; in this session it is gone at once."""
        self._made.pop(person, None)
        self._ciphers.pop(person, None)
        self._forgotten[person] = None

    def _cipher(self, person: JournalId) -> AESGCM | None:
        cipher = self._ciphers.get(person)
        if cipher is None and person not in self._forgotten:
            row = self._row(person)
            if row is not None and not row.is_erased:
                cipher = self._ciphers[person] = self._vault.cipher_in(row)
        return cipher

    def _make(self, person: JournalId) -> AESGCM:
        if person in self._forgotten or self._row(person) is not None:
            raise PersonErasedError(person)
        key = Secret.fresh()
        self._made[person] = self._vault.wrapped(person, key)
        cipher = self._ciphers[person] = cipher_of(key)
        return cipher

    def _row(self, person: JournalId) -> KeyRow | None:
        if person not in self._rows:
            raise KeyNeededError(person)
        return self._rows[person]
