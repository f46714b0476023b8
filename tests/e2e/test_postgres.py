"""
The command line over PostgreSQL: made, looked at, moved to, served by two processes, moved back.
"""

from __future__ import annotations

import asyncio
import os
import shutil

from collections.abc import Iterator

import pytest

from tests.adapters import postgres_server
from tests.e2e.database import DatabaseShop
from tests.e2e.process import Shop
from tests.e2e.town import DEFINITIONS, STAFF, written


@pytest.fixture
def url() -> Iterator[str]:
    """Of an empty database."""
    name = asyncio.run(postgres_server.create())
    yield postgres_server.shared().get_uri(name)
    asyncio.run(postgres_server.drop(name))


def test_store_moves_to_postgres_and_back(tmp_path, url):
    """
    Issue 3: a shop outgrows its file: the store moves with all figures the same, and back.
    """
    here, there = Shop(tmp_path / "here"), DatabaseShop(tmp_path / "here", url=url)
    here.run("apply", written(tmp_path, "shop.toml", DEFINITIONS), "--yes")
    here.run("staff", written(tmp_path, "staff.toml", STAFF))
    stats = here.run("stats", "-o", "json").json

    steps = there.run("migrate", "plan", "-o", "json").json
    assert [False] * len(steps) == [step["applied"] for step in steps]
    told = here.run("migrate", "copy", "--to", url).out
    assert "what arrived is what was sent" in told
    assert "holds notes already" in here.run("migrate", "copy", "--to", url, code=1).errors
    assert [] == there.run("migrate", "plan", "-o", "json").json
    assert "Took 0 steps" in there.run("migrate", "up").out
    assert stats == there.run("stats", "-o", "json").json
    there.run("verify")
    there.run("doctor", code=None)

    there.run("migrate", "copy", "--to", tmp_path / "back")
    shutil.copy2(tmp_path / "here" / "keys.json", tmp_path / "back" / "keys.json")
    assert stats == Shop(tmp_path / "back").run("stats", "-o", "json").json


def test_two_processes_serve_one_database(tmp_path, url):
    """
    Issue 3: what one process is told the other tells; each has its own folder, with the same keys.
    """
    one = DatabaseShop(tmp_path / "one", url=url, is_virtual=False)
    another = DatabaseShop(tmp_path / "another", url=url, is_virtual=False)
    with one.served("--bus", "none"):
        assert "keys.json" in another.run("stats", code=None).errors
        another.folder.mkdir(exist_ok=True)
        shutil.copy2(one.folder / "keys.json", another.folder / "keys.json")
        with another.served("--bus", "none"):
            one.run("apply", written(tmp_path, "shop.toml", DEFINITIONS), "--yes")
            another.run("staff", written(tmp_path, "staff.toml", STAFF))
            assert one.run("stats", "-o", "json").json == another.run("stats", "-o", "json").json
            one.run("verify")
            another.run("verify")


def test_tools_of_the_file_are_refused(tmp_path, url):
    """
    Copies of a database are made and put back by its own tools: backup and restore say so.
    """
    shop = DatabaseShop(tmp_path / "shop", url=url)
    shop.run("stats")

    assert "pg_basebackup" in shop.run("backup", tmp_path / "copy", code=None).errors
    assert not (tmp_path / "copy").exists()
    (tmp_path / "old").write_bytes(b"")
    assert "docs/postgres.md" in shop.run("restore", tmp_path / "old", code=1).errors


def test_password_in_the_url_is_refused(tmp_path):
    """
    S9: a URL is seen by whoever lists processes; a password belongs into a file.
    """
    shop = DatabaseShop(tmp_path, url="postgresql://ivan:topsecret@localhost/clients")
    told = shop.run("stats", code=None)

    assert told.code
    assert "PGPASSFILE" in told.errors
    assert "topsecret" not in told.out + told.errors
    assert os.environ.get("PGPASSWORD") is None
