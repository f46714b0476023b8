"""
Attempts at a task: what has to be done, what one try decided, and what is kept of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs

from clientela.domain.context import Context
from clientela.domain.errors import RefusedError
from clientela.domain.event import Key
from clientela.domain.fingerprint import NOTHING, Fingerprint
from clientela.domain.ids import Blind, JournalId
from clientela.domain.record import HistoryNeededError, NeededError, Record
from clientela.domain.ruleset import Command
from clientela.domain.run import Decision
from clientela.services.calls import Call
from clientela.services.key_rows import KeyChanges
from clientela.services.ports import VaultSession
from clientela.services.records import Records
from clientela.services.rows import Answer, Append, AuditRow, StoredEvent
from clientela.services.speculation import Landing
from clientela.services.store_errors import KeyNeededError
from clientela.services.views import JournalNeededError, Needs, View


@attrs.define(kw_only=True)
class Task:
    """
    What has to be done, through all its attempts.

    Attributes:
        name: Of the command, for the audit.

        decide: Asks the rules.

        needs: What must be known; grows with the attempts.

        call: How.

        command: What; None where time alone works.

        fingerprint: Of the command.

        keys: Whose holders the command needs to know; None until they were worked out.
    """

    name: str
    decide: Callable[[Record, Context], Decision]
    needs: Needs
    call: Call
    command: Command | None = None
    fingerprint: Fingerprint = NOTHING
    keys: tuple[Key, ...] | None = None

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
    """One attempt, decided, and on its way to the store if it leaves anything."""

    view: View
    session: VaultSession
    decision: Decision
    now: datetime
    landing: Landing | None = None


def append_of(
    task: Task, attempt: Attempt, records: Records, rows: tuple[StoredEvent, ...], now: datetime
) -> Append:
    """
    Everything that an attempt leaves.

    Args:
        task: What was to be done.

        attempt: What was decided.

        records: Tell due moments and snapshots.

        rows: The events decided on, encoded.

        now: What the clock says, which an import of history lies behind.
    """
    decision, view, request = attempt.decision, attempt.view, task.needs.request
    refusal = decision.refusal
    answer = None
    if request is not None and (refusal is None or task.call.keep_refusals):
        answer = answer_of(task, request, attempt.now, decision, refusal, now=now)
    said = "refused" if refusal else "done" if decision.events else "already"
    changed = None if task.command is None else {row.journal for row in rows}
    return Append(
        expected=view.record.versions,
        facts=view.facts,
        hashes=view.unsettled,
        events=rows,
        reserve=decision.reserve,
        release=decision.release,
        answer=answer,
        due=records.dues(decision.record, view.definitions, changed),
        audit=(audit_of(task, attempt.now, said, refusal.reason if refusal else ""),),
        keys=KeyChanges(attempt.session.changes.made, decision.forget, decision.forget_scopes),
        snapshots=records.snapshots.due(view.record, decision.record),
    )


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
    return Answer(
        request=request,
        fingerprint=task.fingerprint,
        at=max(now, decided_at),
        decided_at=decided_at,
        versions=decision.record.versions if decision else {},
        made=made,
        journals=task.needs.journals,
        reason="" if refusal is None else refusal.reason,
        category="" if refusal is None else refusal.category.value,
        message="" if refusal is None else str(refusal),
        details={} if refusal is None else refusal.details(),
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
