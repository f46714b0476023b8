"""
A company behind the command path, over a store in memory that can be disturbed.
"""

from __future__ import annotations

import asyncio
import itertools

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta

from clientela.adapters.memory import MemoryStore
from clientela.domain.codec import Codec
from clientela.domain.definitions.versions import (
    ApplyDefinitions,
    definitions_rule_set,
    section_types,
)
from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import (
    Blind,
    ClientId,
    Code,
    EmployeeId,
    EventId,
    JournalId,
    PrincipalId,
    UnitId,
    client_journal,
)
from clientela.domain.interaction.rules import INTERACTION
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.staff import STAFF
from clientela.domain.organisation.units import UNITS, RegisterUnit, UnitKind
from clientela.domain.ownership.claim import Approach
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.personal import Personal, Sealed, TokenVault
from clientela.domain.purchase import recording
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import Command, RuleSet
from clientela.services.calls import Call, Outcome
from clientela.services.clocks import VirtualClock
from clientela.services.command_path import CommandPath
from clientela.services.key_rows import KeyChanges, KeyRow
from clientela.services.records import Records
from clientela.services.rows import Append, Loaded, Wanted
from clientela.services.store_errors import KeyNeededError, StoreUnavailableError
from tests.domain.purchase.till import TEA, bought, line
from tests.domain.register import REGISTER, Register
from tests.domain.spec import AT, TrimmedForms


PETRA = ClientId("petra")
OLGA = ClientId("olga")
NORTH = UnitId("north")
SOUTH = UnitId("south")
PHONE = Code("phone")
MARTA = EmployeeId("marta")
IVO = EmployeeId("ivo")
JOURNAL = client_journal(PETRA)
DAY = timedelta(days=1)
PURCHASE = bought(1, line("1", TEA, 1, 100))
LAPSE = ApplyDefinitions.of("[ownership]\nlapses_after_days = 30")
CLERK = Actor(ActorKind.EMPLOYEE, PrincipalId("clerk"))
RULE_SETS = (REGISTER, UNITS, STAFF, OWNERSHIP, INTERACTION, recording.PURCHASE)


class Session:
    """A vault for one attempt; its keys are rows without a key in them."""

    def __init__(self, vault: TokenVault, rows: Mapping[JournalId, KeyRow | None]) -> None:
        self._vault = vault
        self._rows = rows
        self._made: dict[JournalId, KeyRow] = {}

    @property
    def changes(self) -> KeyChanges:
        return KeyChanges(tuple(self._made.values()))

    def seal(self, value: Personal, person: JournalId, source: EventId, field: Code) -> Sealed:
        if self._row(person) is None:
            self._made.setdefault(person, KeyRow(person, "kek", b"wrapped"))
        return self._vault.seal(value, person, source, field)

    def open(self, sealed: Sealed) -> str | None:
        self._row(sealed.person)
        return self._vault.open(sealed)

    def blind(self, scope: str, normal: str) -> Blind:
        return self._vault.blind(scope, normal)

    def forget(self, person: JournalId) -> None:
        self._vault.forget(person)

    def _row(self, person: JournalId) -> KeyRow | None:
        if person not in self._rows:
            raise KeyNeededError(person)
        return self._rows[person]


class TokenSessions:
    """Sessions over one token vault."""

    def __init__(self, vault: TokenVault) -> None:
        self.vault = vault
        self.forgotten: list[JournalId] = []

    def session(self, rows: Mapping[JournalId, KeyRow | None]) -> Session:
        return Session(self.vault, rows)

    def blind(self, scope: str, normal: str) -> Blind:
        return self.vault.blind(scope, normal)

    def forget(self, person: JournalId) -> None:
        self.forgotten.append(person)
        self.vault.forget(person)


Happening = Callable[[], Awaitable[object]]


