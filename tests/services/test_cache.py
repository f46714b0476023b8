"""
The cache of committed journals.
"""

from __future__ import annotations

import math

import pytest

from clientela.domain.ids import ClientId, JournalId, client_journal
from clientela.domain.record import Journal
from clientela.services import cache as cached
from clientela.services.cache import KEY_ROW_SECONDS, NEVER, Cache, Kept
from clientela.services.key_rows import KeyRow
from clientela.services.rows import Head


PETRA, OLGA, LENA = (client_journal(ClientId(name)) for name in ("petra", "olga", "lena"))
ROW = KeyRow(PETRA, "kek", b"wrapped")


def kept(
    journal_id: JournalId, version: int, read_s: float = 0.0, row: KeyRow | None = ROW
) -> Kept:
    """A journal at a version, its key read at a moment."""
    return Kept(
        journal=Journal(journal_id, version, {}),
        head=Head(version, f"hash-{version}"),
        key_row=row,
        read_s=read_s,
    )


@pytest.fixture
def seconds():
    """The clock of pauses."""
    return [0.0]


@pytest.fixture
def cache(seconds):
    """Room for two journals."""
    return Cache(2, monotonic=lambda: seconds[0])


@pytest.fixture
def lasting(seconds):
    """The same over a store with one writer."""
    return Cache(2, monotonic=lambda: seconds[0], key_row_seconds=math.inf)


def test_what_is_newest_stays(cache):
    """
    A late answer of the store does not push a newer state out, nor a key that was read later.
    """
    newer = kept(PETRA, 3, 5.0)
    cache.put(newer)
    for older in (kept(PETRA, 2, 9.0), kept(PETRA, 3, 4.0), kept(PETRA, 3, NEVER, None)):
        cache.put(older)

        assert newer is cache.trusted(PETRA)
    newest = kept(PETRA, 4, NEVER, None)
    cache.put(newest)
    assert newest is cache.trusted(PETRA)


def test_memory_is_bounded_and_the_longest_unused_goes_first(cache):
    """
    Only so many journals are kept, doubted ones included.
    """
    cache.put(kept(PETRA, 1))
    cache.put(kept(OLGA, 1))
    cache.doubt(OLGA, 1)
    assert cache.trusted(PETRA)
    cache.put(kept(LENA, 1))

    assert [True, False, True] == [cache.journal(j) is not None for j in (PETRA, OLGA, LENA)]
    assert 2 == len(cache)
    cache.put(kept(OLGA, 1))
    assert cache.trusted(OLGA)


def test_what_has_moved_is_doubted_until_it_is_read_again(cache):
    """
    A journal that was found to be behind is built upon and not decided on; what is said of another
    version than is here says nothing.
    """
    cache.put(kept(PETRA, 3))
    cache.doubt(PETRA, 2)
    cache.doubt(OLGA, 2)
    assert cache.trusted(PETRA)

    cache.doubt(PETRA, 3)
    assert (None, 3) == (cache.trusted(PETRA), cache.journal(PETRA).version)
    cache.put(kept(PETRA, 2, 9.0))
    assert None is cache.trusted(PETRA)
    cache.put(kept(PETRA, 4))
    assert cache.trusted(PETRA)


def test_keys_grow_old_and_are_forgotten(cache, seconds):
    """
    Design 7: a wrapped key serves for half a minute, and no longer once its person is erased.
    """
    cache.put(kept(PETRA, 1))
    seconds[0] = KEY_ROW_SECONDS - 1
    assert cache.has_key(cache.trusted(PETRA))
    seconds[0] = KEY_ROW_SECONDS
    assert not cache.has_key(cache.trusted(PETRA))

    cache.put(kept(PETRA, 1, seconds[0]))
    assert cache.has_key(cache.trusted(PETRA))
    cache.forget(PETRA)
    cache.forget(OLGA)
    assert None is cache.trusted(PETRA).key_row
    assert not cache.has_key(cache.trusted(PETRA))


def test_key_read_before_it_was_forgotten_does_not_come_back(lasting, seconds, monkeypatch):
    """
    Design 7: an answer that was under way when a key was forgotten brings it back no more; of how
    many persons that is remembered is bounded, and of others older keys count no more.
    """
    monkeypatch.setattr(cached, "FORGOTTEN_MAX", 1)
    seconds[0] = 5.0
    lasting.forget(PETRA)
    for person, read_s, is_there in (
        (PETRA, 5.0, False),
        (OLGA, 4.0, True),
        (PETRA, 6.0, True),
    ):
        lasting.put(kept(person, 1, read_s))
        assert is_there is lasting.has_key(lasting.trusted(person))

    seconds[0] = 7.0
    lasting.forget(OLGA)
    for person, read_s, is_there in ((LENA, 5.0, False), (LENA, 6.0, True), (OLGA, 7.0, False)):
        lasting.put(kept(person, 1, read_s))
        assert is_there is lasting.has_key(lasting.trusted(person))


def test_keys_that_are_known_to_be_the_same_grow_not_old(cache, seconds):
    """
    Design 7: a key serves on as long as its store tells that none was changed; where one was, for
    half a minute.
    """
    cache.key_watch.seen(1, 0.0)
    cache.put(kept(PETRA, 1, 0.0))
    seconds[0] = 10 * KEY_ROW_SECONDS
    assert not cache.has_key(cache.trusted(PETRA))

    cache.key_watch.seen(1, seconds[0])
    assert cache.has_key(cache.trusted(PETRA))

    seconds[0] += KEY_ROW_SECONDS - 1
    cache.key_watch.seen(2, seconds[0])
    assert not cache.has_key(cache.trusted(PETRA))
    cache.put(kept(OLGA, 1, NEVER, None))
    assert not cache.has_key(cache.trusted(OLGA))


def test_keys_that_nobody_else_changes_serve_for_ever(lasting, seconds):
    """
    Over a store with one writer a key grows not old; all are dropped when they were wrapped anew.
    """
    for each in (PETRA, OLGA):
        lasting.put(kept(each, 1))
    seconds[0] = 10 * KEY_ROW_SECONDS

    assert lasting.has_key(lasting.trusted(PETRA))
    lasting.forget_keys()
    assert [False, False] == [lasting.has_key(lasting.trusted(each)) for each in (PETRA, OLGA)]
    assert None is lasting.trusted(PETRA).key_row
