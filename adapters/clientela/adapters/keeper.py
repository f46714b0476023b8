"""
The keeper of a store's files: its copies, its keys, its health.
"""

from __future__ import annotations

import asyncio

from datetime import datetime
from pathlib import Path

import attrs

from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.keys.rotation import rotate
from clientela.adapters.sqlite.store import SqliteStore
from clientela.domain.errors import InvalidValueError


@attrs.frozen(kw_only=True)
class SqliteKeeper:
    """
    Keeps the files of a store in a folder.

    Attributes:
        data_dir: The folder.

        store: The store.

        secrets: The key file.
    """

    data_dir: Path
    store: SqliteStore
    secrets: KeyFile

    async def rotate_keys(self, now: datetime) -> int:
        """Replace the key-encryption key; how many keys of persons were wrapped anew."""
        rotation = await rotate(self.secrets, self.store, now)
        return rotation.rewrapped

    async def back_up(self, path: Path) -> None:
        """
        Copy the store to a new file.

        Raises:
            InvalidValueError: the path is not absolute, there is something already, or no folder
                to put it in.
        """
        if not await asyncio.to_thread(_is_free, path):
            raise InvalidValueError("path", "an absolute path in a folder, with nothing there yet")
        await self.store.backup(path)

    async def faults(self) -> tuple[str, ...]:
        """What SQLite finds wrong with the file."""
        return await self.store.faults()


def _is_free(path: Path) -> bool:
    return path.is_absolute() and not path.exists() and path.parent.is_dir()
