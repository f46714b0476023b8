"""
The first processes over a new database.
"""

from __future__ import annotations

import asyncio
import shutil

from pathlib import Path

import pytest

from clientela.adapters import beginning
from clientela.adapters.keys.failures import KeyFileMissingError
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.settings import Settings
from tests.adapters import postgres_server
from tests.system.wire import served


PROCESSES = 3


async def _began(folder: Path, url: str, all_tried: asyncio.Barrier) -> str:
    """What came of a first start: that it serves, or the type of what it ended with."""
    try:
        async with served(folder, database_url=url):
            await all_tried.wait()
            return "serves"
    except KeyFileMissingError as error:
        await all_tried.wait()
        return type(error).__name__


async def _all_began(folder: Path) -> list[str]:
    """What came of as many first starts at once, each in a folder of its own."""
    all_tried = asyncio.Barrier(PROCESSES)
    async with postgres_server.database() as url:
        starts = (
            _began(folder / f"branch-{number}", url, all_tried) for number in range(PROCESSES)
        )
        return sorted(await asyncio.gather(*starts))


async def test_one_key_file_is_that_of_the_database(tmp_path):
    """
    Of several first starts at once one gives the database its keys; the others, who have not got
    them, are refused, not served with keys that open nothing.
    """
    assert ["KeyFileMissingError"] * (PROCESSES - 1) + ["serves"] == await _all_began(tmp_path)


async def test_those_who_share_the_key_file_all_serve(tmp_path):
    """
    Several first starts at once with one key file all serve.
    """
    first = Settings(data_dir=tmp_path / "branch-0").key_file
    KeyFile(first).create()
    for number in range(1, PROCESSES):
        copy = Settings(data_dir=tmp_path / f"branch-{number}").key_file
        copy.parent.mkdir(mode=0o700)
        shutil.copy2(first, copy)

    assert ["serves"] * PROCESSES == await _all_began(tmp_path)


async def test_whoever_died_while_settling_is_replaced(tmp_path, monkeypatch):
    """
    A first start that is interrupted before its clock is noted leaves what the next one completes.
    """

    async def interrupted(*_: object) -> None:
        raise asyncio.CancelledError

    async with postgres_server.database() as url:
        with monkeypatch.context() as patched:
            patched.setattr(beginning, "_settle", interrupted)
            with pytest.raises(asyncio.CancelledError):
                async with served(tmp_path, database_url=url):
                    pass
        async with served(tmp_path, database_url=url) as service:
            assert [] == list((await service.wire.call("Verify")).problems)
