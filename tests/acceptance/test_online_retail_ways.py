"""
A part of the Online Retail slice, whichever way it comes in and wherever it is kept; `make proofs`
takes all of it.
"""

from __future__ import annotations

import functools

import pytest

from tests.acceptance.histories import cut, invoices_of, retail_history
from tests.acceptance.online_retail import END, retail_file, rows
from tests.acceptance.online_retail_figures import expected
from tests.acceptance.ways import OTHER_WAYS, TOLD_WAYS, Way, lived


pytestmark = pytest.mark.timeout(3_600)

CLIENTS = 25
"""The first of the file: two hundred invoices, returns without purchase among them."""


@pytest.fixture(scope="module")
def found(data, tmp_path_factory):
    """A file with the invoices of those clients, and the invoices."""
    customers = list(dict.fromkeys(row.customer for row in rows(data)))
    kept = {"Customer ID", *customers[:CLIENTS]}
    file = tmp_path_factory.mktemp("part") / "part.csv"
    cut(retail_file(data), file, "utf-8", lambda line: line.rsplit(",", 2)[1] in kept)
    return file, invoices_of(file)


@pytest.fixture(scope="module")
def live(found, tmp_path_factory):
    """What becomes of a shop, by the way its history comes in."""
    folder = tmp_path_factory.mktemp("shops")
    history = retail_history(*found)

    @functools.cache
    def one(way):
        return lived(way, history, folder / way.name, is_repeated=way.is_told)

    return one


@pytest.mark.parametrize("way", Way)
def test_figures_equal_an_independent_count(live, found, way):
    """
    Issue 3: clients, stages, trade, returns and points at the end of 2010, from the file as through
    NATS, over SQLite as over PostgreSQL.
    """
    life = live(way)

    assert CLIENTS == life.after["clients"]
    assert life.after["trade"]["pieces_unmatched"]
    assert expected(found[1], END) == life.after


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_figures_are_those_of_the_file(live, way):
    """
    Issue 3: before time passes, too, every figure is what the import of the file into a file gives.
    """
    assert live(Way.FILE_TO_FILE).before == live(way).before


@pytest.mark.parametrize("way", TOLD_WAYS)
def test_told_again_nothing_changes(live, way):
    """
    G13: the business identity makes a second delivery of everything harmless.
    """
    life = live(way)

    assert life.before == life.again


@pytest.mark.parametrize("way", Way)
def test_everything_is_taken_and_agrees(live, way):
    """
    Nothing is parked; hashes, states, due moments and read models are what the journals come to.
    """
    life = live(way)

    assert ([], []) == (life.parked, life.problems)
