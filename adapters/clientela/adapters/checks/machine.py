"""
What the machine offers: Python, SQLite, room on the disk.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys

from collections.abc import Iterator

from clientela.adapters.checks.finding import Finding, bad, good, poor
from clientela.adapters.settings import Settings
from clientela.adapters.sqlite.connection import OldSqliteError, check_version


ROOM_BYTES_POOR = 1_000_000_000
"""Free room below which there is a warning."""

SQLITE_SOUND = (3, 51, 3)
"""The first SQLite without the fault that two connections which checkpoint at once run into."""


def machine(settings: Settings) -> Iterator[Finding]:
    """What there is to say of the machine."""
    yield good("python", sys.version.split()[0])
    yield sqlite()
    folder = settings.data_dir
    free = shutil.disk_usage(folder if folder.is_dir() else ".").free
    yield (good if free >= ROOM_BYTES_POOR else poor)("disk", f"{free / 1e9:.1f} GB free")


def sqlite(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> Finding:
    """What there is to say of SQLite."""
    try:
        check_version()
    except OldSqliteError as error:
        return bad("sqlite", str(error))
    text = ".".join(map(str, version))
    if version < SQLITE_SOUND:
        sound = ".".join(map(str, SQLITE_SOUND))
        return poor(
            "sqlite",
            f"{text} has a fault (two connections that checkpoint at once) which the one writer"
            f" keeps clear of; open the file with nothing else, or use {sound}",
        )
    return good("sqlite", text)
