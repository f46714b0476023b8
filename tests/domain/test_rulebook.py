"""
The rulebook: what comes of a command, and how rule sets are composed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import attrs
import pytest

from clientela.domain.errors import KeyTakenError, RefusedError
from clientela.domain.event import (
    Origin,
    PendingEvent,
    event,
    event_type,
)
from clientela.domain.fingerprint import Fingerprint, MismatchError
from clientela.domain.ids import (
    ClientId,
    Code,
    EmployeeId,
    JournalKind,
    Ref,
)
from clientela.domain.record import (
    HistoryNeededError,
    Holder,
    JournalNotNamedError,
    Record,
)
from clientela.domain.rulebook import Rulebook
from clientela.domain.run import RulebookError
from tests.domain.bells import (
    BELLS,
    BOOK,
    CHAPEL,
    CLOCK,
    ECHOES,
    GREAT,
    HOUR,
    PURSE,
    PURSES,
    SMALL,
    TOWER,
    Answered,
    Bells,
    Clock,
    Cuckoo,
    Echoed,
    Echoes,
    Paid,
    Purse,
    Ring,
    Rung,
    Silence,
    Struck,
    Wind,
    Wound,
    context,
    empty,
    key,
    names,
)
from tests.domain.spec import AT


# What comes of it


def test_events_are_numbered_within_their_append():
    """
    All events of a command share an append and say which of how many they are; versions are
    gapless in each journal; the correlation is the append's unless the caller gave one.
    """
    decision = BOOK.handle(empty(TOWER, PURSE), GREAT, context())

    assert list(range(7)) == [recorded.index for recorded in decision.events]
    assert {(7, "i1", "i1")} == {
        (recorded.count, recorded.append_id, recorded.correlation_id)
        for recorded in decision.events
    }
    assert 7 == len({recorded.event_id for recorded in decision.events})
    assert [1, 2, 3, 4, 5, 6] == [r.version for r in decision.events if r.journal == TOWER]
    assert [1] == [r.version for r in decision.events if r.journal == PURSE]


def test_versions_go_on_where_the_journal_ends():
    """
    The next command's events follow on the last one's.
    """
    first = BOOK.handle(empty(TOWER), SMALL, context())

    second = BOOK.handle(first.record, SMALL, context())

    assert [1, 2] == [recorded.version for recorded in first.events]
    assert [3, 4] == [recorded.version for recorded in second.events]


def test_record_given_in_stays_as_it_was():
    """
    A command works on a copy: the committed record it was given is the same afterwards, whether the
    command was carried out, refused or broken off.
    """
    wound = BOOK.handle(empty(TOWER, PURSE), Wind(hours=9), context()).record
    was = [(j.id, j.version, dict(j.states), dict(j.touched)) for j in wound.journals]
    late = context(AT + 3 * HOUR)

    BOOK.handle(wound, attrs.evolve(GREAT, reserve=(key("a"),)), late)
    BOOK.elapse(wound, late)
    with pytest.raises(RefusedError):
        BOOK.handle(wound, Silence(), late)

    assert was == [(j.id, j.version, dict(j.states), dict(j.touched)) for j in wound.journals]
    assert None is wound.holder(key("a"))


def test_record_after_a_command_is_sealed_and_equals_its_events_folded():
    """
    Nobody can change the record that comes out, and folding the events once more gives the same.
    """
    before = empty(TOWER, PURSE)

    decision = BOOK.handle(before, GREAT, context())

    with pytest.raises(TypeError, match="sealed"):
        decision.record.of(Bells).rung = ()
    for journal in before.journals:
        own = [recorded for recorded in decision.events if recorded.journal == journal.id]
        assert BOOK.fold(journal, own) == decision.record.journal(journal.id.kind)


def test_each_rule_set_knows_the_last_event_it_heard():
    """
    Etags are per rule set: only those that hear an event are touched by it.
    """
    decision = BOOK.handle(empty(TOWER), SMALL, context())
    journal = BOOK.handle(decision.record, Wind(hours=1), context()).record.journal(
        JournalKind.CLIENT
    )

    assert {Bells: 1, Echoes: 2, Clock: 3, Cuckoo: 3} == journal.touched


def test_first_event_of_a_journal_is_heard_by_those_that_wait_for_it():
    """
    A rule set may hear whatever comes first in a journal of its kind, and only that.
    """
    book = Rulebook(
        (
            BELLS,
            attrs.evolve(
                ECHOES,
                hears=(),
                hears_first=True,
                evolve=lambda draft, recorded: setattr(draft, "heard", (*draft.heard, "first")),
            ),
        )
    )
    first = book.handle(empty(TOWER, book=book), Ring(names=(Code("one"), Code("two"))), context())

    assert ["one", "one-1", "two"] == names(first)
    assert ("first", "first") == first.record.of(Echoes).heard


# Refusals


def test_refusal_without_traces_is_raised():
    """
    A refusal that leaves nothing is the answer itself.
    """
    with pytest.raises(RefusedError, match="night"):
        BOOK.handle(empty(TOWER), Silence(), context())


def test_refusal_may_leave_events():
    """
    A refusal can be worth recording: what it leaves is to be appended, with all that follows from
    it, and then it is the answer.
    """
    trace = PendingEvent(Rung(name=Code("muffled")), rule="NIGHT-2")

    decision = BOOK.handle(empty(TOWER), Silence(leaves=(trace,)), context())

    assert ["muffled", "muffled-1"] == names(decision)
    assert decision.refusal is not None
    assert "NIGHT-1" == decision.refusal.rule


# Keys


def test_key_is_reserved_for_the_event_that_takes_it():
    """
    A free key is taken by the event that asks for it, with the fingerprint of its command.
    """
    asked = context(fingerprint=Fingerprint("command=Ring"))

    decision = BOOK.handle(empty(TOWER), attrs.evolve(SMALL, reserve=(key("a"),)), asked)

    holder = Holder(Ref(TOWER, 1), Fingerprint("command=Ring"))
    assert ((key("a"), holder),) == decision.reserve
    assert holder == decision.record.holder(key("a"))


def test_key_of_another_journal_is_taken():
    """
    A key belongs to one journal; no other gets it, and the refusal does not say whose it is.
    """
    holders = {key("a"): Holder(Ref(CHAPEL, 1))}

    with pytest.raises(KeyTakenError) as refused:
        BOOK.handle(
            empty(TOWER, holders=holders), attrs.evolve(SMALL, reserve=(key("a"),)), context()
        )

    assert {"scope": "bell"} == refused.value.details()
    assert "chapel" not in str(refused.value)


def test_key_a_journal_has_already_is_not_reserved_again():
    """
    Whoever holds a key keeps it.
    """
    holders = {key("a"): Holder(Ref(TOWER, 1))}

    decision = BOOK.handle(
        empty(TOWER, holders=holders), attrs.evolve(SMALL, reserve=(key("a"),)), context()
    )

    assert () == decision.reserve


def test_key_is_given_back_and_free_again():
    """
    A released key is held by nobody and can be taken again in the same append.
    """
    holders = {key("a"): Holder(Ref(TOWER, 1))}

    released = BOOK.handle(
        empty(TOWER, holders=holders), attrs.evolve(SMALL, release=(key("a"),)), context()
    )
    assert ((key("a"),), ()) == (released.release, released.reserve)
    assert None is released.record.holder(key("a"))

    both = BOOK.handle(
        empty(TOWER), Ring(names=(Code("x"),), reserve=(key("a"),), release=(key("a"),)), context()
    )
    assert () == both.reserve


def test_identity_used_before_is_known_by_journal_and_content():
    """
    A business identity is new, already done, another journal's, or used for something else.
    """
    mine = Fingerprint("command=Ring,names=1")
    other = Fingerprint("command=Ring,names=2")
    holders = {
        key("mine"): Holder(Ref(TOWER, 1), mine),
        key("theirs"): Holder(Ref(CHAPEL, 1), mine),
    }
    record = empty(TOWER, holders=holders)

    assert not record.is_done(key("new"), JournalKind.CLIENT, mine)
    assert record.is_done(key("mine"), JournalKind.CLIENT, mine)
    with pytest.raises(MismatchError, match="names"):
        record.is_done(key("mine"), JournalKind.CLIENT, other)
    with pytest.raises(KeyTakenError):
        record.is_done(key("theirs"), JournalKind.CLIENT, mine)


# What a rule may ask for


def test_journal_that_the_command_did_not_name_is_out_of_reach():
    """
    A command names its journals before it decides; asking for another one, or recording into it,
    is a mistake of the rule set.
    """
    with pytest.raises(JournalNotNamedError, match="wallet"):
        empty(TOWER).of(Purse)

    wrong = attrs.evolve(
        BELLS,
        decide=lambda *_: (PendingEvent(Paid(name=Code("x")), rule="X"),),
    )
    book = Rulebook((wrong, PURSES))
    with pytest.raises(JournalNotNamedError, match="wallet"):
        book.handle(empty(TOWER, book=book), SMALL, context())


def test_history_is_asked_for_and_includes_this_command():
    """
    A rule that needs a whole journal asks for it; what this command has recorded so far is in it.
    """
    seen: list[int] = []

    def look_back(record, recorded, _context):
        if isinstance(recorded.event, Rung):
            seen.append(len(record.history(JournalKind.CLIENT)))
        return ()

    book = Rulebook((attrs.evolve(BELLS, react=look_back),))
    with pytest.raises(HistoryNeededError) as needed:
        book.handle(empty(TOWER, book=book), SMALL, context())
    assert TOWER == needed.value.journal_id

    record = Record([book.empty(TOWER)], histories={TOWER: ()})
    book.handle(record, Ring(names=(Code("one"), Code("two"))), context())
    assert [1, 2] == seen
    assert () == record.history(JournalKind.CLIENT)


def test_events_of_a_history_are_those_of_the_decision():
    """
    The record after a command holds in its history the very events that are to be appended, whole.
    """
    record = Record([BOOK.empty(TOWER)], histories={TOWER: ()})

    decision = BOOK.handle(record, SMALL, context())

    assert decision.events == decision.record.history(JournalKind.CLIENT)
    assert {len(decision.events)} == {recorded.count for recorded in decision.events}


# A fact of another run


def test_kept_fact_keeps_its_time_rule_and_reasons_and_sets_off_reactions():
    """
    A fact put in from another run stays what it was; what follows from it is made anew.
    """
    yesterday = AT - timedelta(days=1)
    made = BOOK.handle(empty(TOWER), attrs.evolve(GREAT, occurred_at=yesterday), context())
    fact = attrs.evolve(made.events[0], because=(Ref(TOWER, 9),), definition="bells@2")

    kept = BOOK.keep(empty(TOWER), fact, context(AT + HOUR))

    assert names(made) == names(kept)
    first = kept.events[0]
    assert (fact.event, yesterday, "RING-1", fact.because, "bells@2", AT + HOUR) == (
        first.event,
        first.occurred_at,
        first.rule,
        first.because,
        first.definition,
        first.recorded_at,
    )


# Composition


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(attrs.evolve(PURSES, name="bells"), id="name"),
        pytest.param(attrs.evolve(PURSES, commands=(Ring,)), id="command"),
        pytest.param(attrs.evolve(PURSES, events=(Rung,)), id="event"),
    ],
)
def test_two_rule_sets_cannot_claim_one_name_command_or_event(other):
    """
    Exactly one rule set decides a command and makes an event.
    """
    with pytest.raises(RulebookError, match="belongs to both bells and"):
        Rulebook((BELLS, other))


def test_two_events_cannot_have_one_stored_name():
    """
    A stored name means one event, or a journal could not be read.
    """

    @event("test-rung", origin=Origin.RECORDED)
    class Again:
        name: Code

    assert event_type(Again).stored_name == event_type(Rung).stored_name
    with pytest.raises(RulebookError, match=r"test-rung\.v1 belongs to both"):
        Rulebook((BELLS, attrs.evolve(PURSES, events=(Again,))))


def test_command_that_nobody_decides_is_a_mistake():
    """
    A composition without the rule set of a command cannot run it.
    """
    book = Rulebook((PURSES,))

    with pytest.raises(RulebookError, match="no rule set decides Ring"):
        book.handle(empty(TOWER, PURSE, book=book), SMALL, context())


def test_composition_has_a_name_that_tells_it_from_others():
    """
    The composition is stored; another set, order or version of events gives another name.
    """
    books = [(BELLS, ECHOES), (ECHOES, BELLS), (BELLS,), (BELLS, attrs.evolve(ECHOES, events=()))]

    assert 4 == len({Rulebook(rule_sets).fingerprint for rule_sets in books})
    assert Rulebook((BELLS, ECHOES)).fingerprint == Rulebook([BELLS, ECHOES]).fingerprint


def test_journals_of_a_command_are_sorted():
    """
    Journals are loaded and claimed in one order, so that two commands never wait for each other.
    """
    assert (TOWER, PURSE) == BOOK.journals(attrs.evolve(SMALL, purse=PURSE))
    assert (Rung, Answered, Echoed, Wound, Struck, Paid) == BOOK.event_classes
    assert (JournalKind.CLIENT, JournalKind.WALLET) == (BOOK.kind_of(Rung), BOOK.kind_of(Paid))


class Nobody:
    """A directory of a company without owners."""

    def owned_by(self, employee_id: EmployeeId) -> Iterator[ClientId]:
        return iter(())


def test_follow_up_commands_come_in_the_order_of_the_rule_sets():
    """
    What an event asks of other journals is asked by each rule set that hears it, in turn.
    """

    def asks_for(name):
        return lambda _recorded, _directory: (Ring(names=(Code(name),), journal=CHAPEL),)

    book = Rulebook(
        (
            attrs.evolve(BELLS, follow_up=asks_for("first")),
            attrs.evolve(ECHOES, follow_up=asks_for("second")),
            CLOCK,
        )
    )
    rung = book.handle(empty(TOWER, book=book), SMALL, context()).events[0]
    wound = book.handle(empty(TOWER, book=book), Wind(hours=1), context()).events[0]

    assert [
        Ring(names=(Code("first"),), journal=CHAPEL),
        Ring(names=(Code("second"),), journal=CHAPEL),
    ] == list(book.follow_ups(rung, Nobody()))
    assert [] == list(book.follow_ups(wound, Nobody()))


def test_events_that_may_have_follow_ups_are_named():
    """
    Only what a rule set with follow-ups makes or hears is looked at for them.
    """
    book = Rulebook(
        (attrs.evolve(BELLS, follow_up=lambda _recorded, _directory: ()), ECHOES, CLOCK)
    )

    assert frozenset() == BOOK.followed
    assert {event_type(cls).name for cls in (*BELLS.events, *BELLS.hears)} == book.followed


def test_rule_set_may_say_which_events_have_follow_ups():
    """
    About the others it is not asked, and they need not be read for it.
    """
    asked: list[type] = []
    first = BELLS.events[0]

    def follow_up(recorded, _directory):
        asked.append(recorded.event_class)
        return ()

    book = Rulebook((attrs.evolve(BELLS, follow_up=follow_up, follows=(first,)), ECHOES, CLOCK))
    for command in (SMALL, Wind(hours=1)):
        for recorded in book.handle(empty(TOWER, book=book), command, context()).events:
            assert [] == list(book.follow_ups(recorded, Nobody()))

    assert {event_type(first).name} == book.followed
    assert {first} == set(asked)
