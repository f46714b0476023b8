"""
After a restore: journals learn of erasures that happened after the backup was made.
"""

from __future__ import annotations

from clientela.adapters.sqlite.opening import ERASED_AGAIN, erased_again
from clientela.domain.errors import UnknownError
from clientela.domain.identity.profile import EraseClient
from clientela.domain.ids import ClientId, Code, JournalId, JournalKind
from clientela.services.calls import Call
from clientela.services.command_path import CommandPath
from clientela.services.ports import JournalStore


ACT = Code("restore")
"""The act that such an erasure names: the number of the first one was lost with its event."""

ROUNDS_MAX = 1_000
"""Looks at the note; what is in it after the last stays there for the next start."""


async def erase_again(path: CommandPath, store: JournalStore) -> int:
    """
    Carry out again, before anything is served, what the restored journals do not know of.

    Args:
        path: Carries out commands.

        store: Just opened; its notes say whose keys were destroyed again.

    Returns:
        How many clients were erased again.
    """
    done: dict[JournalId, bool] = {}
    for _ in range(ROUNDS_MAX):
        noted = await store.note(ERASED_AGAIN)
        for person in erased_again(noted):
            if person not in done:
                done[person] = await _erased(path, person)
        # Another process may have added those of its own list meanwhile.
        if not noted or await store.swap_note(ERASED_AGAIN, noted, ""):
            break
    return sum(done.values())


async def _erased(path: CommandPath, person: JournalId) -> bool:
    if person.kind is not JournalKind.CLIENT:
        return False
    try:
        await path.execute(EraseClient(client_id=ClientId(person.id), act=ACT), Call())
    except UnknownError:
        # Whoever was registered after the backup is not there any more.
        return False
    return True
