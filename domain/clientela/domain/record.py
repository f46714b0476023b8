"""
A record: the journals a command named, folded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

import attrs

from clientela.domain.context import Definitions
from clientela.domain.draft import State, seal, thaw
from clientela.domain.errors import KeyTakenError
from clientela.domain.event import Key, RecordedEvent
from clientela.domain.fingerprint import NOTHING, Fingerprint, check_same
from clientela.domain.ids import JournalId, JournalKind, Ref


_S = TypeVar("_S", bound=State)


class JournalNotNamedError(Exception):
    """A rule asked for a journal that the command did not name: a mistake in a rule set."""


class NeededError(Exception):
    """Something more must be loaded; whoever loads records loads it and asks again."""


class HistoryNeededError(NeededError):
    """
    A rule needs the whole journal, not only its state; who loads records loads it and asks again.

    Attributes:
        journal_id: Which journal.
    """

    def __init__(self, journal_id: JournalId) -> None:
        self.journal_id = journal_id
        super().__init__(f"the history of {journal_id} is needed")


@attrs.frozen
class Holder:
    """
    Who holds a key.

    Attributes:
        ref: The event that took it.

        fingerprint: Of the command that took it; empty if it was not kept.
    """

    ref: Ref
    fingerprint: Fingerprint = NOTHING


class States(dict[type[State], State]):
    """
    States by their class; those kept as text are read when somebody first asks for them.

    Args:
        read: States that are there.

        texts: Of the others, by class.

        reads: Makes the state of a text and its class, sealed; raises what it likes over a text
            that is spoilt.
    """

    __slots__ = ("_reads", "texts")

    def __init__(
        self,
        read: Mapping[type[State], State],
        texts: Mapping[type[State], str] | None = None,
        reads: Callable[[str, type[State]], State] | None = None,
    ) -> None:
        super().__init__(read)
        self.texts: dict[type[State], str] | None = dict(texts) if texts else None
        self._reads = reads

    def __missing__(self, kind: type[State]) -> State:
        if self.texts is None or self._reads is None:
            raise KeyError(kind)
        state = self[kind] = self._reads(self.texts[kind], kind)
        del self.texts[kind]
        self.texts = self.texts or None
        return state

    def __eq__(self, other: object) -> bool:
        for states in (self, other):
            if isinstance(states, States):
                states.read_all()
        return super().__eq__(other)

    __hash__ = None

    def copy(self) -> States:
        """The same states, to be replaced one by one; texts stay texts."""
        return States(self, self.texts, self._reads)

    def read_all(self) -> None:
        """Read those that nobody has asked for yet."""
        for kind in tuple(self.texts or ()):
            self[kind]


Due = tuple[Definitions, datetime | None]
"""By which definitions a rule set was asked, and the moment it told."""


def _states(states: Mapping[type[State], State]) -> States:
    return states if isinstance(states, States) else States(states)


@attrs.define(on_setattr=attrs.setters.NO_OP)
class Journal:
    """
    One journal, folded.

    Attributes:
        id: Which one.

        version: Version of the last event folded; 0 for a journal that does not exist yet.

        states: State of each rule set of this kind of journal, by its class.

        touched: Version of the last event that each rule set heard; what its etag is made of.

        dues: What each rule set last said of the next due moment, by which definitions; forgotten
            when its state changes.
    """

    id: JournalId
    version: int
    states: States = attrs.field(converter=_states)
    touched: dict[type[State], int] = attrs.field(factory=dict[type[State], int])
    dues: dict[type[State], Due] = attrs.field(factory=dict[type[State], Due], eq=False, repr=False)

    def thaw(self) -> Journal:
        """A copy to fold into; a state of it stays shared and sealed until it is drafted."""
        return Journal(
            self.id, self.version, self.states.copy(), dict(self.touched), dict(self.dues)
        )

    def draft(self, kind: type[State]) -> State:
        """The state of class *kind* as a draft; of a thawed journal only."""
        self.dues.pop(kind, None)
        state = self.states[kind]
        if state.is_sealed:
            state = self.states[kind] = thaw(state)
        return state

    def seal(self) -> Journal:
        """Freeze the states in place."""
        for state in self.states.values():
            if not state.is_sealed:
                seal(state)
        return self


def _place(journal: Journal) -> tuple[str, str]:
    """Where a journal stands among those of a record: by its id."""
    return (journal.id.kind._value_, journal.id.id)


class Record:
    """
    The journals of one command, at most one of each kind, and the holders of the keys it names.

    Args:
        journals: The journals, folded.

        holders: For each key the command named and somebody holds: who does.

        histories: Whole journals, where a rule needs more than the state.
    """

    def __init__(
        self,
        journals: Iterable[Journal],
        holders: Mapping[Key, Holder] | None = None,
        histories: Mapping[JournalId, tuple[RecordedEvent, ...]] | None = None,
    ) -> None:
        self._journals = {journal.id.kind: journal for journal in journals}
        self._sorted = tuple(self._journals.values())
        if len(self._sorted) > 1:
            self._sorted = tuple(sorted(self._sorted, key=_place))
        self._holders = dict(holders or {})
        self._histories = dict(histories or {})

    def of(self, kind: type[_S]) -> _S:
        """
        The state of class *kind*.

        Raises:
            JournalNotNamedError: the command named no journal of that kind.
        """
        found = self.journal(kind.journal_kind).states[kind]
        assert isinstance(found, kind)
        return found

    def journal(self, kind: JournalKind) -> Journal:
        """
        The journal of *kind*.

        Raises:
            JournalNotNamedError: the command named none.
        """
        try:
            return self._journals[kind]
        except KeyError:
            msg = f"the command names no {kind.value} journal"
            raise JournalNotNamedError(msg) from None

    def find(self, kind: JournalKind) -> Journal | None:
        """The journal of *kind*, or None if the command named none."""
        return self._journals.get(kind)

    def names(self, kind: JournalKind) -> bool:
        """Whether the command named a journal of *kind*."""
        return kind in self._journals

    def exists(self, kind: JournalKind) -> bool:
        """Whether the journal of *kind* holds any event."""
        return self.names(kind) and self.journal(kind).version > 0

    @property
    def journals(self) -> tuple[Journal, ...]:
        """All journals, in sorted order of their ids."""
        return self._sorted

    def holder(self, key: Key) -> Holder | None:
        """Who holds *key*, or None while it is free."""
        return self._holders.get(key)

    def is_done(self, key: Key, kind: JournalKind, again: Fingerprint) -> bool:
        """
        Whether the business identity *key* was used before, in the journal of *kind*, for the same.

        Raises:
            KeyTakenError: another journal used it.

            MismatchError: it was used for something else.
        """
        holder = self._holders.get(key)
        if holder is None:
            return False
        if holder.ref.journal != self.journal(kind).id:
            raise KeyTakenError(key)
        check_same(holder.fingerprint, again)
        return True

    @property
    def versions(self) -> dict[JournalId, int]:
        """Version of each journal."""
        return {journal.id: journal.version for journal in self._journals.values()}

    def history(self, kind: JournalKind) -> tuple[RecordedEvent, ...]:
        """
        Every event of the journal of *kind*, up to and including those of this command.

        Raises:
            HistoryNeededError: it was not loaded.
        """
        journal = self.journal(kind)
        if journal.id not in self._histories:
            raise HistoryNeededError(journal.id)
        return self._histories[journal.id]

    def thaw(self) -> Record:
        """A copy to work on; this one stays as it is."""
        return Record([j.thaw() for j in self._sorted], self._holders, self._histories)

    def append(self, recorded: RecordedEvent) -> None:
        """Note that *recorded* now stands at the end of its journal."""
        journal = self.journal(recorded.journal.kind)
        journal.version = recorded.version
        if journal.id in self._histories:
            self._histories[journal.id] = (*self._histories[journal.id], recorded)

    def take(self, keys: Iterable[Key], holder: Holder) -> None:
        """Note that *holder* took *keys*."""
        self._holders.update(dict.fromkeys(keys, holder))

    def give_back(self, keys: Iterable[Key]) -> None:
        """Note that *keys* are free again."""
        for key in keys:
            self._holders.pop(key, None)
