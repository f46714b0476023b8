"""
Files of other systems brought in by the command line, over a real socket.
"""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from tests.e2e.journals import journals, wait_for_purchases
from tests.e2e.process import Shop, kill
from tests.e2e.town import DEFINITIONS, HEAD, MAPPING, SALES, many_sales, written


RETURNS = """
source = "till"

[columns]
client = "who"
id = "id"
purchase = "receipt"
line = "line"

[when]
column = "date"

[amounts]
currency = "EUR"
"""

INTERACTIONS = """
source = "till"

[columns]
client = "who"
id = "id"
direction = "way"

[constants]
channel = "phone"
purpose = "enquiry"
kind = "call"

[values.direction]
in = "inbound"
out = "outbound"

[when]
column = "at"
"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A shop in virtual time with its definitions in force, for copies."""
    folder = tmp_path_factory.mktemp("opened")
    made = Shop(folder / "data")
    made.run("apply", written(folder, "shop.toml", DEFINITIONS), "--yes")
    return made


@pytest.fixture
def shop(opened, tmp_path):
    """A shop in virtual time with its definitions in force."""
    return opened.copied(tmp_path / "data")


def sales(folder, text):
    """Arguments that bring in a till's file of this text."""
    till = written(folder, "till.csv", text)
    mapping = written(folder, "till.toml", MAPPING)
    return ("import", "purchases", till, "--map", mapping, "--create-clients", "-o", "json")


def test_a_file_comes_in_once_however_often_it_is_run(shop, tmp_path):
    """
    REC-3: purchases by receipt and returns; a second run changes nothing.
    """
    arguments = sales(tmp_path, SALES)

    tried = shop.run(*arguments, "--dry-run").json
    first, before = shop.run(*arguments).json, journals(shop.folder)
    second, after = shop.run(*arguments).json, journals(shop.folder)
    figures = shop.run("stats", "-o", "json").json

    assert (6, {"purchases": 3, "returns": 2}) == (tried["rows"], tried["entries"])
    assert (6, 0, 2, 1) == (
        first["recorded"],
        first["already_there"],
        first["clients_registered"],
        first["unmatched_lines"],
    )
    assert (0, 6, 0) == (second["recorded"], second["already_there"], second["clients_registered"])
    assert before == after
    assert ({"EUR": 8955}, {"EUR": 4990}, 1) == (
        figures["trade"]["revenue"],
        figures["trade"]["refunds"],
        figures["trade"]["lines_unmatched"],
    )
    assert (86, 19) == (figures["points"]["issued"], figures["points"]["revoked"])


def test_a_dry_run_sends_nothing(shop, tmp_path):
    """
    What a dry run reads is nowhere afterwards.
    """
    shop.run(*sales(tmp_path, SALES), "--dry-run")

    assert [] == journals(shop.folder)


def test_rejected_rows_are_told_and_mended(shop, tmp_path):
    """
    A row that is refused is listed by line and reason, without its values; a mended file brings
    it in and leaves the rest as it is.
    """
    bad = HEAD + "r1,c1,shirt,1,19.90,2026-01-02\nr2,c2,shirt,one,19.90,2026-01-03\n"
    rejects = tmp_path / "rejects.csv"

    told = shop.run(*sales(tmp_path, bad), "--rejects", rejects, code=4)
    mended = shop.run(*sales(tmp_path, bad.replace("one", "1"))).json

    assert '"NUMBER": 1' in told.out
    assert "till.csv,3,NUMBER," in rejects.read_text()
    assert (1, 1) == (mended["recorded"], mended["already_there"])


def test_unknown_clients_are_rejected_unless_they_are_to_be_made(shop, tmp_path):
    """
    REC-1: a typing error makes no client by itself.
    """
    arguments = [each for each in sales(tmp_path, SALES) if each != "--create-clients"]

    told = shop.run(*arguments, code=4)

    assert '"CLIENT_UNKNOWN": 6' in told.out
    assert [] == journals(shop.folder)


def test_what_the_service_refuses_is_told_row_by_row(shop, tmp_path):
    """
    A receipt with another content than before is refused, and so is a unit that is none.
    """
    shop.run(*sales(tmp_path, SALES))

    told = shop.run(*sales(tmp_path, SALES.replace("9.95", "8.95")), code=4)

    assert '"IDEMPOTENCY_MISMATCH": 2' in told.out


def test_a_mapping_that_cannot_be_used_is_told_place_by_place(shop, tmp_path):
    """
    A mapping is refused whole with exit code 2, each problem at its place.
    """
    arguments = sales(tmp_path, SALES)
    written(tmp_path, "till.toml", MAPPING.replace("client =", "clinet ="))

    told = shop.run(*arguments, code=2)

    assert "columns.client: required" in told.errors
    assert "columns.clinet: " in told.errors


def test_old_history_keeps_its_own_time_in_a_store_in_real_time(tmp_path):
    """
    A purchase of last month is decided as of then, so that its points expire a year after it.
    """
    shop = Shop(tmp_path / "data", is_virtual=False)
    shop.run("apply", written(tmp_path, "shop.toml", DEFINITIONS), "--yes")

    with shop.served():
        shop.run(*sales(tmp_path, SALES))

    with contextlib.closing(sqlite3.connect(shop.folder / "clientela.db")) as connection:
        delays = connection.execute(
            "SELECT recorded_at - occurred_at FROM events WHERE name LIKE 'purchase-%'"
        ).fetchall()
    assert [(0,)] * 3 == delays


def test_killed_in_the_middle_and_resumed_it_is_as_if_nothing_had_happened(shop, tmp_path):
    """
    After kill -9 of service and importers a second run leaves what an undisturbed one leaves.
    """
    arguments = sales(tmp_path, many_sales(clients=30, each=5))
    twin = shop.copied(tmp_path / "twin")

    twin.run(*arguments)
    for rows in (20, 70):
        with shop.served() as service:
            importers = [shop.begin(*arguments) for _ in range(2)]
            wait_for_purchases(shop.folder, rows)
            for process in (service, *importers):
                kill(process)
    shop.run(*arguments)

    assert journals(twin.folder) == journals(shop.folder)
    shop.run("verify")


def test_returns_and_interactions_come_in_as_files_of_their_own(shop, tmp_path):
    """
    REC-2, DEV-5: a return names its purchase and line; a call is written down once.
    """
    shop.run(*sales(tmp_path, SALES))
    back = written(tmp_path, "back.csv", "id,who,receipt,line,date\nx1,c1,r3,5,2026-02-10\n")
    rows = "id,who,way,at\n7,c1,in,2026-02-11\n8,c1,up,2026-02-12\n"
    calls = written(tmp_path, "calls.csv", rows)
    returns = written(tmp_path, "returns.toml", RETURNS)
    passed = written(tmp_path, "passed.toml", INTERACTIONS)

    first = shop.run("import", "returns", back, "--map", returns, "-o", "json").json
    second = shop.run("import", "returns", back, "--map", returns, "-o", "json").json
    told = shop.run("import", "interactions", calls, "--map", passed, code=4)
    shown = shop.run("show", "till:c1", "-o", "json").json

    assert (1, 0, 0) == (first["recorded"], first["unmatched_lines"], second["recorded"])
    assert "rejected: VALUE" in told.out
    names = [entry["event"]["name"] for entry in shown["timeline"]]
    assert 1 == names.count("interaction-recorded")
    assert 2 == names.count("return-recorded")
