"""
After a restore: journals learn of erasures that happened after the backup was made.
"""

from __future__ import annotations

import contextlib

from clientela.adapters.sqlite.opening import ERASED_AGAIN, erased_again
from clientela.domain.errors import UnknownError
from clientela.domain.identity.profile import EraseClient
from clientela.domain.ids import ClientId, Code, JournalKind
from clientela.services.calls import Call
from clientela.services.command_path import CommandPath
from clientela.services.ports import JournalStore


ACT = Code("restore")
"""The act that such an erasure names: the number of the first one was lost with its event."""


async def erase_again(path: CommandPath, store: JournalStore) -> int:
    """
    Carry out again, before anything is served, what the restored journals do not know of.

    Args:
        path: Carries out commands.

        store: Just opened; its notes say whose keys were destroyed again.

    Returns:
        How many clients were erased again.
    """
    count = 0
    for person in erased_again(await store.note(ERASED_AGAIN)):
        if person.kind is not JournalKind.CLIENT:
            continue
        # Whoever was registered after the backup is not there any more.
        with contextlib.suppress(UnknownError):
            erasure = EraseClient(client_id=ClientId(person.id), act=ACT)
            await path.execute(erasure, Call())
            count += 1
    await store.note(ERASED_AGAIN, "")
    return count
