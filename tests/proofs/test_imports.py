"""
The real imports whole, from the file and through NATS, over SQLite and over PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.acceptance import cdnow, online_retail, online_retail_figures
from tests.acceptance.histories import History, cdnow_history, invoices_of, retail_history
from tests.acceptance.ways import OTHER_WAYS, Way, lived


SECONDS_MAX = 3_600
"""A few minutes each where nothing else runs."""


@attrs.frozen
class Import:
    """
    An import, and what it comes to.

    Attributes:
        history: What comes in.

        figures: Those in the end, counted without any of the rules under test.
    """

    history: History
    figures: dict[str, Any] = attrs.field(repr=False)


def whole_cdnow(folder: Path) -> Import:
    """A year and a half of a shop: 6,919 purchases of 2,357 clients."""
    file = cdnow.sample(folder)
    found = cdnow.sales_in(file)
    history = cdnow_history(file, found)
    return Import(history, cdnow.expected(found, history.last_day))


def whole_online_retail(folder: Path) -> Import:
    """A year of a wholesaler: 885 purchases and 218 returns of 214 clients, 18,727 lines."""
    file = online_retail.retail_file(folder)
    found = invoices_of(file)
    figures = online_retail_figures.expected(found, online_retail.END)
    return Import(retail_history(file, found), figures)


@pytest.mark.timeout(SECONDS_MAX)
@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize(
    ("brought", "clients", "purchases"),
    [(whole_cdnow, 2_357, 6_919), (whole_online_retail, 214, 885)],
)
def test_figures_are_the_same_whichever_way(
    data: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    way: Way,
    brought: Callable[[Path], Import],
    clients: int,
    purchases: int,
):
    """
    Issue 3: every figure equals an independent count, as that of the file over SQLite does in the
    acceptance tests; nothing is parked, and everything kept agrees.
    """
    made = brought(data)
    life = lived(way, made.history, tmp_path / "shop")
    record_property("seconds to come in", life.seconds)

    assert (clients, purchases) == (life.after["clients"], life.after["trade"]["purchases"])
    assert made.figures == life.after
    assert ([], []) == (life.parked, life.problems)
