"""
A year and a half of a real shop, brought in by importers that are killed on the way.
"""

from __future__ import annotations

import random

from pathlib import Path

import pytest

from tests.acceptance.cdnow import DEFINITIONS, Sale, imported, sales
from tests.e2e.journals import journals, wait_for_purchases
from tests.e2e.process import Shop, kill


pytestmark = pytest.mark.timeout(3_600)

KILLS = 20


@pytest.fixture
def found(data):
    """Every sale of the file."""
    return sales(data)


@pytest.fixture
def file(data):
    """The sample."""
    return data / "cdnow_sample" / "CDNOW_sample.txt"


def test_killed_twenty_times_it_is_as_if_nothing_had_happened(tmp_path, file, found):
    """
    Each of 20 parts of the sample is killed with -9 at a random row and resumed, the last one with
    two importers at work: every journal equals that of an undisturbed run.
    """
    parts = cut(file, found, tmp_path)
    chance = random.Random(1997)
    calm, rough = Shop(tmp_path / "calm"), Shop(tmp_path / "rough")
    calm.run("apply", DEFINITIONS, "--yes")
    share_keys(calm, rough)
    rough.run("apply", DEFINITIONS, "--yes")

    with calm.served():
        for part, _ in parts:
            calm.run(*imported(part))
    there = 0
    for part, rows in parts[:-1]:
        disturb(rough, part, there + chance.randrange(1, rows))
        assert rows == rough.run(*imported(part)).json["rows"]
        there += rows
    part, rows = parts[-1]
    disturb_two(rough, part, there + chance.randrange(1, rows))
    rough.run(*imported(part))

    assert KILLS == len(parts)
    assert journals(calm.folder) == journals(rough.folder)
    assert [] == rough.run("verify", "-o", "json").json["problems"]


def cut(file: Path, found: list[Sale], folder: Path) -> list[tuple[Path, int]]:
    """The sample in files of whole customers, and how many rows each has."""
    customers = list(dict.fromkeys(sale.customer for sale in found))
    place = {customer: n * KILLS // len(customers) for n, customer in enumerate(customers)}
    lines = file.read_text("ascii").splitlines(keepends=True)
    parts = []
    for number in range(KILLS):
        own = [lines[sale.row - 1] for sale in found if place[sale.customer] == number]
        path = folder / f"part-{number:02}.txt"
        path.write_text("".join(own), "ascii")
        parts.append((path, len(own)))
    return parts


def share_keys(one: Shop, other: Shop) -> None:
    """Give both the same keys, from which the ids of clients are made."""
    other.folder.mkdir(mode=0o700)
    keys = other.folder / "keys.json"
    keys.touch(0o600)
    keys.write_bytes((one.folder / "keys.json").read_bytes())


def disturb(shop: Shop, part: Path, purchases: int) -> None:
    """Kill an importer, which is its own service, when there are so many purchases."""
    importer = shop.begin(*imported(part))
    wait_for_purchases(shop.folder, purchases)
    kill(importer)


def disturb_two(shop: Shop, part: Path, purchases: int) -> None:
    """Kill a service and the two importers it has when there are so many purchases."""
    with shop.served() as service:
        importers = [shop.begin(*imported(part)) for _ in range(2)]
        wait_for_purchases(shop.folder, purchases)
        for process in (service, *importers):
            kill(process)
