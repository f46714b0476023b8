"""
A command on its way through the rulebook: time first, then the command, then what follows.
"""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from clientela.domain.event import (
    SYSTEM,
    PendingEvent,
    RecordedEvent,
)
from clientela.domain.ids import (
    Code,
    UnitId,
)
from clientela.domain.rulebook import Rulebook
from clientela.domain.run import APPEND_EVENTS_MAX, RulebookError
from tests.domain.bells import (
    BELLS,
    BOOK,
    CLOCK,
    DEPUTY,
    ECHOES,
    GREAT,
    HOUR,
    PURSE,
    RINGER,
    SMALL,
    TOWER,
    Answered,
    Bells,
    Clock,
    Echoed,
    Purse,
    Ring,
    Rung,
    Wind,
    context,
    empty,
    names,
)
from tests.domain.spec import AT, definitions


# Time


def test_time_elapses_at_each_due_moment_in_order_and_before_deciding():
    """
    Whatever is due up to now happens first, each at its own moment, the earliest first and at one
    moment in the order of the rule sets; then the command is decided.
    """
    wound = BOOK.handle(empty(TOWER), Wind(hours=3), context()).record
    now = AT + 2.5 * HOUR

    decision = BOOK.handle(wound, SMALL, context(now))

    assert [
        ("cuckoo", AT + HOUR / 2),
        ("clock", AT + HOUR),
        ("cuckoo", AT + HOUR),
        ("cuckoo", AT + 1.5 * HOUR),
        ("clock", AT + 2 * HOUR),
        ("little", now),
        ("little-1", now),
    ] == [
        (name, recorded.occurred_at)
        for name, recorded in zip(names(decision), decision.events, strict=True)
    ]
    assert {now} == {recorded.recorded_at for recorded in decision.events}


def test_moment_itself_is_due():
    """
    What is due at a moment has happened at that moment, not after it.
    """
    wound = BOOK.handle(empty(TOWER), Wind(hours=1), context()).record

    before = BOOK.elapse(wound, context(AT + HOUR / 2 - timedelta(microseconds=1)))
    at = BOOK.elapse(wound, context(AT + HOUR / 2))

    assert ([], ["cuckoo"]) == (names(before), names(at))


def test_one_late_run_equals_many_punctual_ones():
    """
    Time does the same whether it is let pass at once or step by step.
    """
    wound = BOOK.handle(empty(TOWER), Wind(hours=5), context()).record
    until = AT + 10 * HOUR

    late = BOOK.elapse(wound, context(until))
    punctual: list[RecordedEvent] = []
    record = wound
    for step in range(1, 41):
        decision = BOOK.elapse(record, context(AT + step * HOUR / 4))
        punctual.extend(decision.events)
        record = decision.record

    assert [(r.event, r.version, r.occurred_at) for r in late.events] == [
        (r.event, r.version, r.occurred_at) for r in punctual
    ]
    assert 10 == len(punctual)
    assert late.record.of(Clock) == record.of(Clock)


def test_time_acts_as_the_system_and_for_no_unit():
    """
    REC-4: every event has an actor; what time alone does is the system's, for nobody else and for
    no unit, while the command that follows stays its caller's.
    """
    wound = BOOK.handle(empty(TOWER), Wind(hours=1), context()).record
    asked = context(AT + HOUR, on_behalf_of=DEPUTY, unit=UnitId("north"), correlation_id="c")

    decision = BOOK.handle(wound, SMALL, asked)

    assert [(SYSTEM, None, None, "c")] * 2 + [(RINGER, DEPUTY, "north", "c")] * 2 == [
        (r.actor, r.on_behalf_of, r.unit, r.correlation_id) for r in decision.events
    ]


def test_rule_set_that_is_due_and_does_nothing_is_a_mistake():
    """
    Otherwise time would stand still for ever.
    """
    lazy = attrs.evolve(CLOCK, elapse=lambda _record, _context: ())
    book = Rulebook((lazy,))
    wound = book.handle(empty(TOWER, book=book), Wind(hours=1), context()).record

    with pytest.raises(RulebookError, match=r"clock is due at .* and does nothing"):
        book.elapse(wound, context(AT + HOUR))


def test_rule_set_that_is_due_for_ever_is_a_mistake():
    """
    A rule set that stays due at one moment is stopped.
    """
    stuck = attrs.evolve(CLOCK, evolve=lambda draft, recorded: setattr(draft, "next_at", AT + HOUR))
    book = Rulebook((stuck,))
    wound = book.handle(empty(TOWER, book=book), Wind(hours=1), context()).record

    with pytest.raises(RulebookError, match="more than"):
        book.elapse(wound, context(AT + HOUR))


