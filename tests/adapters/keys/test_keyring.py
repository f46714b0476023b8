"""
What is derived from the secrets of a company.
"""

from __future__ import annotations

import base64
import copy
import pickle
import uuid

import pytest

from clientela.adapters.keys.box import BoxError, bound, cipher_of, opened, shut
from clientela.adapters.keys.failures import (
    KekUnknownError,
    KeyRowBrokenError,
)
from clientela.adapters.keys.keyring import fresh_keyring
from clientela.adapters.keys.secret import Secret
from clientela.services.key_rows import KeyRow
from tests.adapters.keys.company import AT, LATER, OLGA, PETRA, secrets_of
from tests.leak.scanner import Scanner


def test_secrets_are_never_printed():
    """
    S9, G29: no printing, formatting or copying of a ring, a key or a row shows key bytes.
    """
    ring = fresh_keyring(AT).begun(LATER)
    key = Secret.fresh()
    row = ring.wrap(PETRA, key)
    scanner = Scanner({}, secrets_of(ring) | {"data key": key.reveal(), "row": row.wrapped})
    shown = [f(x) for f in (repr, str, ascii, "{0}".format) for x in (ring, ring.current, key, row)]

    assert "Secret(...)" == repr(key) == f"{key}"
    assert () == scanner.in_bytes("\n".join(shown).encode(), "printed")
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        for secret in (key, ring.current.key):
            with pytest.raises(TypeError, match="not pickled"):
                copied(secret)
    for whole in (ring, ring.current):
        with pytest.raises(TypeError):
            pickle.dumps(whole)


def test_secret_is_equal_to_its_like_only():
    """
    Secrets compare by their bytes and with nothing but secrets.
    """
    secret = Secret(b"k" * 32)

    assert secret == Secret(b"k" * 32)
    assert hash(secret) == hash(Secret(b"k" * 32))
    assert secret != Secret(b"l" * 32)
    assert secret != b"k" * 32


def test_box_opens_only_whole_and_with_its_binding():
    """
    S7: any byte changed, any byte cut and any other binding breaks a box.
    """
    cipher = cipher_of(Secret.fresh())
    box = shut(cipher, b"+49 30 901820", bound("a", "b"))

    assert b"+49 30 901820" == opened(cipher, box, bound("a", "b"))
    assert box != shut(cipher, b"+49 30 901820", bound("a", "b"))
    for n in range(len(box)):
        changed = box[:n] + bytes((box[n] ^ 1,)) + box[n + 1 :]
        for broken in (changed, box[:n]):
            with pytest.raises(BoxError):
                opened(cipher, broken, bound("a", "b"))
    with pytest.raises(BoxError):
        opened(cipher, box, bound("a", "c"))
    with pytest.raises(BoxError):
        opened(cipher_of(Secret.fresh()), box, bound("a", "b"))


def test_bindings_cannot_be_mistaken_for_one_another():
    """
    S7: where one part ends and the next begins is part of a binding.
    """
    alike = [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ("1:a",), ("a", ""), ("", "a")]

    assert len(alike) == len({bound(*parts) for parts in alike})


def test_wrapped_key_opens_for_its_person_only():
    """
    S7: a row moved to another person, or changed, does not unwrap; under unknown keys it says so.
    """
    ring = fresh_keyring(AT)
    key = Secret.fresh()
    row = ring.wrap(PETRA, key)

    assert key == ring.unwrap(row)
    with pytest.raises(KeyRowBrokenError, match="client/olga"):
        ring.unwrap(KeyRow(OLGA, row.kek_id, row.wrapped))
    with pytest.raises(KeyRowBrokenError):
        ring.unwrap(KeyRow(PETRA, row.kek_id, row.wrapped[:-1]))
    with pytest.raises(KekUnknownError, match=row.kek_id):
        fresh_keyring(AT).unwrap(row)


def test_blind_hash_is_the_same_for_ever_and_tells_nothing():
    """
    S7: equal values give equal hashes through rotations; scopes, other keys and bare hashes differ.
    """
    ring = fresh_keyring(AT)
    blind = ring.blind("phone", "+4930901820")
    scanner = Scanner({"phone": "+4930901820"})

    assert 43 == len(blind)
    assert blind == ring.begun(LATER).finished().blind("phone", "+4930901820")
    assert blind != ring.blind("fax", "+4930901820")
    assert blind != fresh_keyring(AT).blind("phone", "+4930901820")
    assert ring.blind("ab", "c") != ring.blind("a", "bc")
    assert () == scanner.in_bytes(blind.encode() + base64.urlsafe_b64decode(blind + "="), "blind")


def test_ids_made_from_business_identities_repeat():
    """
    The same identity gives the same UUIDv8 under the same keys, and another for any other.
    """
    ring = fresh_keyring(AT)
    made = ring.id_for("client", "till", "4711")

    assert made == ring.begun(LATER).finished().id_for("client", "till", "4711")
    assert (8, uuid.RFC_4122) == (uuid.UUID(made).version, uuid.UUID(made).variant)
    others = {
        ring.id_for("wallet", "till", "4711"),
        ring.id_for("client", "shop", "4711"),
        ring.id_for("client", "till", "4712"),
        ring.id_for("client", "till4", "711"),
        fresh_keyring(AT).id_for("client", "till", "4711"),
    }
    assert 5 == len(others - {made})


def test_fingerprint_names_the_keys_through_rotations():
    """
    A database can tell its key file from any other, also after a rotation.
    """
    ring = fresh_keyring(AT)

    assert 32 == len(ring.fingerprint)
    assert ring.fingerprint == ring.begun(LATER).finished().fingerprint
    assert ring.fingerprint != fresh_keyring(AT).fingerprint
