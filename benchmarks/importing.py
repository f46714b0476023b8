"""
Importing: `clientela import` of a file of purchases beside bare group appends to the same database.

A row of the file is one purchase of one line, and every third one is of a client who is registered
on the way: the dearest rows there are.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import subprocess
import sys

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import attrs

from benchmarks.postgres_limit import PostgresLimit, postgres_limit
from benchmarks.rounds import Figures, ratio
from benchmarks.run import Part, Round, Run
from benchmarks.seeding import found
from benchmarks.sqlite_limit import GROUP, sqlite_limit
from clientela.adapters.bootstrap import private
from clientela.adapters.settings import Settings


ROWS = 6_000
ROWS_QUICKLY = 300

ROWS_OF_A_CLIENT = 3
"""Rows for each client."""

DAYS = 540
"""Over which purchases are spread, the last of them a month ago."""

SECONDS_MAX = 600.0
"""How long one import may take."""

MAPPING = """
source = "benchmark"

[file]
format = "blanks"
header = false
encoding = "ascii"

[columns]
client = 1
quantity = 3
net = 4

[constants]
sku = "article"

[when]
column = 2
format = "%Y%m%d"
zone = "UTC"
time = "12:00"

[amounts]
currency = "EUR"
"""


def _write(path: Path, rows: int) -> None:
    """A file of purchases in the order of their days."""
    chosen = random.Random(rows)
    last = date.today() - timedelta(days=30)  # noqa: DTZ011 (a day, whichever the zone)
    with path.open("w", encoding="ascii") as file:
        for row in range(rows):
            day = last - timedelta(days=DAYS - DAYS * row // rows)
            client = chosen.randrange(rows // ROWS_OF_A_CLIENT)
            net = chosen.randrange(500, 20_000)
            file.write(f"{client:06d} {day:%Y%m%d} 1 {net // 100}.{net % 100:02d}\n")


async def _founded(settings: Settings) -> None:
    async with private(settings) as running:
        await found(running.core)


@attrs.frozen(kw_only=True)
class Sack:
    """
    What is to be imported.

    Attributes:
        file: Rows.

        mapping: Which column means what.
    """

    file: Path
    mapping: Path

    def imported(self, settings: Settings) -> Mapping[str, Any]:
        """What the command line says of importing it into a new company."""
        asyncio.run(_founded(settings))
        command = [sys.executable, "-m", "clientela.adapters.cli", "import", "purchases"]
        command += [str(self.file), "--map", str(self.mapping), "--create-clients", "-o", "json"]
        environment = {
            **os.environ,
            "CLIENTELA_DATA_DIR": str(settings.data_dir),
            "CLIENTELA_DATABASE_URL": settings.database_url,
        }
        done = subprocess.run(  # noqa: S603 (ours)
            command,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS_MAX,
        )
        said: dict[str, Any] = json.loads(done.stdout)
        assert not said["rejected"], said["rejected"]
        return said


def _compared(store: str, sack: Sack, settings: Settings, bare: Callable[[], float]) -> Figures:
    before = bare()
    worked = _worked_seconds()
    said = sack.imported(settings)
    worked = _worked_seconds() - worked
    raw = (before + bare()) / 2
    name = f"import.{store}"
    return {
        f"27 {store}": ratio(said["rows_per_second"], raw),
        f"{name}.rows": said["rows"],
        f"{name}.clients registered": said["clients_registered"],
        f"{name}.rows a second": said["rows_per_second"],
        f"{name}.CPU us a row, the service in it, from start to end": worked / said["rows"] * 1e6,
        f"{name}.raw rows a second, {GROUP} at once": raw,
    }


def _worked_seconds() -> float:
    """CPU of all processes that were begun here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _measured(run: Run, sack: Sack, server: PostgresLimit) -> Figures:
    number = run.seed()
    files, company = (run.place(f"import/{kind}-{number}") for kind in ("file", "company"))
    with sqlite_limit(run.place("import")) as limit:
        in_file = _compared(
            "sqlite",
            sack,
            Settings(data_dir=files),
            lambda: limit.append(run.seconds, GROUP).rate,
        )
    url = server.database(f"company_{number}")
    in_server = _compared(
        "postgres",
        sack,
        Settings(data_dir=company, database_url=url),
        lambda: server.append_groups(run.seconds),
    )
    return {**in_file, **in_server}


@contextmanager
def _importing(run: Run) -> Iterator[Round]:
    folder = run.place("import")
    sack = Sack(file=folder / "purchases.txt", mapping=folder / "mapping.toml")
    _write(sack.file, ROWS_QUICKLY if run.is_quick else ROWS)
    sack.mapping.write_text(MAPPING, encoding="utf-8")
    with postgres_limit(folder) as server:
        yield lambda: _measured(run, sack, server)


IMPORTING = Part(name="import", about="a file of purchases: goal 27", open=_importing)
