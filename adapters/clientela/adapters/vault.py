"""
The vault: personal values sealed with AES-256-GCM under one key a person.

A value opens only for its person, the event it was sealed for and its field: moved anywhere else it
is broken. A box is base64url of version byte, nonce and ciphertext. The keys of persons are rows of
the database (see `keys.rows`), so a command seals in a *session*, which collects the rows it makes:

    session = vault.session()
    decision = rulebook.handle(record, command, context with vault=session)
    append(decision.events, keys=session.changes)       one transaction

Every attempt takes a session of its own, because a retry must see the keys of whoever won. A
session looks each person up once, as committed now; the vault itself opens with keys it has seen
within the last minute.
"""

from __future__ import annotations

import time

from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clientela.adapters.keys.box import cipher_of
from clientela.adapters.keys.cache import KeyCache
from clientela.adapters.keys.failures import (
    KekUnknownError,
    KeyNotMadeError,
    PersonErasedError,
)
from clientela.adapters.keys.keyfile import SecretStore
from clientela.adapters.keys.keyring import Keyring
from clientela.adapters.keys.rows import KeyChanges, KeyRow, KeyRows
from clientela.adapters.keys.sealing import opened_with, sealed_with
from clientela.adapters.keys.secret import Secret
from clientela.domain.ids import Blind, ClientId, Code, EventId, JournalId
from clientela.domain.personal import Personal, Sealed


class KeyVault:
    """
    Seals and opens with the keys of persons; one a process.

    Args:
        secrets: Holds the keyring.

        rows: Finds committed rows.

        clock: Seconds on a clock that never goes back.
    """

    def __init__(
        self, secrets: SecretStore, rows: KeyRows, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._secrets = secrets
        self._rows = rows
        self._clock = clock
        self._cache = KeyCache(clock)
        self._ring = secrets.load()

    @property
    def ring(self) -> Keyring:
        """The keyring as last loaded."""
        return self._ring

    def session(self, rows: KeyRows | None = None) -> VaultSession:
        """
        A vault for one attempt of one command, or for one view.

        Args:
            rows: Finds rows in this session, if not where the vault finds them: for instance those
                loaded with the journals, or committed ones under those of commands still on their
                way in the same group.
        """
        return VaultSession(self, rows or self._rows, KeyCache(self._clock))

    def seal(self, value: Personal, person: JournalId, source: EventId, field: Code) -> Sealed:
        """
        Seal under the key that *person* has.

        Raises:
            KeyNotMadeError: *person* has none yet; a session would make one.

            PersonErasedError: *person* was erased.

            InvalidValueError: the text is too long.
        """
        cipher = self._cipher(person)
        if cipher is None:
            if self._rows.find(person) is None:
                raise KeyNotMadeError(person)
            raise PersonErasedError(person)
        return sealed_with(cipher, value, person, source, field)

    def open(self, sealed: Sealed) -> str | None:
        """
        The value, or None when the person was erased, by another process a minute ago or more.

        Raises:
            SealBrokenError: it was changed or moved.
        """
        cipher = self._cipher(sealed.person)
        return None if cipher is None else opened_with(cipher, sealed)

    def blind(self, scope: str, normal: str) -> Blind:
        """Keyed hash of a normal form, the same for the same *scope* and *normal* for ever."""
        return self._ring.blind(scope, normal)

    def client_id_for(self, source: str, id: str) -> ClientId:  # noqa: A002 (the field's name)
        """Id of the client whom *source* calls *id*; the same in every store with these keys."""
        return ClientId(self._ring.id_for("client", source, id))

    def forget(self, person: JournalId) -> None:
        """Drop the key of *person* from memory; to be called when their erasure is committed."""
        self._cache.drop(person)

    def sweep(self) -> None:
        """Drop keys that were in memory for a minute; to be called by a timer."""
        self._cache.sweep()

    def reload(self) -> None:
        """Load the keyring again: another process has rotated it."""
        self._ring = self._secrets.load()

    def cipher_in(self, row: KeyRow | None) -> AESGCM | None:
        """
        The cipher of the key in *row*; None for no row or an erased one.

        Raises:
            KekUnknownError: the row belongs to another key file.

            KeyRowBrokenError: the row was changed or moved.
        """
        if row is None or row.is_erased:
            return None
        try:
            return cipher_of(self._ring.unwrap(row))
        except KekUnknownError:
            self.reload()
            return cipher_of(self._ring.unwrap(row))

    def _cipher(self, person: JournalId) -> AESGCM | None:
        cipher = self._cache.get(person)
        if cipher is None:
            cipher = self.cipher_in(self._rows.find(person))
            if cipher is not None:
                self._cache.put(person, cipher)
        return cipher


class VaultSession:
    """
    A vault for one attempt of one command: makes keys, and destroys them, with its append.

    Not for use from several threads. Made by `KeyVault.session`.
    """

    def __init__(self, vault: KeyVault, rows: KeyRows, cache: KeyCache) -> None:
        self._vault = vault
        self._rows = rows
        self._cache = cache
        self._made: dict[JournalId, tuple[KeyRow, AESGCM]] = {}
        self._keyless: dict[JournalId, bool] = {}  # whether erased
        self._forgotten: dict[JournalId, None] = {}

    @property
    def changes(self) -> KeyChanges:
        """What the transaction of the append does to the keys."""
        return KeyChanges(tuple(row for row, _ in self._made.values()), tuple(self._forgotten))

    def seal(self, value: Personal, person: JournalId, source: EventId, field: Code) -> Sealed:
        """
        Seal under the key of *person*, which is made if there is none.

        Raises:
            PersonErasedError: *person* was erased.

            InvalidValueError: the text is too long.
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
        """Destroy the key of *person* with the append; then call `KeyVault.forget`."""
        self._made.pop(person, None)
        self._cache.drop(person)
        self._keyless[person] = True
        self._forgotten[person] = None

    def _cipher(self, person: JournalId) -> AESGCM | None:
        if person in self._made:
            return self._made[person][1]
        if person in self._keyless:
            return None
        cipher = self._cache.get(person)
        if cipher is None:
            row = self._rows.find(person)
            cipher = self._vault.cipher_in(row)
            if cipher is None:
                self._keyless[person] = row is not None
            else:
                self._cache.put(person, cipher)
        return cipher

    def _make(self, person: JournalId) -> AESGCM:
        if self._keyless[person]:
            raise PersonErasedError(person)
        key = Secret.fresh()
        cipher = cipher_of(key)
        self._made[person] = (self._vault.ring.wrap(person, key), cipher)
        return cipher
