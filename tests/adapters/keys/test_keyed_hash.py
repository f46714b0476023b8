"""
Keyed hashes are HMAC-SHA-256, whatever their key and message.
"""

from __future__ import annotations

import copy
import hmac
import pickle

import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.adapters.keys.keyed_hash import BLOCK_LENGTH, KeyedHash
from clientela.adapters.keys.secret import SECRET_LENGTH, Secret


KEY = bytes(range(SECRET_LENGTH))


@given(st.binary(max_size=3 * BLOCK_LENGTH), st.binary(max_size=200))
def test_hash_is_that_of_the_standard(key: bytes, message: bytes):
    """Every hash ever stored is found again: it is what `hmac` makes."""
    assert hmac.digest(key, message, "sha256") == KeyedHash(Secret(key)).of(message)


@pytest.mark.parametrize("length", [0, 1, SECRET_LENGTH, BLOCK_LENGTH, BLOCK_LENGTH + 1])
def test_keys_about_a_block_are_taken_whole(length: int):
    """A key is filled up to a block, and one that is longer is hashed first."""
    key = bytes(length)

    assert hmac.digest(key, b"visit", "sha256") == KeyedHash(Secret(key)).of(b"visit")


def test_hashes_do_not_depend_on_those_before():
    """What is copied for a hash stays as the secret alone made it."""
    keyed = KeyedHash(Secret(KEY))
    first = keyed.of(b"one")
    keyed.of(b"another")

    assert first == keyed.of(b"one")


def test_keyed_hash_leaves_the_process_in_no_way():
    """What the secret led to is neither printed nor pickled nor copied."""
    keyed = KeyedHash(Secret(KEY))

    assert KEY.hex() not in repr(keyed)
    for leave in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            leave(keyed)
