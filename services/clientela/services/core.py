"""
The core: what every servicer works with, and the two things every rpc does with it.

A servicer method translates, calls `mutate` or `view`, and translates back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from clientela.domain.context import Definitions, Naming, NormalForms
from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import JournalId, JournalKind, Ref, client_journal
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.record import Record
from clientela.domain.ruleset import Command, RuleSet
from clientela.services.calls import Outcome
from clientela.services.clocks import SystemClock, VirtualClock
from clientela.services.command_path import CommandPath
from clientela.services.follow_ups import FollowUps
from clientela.services.ports import JournalStore, NewId, Sessions
from clientela.services.read_models import ReadModels
from clientela.services.request_context import current
from clientela.services.rows import KeyRow
from clientela.services.scheduler import Scheduler
from clientela.services.translate.client import SourceIds
from clientela.services.translate.mutations import call, outcome
from clientela.services.translate.opening import Opening
from clientela.services.translate.reads import AsOf, Consistency
from clientela.services.views import View
from clientela.v1 import common_pb2


@attrs.frozen(kw_only=True)
class Core:
    """
    What servicers work with.

    Attributes:
        path: Carries out commands.

        reads: Read models.

        store: Journals.

        sessions: Open personal values.

        ids: Makes ids of clients that come from other systems.

        forms: Normal forms of identifiers.

        clock: Tells the time.

        new_id: Makes ids.

        scheduler: Moves due journals.

        follow_ups: Carries out what events ask for.
    """

    path: CommandPath
    reads: ReadModels
    store: JournalStore
    sessions: Sessions
    ids: SourceIds
    forms: NormalForms
    clock: SystemClock | VirtualClock
    new_id: NewId
    scheduler: Scheduler
    follow_ups: FollowUps

    async def mutate(
        self, request: Any, command: Command, rule_set: RuleSet
    ) -> tuple[Outcome, common_pb2.Outcome]:
        """
        Carry out the *command* of *request*.

        Args:
            request: Of a mutation.

            command: What it asks for.

            rule_set: Whose etag request and answer bear.

        Returns:
            What it came to, and the same for the wire.

        Raises:
            InvalidValueError: it tells of what is still to come.
        """
        how = call(request, rule_set.name, current())
        if how.at is not None:
            self._check_past(how.at)
            self.scheduler.pause()
        done = await self.path.execute(command, how)
        etag = self.path.records.etag(done.record, rule_set)
        return done, outcome(done, etag, validate_only=request.validate_only)

    async def view(
        self,
        *journal_ids: JournalId,
        consistency: Consistency | None = None,
        as_of: AsOf | None = None,
    ) -> View:
        """
        Journals as they are now, time elapsed, or as they were known.

        Raises:
            VersionAheadError: a journal has not come as far as it must have.
        """
        view = await self.path.read(*journal_ids)
        if consistency is not None:
            consistency.check_reached({j: head.version for j, head in view.heads.items()})
        if as_of is None or as_of.known_at is None:
            return view
        known = {j: as_of.known_at.get(j, view.heads[j].version) for j in journal_ids}
        return attrs.evolve(view, record=await self.path.records.at(known))

    def persons(self, record: Record) -> tuple[JournalId, ...]:
        """Persons whose values the journals of *record* may hold: their own, and the holder's."""
        wallet = record.of(Wallet) if record.names(JournalKind.WALLET) else None
        holder = () if wallet is None or wallet.client_id is None else (wallet.client_id,)
        own = (journal.id for journal in record.journals)
        return (*own, *(client_journal(client_id) for client_id in holder))

    def versions(self, record: Record) -> Mapping[JournalId, int]:
        """Versions of the journals of *record*."""
        return {journal.id: journal.version for journal in record.journals}

    def etag(self, record: Record, rule_set: RuleSet) -> str:
        """Etag of the rule set's part of *record*."""
        return self.path.records.etag(record, rule_set)

    async def event(self, ref: Ref) -> RecordedEvent:
        """
        The event that *ref* points at.

        Raises:
            UnknownError: there is none.
        """
        history = await self.path.records.history(ref.journal, ref.version)
        if len(history) < ref.version:
            raise UnknownError("event", str(ref))
        return history[ref.version - 1]

    async def opening(self, *persons: JournalId) -> Opening:
        """What of the personal values of *persons* the caller may see."""
        rows: dict[JournalId, KeyRow | None] = {
            person: await self.store.key_row(person) for person in persons
        }
        return Opening(vault=self.sessions.session(rows), shows=current().shows_personal)

    async def definitions(self) -> Definitions:
        """All versions of the company's definitions."""
        return (await self.path.read()).definitions

    def naming(self) -> Naming:
        """What turns identifiers into keys."""
        return Naming(vault=self.sessions.session({}), forms=self.forms)

    def now(self) -> datetime:
        """The present moment."""
        return self.clock.now()

    def _check_past(self, at: datetime) -> None:
        # Virtual time stands where it was put; history may well lie ahead of it.
        if isinstance(self.clock, SystemClock) and at > self.clock.now():
            raise InvalidValueError("occurred_at", "a moment that has come")


def check_exists(record: Record, kind: JournalKind) -> None:
    """
    Check that the journal of *kind* holds anything.

    Raises:
        UnknownError: it does not.
    """
    if not record.exists(kind):
        raise UnknownError(kind.value, record.journal(kind).id.id)
