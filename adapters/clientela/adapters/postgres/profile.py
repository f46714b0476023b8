"""
What a server must be like, R9: durable, whole, the primary, of a release that was tried.
"""

from __future__ import annotations

import logging

from collections.abc import Mapping
from typing import TYPE_CHECKING

from clientela.services.store_errors import StoreUnsuitableError


if TYPE_CHECKING:
    from clientela.adapters.postgres.connections import Connection


VERSION_MIN = 150_000
"""PostgreSQL 15."""

VERSION_END = 190_000
"""Beyond PostgreSQL 18."""

NEEDED: Mapping[str, frozenset[str]] = {
    "fsync": frozenset({"on"}),
    "full_page_writes": frozenset({"on"}),
    "synchronous_commit": frozenset({"on", "remote_apply"}),
    "server_encoding": frozenset({"UTF8"}),
    "in_recovery": frozenset({"false"}),
}
"""What each setting may be."""

ADVICE: Mapping[str, str] = {
    "fsync": "set it in postgresql.conf, then check the database for damage",
    "full_page_writes": "set it in postgresql.conf and reload",
    "synchronous_commit": "set it in postgresql.conf, and for the database and the role",
    "server_encoding": "make the database with CREATE DATABASE ... ENCODING 'UTF8'",
    "in_recovery": "name the primary in the database URL",
    "server_version_num": "use PostgreSQL 15 to 18",
}

_PROFILE = """
SELECT
    current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('server_encoding') AS server_encoding,
    current_setting('server_version_num') AS server_version_num,
    current_setting('data_checksums') AS data_checksums,
    pg_is_in_recovery()::text AS in_recovery
"""

log = logging.getLogger("clientela")


class WeakServerError(StoreUnsuitableError):
    """
    The server is not what the store rests on.

    Attributes:
        setting: Which setting.

        found: What it is.
    """

    def __init__(self, setting: str, found: str) -> None:
        self.setting = setting
        self.found = found
        super().__init__(f"PostgreSQL has {setting} = {found}, not to be used: {ADVICE[setting]}")


async def profile_of(connection: Connection) -> Mapping[str, str]:
    """The settings that matter, by name."""
    return dict(await connection.fetchrow(_PROFILE) or {})


def check_profile(found: Mapping[str, str]) -> None:
    """
    Check the settings of a server.

    Raises:
        WeakServerError: one would lose what was acknowledged, or was never tried.
    """
    for setting, allowed in NEEDED.items():
        if found[setting] not in allowed:
            raise WeakServerError(setting, found[setting])
    if not VERSION_MIN <= int(found["server_version_num"]) < VERSION_END:
        raise WeakServerError("server_version_num", found["server_version_num"])


def warn_of(found: Mapping[str, str]) -> None:
    """Warn of what is not as good as it could be."""
    if found["data_checksums"] != "on":
        log.warning(
            "PostgreSQL keeps no data checksums, so damage on the disk is served unseen:"
            " stop the server and run `pg_checksums --enable`"
        )
