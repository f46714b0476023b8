"""
What is loaded for a decision: what it needs, staff and units, and the whole as one view.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

import attrs

from clientela.domain.context import Definitions, StaffMember, UnitPlace
from clientela.domain.event import Key, RecordedEvent
from clientela.domain.ids import (
    Blind,
    EmployeeId,
    JournalId,
    UnitId,
    employee_journal,
    unit_journal,
)
from clientela.domain.organisation.staff import Employee, member
from clientela.domain.organisation.units import Unit, place
from clientela.domain.record import Journal, NeededError, Record
from clientela.services.cache import Kept
from clientela.services.key_rows import KeyRow
from clientela.services.rows import Answer, Head


class JournalNeededError(NeededError):
    """
    A decision asks about an employee or unit whose journal was not loaded.

    Attributes:
        journal_id: Which one.
    """

    def __init__(self, journal_id: JournalId) -> None:
        self.journal_id = journal_id
        super().__init__(f"{journal_id} is needed")


@attrs.define(kw_only=True)
class Needs:
    """
    What one decision needs to have loaded; grows as the rules ask for more.

    Attributes:
        journals: Journals it works on, sorted.

        keys: Keys whose holders matter.

        request: Request whose answer matters.

        persons: Persons whose keys matter, besides *journals*.

        facts: Journals of employees and units it asks about.

        histories: Journals it needs whole.
    """

    journals: tuple[JournalId, ...]
    keys: tuple[Key, ...] = ()
    request: Blind | None = None
    persons: set[JournalId] = attrs.field(factory=set[JournalId])
    facts: set[JournalId] = attrs.field(factory=set[JournalId])
    histories: set[JournalId] = attrs.field(factory=set[JournalId])


@attrs.frozen(kw_only=True)
class Registry:
    """
    Staff and units as loaded; asks for those that were not.

    Attributes:
        journals: Tells journals of employees and units; None for one that was not loaded.
    """

    journals: Callable[[JournalId], Journal | None]

    def member(self, employee_id: EmployeeId) -> StaffMember | None:
        """The employee; None if there is none of this id."""
        return member(Record([self._journal(employee_journal(employee_id))]).of(Employee))

    def place(self, unit_id: UnitId) -> UnitPlace | None:
        """The unit's place in the tree; None if there is none of this id."""
        return place(Record([self._journal(unit_journal(unit_id))]).of(Unit))

    def _journal(self, journal_id: JournalId) -> Journal:
        journal = self.journals(journal_id)
        if journal is None:
            raise JournalNeededError(journal_id)
        return journal


@attrs.frozen(kw_only=True)
class View:
    """
    What a decision rests on: loaded, all of one moment and committed; or in memory, and checked by
    the append. A read has let time pass in it.

    Attributes:
        record: The journals and holders.

        heads: Ends of the journals.

        kept: The record's journals with what is known beside them.

        unsettled: Of *heads*, hashes of those whose last events have not landed yet.

        definitions: All versions of the company's definitions.

        registry: Staff and units.

        key_rows: Keys of persons.

        answer: To the request, if it was answered.

        events: Of the record, those that are not committed yet: what time has done to it.
    """

    record: Record
    heads: Mapping[JournalId, Head]
    kept: Mapping[JournalId, Kept] = attrs.field(factory=dict[JournalId, Kept])
    unsettled: Mapping[JournalId, str] = attrs.field(factory=dict[JournalId, str])
    definitions: Definitions
    registry: Registry
    key_rows: Mapping[JournalId, KeyRow | None]
    answer: Answer | None = None
    events: tuple[RecordedEvent, ...] = ()

    @property
    def versions(self) -> dict[JournalId, int]:
        """Versions of the record's journals as committed, time that is pending left out."""
        pending = Counter(recorded.journal for recorded in self.events)
        return {j: version - pending[j] for j, version in self.record.versions.items()}

    @property
    def facts(self) -> dict[JournalId, int]:
        """Versions of the journals that it holds besides the record's: what rules asked about."""
        own = self.record.versions
        return {j: head.version for j, head in self.heads.items() if j not in own}

    @property
    def clock(self) -> datetime | None:
        """When the last of the record's journals was written to; definitions do not count."""
        heads = (self.heads[journal.id] for journal in self.record.journals)
        times = (head.recorded_at for head in heads if head.recorded_at)
        return max(times, default=None)
