"""
Ids that are made anew.
"""

from __future__ import annotations

import subprocess
import sys
import time
import uuid

from concurrent.futures import ThreadPoolExecutor

from clientela.services.fresh_ids import BLOCK_IDS, new_id


IDS = 3 * BLOCK_IDS
"""Enough to fetch random bits several times."""

PARTING = """
import os
from clientela.services.fresh_ids import new_id
new_id()
child = os.fork()
os.write(1, f"{new_id()} ".encode())
if child:
    os.waitpid(child, 0)
"""


def test_id_is_a_uuid_of_version_7():
    """
    An id is the usual text of a UUID of version 7 and of the standard's variant.
    """
    made = [new_id() for _ in range(IDS)]

    read = [uuid.UUID(text) for text in made]

    assert made == [str(each) for each in read]
    assert {(7, uuid.RFC_4122)} == {(each.version, each.variant) for each in read}


def test_id_begins_with_the_moment_it_was_made():
    """
    Its first 48 bits are milliseconds of Unix time, so that later ids sort later.
    """
    before_ms = time.time_ns() // 1_000_000
    made = new_id()
    after_ms = time.time_ns() // 1_000_000

    assert before_ms <= uuid.UUID(made).int >> 80 <= after_ms


def test_ids_differ_in_all_their_random_bits():
    """
    Each of the 74 bits that are neither time nor mark is set in some ids and not in others.
    """
    marks = (0b1111 << 76) | (0b11 << 62)
    random = ((1 << 80) - 1) & ~marks
    all_of, any_of = random, 0
    for _ in range(IDS):
        value = uuid.UUID(new_id()).int & random
        all_of, any_of = all_of & value, any_of | value

    assert (0, random) == (all_of, any_of)


def test_no_id_is_made_twice_by_several_threads():
    """
    Threads never take the same random bits.
    """
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: [new_id() for _ in range(IDS)], range(4)))

    assert 4 * IDS == len({text[14:] for each in made for text in each})


def test_processes_that_parted_do_not_share_random_bits():
    """
    What was fetched before a fork is not used on both sides of it.
    """
    # Apart from the test, whose process has threads.
    told = subprocess.run(
        [sys.executable, "-c", PARTING], check=True, capture_output=True, text=True
    ).stdout.split()

    assert (2, 2) == (len(told), len({text[14:] for text in told}))
