"""
Ways for a history to come into a shop: from its file or told by tills, into a file or a database.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import time

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from tests.acceptance import tills
from tests.acceptance.histories import History
from tests.adapters import postgres_server
from tests.e2e.database import DatabaseShop
from tests.e2e.process import Shop


STATS = ("stats", "-o", "json")


class Way(enum.Enum):
    """How a history comes in, and where it is kept."""

    FILE_TO_FILE = "file to file"
    FILE_TO_POSTGRES = "file to PostgreSQL"
    TILLS_TO_FILE = "tills to file"
    TILLS_TO_POSTGRES = "tills to PostgreSQL"

    @property
    def is_told(self) -> bool:
        """Whether tills tell it over NATS."""
        return self in {Way.TILLS_TO_FILE, Way.TILLS_TO_POSTGRES}

    @property
    def is_in_postgres(self) -> bool:
        """Whether it is kept in PostgreSQL."""
        return self in {Way.FILE_TO_POSTGRES, Way.TILLS_TO_POSTGRES}


OTHER_WAYS = tuple(way for way in Way if way is not Way.FILE_TO_FILE)
"""All but the way of which the other acceptance tests speak."""

TOLD_WAYS = tuple(way for way in Way if way.is_told)
"""Those over NATS."""


@attrs.frozen(kw_only=True)
class Life:
    """
    What became of a shop.

    Attributes:
        before: Its figures when everything had come in.

        again: The same when everything had come in once more; None where it did not.

        after: Those when time had passed.

        parked: Messages that were not carried out.

        problems: What `verify` found in the end.

        seconds: How long the history took to come in the first time.
    """

    before: dict[str, Any] = attrs.field(repr=False)
    again: dict[str, Any] | None = attrs.field(repr=False)
    after: dict[str, Any] = attrs.field(repr=False)
    parked: list[Any]
    problems: list[Any]
    seconds: float


def lived(way: Way, history: History, folder: Path, *, is_repeated: bool = False) -> Life:
    """
    A shop with a history.

    Args:
        way: How it comes in.

        history: The history.

        folder: Where the shop keeps its data; not there yet.

        is_repeated: Whether all of it comes in a second time.
    """
    with _opened(way, folder) as shop:
        shop.run("apply", history.definitions, "--yes")
        begun = time.monotonic()
        _come_in(way, history, shop)
        seconds = time.monotonic() - begun
        first = None
        if is_repeated:
            first = shop.run(*STATS)
            _come_in(way, history, shop)
        last, _, after, parked, verified = shop.run_all(
            STATS,
            ("advance", "--to", history.last_day.isoformat()),
            STATS,
            ("parked", "list", "-o", "json"),
            ("verify", "-o", "json"),
        )
        return Life(
            before=(first or last).json,
            again=last.json if is_repeated else None,
            after=after.json,
            parked=parked.json,
            problems=verified.json["problems"],
            seconds=seconds,
        )


@contextlib.contextmanager
def _opened(way: Way, folder: Path) -> Iterator[Shop]:
    if not way.is_in_postgres:
        yield Shop(folder)
        return
    name = asyncio.run(postgres_server.create())
    try:
        yield DatabaseShop(folder, url=postgres_server.shared().get_uri(name))
    finally:
        asyncio.run(postgres_server.drop(name))


def _come_in(way: Way, history: History, shop: Shop) -> None:
    if way.is_told:
        with shop.served("--bus", "embedded"):
            asyncio.run(tills.tell(shop, history))
        return
    mapped = ("--map", history.mapping, "--create-clients", "-o", "json")
    said = shop.run("import", "purchases", history.file, *mapped).json
    assert {} == said["rejected"]
