"""
Records: journals that share what nobody changes.
"""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from clientela.domain.context import Definitions, DefinitionVersion
from clientela.domain.draft import State, state
from clientela.domain.event import SYSTEM, Origin, RecordedEvent, event
from clientela.domain.ids import ClientId, Code, EventId, JournalId, JournalKind, client_journal
from clientela.domain.record import Journal, Record
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import RuleSet
from tests.domain.spec import AT


PETRA = client_journal(ClientId("petra"))
DAY = timedelta(days=1)
ONE = Definitions((DefinitionVersion(1, AT, {}),))
TWO = Definitions((DefinitionVersion(1, AT, {}),))


@event("rang", origin=Origin.RECORDED)
class Rang:
    """The telephone rang."""

    number: Code


@event("knocked", origin=Origin.RECORDED)
class Knocked:
    """Somebody knocked."""

    door: Code


@state(JournalKind.CLIENT)
class Calls(State):
    """How often the telephone rang."""

    count: int = 0
    numbers: dict[Code, int] = attrs.field(factory=dict[Code, int])


@state(JournalKind.CLIENT)
class Knocks(State):
    """How often somebody knocked."""

    count: int = 0


def _rang(draft, _recorded):
    draft.count += 1


class Asked:
    """A rule set's `due` that counts how often it is asked."""

    def __init__(self):
        self.times = 0

    def __call__(self, record, _definitions):
        self.times += 1
        return AT + record.of(Calls).count * DAY


@pytest.fixture
def asked():
    """Nobody was asked yet."""
    return Asked()


@pytest.fixture
def book(asked):
    """Two rule sets of the client's journal; time matters to the first."""
    calls = RuleSet(name="calls", state=Calls, events=(Rang,), evolve=_rang, due=asked)
    knocks = RuleSet(name="knocks", state=Knocks, events=(Knocked,), evolve=_rang)
    return Rulebook((calls, knocks))


def rang(version: int):
    """The telephone rang, as the event of this version."""
    return RecordedEvent(
        event_id=EventId(f"e{version}"),
        journal=PETRA,
        version=version,
        event=Rang(number=Code("112")),
        occurred_at=AT,
        recorded_at=AT,
        actor=SYSTEM,
        on_behalf_of=None,
        unit=None,
        request=None,
        append_id="a1",
        index=0,
        count=1,
        correlation_id="a1",
        causation_id=None,
        rule="CALL-1",
        definition=None,
        because=(),
    )


def test_state_that_hears_nothing_is_shared_with_what_was_before(book):
    """
    A command copies the states it changes and no others, and leaves those before it as they were.
    """
    before = book.empty(PETRA)

    after = book.fold(before, [rang(1)])

    assert before.states[Knocks] is after.states[Knocks]
    assert (0, 1) == (before.states[Calls].count, after.states[Calls].count)
    assert after.states[Calls].is_sealed


def test_state_is_drafted_once_for_many_events(book):
    """
    All events of one fold go into the same draft.
    """
    draft = book.empty(PETRA).thaw()

    assert draft.draft(Calls) is draft.draft(Calls)
    assert draft.draft(Calls) is draft.states[Calls]


def test_rule_set_is_asked_once_for_each_state_when_it_is_due(book, asked):
    """
    A moment that was told holds until the state changes, for whoever reads the journal.
    """
    journal = book.fold(book.empty(PETRA), [rang(1)])

    for _ in range(3):
        assert book.due(Record([journal]), ONE) == AT + DAY
    assert book.due(Record([journal]).thaw(), ONE) == AT + DAY
    assert 1 == asked.times

    assert book.due(Record([book.fold(journal, [rang(2)])]), ONE) == AT + 2 * DAY
    assert book.due(Record([journal]), ONE) == AT + DAY
    assert 2 == asked.times


def test_rule_set_is_asked_anew_by_other_definitions(book, asked):
    """
    Definitions that replace others may move the moment.
    """
    journal: Journal = book.empty(PETRA)

    book.due(Record([journal]), ONE)
    book.due(Record([journal]), TWO)
    book.due(Record([journal]), TWO)

    assert 2 == asked.times


def test_journals_of_a_record_stand_in_the_order_of_their_ids():
    """
    However its journals were given, and in every copy, a record tells them in one order.
    """
    client, unit, wallet = (
        JournalId(kind, "tower")
        for kind in (JournalKind.CLIENT, JournalKind.UNIT, JournalKind.WALLET)
    )
    record = Record(Journal(journal_id, 0, {}) for journal_id in (wallet, client, unit))

    assert [client, unit, wallet] == [journal.id for journal in record.journals]
    assert [client, unit, wallet] == [journal.id for journal in record.thaw().journals]


def test_journal_that_was_not_named_is_not_found():
    """
    A record finds the journals that its command named, and no other.
    """
    journal = Journal(JournalId(JournalKind.WALLET, "tower"), 0, {})
    record = Record([journal])

    assert journal is record.find(JournalKind.WALLET)
    assert record.find(JournalKind.CLIENT) is None


def test_rule_set_without_a_due_time_is_not_timed(book):
    """
    Only rule sets that name a next moment are asked for one.
    """
    assert [True, False] == [rule_set.is_timed for rule_set in book.rule_sets]
