"""
The command path: load, decide, append, answer. Everything that changes a journal comes this way.

    request -> answered before? -> load -> rulebook.handle -> append -> answer
                                    ^                           |
                                    +---- somebody was faster --+
"""

from __future__ import annotations

import asyncio

from contextlib import AsyncExitStack
from datetime import datetime
from weakref import WeakValueDictionary

import attrs

from clientela.domain.context import Context, Naming, NormalForms
from clientela.domain.errors import InvalidValueError, RefusedError
from clientela.domain.event import Key, RecordedEvent
from clientela.domain.fingerprint import check_same, fingerprint
from clientela.domain.ids import JournalId
from clientela.domain.record import NeededError, Record
from clientela.domain.ruleset import Command
from clientela.domain.run import Decision
from clientela.services.attempts import Attempt, Task, answer_of, audit_of
from clientela.services.calls import (
    Call,
    ContendedError,
    EtagMismatchError,
    Outcome,
    StoredRefusalError,
)
from clientela.services.envelope import encode
from clientela.services.ports import Clock, JournalStore, NewId, Sessions, VaultSession
from clientela.services.records import Records
from clientela.services.rows import Answer, Append
from clientela.services.store_errors import (
    ConflictError,
    KeyConflictError,
    RequestConflictError,
    StoreUnavailableError,
    VersionConflictError,
)
from clientela.services.views import Needs, View


ATTEMPTS_MAX = 12
"""How often a command is decided because somebody was faster; then it is refused as contended."""

NEEDS_MAX = 100
"""How often one decision may ask for something more to be loaded."""


