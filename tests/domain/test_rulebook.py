"""
The rulebook: elapse, decide, react, and what comes of it.

The rules here are a toy: bells ring, echo and fall silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import attrs
import pytest

from clientela.domain.context import Context
from clientela.domain.draft import State, state
from clientela.domain.errors import KeyTakenError, RefusedError
from clientela.domain.event import (
    SYSTEM,
    Actor,
    ActorKind,
    Key,
    Origin,
    PendingEvent,
    RecordedEvent,
    event,
    event_type,
)
from clientela.domain.fingerprint import Fingerprint, MismatchError
from clientela.domain.ids import (
    Blind,
    ClientId,
    Code,
    EmployeeId,
    JournalId,
    JournalKind,
    PrincipalId,
    Ref,
    UnitId,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.personal import TokenVault
from clientela.domain.record import (
    HistoryNeededError,
    Holder,
    JournalNotNamedError,
    Record,
)
from clientela.domain.rulebook import APPEND_EVENTS_MAX, Rulebook, RulebookError
from clientela.domain.ruleset import RuleSet
from tests.domain.spec import AT, Roster, TrimmedForms, definitions


TOWER = client_journal(ClientId("tower"))
CHAPEL = client_journal(ClientId("chapel"))
PURSE = wallet_journal(WalletId("tower"))
HOUR = timedelta(hours=1)
RINGER = Actor(ActorKind.EMPLOYEE, PrincipalId("ringer"))
DEPUTY = Actor(ActorKind.EMPLOYEE, PrincipalId("deputy"))


@event("test-rung", origin=Origin.DECIDED)
class Rung:
    """Somebody rang."""

    name: Code


@event("test-answered", origin=Origin.DERIVED)
class Answered:
    """Another bell answered."""

    name: Code


@event("test-echoed", origin=Origin.DERIVED)
class Echoed:
    """The valley gave back a sound."""

    name: Code


@event("test-struck", origin=Origin.ELAPSED)
class Struck:
    """The clock struck."""

    clock: Code


@event("test-wound", origin=Origin.RECORDED)
class Wound:
    """The clock was wound for some hours."""

    hours: int


@event("test-paid", origin=Origin.DERIVED)
class Paid:
    """The ringer was paid."""

    name: Code


@state(JournalKind.CLIENT)
class Bells(State):
    """What rang so far."""

    rung: tuple[Code, ...] = ()


@state(JournalKind.CLIENT)
class Echoes(State):
    """What came back so far."""

    heard: tuple[Code, ...] = ()


@state(JournalKind.CLIENT)
class Clock(State):
    """A clock that strikes every hour while it goes."""

    next_at: datetime | None = None
    left: int = 0


@state(JournalKind.CLIENT)
class Cuckoo(State):
    """A second clock."""

    next_at: datetime | None = None
    left: int = 0


@state(JournalKind.WALLET)
class Purse(State):
    """What ringing has brought in."""

    coins: int = 0


@attrs.frozen(kw_only=True)
class Ring:
    """Ring bells, one after the other."""

    names: tuple[Code, ...]
    journal: JournalId = TOWER
    purse: JournalId | None = None
    reserve: tuple[Key, ...] = ()
    release: tuple[Key, ...] = ()
    occurred_at: datetime | None = None

    def journals(self):
        return (self.journal,) if self.purse is None else (self.purse, self.journal)


@attrs.frozen(kw_only=True)
class Wind:
    """Wind the clock up."""

    hours: int
    occurred_at: datetime | None = None

    def journals(self):
        return (TOWER,)


@attrs.frozen(kw_only=True)
class Silence:
    """Nobody may ring; whether the attempt is written down is up to the caller."""

    leaves: tuple[PendingEvent, ...] = ()
    occurred_at: datetime | None = None

    def journals(self):
        return (TOWER,)


def ring(record: Record, command: Ring | Silence, _context: Context) -> Iterable[PendingEvent]:
    """Ring, unless silence is asked for."""
    if isinstance(command, Silence):
        raise RefusedError("it is night", rule="NIGHT-1", leaves=command.leaves)
    for name in command.names:
        yield PendingEvent(
            Rung(name=name), rule="RING-1", reserve=command.reserve, release=command.release
        )


def heard(draft: Bells, recorded) -> None:
    """Note what rang."""
    if isinstance(recorded.event, Rung | Answered):
        draft.rung = (*draft.rung, recorded.event.name)


def answers(record: Record, recorded, _context: Context) -> Iterable[PendingEvent]:
    """Two answers to the great bell."""
    if isinstance(recorded.event, Rung) and recorded.event.name == "great":
        for name in ("small", "smallest"):
            yield PendingEvent(Answered(name=Code(name)), rule="RING-2", because=(recorded.ref,))


def echo(record: Record, recorded, _context: Context) -> Iterable[PendingEvent]:
    """Every sound comes back once; the echo tells how many bells have rung by then."""
    if isinstance(recorded.event, Rung | Answered):
        count = len(record.of(Bells).rung)
        yield PendingEvent(Echoed(name=Code(f"{recorded.event.name}-{count}")), rule="ECHO-1")


def gave_back(draft: Echoes, recorded) -> None:
    """Note what came back."""
    if isinstance(recorded.event, Echoed):
        draft.heard = (*draft.heard, recorded.event.name)


def pay(record: Record, recorded, _context: Context) -> Iterable[PendingEvent]:
    """Ringing is paid into the purse."""
    if isinstance(recorded.event, Rung):
        yield PendingEvent(Paid(name=recorded.event.name), rule="PAY-1")


def paid(draft: Purse, recorded) -> None:
    """Count the coins."""
    draft.coins += isinstance(recorded.event, Paid)


def strikes(kind: type, name: str, every: timedelta):
    """`due`, `elapse` and `evolve` of a clock."""

    def due(record, _definitions):
        return record.of(kind).next_at

    def elapse(record, context):
        assert record.of(kind).next_at == context.now
        yield PendingEvent(Struck(clock=Code(name)), rule="CLOCK-1")

    def evolve(draft, recorded):
        if isinstance(recorded.event, Wound):
            draft.left = recorded.event.hours
            draft.next_at = recorded.occurred_at + every if draft.left else None
        if isinstance(recorded.event, Struck) and recorded.event.clock == name:
            draft.left -= 1
            draft.next_at = recorded.occurred_at + every if draft.left else None

    return {"due": due, "elapse": elapse, "evolve": evolve}


def wind(_record, command: Wind, _context):
    """Wind the clock."""
    return (PendingEvent(Wound(hours=command.hours), rule="CLOCK-2"),)


def nothing(_draft, _recorded) -> None:
    """Fold nothing."""


BELLS = RuleSet(
    name="bells",
    state=Bells,
    commands=(Ring, Silence),
    events=(Rung, Answered),
    decide=ring,
    evolve=heard,
    react=answers,
    keys=lambda command, _naming: command.reserve,
)
ECHOES = RuleSet(
    name="echoes",
    state=Echoes,
    events=(Echoed,),
    hears=(Rung, Answered),
    evolve=gave_back,
    react=echo,
)
CLOCK = RuleSet(
    name="clock",
    state=Clock,
    commands=(Wind,),
    events=(Wound, Struck),
    decide=wind,
    **strikes(Clock, "clock", HOUR),
)
CUCKOO = RuleSet(
    name="cuckoo", state=Cuckoo, hears=(Wound, Struck), **strikes(Cuckoo, "cuckoo", HOUR / 2)
)
PURSES = RuleSet(name="purses", state=Purse, events=(Paid,), hears=(Rung,), evolve=paid, react=pay)
BOOK = Rulebook((BELLS, ECHOES, CLOCK, CUCKOO, PURSES))


def context(now: datetime = AT, **changes: object) -> Context:
    """A context whose ids count up."""
    numbers = iter(range(1, APPEND_EVENTS_MAX + 10))
    given = {
        "now": now,
        "actor": RINGER,
        "definitions": definitions(),
        "staff": Roster(),
        "vault": TokenVault(b"rulebook"),
        "forms": TrimmedForms(),
        "new_id": lambda: f"i{next(numbers)}",
    }
    return Context(**{**given, **changes})  # type: ignore[arg-type]


def empty(*journal_ids: JournalId, book: Rulebook = BOOK, holders=None) -> Record:
    """A record of journals that do not exist yet."""
    return Record((book.empty(j) for j in journal_ids), holders)


def names(decision) -> list[str]:
    """What was recorded, one word each."""
    return [
        str(getattr(recorded.event, "name", None) or getattr(recorded.event, "clock", "wound"))
        for recorded in decision.events
    ]


GREAT = Ring(names=(Code("great"),))
SMALL = Ring(names=(Code("little"),))


def key(value: str) -> Key:
    """A key."""
    return Key(Code("bell"), Blind(value))


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
