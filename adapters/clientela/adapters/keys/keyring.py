"""
What the key file holds, and what is done with it: wrap, blind, derive.

Three secrets, none of which can be told from another or from what it makes:

- the **key-encryption key** (KEK) wraps the keys of persons; it is changed by rotation;
- the **look-up secret** keys the hashes by which identifiers are found; it stays, or nothing would
  be found any more;
- the **company secret** keys the ids made from business identities; it stays, so that an import
  repeated into another store gives the same ids.
"""

from __future__ import annotations

import base64
import uuid

from datetime import datetime

import attrs

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clientela.adapters.keys.box import BoxError, bound, cipher_of, opened, shut
from clientela.adapters.keys.failures import KekUnknownError, KeyRowBrokenError
from clientela.adapters.keys.keyed_hash import KeyedHash
from clientela.adapters.keys.secret import Secret
from clientela.domain.ids import Blind, JournalId
from clientela.services.key_rows import KeyRow


_FINGERPRINT_LENGTH = 16
_UUID_LENGTH = 16


@attrs.frozen
class Kek:
    """
    A key-encryption key.

    Attributes:
        id: Names it in rows and in the key file; made at random, 32 characters.

        key: 256 bits.

        made_at: When; aware, UTC. Rotate at least every `KEK_AGE_DAYS_MAX` days.
    """

    id: str
    key: Secret
    made_at: datetime


KEK_AGE_DAYS_MAX = 30
"""A copy of a destroyed key in an old backup is readable this long at most."""


def fresh_kek(now: datetime) -> Kek:
    """A new key-encryption key."""
    return Kek(uuid.uuid4().hex, Secret.fresh(), now)


@attrs.frozen
class Keyring:
    """
    Everything the key file holds.

    Attributes:
        current: Wraps new keys.

        retiring: Still unwraps while a rotation is not finished; None otherwise.

        lookup: The look-up secret.

        company: The company secret.
    """

    current: Kek
    retiring: Kek | None
    lookup: Secret
    company: Secret
    _ciphers: dict[str, AESGCM] = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: _ciphers(self.current, self.retiring), takes_self=True),
    )
    _lookup_hash: KeyedHash = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: KeyedHash(self.lookup), takes_self=True),
    )
    _company_hash: KeyedHash = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: KeyedHash(self.company), takes_self=True),
    )

    @property
    def fingerprint(self) -> str:
        """
        Tells whether a database belongs to this key file, through every rotation; 32 hex digits.

        A store writes it down once and refuses to open with another.
        """
        return self._company_hash.of(bound("fingerprint"))[:_FINGERPRINT_LENGTH].hex()

    def holds(self, kek_id: str) -> bool:
        """Whether what is wrapped under the key-encryption key of this id can be unwrapped."""
        return kek_id in self._ciphers

    def begun(self, now: datetime) -> Keyring:
        """With a new key-encryption key; itself while a rotation is not finished."""
        if self.retiring is not None:
            return self
        return attrs.evolve(self, current=fresh_kek(now), retiring=self.current)

    def finished(self) -> Keyring:
        """Without the retiring key-encryption key."""
        return attrs.evolve(self, retiring=None)

    def wrap(self, person: JournalId, key: Secret) -> KeyRow:
        """The row of *person* that holds *key*, under the current key-encryption key."""
        binding = bound("key", str(person), self.current.id)
        return KeyRow(
            person,
            self.current.id,
            shut(self._ciphers[self.current.id], key.reveal(), binding),
        )

    def unwrap(self, row: KeyRow) -> Secret:
        """
        The key in *row*, which is not an erased one.

        Raises:
            KekUnknownError: this ring does not hold the key-encryption key.

            KeyRowBrokenError: the row was changed or belongs to another person.
        """
        cipher = self._ciphers.get(row.kek_id)
        if cipher is None:
            raise KekUnknownError(row.kek_id)
        try:
            return Secret(opened(cipher, row.wrapped, bound("key", str(row.person), row.kek_id)))
        except BoxError:
            raise KeyRowBrokenError(row.person) from None

    def blind(self, scope: str, normal: str) -> Blind:
        """
        Keyed hash of a normal form: 43 characters of base64url, the same for ever.

        Equal values of different scopes give different hashes.
        """
        digest = self._lookup_hash.of(bound("blind", scope, normal))
        return Blind(base64.urlsafe_b64encode(digest).decode().rstrip("="))

    def id_for(self, kind: str, source: str, id: str) -> str:  # noqa: A002 (the field's name)
        """UUIDv8 text for what *source* calls *id*; the same wherever it is asked for."""
        digest = bytearray(self._company_hash.of(bound("id", kind, source, id))[:_UUID_LENGTH])
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        return str(uuid.UUID(bytes=bytes(digest)))


def fresh_keyring(now: datetime) -> Keyring:
    """A ring of new secrets."""
    return Keyring(fresh_kek(now), None, Secret.fresh(), Secret.fresh())


def _ciphers(*keks: Kek | None) -> dict[str, AESGCM]:
    return {kek.id: cipher_of(kek.key) for kek in keks if kek is not None}