def test_next_due_moment_is_the_earliest_of_all_rule_sets():
    """
    A record is due when the first of its rule sets is; without any it never is.
    """
    wound = BOOK.handle(empty(TOWER), Wind(hours=1), context()).record

    assert AT + HOUR / 2 == BOOK.due(wound, definitions())
    assert [("clock", AT + HOUR), ("cuckoo", AT + HOUR / 2)] == [
        (rule_set.name, moment) for rule_set, moment in BOOK.dues(wound, definitions())
    ]
    assert None is BOOK.due(empty(TOWER), definitions())
    assert None is BOOK.due(empty(PURSE), definitions())


# Reactions


def test_reactions_go_depth_first_in_the_order_of_the_rule_sets():
    """
    What follows from an event follows at once: first all that its first follower sets off, then the
    next follower; a later rule set sees what an earlier one has done.
    """
    decision = BOOK.handle(empty(TOWER), GREAT, context())

    assert ["great", "small", "small-2", "smallest", "smallest-3", "great-3"] == names(decision)
    assert ("great", "small", "smallest") == decision.record.of(Bells).rung


def test_reaction_names_its_cause_and_has_its_time():
    """
    An event that follows from another happens when it did and names it as its cause.
    """
    yesterday = AT - timedelta(days=1)

    decision = BOOK.handle(empty(TOWER), attrs.evolve(GREAT, occurred_at=yesterday), context())

    ids = {name: r.event_id for name, r in zip(names(decision), decision.events, strict=True)}
    assert {
        "great": None,
        "small": ids["great"],
        "small-2": ids["small"],
        "smallest": ids["great"],
        "smallest-3": ids["smallest"],
        "great-3": ids["great"],
    } == {
        name: recorded.causation_id
        for name, recorded in zip(names(decision), decision.events, strict=True)
    }
    assert {yesterday} == {recorded.occurred_at for recorded in decision.events}


def chatter(record, recorded, _context):
    """Whatever is heard is answered."""
    sounds = {Rung: Echoed, Answered: Echoed, Echoed: Answered}
    yield PendingEvent(sounds[recorded.event_class](name=recorded.event.name), rule="CHAT-1")


@pytest.mark.parametrize(
    "rule_sets",
    [
        pytest.param(
            (
                attrs.evolve(BELLS, react=chatter, hears=(Echoed,)),
                attrs.evolve(ECHOES, react=chatter, hears=(Answered,)),
            ),
            id="two rule sets",
        ),
        pytest.param(
            (attrs.evolve(BELLS, react=chatter, events=(Rung, Answered, Echoed)),), id="one"
        ),
    ],
)
def test_rule_sets_that_react_in_a_circle_are_refused(rule_sets):
    """
    Reactions are bounded: a circle ends with an error that says so, and not by running out of
    stack.
    """
    book = Rulebook(rule_sets)

    with pytest.raises(RulebookError, match="react in a circle"):
        book.handle(empty(TOWER, book=book), GREAT, context())


def test_long_chain_of_reactions_is_followed_to_its_end():
    """
    A chain that ends is followed however deep it is, up to `APPEND_EVENTS_MAX`.
    """

    def countdown(_record, recorded, _context):
        left = int(recorded.event.name)
        if left:
            yield PendingEvent(Answered(name=Code(str(left - 1))), rule="CHAIN-1")

    book = Rulebook((attrs.evolve(BELLS, react=countdown),))
    last = APPEND_EVENTS_MAX - 1

    decision = book.handle(empty(TOWER, book=book), Ring(names=(Code(str(last)),)), context())

    assert APPEND_EVENTS_MAX == len(decision.events)
    with pytest.raises(RulebookError):
        book.handle(empty(TOWER, book=book), Ring(names=(Code(str(last + 1)),)), context())


def test_rule_set_of_a_journal_that_was_not_named_does_not_react():
    """
    A reaction may not add a journal: without a purse nobody is paid, with one it is.
    """
    without = BOOK.handle(empty(TOWER), SMALL, context())
    with_purse = BOOK.handle(empty(TOWER, PURSE), SMALL, context())

    assert [TOWER, TOWER] == [recorded.journal for recorded in without.events]
    assert [TOWER, TOWER, PURSE] == [recorded.journal for recorded in with_purse.events]
    assert 1 == with_purse.record.of(Purse).coins
