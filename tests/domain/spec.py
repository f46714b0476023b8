"""
Given facts, when a command, then events: how rule sets are tested.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import attrs

from clientela.domain.company import Company
from clientela.domain.context import Definitions, DefinitionVersion, StaffMember
from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import Code, EmployeeId, JournalId, PrincipalId, UnitId
from clientela.domain.personal import TokenVault
from clientela.domain.rulebook import Rulebook
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


class Scenario(Company):
    """
    A company of some rule sets whose journals live in memory.

    Args:
        rule_sets: What the company runs.

        sections: Its definitions.
    """

    def __init__(self, *rule_sets: RuleSet, sections: Iterable[object] = ()) -> None:
        self.roster = Roster()
        super().__init__(
            Rulebook(rule_sets),
            definitions=definitions(*sections),
            staff=self.roster,
            vault=TokenVault(b"spec"),
            forms=TrimmedForms(),
            now=AT,
        )

    def at(self, now: datetime) -> Scenario:
        """Move the clock without letting anything happen on the way."""
        self.now = now
        return self

    def when(self, *commands: Command) -> tuple[Any, ...]:
        """Run commands; the events of the last one."""
        events: tuple[Any, ...] = ()
        for command in commands:
            decision = self.run(command, CLERK)
            events = tuple(recorded.event for recorded in decision.events)
        return events

    def elapse(self, *journal_ids: JournalId) -> tuple[object, ...]:
        """Let time pass for these journals up to now, all at once."""
        decision = self.rulebook.elapse(self._folded(journal_ids), self.context())
        self._append(decision)
        return tuple(recorded.event for recorded in decision.events)
