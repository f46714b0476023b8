"""
Attempts at a task: what has to be done, what one try decided, and what is kept of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs

from clientela.domain.context import Context
from clientela.domain.errors import RefusedError
from clientela.domain.fingerprint import NOTHING, Fingerprint
from clientela.domain.ids import Blind, JournalId
from clientela.domain.record import HistoryNeededError, NeededError, Record
from clientela.domain.ruleset import Command
from clientela.domain.run import Decision
from clientela.services.calls import Call
from clientela.services.ports import VaultSession
from clientela.services.rows import Answer, AuditRow
from clientela.services.store_errors import KeyNeededError
from clientela.services.views import JournalNeededError, Needs, View


@attrs.frozen(kw_only=True)
class Task:
    """What has to be done, through all its attempts."""

    name: str
    decide: Callable[[Record, Context], Decision]
    needs: Needs
    call: Call
    command: Command | None = None
    fingerprint: Fingerprint = NOTHING

    def need(self, error: NeededError) -> None:
        """Have it loaded the next time."""
        match error:
            case HistoryNeededError(journal_id=journal_id):
                self.needs.histories.add(journal_id)
            case JournalNeededError(journal_id=journal_id):
                self.needs.facts.add(journal_id)
            case KeyNeededError(person=person):
                self.needs.persons.add(person)
            case _:
                raise error


@attrs.frozen(kw_only=True)
class Attempt:
    """One attempt, decided and not yet appended."""

    view: View
    session: VaultSession
    decision: Decision
    now: datetime


def answer_of(
    task: Task,
    request: Blind,
    decided_at: datetime,
    decision: Decision | None = None,
    refusal: RefusedError | None = None,
    *,
    now: datetime,
) -> Answer:
    """
    What a repeat of the request will be answered.

    Args:
        task: What was to be done.

        request: Keyed hash of the request id.

        decided_at: When it was decided.

        decision: What it came to, if anything.

        refusal: Why it was refused, if it was.

        now: What the clock says, which an import of history lies behind.
    """
    made: dict[JournalId, tuple[int, int]] = {}
    for recorded in decision.events if decision else ():
        first, _ = made.get(recorded.journal, (recorded.version, 0))
        made[recorded.journal] = (first, recorded.version)
    answer = Answer(
        request=request,
        fingerprint=task.fingerprint,
        at=max(now, decided_at),
        decided_at=decided_at,
        versions=decision.record.versions if decision else {},
        made=made,
        journals=task.needs.journals,
    )
    if refusal is None:
        return answer
    return attrs.evolve(
        answer,
        reason=refusal.reason,
        category=refusal.category.value,
        message=str(refusal),
        details=refusal.details(),
    )


def audit_of(task: Task, now: datetime, decision: str, reason: str = "") -> AuditRow:
    """Who asked for what, and what came of it."""
    return AuditRow(
        at=now,
        actor=str(task.call.actor),
        method=task.name,
        target=" ".join(map(str, task.needs.journals)),
        decision=decision,
        reason=reason,
        request=task.needs.request or "",
    )
