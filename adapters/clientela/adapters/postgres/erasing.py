"""
Destroying a person's key, and what is left of keyed hashes of them, after the rest of an append.

What is overwritten here is gone from every live row. PostgreSQL keeps dead versions of rows until
they are vacuumed, and copies of changes in its write-ahead log until that is recycled: a wrapped
key there dies when the key-encryption key is rotated.
"""

from __future__ import annotations

import json

from collections.abc import Iterable

from clientela.adapters.postgres.connections import Connection
from clientela.adapters.sqlite.erasures import Erasure
from clientela.adapters.sqlite.masks import GONE
from clientela.adapters.sqlite.values import journal_of, name_of
from clientela.domain.ids import own_journals


TOUCHED = ("key_rows", "keys", "masks", "snapshots", "parked", "read_terms", "read_rows")
"""Tables in which something is overwritten or deleted that must not be read again."""

_FORGET = """
INSERT INTO key_rows (kind, id, kek_id, wrapped) VALUES ($1, $2, '', '')
ON CONFLICT (kind, id) DO UPDATE SET kek_id = '', wrapped = ''
"""

_DROP_SNAPSHOT = "DELETE FROM snapshots WHERE kind = $1 AND id = $2"

_ERASURE = """
INSERT INTO erasures (kind, id, scopes) VALUES ($1, $2, $3)
ON CONFLICT (kind, id, scopes) DO NOTHING
"""

_RELEASE_ALL = "DELETE FROM keys WHERE kind = $1 AND id = $2 AND scope = ANY ($3::text[])"

_BLANK = "UPDATE keys SET fingerprint = '' WHERE kind = $1 AND id = $2"

_DROP_PARKED = "DELETE FROM parked WHERE lane = $1"

_DESTROY_MASK = """
INSERT INTO masks (kind, id, mask) VALUES ($1, $2, $3)
ON CONFLICT (kind, id) DO UPDATE SET mask = excluded.mask
"""


async def erase(connection: Connection, erasure: Erasure, scopes: Iterable[str]) -> None:
    """
    Destroy a person's key, snapshot, parked messages, masks and keys, in the caller's transaction.

    Args:
        connection: That writes.

        erasure: Whose.

        scopes: In which they and their own wallet give back every key.
    """
    name = name_of(erasure.person)
    await connection.execute(_FORGET, *name)
    await connection.execute(_DROP_SNAPSHOT, *name)
    await connection.execute(_DROP_PARKED, str(erasure.person))
    await connection.execute(_ERASURE, *name, json.dumps(sorted(erasure.scopes)))
    for journal_id in own_journals(erasure.person):
        own = name_of(journal_id)
        await connection.execute(_RELEASE_ALL, *own, list(scopes))
        await connection.execute(_BLANK, *own)
        await connection.execute(_DESTROY_MASK, *own, GONE)


_COUNT_CHANGE = "UPDATE key_changes SET count = count + 1"


async def tell_changes(connection: Connection) -> None:
    """Have every process read keys again; the last thing in a transaction that destroys some."""
    await connection.execute(_COUNT_CHANGE)


_RECORDED = "SELECT kind, id, scopes FROM erasures ORDER BY kind, id, scopes"


async def recorded(connection: Connection) -> dict[Erasure, None]:
    """Every erasure that the database knows of."""
    rows = await connection.fetch(_RECORDED)
    return dict.fromkeys(
        Erasure(journal_of(row["kind"], row["id"]), tuple(json.loads(row["scopes"])))
        for row in rows
    )
