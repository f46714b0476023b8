"""
Given facts, when a command, then events: how rule sets are tested.
"""

from __future__ import annotations

import itertools

from collections.abc import Iterable
from datetime import UTC, datetime

import attrs

from clientela.domain.context import Context, Definitions, DefinitionVersion, StaffMember
from clientela.domain.event import Actor, ActorKind, RecordedEvent
from clientela.domain.ids import Code, EmployeeId, JournalId, PrincipalId, Ref, UnitId
from clientela.domain.personal import TokenVault
from clientela.domain.record import Journal, Record
from clientela.domain.rulebook import Decision, Rulebook
from clientela.domain.ruleset import Command, RuleSet


AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MARTA = EmployeeId("marta")
IVO = EmployeeId("ivo")
NORA = EmployeeId("nora")
NORTH = UnitId("north")
SOUTH = UnitId("south")
CLERK = Actor(ActorKind.EMPLOYEE, PrincipalId("clerk"))


class Roster:
    """Staff facts in a dict: Marta and Ivo in the north, Nora in the south."""

    def __init__(self) -> None:
        self.members = {
            member.employee_id: member
            for member in (
                StaffMember(MARTA, NORTH),
                StaffMember(IVO, NORTH),
                StaffMember(NORA, SOUTH),
            )
        }

    def member(self, employee_id: EmployeeId) -> StaffMember | None:
        return self.members.get(employee_id)

    def leave(self, employee_id: EmployeeId, at: datetime) -> None:
        self.members[employee_id] = attrs.evolve(self.members[employee_id], left_at=at)


class TrimmedForms:
    """Normal forms good enough for tests: lower case, no blanks."""

    def normal(self, kind: Code, text: str) -> str:
        return "".join(text.split()).lower()


def definitions(*sections: object) -> Definitions:
    """One version of definitions, in force for ever, with these sections."""
    version = DefinitionVersion(1, datetime(1970, 1, 1, tzinfo=UTC), {type(s): s for s in sections})
    return Definitions((version,))


class Scenario:
    """
    A company of some rule sets whose journals live in memory.

    Args:
        rule_sets: What the company runs.

        sections: Its definitions.
    """

    def __init__(self, *rule_sets: RuleSet, sections: Iterable[object] = ()) -> None:
        self.rulebook = Rulebook(rule_sets)
        self.definitions = definitions(*sections)
        self.staff = Roster()
        self.vault = TokenVault(b"spec")
        self.now = AT
        self.events: list[RecordedEvent] = []
        self.refused: Exception | None = None
        self._journals: dict[JournalId, Journal] = {}
        self._holders: dict[object, Ref] = {}
        self._ids = itertools.count(1)

    def context(self) -> Context:
        """The context of the next command."""
        return Context(
            now=self.now,
            actor=CLERK,
            definitions=self.definitions,
            staff=self.staff,
            vault=self.vault,
            forms=TrimmedForms(),
            new_id=lambda: f"e{next(self._ids)}",
        )

    def record(self, *journal_ids: JournalId) -> Record:
        """The journals as committed."""
        journals = (self._journals.get(j) or self.rulebook.empty(j) for j in journal_ids)
        histories = {j: tuple(e for e in self.events if e.journal == j) for j in journal_ids}
        return Record(journals, self._holders, histories)  # type: ignore[arg-type]

    def at(self, now: datetime) -> Scenario:
        """Move the clock."""
        self.now = now
        return self

    def when(self, *commands: Command) -> tuple[object, ...]:
        """Run commands; the events of the last one. Raises a refusal after what it leaves."""
        events: tuple[object, ...] = ()
        for command in commands:
            record = self.record(*self.rulebook.journals(command))
            decision = self.rulebook.handle(record, command, self.context())
            self._commit(decision)
            events = tuple(recorded.event for recorded in decision.events)
            if decision.refusal:
                raise decision.refusal
        return events

    def elapse(self, *journal_ids: JournalId) -> tuple[object, ...]:
        """Let time pass for these journals up to now."""
        decision = self.rulebook.elapse(self.record(*journal_ids), self.context())
        self._commit(decision)
        return tuple(recorded.event for recorded in decision.events)

    def _commit(self, decision: Decision) -> None:
        self.events.extend(decision.events)
        self._journals.update({journal.id: journal for journal in decision.record.journals})
        for key in decision.release:
            self._holders.pop(key, None)
        self._holders.update({key: recorded.ref for key, recorded in decision.reserve})
