"""
Follow-up commands: what an event asks of other journals, carried out after it is committed.

The position up to which follow-ups are done is kept in the store; a repeat after a crash finds its
requests answered, because their ids derive from the event. What fails is tried again. What is
refused, or fails too often, is parked, so that the rest goes on: it is shown to operators, and
tried once more whenever the process starts, since its ground may be gone by then.
"""

from __future__ import annotations

import logging

from collections.abc import Awaitable, Callable, Iterator, Mapping

import attrs

from clientela.domain.errors import DomainError
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import ClientId, EmployeeId
from clientela.domain.record import NeededError
from clientela.domain.ruleset import Command
from clientela.services.background import keep_going
from clientela.services.calls import Call, ContendedError
from clientela.services.command_path import CommandPath
from clientela.services.envelope import decode
from clientela.services.ports import JournalStore
from clientela.services.rows import StoredEvent
from clientela.services.store_errors import StoreUnavailableError


DONE = "follow-ups"
"""Name of the note that holds the position."""

PARKED = "follow-ups-parked"
"""Name of the note that holds the positions of events whose follow-ups are parked."""

FAILURES_MAX = 10
"""Failures in a row after which the follow-ups of an event are parked."""

PARKED_MAX = 1_000
"""Events parked at most; with so many, none that fails is passed by, and refused ones are told of
in the log alone."""

SWAPS_MAX = 100
"""Tries to change the note of what is parked while other processes change it."""

PAUSE_S = 0.5
"""Seconds between two looks for new events when there were none."""

OwnedBy = Callable[[EmployeeId], Awaitable[tuple[ClientId, ...]]]
"""Finds every client of an owner."""

_LOG = logging.getLogger(__name__)


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


@attrs.frozen(kw_only=True)
class _Followed:
    """
    What came of the follow-ups of an event.

    Attributes:
        carried_out: How many were.

        refused: How many were not.
    """

    carried_out: int = 0
    refused: int = 0


class FollowUps:
    """
    Carries out follow-up commands.

    Args:
        path: Carries out.

        store: Where events come from and the position is kept.

        owned_by: Finds clients by owner.

        report: Called with a command and its error whenever one is refused.
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
        self._failures = 0
        self._has_begun = False

    async def run(self) -> None:
        """Keep going until cancelled."""
        await keep_going("following up", self.catch_up, PAUSE_S)

    async def parked(self) -> tuple[int, ...]:
        """Positions of the events whose follow-ups were refused or failed too often, ascending."""
        return tuple(sorted(_positions(await self._store.note(PARKED))))

    async def catch_up(self) -> int:
        """
        Carry out what all committed events ask for.

        Returns:
            How many commands were carried out.

        Raises:
            Exception: what one of them failed by; it is where the next call goes on.
        """
        carried_out = 0
        if not self._has_begun:
            carried_out += await self._try_parked()
            self._has_begun = True
        done = int(await self._store.note(DONE) or 0)
        while page := await self._store.read_all(done):
            for row in page:
                count = await self._passed(row)
                if count:
                    await self._store.note(DONE, str(row.position))
                carried_out += count
            done = page[-1].position
            await self._store.note(DONE, str(done))
        return carried_out

    async def _try_parked(self) -> int:
        carried_out = 0
        for position in await self.parked():
            for row in await self._store.read_all(position - 1, 1):
                try:
                    followed = await self._follow(row)
                except StoreUnavailableError:
                    raise
                except Exception as error:  # noqa: BLE001  # it stays parked
                    self._tell_parked(row, error)
                else:
                    carried_out += followed.carried_out
                    if not followed.refused:
                        await self._note_parked(frozenset[int](), frozenset({position}))
        return carried_out

    async def _passed(self, row: StoredEvent) -> int:
        """Carry out what an event asks for, or park it; how many commands were carried out."""
        if row.name.partition(".")[0] not in self._path.records.rulebook.followed:
            return 0
        try:
            followed = await self._follow(row)
        except StoreUnavailableError:
            raise
        except Exception as error:
            self._failures += 1
            if self._failures < FAILURES_MAX or not await self._park(row):
                raise
            self._tell_parked(row, error)
            followed = _Followed()
        if followed.refused:
            await self._park(row)
        self._failures = 0
        return followed.carried_out

    async def _park(self, row: StoredEvent) -> bool:
        """Note that the follow-ups of an event are parked; whether there is room for it."""
        return await self._note_parked(frozenset({row.position}), frozenset[int]())

    async def _note_parked(self, more: frozenset[int], less: frozenset[int]) -> bool:
        """
        Note some more as parked and some no more; whether there was room for them.

        Other processes may do so at the same time: what they note is kept.
        """
        for _ in range(SWAPS_MAX):
            noted = await self._store.note(PARKED)
            parked = _positions(noted)
            wanted = (parked | more) - less
            if wanted == parked:
                return True
            if len(wanted) > PARKED_MAX and more:
                return False
            told = " ".join(map(str, sorted(wanted)))
            if await self._store.swap_note(PARKED, noted, told):
                return True
        raise StoreUnavailableError("what is parked is noted by too many at once")

    def _tell_parked(self, row: StoredEvent, error: Exception) -> None:
        # By type: the text of an error may hold what somebody typed.
        name = type(error).__name__
        _LOG.error("follow-ups of event %d (%s) are parked: %s", row.position, row.name, name)

    async def _follow(self, row: StoredEvent) -> _Followed:
        recorded = decode(self._path.records.codec, row)
        done = [await self._is_done(each, recorded) for each in await self._commands(recorded)]
        return _Followed(carried_out=sum(done), refused=len(done) - sum(done))

    async def _commands(self, recorded: RecordedEvent) -> tuple[Command, ...]:
        owned: dict[EmployeeId, tuple[ClientId, ...]] = {}
        while True:
            try:
                follow_ups = self._path.records.rulebook.follow_ups(recorded, _Directory(owned))
                return tuple(follow_ups)
            except _OwnedNeededError as needed:
                owned[needed.employee_id] = await self._owned_by(needed.employee_id)

    async def _is_done(self, command: Command, cause: RecordedEvent) -> bool:
        """Carry out *command*; False if it was refused."""
        journals = "+".join(str(journal_id) for journal_id in command.journals())
        call = Call(
            actor=cause.actor,
            request_id=f"{cause.event_id}/{type(command).__name__}/{journals}",
            correlation_id=cause.correlation_id,
            at=cause.recorded_at,
            keep_refusals=False,
        )
        try:
            await self._path.execute(command, call)
        except ContendedError:
            raise
        except DomainError as error:
            self._report(command, error)
            return False
        return True


def _positions(noted: str | None) -> frozenset[int]:
    return frozenset(map(int, (noted or "").split()))
