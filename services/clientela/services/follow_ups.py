"""
Follow-up commands: what an event asks of other journals, carried out after it is committed.

The position up to which follow-ups are done is kept in the store; a repeat after a crash finds its
requests answered, because their ids derive from the event.
"""

from __future__ import annotations

import asyncio

from collections.abc import Awaitable, Callable, Iterator, Mapping

from clientela.domain.errors import DomainError
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import ClientId, EmployeeId
from clientela.domain.record import NeededError
from clientela.domain.ruleset import Command
from clientela.services.calls import Call, ContendedError
from clientela.services.command_path import CommandPath
from clientela.services.envelope import decode
from clientela.services.ports import JournalStore


DONE = "follow-ups"
"""Name of the note that holds the position."""

PAUSE_S = 0.5
"""Seconds between two looks for new events when there were none."""

OwnedBy = Callable[[EmployeeId], Awaitable[tuple[ClientId, ...]]]
"""Finds every client of an owner."""


class _OwnedNeededError(NeededError):
    """The clients of an owner were not looked up."""

    def __init__(self, employee_id: EmployeeId) -> None:
        self.employee_id = employee_id
        super().__init__(f"the clients of {employee_id} are needed")


class _Directory:
    """Answers from what was looked up beforehand."""

    def __init__(self, owned: Mapping[EmployeeId, tuple[ClientId, ...]]) -> None:
        self._owned = owned

    def owned_by(self, employee_id: EmployeeId) -> Iterator[ClientId]:
        """Clients whose owner is *employee_id*."""
        if employee_id not in self._owned:
            raise _OwnedNeededError(employee_id)
        return iter(self._owned[employee_id])


class FollowUps:
    """
    Carries out follow-up commands.

    Args:
        path: Carries out.

        store: Where events come from and the position is kept.

        owned_by: Finds clients by owner.

        report: Called with a command and its error when it is refused; a refusal is final, since
            the cause stays as it is.
    """

    def __init__(
        self,
        path: CommandPath,
        store: JournalStore,
        owned_by: OwnedBy,
        report: Callable[[Command, DomainError], None],
    ) -> None:
        self._report = report
        self._path = path
        self._store = store
        self._owned_by = owned_by

    async def run(self) -> None:
        """Keep going until cancelled."""
        while True:
            if not await self.catch_up():
                await asyncio.sleep(PAUSE_S)

    async def catch_up(self) -> int:
        """
        Carry out what all committed events ask for.

        Returns:
            How many commands were carried out.
        """
        done = int(await self._store.note(DONE) or 0)
        carried_out = 0
        while page := await self._store.read_all(done):
            for row in page:
                recorded = decode(self._path.records.codec, row)
                for command in await self._commands(recorded):
                    await self._carry_out(command, recorded)
                    carried_out += 1
            done = page[-1].position
            await self._store.note(DONE, str(done))
        return carried_out

    async def _commands(self, recorded: RecordedEvent) -> tuple[Command, ...]:
        owned: dict[EmployeeId, tuple[ClientId, ...]] = {}
        while True:
            try:
                follow_ups = self._path.records.rulebook.follow_ups(recorded, _Directory(owned))
                return tuple(follow_ups)
            except _OwnedNeededError as needed:
                owned[needed.employee_id] = await self._owned_by(needed.employee_id)

    async def _carry_out(self, command: Command, cause: RecordedEvent) -> None:
        journals = "+".join(str(journal_id) for journal_id in command.journals())
        call = Call(
            actor=cause.actor,
            request_id=f"{cause.event_id}/{type(command).__name__}/{journals}",
            correlation_id=cause.correlation_id,
        )
        try:
            await self._path.execute(command, call)
        except ContendedError:
            raise
        except DomainError as error:
            self._report(command, error)
