"""
After a restore: whoever was erased since the copy was made is erased again, in a new epoch.

PostgreSQL is restored by its own tools, which know nothing of erasures. Each process keeps a list
of them in its data folder; what that has and the database lacks was undone by a restore.
"""

from __future__ import annotations

import secrets

from clientela.adapters.postgres import read_rows
from clientela.adapters.postgres.changing import write_note
from clientela.adapters.postgres.connections import Connection
from clientela.adapters.postgres.erasing import erase, recorded, tell_changes
from clientela.adapters.postgres.reading import note
from clientela.adapters.sqlite.erasures import ErasureList
from clientela.adapters.sqlite.opening import EPOCH, ERASED_AGAIN


async def raise_epoch(connection: Connection) -> str:
    """Let the database begin another life, so that followers notice; which one."""
    epoch = await note(connection, EPOCH)
    number = int(epoch.partition("-")[0]) + 1 if epoch else 1
    new = f"{number}-{secrets.token_hex(4)}"
    await write_note(connection, EPOCH, new)
    return new


async def reconcile(connection: Connection, erasures: ErasureList) -> int:
    """
    Make the database and the list of erasures agree, before anything is served.

    Returns:
        How many persons were erased again; their journals learn of it by command.
    """
    listed, known = erasures.read(), await recorded(connection)
    again = [erasure for erasure in listed if erasure not in known]
    if again:
        async with connection.transaction():
            for erasure in again:
                await erase(connection, erasure, erasure.scopes)
            await tell_changes(connection)
            await read_rows.drop_all(connection)
            before = (await note(connection, ERASED_AGAIN) or "").split()
            names = dict.fromkeys([*before, *(str(erasure.person) for erasure in again)])
            await write_note(connection, ERASED_AGAIN, " ".join(names))
            await raise_epoch(connection)
    erasures.add(erasure for erasure in known if erasure not in listed)
    return len(again)
