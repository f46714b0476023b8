"""
A wholesaler's year with its cancellations, brought in by the command line and counted by hand.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from tests.acceptance.histories import RETAIL_DEFINITIONS as DEFINITIONS
from tests.acceptance.histories import RETAIL_MAPPING as MAPPING
from tests.acceptance.histories import invoices_of
from tests.acceptance.online_retail import END, by_customer, ladder, presets, retail_file
from tests.acceptance.online_retail_figures import counted, expected
from tests.e2e.journals import journals
from tests.e2e.process import Shop


pytestmark = pytest.mark.timeout(3_600)

LAST_DAY = date(2010, 12, 31)


@pytest.fixture(scope="module")
def invoices(data):
    """Every invoice, its rows named by their lines: the header is the first."""
    return invoices_of(retail_file(data))


@pytest.fixture(scope="module")
def count(invoices):
    """The independent count at the end of 2010; nobody spends points."""
    return counted(invoices, END)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A shop in virtual time with its definitions in force."""
    made = Shop(tmp_path_factory.mktemp("retail") / "data")
    made.run("apply", DEFINITIONS, "--yes")
    return made


@pytest.fixture(scope="module")
def arguments(data, tmp_path_factory):
    """Those that bring the slice in."""
    rejects = tmp_path_factory.mktemp("rejects") / "rejects.csv"
    return (
        *("import", "purchases", retail_file(data), "--map", MAPPING, "--create-clients"),
        *("--rejects", rejects, "-o", "json"),
    )


@pytest.fixture(scope="module")
def said(shop, arguments):
    """What the import said."""
    return shop.run(*arguments).json


@pytest.fixture(scope="module")
def again(shop, arguments, said):
    """Journals before a second import, what it said, and journals after it."""
    return journals(shop.folder), shop.run(*arguments).json, journals(shop.folder)


@pytest.fixture(scope="module")
def figures(shop, again):
    """The figures at the end of 2010."""
    shop.run("advance", "--to", LAST_DAY.isoformat())
    return shop.run("stats", "-o", "json").json


def test_every_row_is_in_the_journal_or_among_the_rejects(said, arguments):
    """
    All 18,727 rows are taken, as 885 purchases and 218 returns; the file of rejects is empty.
    """
    rejects = arguments[arguments.index("--rejects") + 1]

    assert (18_727, 18_727, {}) == (said["rows"], said["recorded"], said["rejected"])
    assert ({"purchases": 885, "returns": 218}, 214) == (
        said["entries"],
        said["clients_registered"],
    )
    assert "file,line,reason,expected\n" == rejects.read_text()


def test_a_second_run_changes_nothing(again):
    """
    Every row is found done; no journal has another event.
    """
    earlier, said, later = again

    assert (0, 18_727) == (said["recorded"], said["already_there"])
    assert earlier == later


def test_revenue_pieces_and_refunds_tie_out(figures, invoices):
    """
    REC-3, DEV-5: bought and brought back are what plain sums over the file say.
    """
    trade = figures["trade"]
    sold = [row for slip in invoices if not slip.is_return for row in slip.rows]
    back = [row for slip in invoices if slip.is_return for row in slip.rows]

    assert sum(row.pieces for row in sold) == trade["pieces"]
    assert {"GBP": sum(row.pence for row in sold)} == trade["revenue"]
    assert {"GBP": sum(row.pence for row in back)} == trade["refunds"]
    assert sum(row.pieces for row in back) == trade["pieces_matched"] + trade["pieces_unmatched"]
    assert (885, 218, 469) == (trade["purchases"], trade["returns"], len(back))


def test_returns_without_purchase_are_those_counted(figures, said, count):
    """
    DEV-5: pieces that nobody had bought as far as is known are unmatched, 61 lines of them.
    """
    waiting = [piece for pieces in count.waiting.values() for piece in pieces]

    assert len(waiting) == figures["trade"]["pieces_unmatched"]
    assert 61 == len({piece["row"] for piece in waiting}) == said["unmatched_lines"]
    assert sum(count.found.values()) == figures["trade"]["pieces_matched"]


def test_points_equal_an_independent_count(figures, count):
    """
    LOY-4, LOY-5, LOY-10: issued, revoked, expired, owed and outstanding, point by point.
    """
    points = figures["points"]

    assert count.totals["issued"] == points["issued"]
    assert count.totals["expired"] == points["expired"]
    assert count.totals["revoked"] + count.totals["owed"] == points["revoked"]
    assert sum(count.owed.values()) == points["debt"]
    assert count.free() == points["outstanding"]
    assert (0, 0) == (points["spent"], points["restored"])


def test_stages_equal_an_independent_count(figures, invoices):
    """
    LIFE-4, LIFE-6, LIFE-20: where every client stands in each model at the end of the year.
    """
    own = by_customer(invoices).values()
    clm, efremova = zip(*(presets(each) for each in own), strict=True)
    walked = [ladder(each, END, 180, 2)[-1][3] for each in own]

    assert Counter(clm) == figures["stages"]["clm"]
    assert Counter(efremova) == figures["stages"]["efremova"]
    assert Counter(walked) == figures["stages"]["ladder"]


def test_all_figures_equal_an_independent_count(figures, invoices):
    """
    Every figure of `clientela stats` at the end of the year.
    """
    assert expected(invoices, END) == figures


def test_everything_kept_agrees(shop, figures):
    """
    Hashes, states, due moments, read models and the file are what the journals come to.
    """
    assert [] == shop.run("verify", "-o", "json").json["problems"]


def test_backtest_under_the_same_definitions_is_empty(shop, figures):
    """
    The history told client by client comes to the same when it is run again.
    """
    assert "Nothing would differ" in shop.run("backtest", DEFINITIONS).out
