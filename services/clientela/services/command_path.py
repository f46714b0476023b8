"""
The command path: load, decide, append, answer. Everything that changes a journal comes this way.

    request -> in memory? --------> rulebook.handle -> append -> answer
                  | no                    ^              |
                  +-> answered? -> load --+              |
                            ^                            |
                            +---- somebody was faster ---+
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from clientela.domain.context import NormalForms
from clientela.domain.errors import RefusedError
from clientela.domain.event import RecordedEvent
from clientela.domain.fingerprint import NOTHING, MismatchError, check_same, fingerprint
from clientela.domain.ids import JournalId
from clientela.domain.ruleset import Command
from clientela.domain.run import Decision
from clientela.domain.variant import variant
from clientela.services.append_watch import AppendWatch
from clientela.services.attempts import Attempt, Task, answer_of, append_of, audit_of
from clientela.services.calls import Call, ContendedError, Outcome, StoredRefusalError
from clientela.services.decisions import Decisions, check_etags
from clientela.services.envelope import encode
from clientela.services.landing import Landings
from clientela.services.ports import Clock, JournalStore, NewId, Sessions
from clientela.services.records import Records
from clientela.services.rows import Answer, Append
from clientela.services.seen import note_hash
from clientela.services.speculation import Speculation
from clientela.services.store_errors import (
    ConflictError,
    KeyConflictError,
    VersionConflictError,
)
from clientela.services.views import Needs, View


ATTEMPTS_MAX = 12
"""How often a command is decided because somebody was faster; then it is refused as contended."""

SPECULATIONS_MAX = 3
"""How often of these on what is in memory, or what appends under way will leave."""


class CommandPath:
    """
    Carries out commands: one after the other on a record, many records at once.

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
        self._decisions = Decisions(records, sessions, forms, clock, new_id)
        self._store = store
        self._sessions = sessions
        self._clock = clock
        self.committed: Callable[[], None] = lambda: None
        """Called whenever something was committed; must return at once."""
        self._speculation = Speculation()
        self._landings = Landings(store, sessions, self._speculation, self._tell)

    def watched_by(self, watch: AppendWatch) -> None:
        """Have *watch* told of every append from now on."""
        self._landings.watch = watch

    @property
    def records(self) -> Records:
        """What loads and keeps records."""
        return self._decisions.records

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
        request = None
        if call.request_id:
            request = self._sessions.blind("request", call.request_id)
            note_hash(call.request_id, request)
        task = Task(
            name=type(command).__name__,
            decide=lambda record, context: rulebook.handle(
                record, command, context, lambda now: check_etags(self.records, call, now)
            ),
            needs=Needs(journals=rulebook.journals(command), request=request),
            call=call,
            command=command,
            fingerprint=fingerprint(command, self._decisions.naming.vault),
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
        attempt = await self._decisions.committed(self._elapsing(journal_ids, at))
        assert isinstance(attempt, Attempt)
        view, decision = attempt.view, attempt.decision
        if not decision.events:
            return view
        return variant(view, record=decision.record, events=decision.events)

    def _elapsing(self, journal_ids: tuple[JournalId, ...], at: datetime | None) -> Task:
        return Task(
            name="Elapse",
            decide=self.records.rulebook.elapse,
            needs=Needs(journals=tuple(sorted(journal_ids))),
            call=Call(at=at),
        )

    async def _carry_out(self, task: Task) -> Outcome:
        call = task.call
        is_trial_or_repeat = call.validate_only or call.is_likely_repeat
        may_speculate = task.command is not None and not is_trial_or_repeat
        for number in range(1, ATTEMPTS_MAX + 1):
            try:
                return await self._attempted(task, may_speculate=may_speculate)
            except KeyConflictError as taken:
                task.needs.keys = (*task.needs.keys, taken.key)
                may_speculate = False
            except VersionConflictError:
                may_speculate = may_speculate and number < SPECULATIONS_MAX
            except ConflictError:
                may_speculate = False
        raise ContendedError

    async def _attempted(self, task: Task, *, may_speculate: bool) -> Outcome:
        try:
            attempt = await self._begun(task, may_speculate=may_speculate)
        except RefusedError as refusal:
            await self._keep_refusal(task, refusal)
            raise
        if isinstance(attempt, Answer):
            return await self._replayed(task, attempt)
        if attempt.landing is not None:
            await attempt.landing.end()
        decision = attempt.decision
        if decision.refusal is not None:
            raise decision.refusal
        return Outcome(
            record=decision.record,
            events=decision.events,
            versions=decision.record.versions,
            at=attempt.now,
            definitions=attempt.view.definitions,
            keys=attempt.session.changes.made,
        )

    async def _begun(self, task: Task, *, may_speculate: bool) -> Attempt | Answer:
        """Decide on what is in memory, or else on what is committed, and begin to append."""
        journals, attempt = task.needs.journals, None
        if may_speculate and self._speculation.is_free(journals):
            attempt = self._speculated(task)
            may_speculate = False
        if attempt is not None:
            return attempt
        async with self._speculation.turn(journals):
            if may_speculate and (attempt := self._speculated(task)) is not None:
                return attempt
            await self._speculation.settled(journals)
            loaded = await self._decisions.committed(task)
            if isinstance(loaded, Answer) or task.call.validate_only:
                return loaded
            if not loaded.decision.events and task.needs.request is None:
                return loaded if task.command else await self._renewing(loaded)
            return self._landing(task, loaded)

    def _speculated(self, task: Task) -> Attempt | None:
        attempt = self._decisions.speculated(task, self._speculation.tip)
        return None if attempt is None else self._landing(task, attempt)

    def _landing(self, task: Task, attempt: Attempt) -> Attempt:
        """Begin to append what was decided; an answer alone too, so that a repeat finds it."""
        decision, view = attempt.decision, attempt.view
        rows = encode(self.records.codec, decision.events, view.heads)
        append = append_of(task, attempt, self.records, rows, self._clock.now())
        kept = view.kept.values()
        landing = self._landings.begin(append, self.records, decision, kept)
        return variant(attempt, landing=landing)

    async def _renewing(self, attempt: Attempt) -> Attempt:
        """Begin to write due moments of journals that stay as they are where others are noted."""
        record = attempt.decision.record
        dues = self.records.dues(record, attempt.view.definitions)
        noted = {j: await self._store.due_at(j) for j in dues}
        moved = {j: at for j, at in dues.items() if at != noted[j]}
        if not moved:
            return attempt
        append = Append(expected=record.versions, facts=attempt.view.facts, due=moved)
        return variant(attempt, landing=self._landings.begin(append, self.records))

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
        append = Append(expected={}, answer=answer, audit=(audit,))
        await self._landings.begin(append, self.records).end()

    async def _replayed(self, task: Task, answer: Answer) -> Outcome:
        """The answer that the same request got before, rebuilt at its versions."""
        check_same(answer.fingerprint, task.fingerprint)
        known = answer.journals
        if answer.fingerprint == NOTHING and known not in {(), task.needs.journals}:
            # Erasure takes the fingerprint; whom the request was about is still told.
            raise MismatchError(("command",))
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
            definitions=(await self.records.load(Needs(journals=()))).definitions,
            replayed=True,
        )

    def _tell(self) -> None:
        self.committed()
