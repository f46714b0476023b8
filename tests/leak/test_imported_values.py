"""
No personal value of an imported file stands in the store, among the rejects, or in what is printed.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys

from collections.abc import Iterable, Sequence
from pathlib import Path

from clientela.adapters.cli.failure import Exit
from tests.leak.people import PEOPLE, VALUES
from tests.leak.scanner import Scanner


CLIENTS = """
source = "paper"

[columns]
client = "id"
name = "name"

[identifiers]
phone = "phone"
email = "mail"

[when]
column = "since"
"""

INTERACTIONS = """
source = "paper"

[columns]
client = "id"
note = "note"

[constants]
channel = "phone"
direction = "inbound"
purpose = "enquiry"
kind = "call"

[when]
column = "since"
"""

SINCE = "2026-01-02"
PEOPLE_IMPORTED = PEOPLE[:20]
ONE, OTHER = PEOPLE[20], PEOPLE[21]


def written(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    """A file of these rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


HEADER = ("id", "name", "phone", "mail", "since")


def clients(path: Path) -> Path:
    """Twenty clients."""
    rows = [[p.client_id, p.name, p.phone, p.mail, SINCE] for p in PEOPLE_IMPORTED]
    return written(path, HEADER, rows)


def unfit(path: Path) -> Path:
    """Rows that are not taken, each for one of a few reasons."""
    rows = [
        row
        for n, p in enumerate(PEOPLE_IMPORTED)
        for row in (
            [f"x-{n}", ONE.name, p.phone_otherwise, ONE.mail, SINCE],
            [f"y-{n}", ONE.name, f"{ONE.phone} {OTHER.phone}", "", SINCE],
            [f"z-{n}", ONE.name * 20, ONE.phone, ONE.mail, SINCE],
            ["", ONE.name, ONE.phone, ONE.mail, SINCE],
            [f"v-{n}", ONE.name, ONE.phone, ONE.mail, ONE.name],
            [f"w-{n}", ONE.name, ONE.phone, f"{ONE.name} at {ONE.mail}", SINCE],
            [f"u-{n}", ONE.name, ONE.phone, ONE.mail, SINCE, OTHER.phone],
        )
    ]
    return written(path, HEADER, rows)


def calls(path: Path) -> Path:
    """A note about each client, and about nobody."""
    good = [[p.client_id, p.notes[0], SINCE] for p in PEOPLE_IMPORTED]
    bad = [[ONE.client_id, ONE.notes[0], SINCE], [PEOPLE[0].client_id, ONE.notes[1], ONE.mail]]
    return written(path, ["id", "note", "since"], [*good, *bad])


def imported(folder: Path, kind: str, file: Path, mapping: str) -> int:
    """Import a file into the store of *folder*, which gets all there is to see; the exit code."""
    means = file.with_suffix(".toml")
    means.write_text(mapping, encoding="utf-8")
    command = ("import", kind, str(file), "--map", str(means), "--data-dir", str(folder / "data"))
    rejects = ("--rejects", str(folder / f"{file.stem}.rejects.csv"))
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    with (folder / f"{file.stem}.log").open("wb") as printed:
        done = subprocess.run(
            [sys.executable, "-m", "clientela.adapters.cli", *command, *rejects],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(temporary), "CLIENTELA_REGION": "RU"},
            stdout=printed,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=120,
        )
    return done.returncode


def test_no_imported_value_is_in_a_file(tmp_path: Path):
    """
    S8, G27: of imported files, most of whose rows are refused, nothing personal stands in the
    store, in the lists of rejects, in what is printed, or in a temporary file.
    """
    shop, files = tmp_path / "shop", tmp_path / "files"
    shop.mkdir()
    files.mkdir()

    codes = (
        imported(shop, "clients", clients(files / "clients.csv"), CLIENTS),
        imported(shop, "clients", unfit(files / "unfit.csv"), CLIENTS),
        imported(shop, "interactions", calls(files / "calls.csv"), INTERACTIONS),
    )

    planted = Scanner(VALUES)
    assert () == planted.in_tree(shop)
    assert () != planted.in_tree(files)
    assert (Exit.DONE, Exit.REJECTS, Exit.REJECTS) == codes
    rejected = {path.name: rows_of(path) for path in shop.glob("*.rejects.csv")}
    # A cell too many hurts nobody: one of the rows is taken, and then its phone is.
    assert {"unfit.rejects.csv": 7 * len(PEOPLE_IMPORTED) - 1, "calls.rejects.csv": 2} == {
        name: rows for name, rows in rejected.items() if rows
    }


def rows_of(path: Path) -> int:
    """Rows of a file below its header."""
    return len(path.read_text("utf-8").splitlines()) - 1
