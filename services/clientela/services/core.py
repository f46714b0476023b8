"""
The core: what every servicer works with, and the two things every rpc does with it.

A servicer method translates, calls `mutate` or `view`, and translates back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
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
from clientela.services.due_times import DueTimes
from clientela.services.event_stream import EventStream, NoBusError
from clientela.services.follow_ups import FollowUps
from clientela.services.ports import JournalStore, NewId, Sessions
from clientela.services.read_models import ReadModels
from clientela.services.request_context import current
from clientela.services.scheduler import Scheduler
from clientela.services.translate.client import SourceIds
from clientela.services.translate.mutations import call, occurred_at, outcome
from clientela.services.translate.opening import Opening
from clientela.services.translate.reads import AsOf, Consistency
from clientela.services.translate.reads import consistency as consistency_of
from clientela.services.translate.refusals import VersionAheadError
from clientela.services.views import View
from clientela.v1 import common_pb2


CLOCKS_DIFFER = timedelta(minutes=5)
"""How far ahead of the service's the clock of a caller may be who says when something happened."""

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Between them something may have happened: every term that begins then ends while time lasts."""

Told = View | Outcome
"""What an answer is made of: what was read, or what a command came to."""


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

        due_times: Tells what is due by the definitions as they are.

        follow_ups: Carries out what events ask for.

        events_out: The stream that events leave in; None without a bus.
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
    due_times: DueTimes
    follow_ups: FollowUps
    events_out: EventStream | None = None

    @property
    def stream(self) -> EventStream:
        """
        The stream that events leave in.

        Raises:
            NoBusError: there is no bus.
        """
        if self.events_out is None:
            raise NoBusError
        return self.events_out

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
        claimed = occurred_at(request)
        if claimed is not None:
            self._check_claimed(claimed, timedelta() if how.at else CLOCKS_DIFFER)
        if how.at is not None:
            await self.scheduler.pause()
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
        if consistency is not None:
            await self.check_reached(consistency.at_least)
        if as_of is None or as_of.known_at is None:
            return await self.path.read(*journal_ids)
        known = {j: as_of.known_at.get(j, 0) for j in journal_ids}
        await self.check_reached(known)
        view = await self.path.read(*journal_ids)
        return attrs.evolve(view, record=await self.path.records.at(known), events=())

    async def check_fresh(self, request: Any) -> None:
        """
        Check that everything is here that the field `consistency` of *request* wants to be.

        Raises:
            InvalidValueError: the field is malformed.

            VersionAheadError: a journal has not come as far as it must have.
        """
        await self.check_reached(consistency_of(request).at_least)

    async def check_reached(self, wanted: Mapping[JournalId, int]) -> None:
        """
        Check that journals have come as far as *wanted*.

        Raises:
            VersionAheadError: one has not.
        """
        for journal_id, least in sorted(wanted.items()):
            if least and not await self.store.read(journal_id, least - 1, 1):
                raise VersionAheadError(journal_id, least)

    def persons(self, record: Record) -> tuple[JournalId, ...]:
        """Persons whose values the journals of *record* may hold: their own, and the holder's."""
        wallet = record.of(Wallet) if record.names(JournalKind.WALLET) else None
        holder = () if wallet is None or wallet.client_id is None else (wallet.client_id,)
        own = (journal.id for journal in record.journals)
        return (*own, *(client_journal(client_id) for client_id in holder))

    def etag(self, record: Record, rule_set: RuleSet, as_of: AsOf | None = None) -> str:
        """Etag of the rule set's part of *record*; none for the past."""
        is_now = as_of is None or as_of.is_now
        return self.path.records.etag(record, rule_set) if is_now else ""

    async def history(self, view: View, kind: JournalKind) -> tuple[RecordedEvent, ...]:
        """Every event of the journal of *kind* as *view* has it, oldest first."""
        journal = view.record.journal(kind)
        committed = await self.path.records.history(journal.id, view.versions[journal.id])
        return (*committed, *(e for e in view.events if e.journal == journal.id))

    async def moment(self, view: View, kind: JournalKind, as_of: AsOf) -> datetime:
        """When the journal of *kind* is as *view* has it: now, or when its end became known."""
        if as_of.known_at is None:
            return self.now()
        journal = view.record.journal(kind)
        return (await self.event(Ref(journal.id, journal.version), view)).recorded_at

    async def event(self, ref: Ref, told: Told | None = None) -> RecordedEvent:
        """
        The event that *ref* points at.

        Args:
            ref: Which one.

            told: Where the reference stands; not all that it tells of may be stored: a trial's
                events, and what time has done, are not.

        Raises:
            UnknownError: there is none.
        """
        for recorded in told.events if told is not None else ():
            if recorded.ref == ref:
                return recorded
        found = await self.path.records.event(ref)
        if found is None:
            raise UnknownError("event", str(ref))
        return found

    async def opening(self, *persons: JournalId, told: Told | None = None) -> Opening:
        """
        What of the personal values of *persons* the caller may see.

        Args:
            persons: Whose.

            told: Where the values stand; it may have made keys, and a trial's are not stored.
        """
        known = dict(told.key_rows) if isinstance(told, View) else {}
        made = {row.person: row for row in told.keys} if isinstance(told, Outcome) else {}
        rows = {
            person: known[person]
            if person in known
            else await self.store.key_row(person) or made.get(person)
            for person in persons
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

    def _check_claimed(self, at: datetime, ahead: timedelta) -> None:
        if not EARLIEST <= at < LATEST:
            raise InvalidValueError("occurred_at", "a moment from 1900 to 2200")
        # Virtual time stands where it was put; history may well lie ahead of it.
        if isinstance(self.clock, SystemClock) and at > self.clock.now() + ahead:
            raise InvalidValueError("occurred_at", "a moment that has come")


def check_exists(record: Record, kind: JournalKind) -> None:
    """
    Check that the journal of *kind* holds anything.

    Raises:
        UnknownError: it does not.
    """
    if not record.exists(kind):
        raise UnknownError(kind.value, record.journal(kind).id.id)
