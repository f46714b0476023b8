"""
The keeper of a store in PostgreSQL: its keys and its health; its copies are made by other tools.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import asyncpg
import attrs

from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.keys.rotation import rotate
from clientela.adapters.postgres.connections import Connection
from clientela.adapters.postgres.store import PostgresStore
from clientela.domain.errors import InvalidValueError


COPYING = (
    "nothing: a store in PostgreSQL is copied with pg_basebackup and an archive of the write-ahead"
    " log, or with pg_dump"
)

HEADS_AT_ONCE = 1_000
"""Journals looked at by one statement of a check."""

FAULTS_MAX = 100
"""Faults that a check reports."""


@attrs.frozen(kw_only=True)
class PostgresKeeper:
    """
    Keeps the key file of a store in a folder.

    Attributes:
        data_dir: The folder.

        store: The store.

        secrets: The key file; every process over the store needs the same.
    """

    data_dir: Path
    store: PostgresStore
    secrets: KeyFile

    async def rotate_keys(self, now: datetime) -> int:
        """Replace the key-encryption key; how many keys of persons were wrapped anew."""
        rotation = await rotate(self.secrets, self.store, now)
        return rotation.rewrapped

    async def back_up(self, path: Path) -> None:  # noqa: ARG002  # another keeper writes there
        """
        Refuse: a copy of rows alone could not be rolled forward.

        Raises:
            InvalidValueError: always; it says what to do.
        """
        raise InvalidValueError("path", COPYING)

    async def faults(self) -> tuple[str, ...]:
        """Journals whose end is not where their events end, and damage that the server has met."""
        found = list(await self.store.ask(_damage))
        after = ("", "")
        while len(found) < FAULTS_MAX and (rows := await self.store.ask(_Heads(after).ask)):
            found.extend(
                f"{row['kind']}/{row['id']} ends at {row['version']}, its events at {row['last']}"
                for row in rows
                if row["version"] != row["last"]
            )
            after = (rows[-1]["kind"], rows[-1]["id"])
        return tuple(found[:FAULTS_MAX])


_HEADS = """
SELECT journals.kind, journals.id, journals.version, (
    SELECT coalesce(max(events.version), 0) FROM events
    WHERE events.kind = journals.kind AND events.id = journals.id
) AS last
FROM journals WHERE (journals.kind, journals.id) > ($1, $2)
ORDER BY journals.kind, journals.id LIMIT $3
"""

_DAMAGE = """
SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()
"""


@attrs.frozen
class _Heads:
    """
    A page of journals with the ends of their events.

    Attributes:
        after: Kind and id of the journal before the first.
    """

    after: tuple[str, str]

    async def ask(self, connection: Connection) -> list[asyncpg.Record]:
        """The page, empty after the last."""
        return await connection.fetch(_HEADS, *self.after, HEADS_AT_ONCE)


async def _damage(connection: Connection) -> tuple[str, ...]:
    pages = await connection.fetchval(_DAMAGE)
    return (f"the server has met {pages} damaged pages",) if pages else ()