class CommandPath:
    """
    Carries out commands: one at a time on a record, many records at once.

    Args:
        records: Loads and keeps records.

        store: Where appends go.

        sessions: Vaults for single attempts.

        forms: Normal forms of identifiers.

        clock: Tells the time.

        new_id: Makes ids.
    """

    def __init__(
        self,
        records: Records,
        store: JournalStore,
        *,
        sessions: Sessions,
        forms: NormalForms,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self.records = records
        self._store = store
        self._sessions = sessions
        self._forms = forms
        self._clock = clock
        self._new_id = new_id
        self._locks: WeakValueDictionary[JournalId, asyncio.Lock] = WeakValueDictionary()

    async def execute(self, command: Command, call: Call) -> Outcome:
        """
        Carry out *command*, once, whatever happens on the way.

        Raises:
            DomainError: malformed, missing or refused.

            MismatchError: the request id was used for something else.

            ContendedError: others were faster every time.

            StoreUnavailableError: the store cannot be reached; repeat with the same request id.
        """
        rulebook = self.records.rulebook
        request = self._sessions.blind("request", call.request_id) if call.request_id else None
        task = Task(
            name=type(command).__name__,
            decide=lambda record, context: rulebook.handle(record, command, context),
            needs=Needs(journals=rulebook.journals(command), request=request),
            call=call,
            command=command,
            fingerprint=fingerprint(command, self._sessions.session({})),
        )
        return await self._carry_out(task)

    async def elapse(self, *journal_ids: JournalId, at: datetime | None = None) -> Outcome:
        """
        Let time do to these journals what is due up to *at*, or up to now.

        Raises:
            ContendedError: others were faster every time.

            StoreUnavailableError: the store cannot be reached.
        """
        return await self._carry_out(self._elapsing(journal_ids, at))

    async def renew_due(self, journal_id: JournalId) -> None:
        """
        Note when time next changes this journal, if definitions applied since have moved it.

        Raises:
            ContendedError: others were faster every time.

            StoreUnavailableError: the store cannot be reached.
        """
        task = Task(
            name="RenewDue",
            decide=lambda record, _context: Decision((), record),
            needs=Needs(journals=(journal_id,)),
            call=Call(),
        )
        await self._carry_out(task)

    async def read(self, *journal_ids: JournalId, at: datetime | None = None) -> View:
        """These journals as committed, with time elapsed up to *at* or now; appends nothing."""
        attempt = await self._decided(self._elapsing(journal_ids, at))
        assert isinstance(attempt, Attempt)
        decision = attempt.decision
        return attrs.evolve(attempt.view, record=decision.record, elapsed=decision.events)

    def _elapsing(self, journal_ids: tuple[JournalId, ...], at: datetime | None) -> Task:
        return Task(
            name="Elapse",
            decide=self.records.rulebook.elapse,
            needs=Needs(journals=tuple(sorted(journal_ids))),
            call=Call(at=at),
        )

    async def _carry_out(self, task: Task) -> Outcome:
        async with AsyncExitStack() as held:
            for journal_id in task.needs.journals:
                lock = self._locks.setdefault(journal_id, asyncio.Lock())
                await held.enter_async_context(lock)
            for _ in range(ATTEMPTS_MAX):
                try:
                    return await self._attempted(task)
                except KeyConflictError as taken:
                    task.needs.keys = (*task.needs.keys, taken.key)
                except ConflictError:
                    continue
        raise ContendedError

    async def _attempted(self, task: Task) -> Outcome:
        try:
            attempt = await self._decided(task)
        except RefusedError as refusal:
            await self._keep_refusal(task, refusal)
            raise
        if isinstance(attempt, Answer):
            return await self._replayed(task, attempt)
        decision = attempt.decision
        if not task.call.validate_only:
            await self._append(task, attempt)
        if decision.refusal is not None:
            raise decision.refusal
        return Outcome(
            record=decision.record,
            events=decision.events,
            versions=decision.record.versions,
            at=attempt.now,
            keys=attempt.session.changes.made,
        )

    async def _decided(self, task: Task) -> Attempt | Answer:
        """Load and decide, loading more as the rules ask for it."""
        for _ in range(NEEDS_MAX):
            view = await self.records.load(task.needs, self._keys(task))
            if view.answer is not None:
                return view.answer
            self._check_etags(task, view.record)
            session = self._sessions.session(view.key_rows)
            context = self._context(task, view, session)
            try:
                decision = task.decide(view.record, context)
            except NeededError as needed:
                task.need(needed)
            else:
                return Attempt(view=view, session=session, decision=decision, now=context.now)
        raise ContendedError

    def _keys(self, task: Task) -> tuple[Key, ...]:
        if task.command is None:
            return ()
        naming = Naming(vault=self._sessions.session({}), forms=self._forms)
        return self.records.rulebook.keys(task.command, naming)

    def _context(self, task: Task, view: View, session: VaultSession) -> Context:
        call = task.call
        now = call.at or self._clock.now()
        return Context(
            now=max(now, view.clock) if view.clock else now,
            actor=call.actor,
            definitions=view.definitions,
            staff=view.registry,
            units=view.registry,
            vault=session,
            forms=self._forms,
            new_id=self._new_id,
            on_behalf_of=call.on_behalf_of,
            unit=call.unit,
            request=task.needs.request,
            correlation_id=call.correlation_id,
            fingerprint=task.fingerprint,
        )

    def _check_etags(self, task: Task, record: Record) -> None:
        rule_sets = {rule_set.name: rule_set for rule_set in self.records.rulebook.rule_sets}
        for name, wanted in task.call.etags.items():
            rule_set = rule_sets.get(name)
            if rule_set is None or not record.names(rule_set.state.journal_kind):
                raise InvalidValueError("etag", "that of a part which this command works on")
            current = self.records.etag(record, rule_set)
            if wanted != current:
                raise EtagMismatchError(name, current)

    async def _append(self, task: Task, attempt: Attempt) -> None:
        """Append what was decided; an answer alone is appended too, so that a repeat finds it."""
        decision, view = attempt.decision, attempt.view
        request = task.needs.request
        if not decision.events and request is None:
            if task.command is None:
                await self._renew_dues(attempt)
            return
        refusal = decision.refusal
        answer = None
        if request is not None and (refusal is None or task.call.keep_refusals):
            answer = answer_of(task, request, attempt.now, decision, refusal, now=self._clock.now())
        said = "refused" if refusal else "done" if decision.events else "already"
        rows = encode(self.records.codec, decision.events, view.heads)
        changed = None if task.command is None else {row.journal for row in rows}
        append = Append(
            expected=view.record.versions,
            events=rows,
            reserve=decision.reserve,
            release=decision.release,
            answer=answer,
            due=self.records.dues(decision.record, view.definitions, changed),
            audit=(audit_of(task, attempt.now, said, refusal.reason if refusal else ""),),
            keys=attrs.evolve(
                attempt.session.changes,
                forgotten=decision.forget,
                scopes=decision.forget_scopes,
            ),
            snapshots=self.records.snapshots(view.record, decision.record),
        )
        await self._commit(append, decision)

    async def _renew_dues(self, attempt: Attempt) -> None:
        """Write due moments of journals that stay as they are where others are noted."""
        record = attempt.decision.record
        dues = self.records.dues(record, attempt.view.definitions)
        noted = {j: await self._store.due_at(j) for j in dues}
        moved = {j: at for j, at in dues.items() if at != noted[j]}
        if moved:
            await self._commit(Append(expected=record.versions, due=moved))

    async def _commit(self, append: Append, decision: Decision | None = None) -> None:
        """Append to the end even if the caller goes away."""
        landing = asyncio.ensure_future(self._land(append, decision))
        try:
            await asyncio.shield(landing)
        except asyncio.CancelledError:
            await asyncio.wait({landing})
            if not landing.cancelled():
                landing.exception()  # Nobody is left to be told.
            raise

    async def _land(self, append: Append, decision: Decision | None) -> None:
        try:
            await self._store.append(append)
        except StoreUnavailableError:
            if not await self._has_landed(append):
                raise
        if decision is not None:
            for person in decision.forget:
                self._sessions.forget(person)
            self.records.keep(decision.record, append.events)

    async def _has_landed(self, append: Append) -> bool:
        """
        Whether a commit whose outcome was lost took place: its own events tell, or its answer.

        Raises:
            ConflictError: somebody else was there first, so it never will.
        """
        for row in append.events[:1]:
            stored = await self._store.read(row.journal, row.version - 1, 1)
            if stored and stored[0].event_id == row.event_id:
                return True
            if stored:
                raise VersionConflictError(row.journal)
        if append.answer is None:
            return False
        view = await self.records.load(Needs(journals=(), request=append.answer.request))
        if view.answer is not None and (append.events or view.answer != append.answer):
            raise RequestConflictError
        return view.answer is not None

    async def _keep_refusal(self, task: Task, refusal: RefusedError) -> None:
        """Store a refusal that leaves no events as the answer, and write who was refused."""
        if task.call.validate_only:
            return
        now = task.call.at or self._clock.now()
        answer = None
        if task.call.keep_refusals and task.needs.request is not None:
            answer = answer_of(
                task, task.needs.request, now, refusal=refusal, now=self._clock.now()
            )
        audit = audit_of(task, now, "refused", refusal.reason)
        await self._commit(Append(expected={}, answer=answer, audit=(audit,)))

    async def _replayed(self, task: Task, answer: Answer) -> Outcome:
        """The answer that the same request got before, rebuilt at its versions."""
        check_same(answer.fingerprint, task.fingerprint)
        if answer.reason:
            raise StoredRefusalError(answer)
        events: list[RecordedEvent] = []
        for journal_id, (first, last) in answer.made.items():
            events.extend(await self.records.history(journal_id, last, after=first - 1))
        return Outcome(
            record=await self.records.at(answer.versions),
            events=tuple(sorted(events, key=lambda recorded: recorded.index)),
            versions=answer.versions,
            at=answer.decided_at or answer.at,
            replayed=True,
        )
