"""
A part of the CDNOW sample, whichever way it comes in and wherever it is kept; `make proofs` takes
all of it.
"""

from __future__ import annotations

import functools

import pytest

from tests.acceptance.cdnow import expected, sales, sales_in, sample
from tests.acceptance.histories import cdnow_history, cut
from tests.acceptance.ways import OTHER_WAYS, TOLD_WAYS, Way, lived


pytestmark = pytest.mark.timeout(3_600)

CLIENTS = 100
"""The first of the file; they all came in the same month."""


@pytest.fixture(scope="module")
def found(data, tmp_path_factory):
    """A file with the sales of those clients, and its rows."""
    customers = list(dict.fromkeys(sale.customer for sale in sales(data)))
    kept = set(customers[:CLIENTS])
    file = tmp_path_factory.mktemp("part") / "part.txt"
    cut(sample(data), file, "ascii", lambda line: line.split()[1] in kept)
    return file, sales_in(file)


@pytest.fixture(scope="module")
def live(found, tmp_path_factory):
    """What becomes of a shop, by the way its history comes in."""
    folder = tmp_path_factory.mktemp("shops")
    history = cdnow_history(*found)

    @functools.cache
    def one(way):
        return history, lived(way, history, folder / way.name, is_repeated=way.is_told)

    return one


@pytest.mark.parametrize("way", Way)
def test_figures_equal_an_independent_count(live, found, way):
    """
    Issue 3: clients, stages, trade and points at the end of June 1998, from the file as through
    NATS, over SQLite as over PostgreSQL.
    """
    history, life = live(way)

    assert CLIENTS == life.after["clients"]
    assert expected(found[1], history.last_day) == life.after


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_figures_are_those_of_the_file(live, way):
    """
    Issue 3: before time passes, too, every figure is what the import of the file into a file gives.
    """
    assert live(Way.FILE_TO_FILE)[1].before == live(way)[1].before


@pytest.mark.parametrize("way", TOLD_WAYS)
def test_told_again_nothing_changes(live, way):
    """
    G13: the business identity makes a second delivery of everything harmless.
    """
    life = live(way)[1]

    assert life.before == life.again


@pytest.mark.parametrize("way", Way)
def test_everything_is_taken_and_agrees(live, way):
    """
    Nothing is parked; hashes, states, due moments and read models are what the journals come to.
    """
    life = live(way)[1]

    assert ([], []) == (life.parked, life.problems)
