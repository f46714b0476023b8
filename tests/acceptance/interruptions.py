"""
A year and a half of a real shop, brought in by importers that are killed on the way.
"""

from __future__ import annotations

import random

from collections.abc import Sequence
from pathlib import Path

from tests.acceptance.cdnow import DEFINITIONS, Sale, imported
from tests.e2e.journals import journals, wait_for_purchases
from tests.e2e.process import Shop, kill


def killed(file: Path, sales: Sequence[Sale], kills: int, folder: Path) -> tuple[Shop, Shop]:
    """
    Bring sales in undisturbed, and into another shop with kills.

    Each of as many parts is killed with -9 at a random row and resumed, the last one with two
    importers at work.

    Args:
        file: The sample.

        sales: Those of it that come in: whole customers.

        kills: How often, 1 or more.

        folder: For everything.

    Returns:
        The undisturbed shop and the other one.
    """
    parts = cut(file, sales, kills, folder)
    chance = random.Random(1997)
    calm, rough = Shop(folder / "calm"), Shop(folder / "rough")
    calm.run("apply", DEFINITIONS, "--yes")
    share_keys(calm, rough)
    rough.run("apply", DEFINITIONS, "--yes")

    calm.run_all(*(imported(part) for part, _ in parts))
    there = 0
    for part, rows in parts[:-1]:
        disturb(rough, part, there + chance.randrange(1, rows))
        assert rows == rough.run(*imported(part)).json["rows"]
        there += rows
    part, rows = parts[-1]
    disturb_two(rough, part, there + chance.randrange(1, rows))
    rough.run(*imported(part))
    return calm, rough


def amiss(calm: Shop, rough: Shop) -> list[str]:
    """What differs between the two, and what the other's own check complains of."""
    found = list(rough.run("verify", "-o", "json").json["problems"])
    if journals(calm.folder) != journals(rough.folder):
        found.append("the journals differ")
    return found


def cut(file: Path, sales: Sequence[Sale], count: int, folder: Path) -> list[tuple[Path, int]]:
    """Sales in files of whole customers, and how many rows each has."""
    customers = list(dict.fromkeys(sale.customer for sale in sales))
    place = {customer: n * count // len(customers) for n, customer in enumerate(customers)}
    lines = file.read_text("ascii").splitlines(keepends=True)
    parts = []
    for number in range(count):
        own = [lines[sale.row - 1] for sale in sales if place[sale.customer] == number]
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
