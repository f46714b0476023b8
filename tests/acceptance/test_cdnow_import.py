"""
A year and a half of a real shop, brought in by the command line and counted by hand.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from tests.acceptance.cdnow import (
    DEFINITIONS,
    counts,
    expected,
    imported,
    ladder,
    sales,
    sample,
)
from tests.e2e.journals import journals
from tests.e2e.process import Shop


pytestmark = pytest.mark.timeout(3_600)

END = date(1998, 6, 30)


@pytest.fixture(scope="module")
def found(data):
    """Every sale of the file."""
    return sales(data)


@pytest.fixture(scope="module")
def file(data):
    """The sample."""
    return sample(data)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A shop in virtual time with its definitions in force."""
    made = Shop(tmp_path_factory.mktemp("cdnow") / "data")
    made.run("apply", DEFINITIONS, "--yes")
    return made


@pytest.fixture(scope="module")
def first(shop, file):
    """What the first import said."""
    return shop.run(*imported(file)).json


@pytest.fixture(scope="module")
def before(shop, first):
    """The figures after it."""
    return shop.run("stats", "-o", "json").json


@pytest.fixture(scope="module")
def second(shop, file, before):
    """Journals before the second import, what it said, and journals after it."""
    return journals(shop.folder), shop.run(*imported(file)).json, journals(shop.folder)


@pytest.fixture(scope="module")
def after(shop, second):
    """The figures at the end of June 1998."""
    shop.run("advance", "--to", END.isoformat())
    return shop.run("stats", "-o", "json").json


def test_every_row_is_recorded(first):
    """
    REC-3: 6,919 rows, equal ones included, are 6,919 purchases of 2,357 clients.
    """
    assert (6_919, 6_919, 0, {}) == (
        first["rows"],
        first["recorded"],
        first["already_there"],
        first["rejected"],
    )
    assert ({"purchases": 6_919}, 2_357) == (first["entries"], first["clients_registered"])


def test_figures_are_those_of_the_file(before, found):
    """
    Clients, purchases, pieces, revenue and issued points equal plain sums over the file; a client
    of two purchases is no regular if both were made on one day (LIFE-6).
    """
    told = counts(found, END)
    trade = before["trade"]

    assert (2_357, 2_357, 0) == (before["clients"], before["unowned"], before["prospects"])
    assert (6_919, {"USD": 24_409_194}) == (trade["purchases"], trade["revenue"])
    assert sum(sale.pieces for sale in found) == trade["pieces"]
    assert (1_152, 1_139) == (before["several_purchases"], before["several_days"])
    assert told.issued == before["points"]["issued"]
    assert {"purchase": 2_357 - 1_152, "loyalty": 1_152} == before["stages"]["clm"]
    assert {"buyer": 2_357 - 1_139, "regular": 1_139} == before["stages"]["efremova"]


def test_a_second_run_changes_nothing(second):
    """
    Every row is found done; no journal has another event.
    """
    earlier, said, later = second

    assert (6_919, 0, 6_919, 0) == (
        said["rows"],
        said["recorded"],
        said["already_there"],
        said["clients_registered"],
    )
    assert earlier == later


def test_figures_at_the_end_equal_an_independent_count(after, found):
    """
    LIFE-20, LOY-10: stages, issued, expired and outstanding points at the end of June 1998.
    """
    told = counts(found, END)
    points = after["points"]
    walked = Counter(ladder(days, END, 180) for days in told.days.values())

    assert walked == after["stages"]["ladder"]
    assert {"purchase": 2_357 - 1_152, "loyalty": 1_152} == after["stages"]["clm"]
    assert {"buyer": 2_357 - 1_139, "regular": 1_139} == after["stages"]["efremova"]
    assert (told.issued, told.expired, told.outstanding) == (
        points["issued"],
        points["expired"],
        points["outstanding"],
    )
    assert (0, 0, 0) == (points["spent"], points["revoked"], points["debt"])


def test_all_figures_equal_an_independent_count(after, found):
    """
    Every figure of `clientela stats` at the end of June 1998.
    """
    assert expected(found, END) == after


def test_everything_kept_agrees(shop, after):
    """
    Hashes, states, due moments, read models and the file are what the journals come to.
    """
    assert [] == shop.run("verify", "-o", "json").json["problems"]


def test_backtest_under_the_same_definitions_is_empty(shop, after):
    """
    The history told client by client comes to the same when it is run again.
    """
    assert "Nothing would differ" in shop.run("backtest", DEFINITIONS).out
