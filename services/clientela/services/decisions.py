"""
Decisions: the rules asked about a task, on what is committed or on what is in memory.
"""

from __future__ import annotations

from collections.abc import Callable

from clientela.domain.context import Context, Naming, NormalForms
from clientela.domain.errors import InvalidValueError
from clientela.domain.event import Key
from clientela.domain.ids import JournalId
from clientela.domain.record import NeededError, Record
from clientela.services.attempts import Attempt, Task
from clientela.services.cache import Kept
from clientela.services.calls import Call, ContendedError, EtagMismatchError
from clientela.services.ports import Clock, NewId, Sessions, VaultSession
from clientela.services.records import Records
from clientela.services.rows import Answer
from clientela.services.views import View


NEEDS_MAX = 100
"""How often one decision may ask for something more to be loaded."""


class Decisions:
    """
    Asks the rules.

    Args:
        records: Loads and keeps records.

        sessions: Vaults for single attempts.

        forms: Normal forms of identifiers.

        clock: Tells the time.

        new_id: Makes ids.
    """

    def __init__(
        self,
        records: Records,
        sessions: Sessions,
        forms: NormalForms,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self.records = records
        self.naming = Naming(vault=sessions.session({}), forms=forms)
        """Makes keys and keyed hashes of what a command says; knows nobody's key."""
        self._sessions = sessions
        self._forms = forms
        self._clock = clock
        self._new_id = new_id

    async def committed(self, task: Task) -> Attempt | Answer:
        """
        Decide on what is committed, loading more as the rules ask for it.

        Returns:
            What was decided, or what the same request was answered before.

        Raises:
            DomainError: malformed, missing or refused.

            StoreUnavailableError: the store cannot be reached.
        """
        for _ in range(NEEDS_MAX):
            view = await self.records.load(task.needs, self._keys(task))
            if view.answer is not None:
                return view.answer
            try:
                return self._attempt(task, view)
            except NeededError as needed:
                task.need(needed)
        raise ContendedError

    def speculated(self, task: Task, tip: Callable[[JournalId], Kept | None]) -> Attempt | None:
        """
        Decide on what is in memory; None if that tells too little.

        What is refused here, needs more, or leaves nothing for the store to check, is to be decided
        again on what is committed: nobody is answered from memory alone.

        Args:
            task: What is to be done.

            tip: Tells a journal as appends under way will leave it.
        """
        view = self.records.known(task.needs, tip)
        if view is None:
            return None
        try:
            attempt = self._attempt(task, view)
        except Exception:  # noqa: BLE001  Whatever it is, it comes again if it is so.
            return None
        decision = attempt.decision
        if not decision.events and task.needs.request is None:
            return None
        keys = self._keys(task)
        # A key that is reserved is checked by the append; of another one nobody knows the holder.
        if keys and not {key for key, _ in decision.reserve}.issuperset(keys):
            return None
        return attempt

    def _attempt(self, task: Task, view: View) -> Attempt:
        session = self._sessions.session(view.key_rows)
        context = self._context(task, view, session)
        decision = task.decide(view.record, context)
        return Attempt(view=view, session=session, decision=decision, now=context.now)

    def _keys(self, task: Task) -> tuple[Key, ...]:
        if task.keys is None:
            command, rulebook = task.command, self.records.rulebook
            task.keys = () if command is None else rulebook.keys(command, self.naming)
        return task.keys

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


def check_etags(records: Records, call: Call, record: Record) -> None:
    """
    Check the etags of a call against the record as a read shows it, with time elapsed.

    Raises:
        InvalidValueError: one is of a part that the command does not work on.

        EtagMismatchError: a part has changed.
    """
    rule_sets = {rule_set.name: rule_set for rule_set in records.rulebook.rule_sets}
    for name, wanted in call.etags.items():
        rule_set = rule_sets.get(name)
        if rule_set is None or not record.names(rule_set.state.journal_kind):
            raise InvalidValueError("etag", "that of a part which this command works on")
        current = records.etag(record, rule_set)
        if wanted != current:
            raise EtagMismatchError(name, current)
