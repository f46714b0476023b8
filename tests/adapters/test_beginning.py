"""
The first processes over a new database.
"""

from __future__ import annotations

import asyncio
import shutil

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from clientela.adapters import beginning
from clientela.adapters.keys.failures import KeyFileMissingError
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.settings import Settings
from clientela.adapters.sqlite.copies import restore
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


@pytest.mark.parametrize("has_server", [False, True])
async def test_keys_of_another_side_of_a_rotation_are_refused(tmp_path, has_server):
    """
    S10: after a rotation the key file of before opens nothing that was made since, and keeps
    everybody new from being registered: with it the store is not served.
    """
    keys, before = Settings(data_dir=tmp_path).key_file, tmp_path / "before.json"
    async with _database(has_server) as url:
        async with served(tmp_path, database_url=url) as service:
            shutil.copy2(keys, before)
            await service.wire.call("RotateKeys")
        after = keys.read_bytes()
        keys.write_bytes(before.read_bytes())
        with pytest.raises(beginning.RotatedKeysError):
            async with served(tmp_path, database_url=url):
                pass
        keys.write_bytes(after)
        async with served(tmp_path, database_url=url) as service:
            await service.wire.call("RegisterClient", client_id="petra")


async def test_a_copy_of_before_a_rotation_is_refused(tmp_path):
    """
    S10: a copy whose key-encryption key was destroyed is not served half: it takes the key file of
    its time, which opens all of it.
    """
    settings = Settings(data_dir=tmp_path)
    copy, before = tmp_path / "copy.db", tmp_path / "before.json"
    async with served(tmp_path) as service:
        await service.wire.call("RegisterClient", client_id="petra", details={"name": "Petra"})
        await service.wire.call("BackUp", path=str(copy))
        shutil.copy2(settings.key_file, before)
        await service.wire.call("RotateKeys")
    await asyncio.to_thread(restore, copy, settings.database)

    with pytest.raises(beginning.RotatedKeysError):
        async with served(tmp_path):
            pass
    before.replace(settings.key_file)
    async with served(tmp_path) as service:
        petra = await service.wire.call("GetClient", client_id="petra")

    assert "Petra" == petra.details.name


@pytest.mark.parametrize("is_fenced", [False, True])
async def test_a_rotation_that_was_interrupted_is_served(tmp_path, is_fenced):
    """
    S8: between two keys both open, and whoever is new is registered under the newer one.
    """
    file = KeyFile(Settings(data_dir=tmp_path).key_file)
    async with served(tmp_path) as service:
        ring = file.load()
        file.replace(ring, ring.begun(service.running.core.now()))
        if is_fenced:
            await service.running.core.store.fence_keys(file.load().current.id)

    async with served(tmp_path) as service:
        await service.wire.call("RotateKeys")
        await service.wire.call("RegisterClient", client_id="petra")


@asynccontextmanager
async def _database(has_server: bool) -> AsyncIterator[str]:
    """The URL of an empty database; none for a file."""
    if not has_server:
        yield ""
        return
    async with postgres_server.database() as url:
        yield url