class DisturbedStore(MemoryStore):
    """
    A store in memory whose calls take a while, so that others come between.

    Attributes:
        before: What happens before the next appends, one each.

        after: What happens after the next appends have landed, one each.

        loading: What happens between reading and answering in the next loads, one each.

        wanted: What was asked for, in order.

        appends: What was appended or tried to be, in order.

        tells_ends: Whether it tells where journals end, so that nothing need be loaded again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.before: deque[Happening] = deque()
        self.after: deque[Happening] = deque()
        self.loading: deque[Happening] = deque()
        self.wanted: list[Wanted] = []
        self.appends: list[Append] = []
        self.tells_ends = False

    async def ends(self, journal_ids: Iterable[JournalId]) -> Mapping[JournalId, int]:
        """Tell where journals end, if it does."""
        found = await super().ends(journal_ids)
        return found if self.tells_ends else dict.fromkeys(found, -1)

    async def load(self, wanted: Wanted) -> Loaded:
        """Answer with what was there a while ago."""
        self.wanted.append(wanted)
        await asyncio.sleep(0)
        loaded = await super().load(wanted)
        await self._next(self.loading)
        return loaded

    async def append(self, append: Append) -> int:
        """Append, a while later."""
        self.appends.append(append)
        await self._next(self.before)
        position = await super().append(append)
        await self._next(self.after)
        return position

    async def _next(self, happenings: deque[Happening]) -> None:
        await asyncio.sleep(0)
        if happenings:
            await happenings.popleft()()


class Firm:
    """
    One process of a company.

    Args:
        store: Where its journals are; several firms over one store are several processes.

        more: Rule sets besides the usual ones.

        vault: Shared by the processes of one company.
    """

    def __init__(
        self,
        store: DisturbedStore | None = None,
        more: tuple[RuleSet, ...] = (),
        vault: TokenVault | None = None,
    ) -> None:
        rule_sets = (*RULE_SETS, *more)
        self.rulebook = Rulebook((definitions_rule_set(section_types(rule_sets)), *rule_sets))
        self.store = store or DisturbedStore()
        self.clock = VirtualClock(AT)
        self.vault = vault or TokenVault(b"firm")
        self.sessions = TokenSessions(self.vault)
        self.codec = Codec(self.rulebook.event_classes)
        self.records = Records(self.rulebook, self.codec, self.store)
        name, numbers = f"p{id(self):x}", itertools.count(1)
        self.path = CommandPath(
            self.records,
            self.store,
            sessions=self.sessions,
            forms=TrimmedForms(),
            clock=self.clock,
            new_id=lambda: f"{name}-{next(numbers)}",
        )

    def other(self, more: tuple[RuleSet, ...] = ()) -> Firm:
        """Another process of the same company."""
        return Firm(self.store, more, self.vault)

    async def run(self, command: Command, request_id: str = "", **call: object) -> Outcome:
        """Run a command as the clerk."""
        given = {"actor": CLERK, "request_id": request_id, **call}
        return await self.path.execute(command, Call(**given))  # type: ignore[arg-type]

    async def open(self, *sellers: EmployeeId, unit: UnitId = NORTH) -> Firm:
        """Begin with two units, sellers and two clients."""
        for unit_id in (NORTH, SOUTH):
            label = Code(unit_id)
            await self.run(RegisterUnit(unit_id=unit_id, kind=UnitKind.BRANCH, label=label))
        for seller in sellers:
            name = Personal(seller)
            await self.run(RegisterEmployee(employee_id=seller, unit_id=unit, name=name))
        for client in (PETRA, OLGA):
            await self.run(Register(client_id=client))
        return self

    async def count(self) -> int:
        """Events on record."""
        return await self.store.last_position()

    async def events(self, journal: JournalId = JOURNAL) -> list[type]:
        """Classes of a journal's events, oldest first."""
        return [recorded.event_class for recorded in await self.records.history(journal)]

    async def owner(self) -> EmployeeId | None:
        """Who owns Petra, by folding all over again in a process that has seen nothing."""
        view = await self.other().path.read(JOURNAL)
        return view.record.of(Ownership).owner_id


def answer_of(outcome: Outcome) -> tuple[object, ...]:
    """What a caller gets to see of an outcome."""
    return (
        [(r.ref, r.event_id, r.event, r.recorded_at) for r in outcome.events],
        dict(outcome.versions),
        [journal.states for journal in outcome.record.journals],
    )


async def lost() -> None:
    """The connection breaks."""
    raise StoreUnavailableError


async def nothing() -> None:
    """Nothing happens."""


def approach(
    seller: EmployeeId, client: ClientId = PETRA, note: Personal | None = None
) -> Approach:
    """An approach with an offer."""
    return Approach(client_id=client, employee_id=seller, channel=PHONE, note=note)
