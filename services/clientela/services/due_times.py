"""
Due times: when time next changes a journal, worked out anew whenever definitions were applied.

A journal's due moment is written with its events, by the definitions of that moment. Once others
are applied, every journal is gone through and what is noted put right. How far that has come is
kept in the store, so that a process that is killed on the way goes on where it was.
"""

from __future__ import annotations

import asyncio

from collections.abc import Callable

from clientela.domain.ids import DEFINITIONS_JOURNAL, JournalId
from clientela.services.background import keep_going
from clientela.services.calls import ContendedError
from clientela.services.command_path import CommandPath
from clientela.services.ports import PAGE_MAX, JournalStore
from clientela.services.store_errors import StoreUnavailableError
from clientela.services.views import Needs


DONE = "due-definitions"
"""Note: the version of the definitions that every due moment follows."""

WALK = "due-definitions-walk"
"""Note: a version of the definitions, and the last journal whose due moment follows it."""

PAUSE_S = 1.0
"""Seconds between two looks for new definitions."""


class DueTimes:
    """
    Keeps due moments in step with the definitions.

    Args:
        path: Writes due moments.

        store: Names the journals, and keeps how far it has come.

        report: Called with a journal and its error when its due moment cannot be told.
    """

    def __init__(
        self,
        path: CommandPath,
        store: JournalStore,
        report: Callable[[JournalId, Exception], None],
    ) -> None:
        self._path = path
        self._store = store
        self._report = report
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Keep going until cancelled."""
        await keep_going("renewing due times", self.catch_up, PAUSE_S)

    async def catch_up(self) -> int:
        """
        Have every due moment follow the definitions as committed when this returns.

        Returns:
            How many journals were gone through.

        Raises:
            StoreUnavailableError, ContendedError: the rest is for another time.
        """
        walked = 0
        async with self._turn:
            while (version := await self._version()) > int(await self._store.note(DONE) or 0):
                walked += await self._walk(version)
                await self._store.note(DONE, str(version))
        return walked

    async def _version(self) -> int:
        view = await self._path.records.load(Needs(journals=(DEFINITIONS_JOURNAL,)))
        return view.heads[DEFINITIONS_JOURNAL].version

    async def _walk(self, version: int) -> int:
        walked = 0
        after = await self._reached(version)
        while page := await self._store.journals(after, PAGE_MAX):
            for journal_id in page:
                await self._renew(journal_id)
            walked += len(page)
            after = str(page[-1])
            await self._store.note(WALK, f"{version} {after}")
        return walked

    async def _reached(self, version: int) -> str:
        """The journal after which to go on; the beginning, if the last walk was for others."""
        of, _, after = (await self._store.note(WALK) or "").partition(" ")
        return after if of == str(version) else ""

    async def _renew(self, journal_id: JournalId) -> None:
        try:
            await self._path.renew_due(journal_id)
        except (StoreUnavailableError, ContendedError):
            raise
        except Exception as error:  # noqa: BLE001  # one broken journal must not stop the others
            self._report(journal_id, error)
