"""
A company in memory: commands one after the other, and time.
"""

from __future__ import annotations

import contextlib

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs
import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.company import Company, together
from clientela.domain.draft import State, state
from clientela.domain.errors import KeyTakenError, RefusedError
from clientela.domain.event import Key, Origin, PendingEvent, RecordedEvent, event
from clientela.domain.ids import (
    Blind,
    ClientId,
    Code,
    EmployeeId,
    JournalId,
    JournalKind,
    WalletId,
    client_journal,
    employee_journal,
    wallet_journal,
)
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.staff import STAFF, RecordLeaving
from clientela.domain.organisation.units import UNITS, RegisterUnit, UnitKind
from clientela.domain.ownership.claim import Approach, ApproachRefused, ClientClaimed
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.lapse import OwnershipLapsed
from clientela.domain.ownership.policy import OwnershipPolicy
from clientela.domain.ownership.refusals import ClientTakenError, SellerLeftError
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.personal import Personal, TokenVault, Vault
from clientela.domain.purchase.recording import PURCHASE
from clientela.domain.record import HistoryNeededError
from clientela.domain.rulebook import Rulebook
from clientela.domain.ruleset import RuleSet
from clientela.domain.run import RulebookError
from tests.domain.purchase.till import TEA, back, bought, line, wanted
from tests.domain.register import REGISTER, Register, Registered
from tests.domain.spec import (
    AT,
    CLERK,
    IVO,
    MARTA,
    NORA,
    NORTH,
    SOUTH,
    Roster,
    Scenario,
    TrimmedForms,
    definitions,
)


PETRA = ClientId("petra")
OLGA = ClientId("olga")
EVA = ClientId("eva")
CLIENTS = (PETRA, OLGA, EVA)
PHONE = Code("phone")
DAY = timedelta(days=1)
LAPSE = OwnershipPolicy(lapses_after_days=30)


def approach(client: ClientId, seller: EmployeeId, note: str | None = None) -> Approach:
    """An approach with an offer."""
    return Approach(
        client_id=client,
        employee_id=seller,
        channel=PHONE,
        note=None if note is None else Personal(note),
    )


def company(*rule_sets: RuleSet, now: datetime = AT, vault: Vault | None = None) -> Scenario:
    """A company whose ownership lapses after thirty days."""
    scenario = Scenario(*(rule_sets or (REGISTER, OWNERSHIP)), sections=[LAPSE])
    if vault is not None:
        scenario.vault = vault
    return scenario.at(now)


def said(events: Iterable[RecordedEvent]) -> list[tuple[JournalId, int, object, datetime]]:
    """What was recorded, where and when, without the envelope's own ids."""
    return [(r.journal, r.version, r.event, r.occurred_at) for r in events]


# Time


def test_time_moves_on_and_lets_due_moments_happen_in_order_over_all_journals():
    """
    Moving the clock lets everything due happen on the way, at its own moment, the earliest first
    whichever journal it is in.
    """
    firm = company()
    for day, client in ((2, OLGA), (0, PETRA), (1, EVA)):
        firm.at(AT).when(Register(client_id=client))
        firm.at(AT + day * DAY).when(approach(client, MARTA))
    count = len(firm.events)

    firm.at(AT + 3 * DAY).advance(AT + 31.5 * DAY)

    assert [(PETRA, AT + 30 * DAY), (EVA, AT + 31 * DAY)] == [
        (recorded.event.client_id, recorded.occurred_at) for recorded in firm.events[count:]
    ]
    assert AT + 31.5 * DAY == firm.now


def test_what_is_due_at_the_moment_the_clock_is_moved_to_happens():
    """
    A moment has come when the clock stands at it, and not a moment before.
    """
    firm = company()
    firm.when(Register(client_id=PETRA), approach(PETRA, MARTA))

    last = []
    for moment in (AT + 30 * DAY - timedelta(microseconds=1), AT + 30 * DAY):
        firm.advance(moment)
        last.append(firm.events[-1].event_class)

    assert [ClientClaimed, OwnershipLapsed] == last
    assert {AT + 30 * DAY} == {firm.now, firm.events[-1].recorded_at}


def test_advancing_again_changes_nothing():
    """
    Time that has passed does not pass again, and never runs backwards.
    """
    firm = company()
    firm.when(Register(client_id=PETRA), approach(PETRA, MARTA))
    firm.advance(AT + 40 * DAY)
    was = list(firm.events)

    firm.advance(AT + 40 * DAY)
    firm.advance(AT)

    assert (was, AT + 40 * DAY) == (firm.events, firm.now)


happenings = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(CLIENTS), st.sampled_from([MARTA, IVO, NORA])),
    max_size=15,
)


@given(happenings, st.lists(st.integers(1, 30), max_size=20))
def test_one_late_run_equals_many_punctual_ones(happened, steps):
    """
    However often and in whatever steps the clock is moved, and also if it is only looked at when
    somebody comes, the same has happened in each journal at the same moments.
    """
    late, punctual = company(), company()
    for firm in (late, punctual):
        firm.when(*(Register(client_id=client) for client in CLIENTS))
    now = AT
    for wait, client, seller in happened:
        for step in steps:
            punctual.advance(min(punctual.now + step * DAY, now + wait * DAY))
        now += wait * DAY
        punctual.advance(now)
        for firm in (late, punctual.at(now)):
            _try(firm.at(now), approach(client, seller))
    late.advance(now + 100 * DAY)
    punctual.advance(now + 50 * DAY)
    punctual.advance(now + 100 * DAY)

    for client in CLIENTS:
        journal = client_journal(client)
        assert said(late.history(journal)) == said(punctual.history(journal))
        assert late.record(journal).of(Ownership) == punctual.record(journal).of(Ownership)


def _try(firm: Scenario, command: Approach) -> None:
    with contextlib.suppress(RefusedError):
        firm.when(command)


def test_looking_shows_what_time_has_done_and_writes_nothing():
    """
    A read lets time elapse before it shows anything, and appends nothing.
    """
    firm = company()
    firm.when(Register(client_id=PETRA), approach(PETRA, MARTA))
    was = list(firm.events)

    owners = [
        firm.at(AT + n * DAY).record(client_journal(PETRA)).of(Ownership).owner_id
        for n in (29, 30, 29)
    ]

    assert [MARTA, None, MARTA] == owners
    assert was == firm.events


# Commands


def test_events_stand_in_their_journal_and_in_the_order_of_appending():
    """
    What a command comes to is appended, journal by journal gapless, over all in one order.
    """
    firm = company()
    firm.when(Register(client_id=PETRA), Register(client_id=OLGA), approach(PETRA, MARTA))

    assert [PETRA, OLGA, PETRA, PETRA] == [recorded.journal.id for recorded in firm.events]
    assert [1, 2, 3] == [r.version for r in firm.history(client_journal(PETRA))]
    assert () == firm.history(client_journal(EVA))
    assert [client_journal(PETRA), client_journal(OLGA)] == list(
        firm.journal_ids(JournalKind.CLIENT)
    )
    assert [] == list(firm.journal_ids(JournalKind.WALLET))
    assert {CLERK} == {recorded.actor for recorded in firm.events}


def test_refusal_is_raised_and_what_it_leaves_is_on_record():
    """
    OWN-2: a refused approach is refused, and recorded as that.
    """
    firm = company()
    firm.when(Register(client_id=PETRA), approach(PETRA, MARTA))

    with pytest.raises(ClientTakenError):
        firm.when(approach(PETRA, IVO))

    assert ApproachRefused is firm.events[-1].event_class
    assert MARTA == firm.record(client_journal(PETRA)).of(Ownership).owner_id


def test_command_that_is_already_so_appends_nothing():
    """
    Who is in the base already is not put there again.
    """
    firm = company()

    assert [1, 0] == [len(firm.when(Register(client_id=PETRA))) for _ in range(2)]
    assert 1 == len(firm.events)


def test_staff_and_units_are_those_of_the_companys_own_journals():
    """
    Without other staff facts the company's own journals tell who works where and who has left.
    """
    firm = Company(
        Rulebook((REGISTER, UNITS, STAFF, OWNERSHIP)),
        definitions=definitions(),
        vault=TokenVault(b"company"),
        forms=TrimmedForms(),
        now=AT,
    )
    firm.run(RegisterUnit(unit_id=NORTH, kind=UnitKind.BRANCH, label=Code("north")))
    firm.run(RegisterEmployee(employee_id=MARTA, unit_id=NORTH, name=Personal("Marta")))
    firm.run(Register(client_id=PETRA))
    firm.run(approach(PETRA, MARTA))

    member, place = firm.member(MARTA), firm.place(NORTH)
    assert member is not None
    assert place is not None
    assert (MARTA, NORTH, None) == (member.employee_id, member.unit_id, member.left_at)
    assert (NORTH, None) == (place.unit_id, place.parent_id)
    assert (None, None) == (firm.member(IVO), firm.place(SOUTH))

    firm.run(RecordLeaving(employee_id=MARTA, left_at=AT))
    with pytest.raises(SellerLeftError):
        firm.run(approach(PETRA, MARTA))
    assert [employee_journal(MARTA)] == list(firm.journal_ids(JournalKind.EMPLOYEE))


# What rules turn out to need


@event("test-labelled", origin=Origin.RECORDED)
class Labelled:
    """A client got a label."""

    label: Code


@state(JournalKind.CLIENT)
class Labels(State):
    """Whether the client has one."""

    due_at: datetime | None = None
    count: int = 0


@attrs.frozen(kw_only=True)
class Label:
    """Give a client a label that nobody else has."""

    client_id: ClientId
    label: Code
    gives_back: bool = False
    occurred_at: datetime | None = None

    def journals(self):
        return (client_journal(self.client_id),)


def _labels(record, command, _context):
    key = Key(Code("label"), Blind(command.label))
    released = (key,) if command.gives_back else ()
    event = Labelled(label=command.label)
    return (
        PendingEvent(event, rule="LABEL-1", reserve=() if released else (key,), release=released),
    )


def _count(record, recorded, _context):
    if isinstance(recorded.event, Labelled) and recorded.event.label == "counted":
        count = len(record.history(JournalKind.CLIENT))
        yield PendingEvent(Labelled(label=Code(f"{count}-so-far")), rule="LABEL-2")


def _tick(record, _context):
    count = len(record.history(JournalKind.CLIENT))
    return (PendingEvent(Labelled(label=Code(f"{count}-at-last")), rule="LABEL-3"),)


def _labelled(draft, recorded):
    draft.count += 1
    draft.due_at = recorded.occurred_at + DAY if draft.count < 3 else None


LABELS = RuleSet(
    name="labels",
    state=Labels,
    commands=(Label,),
    events=(Labelled,),
    decide=_labels,
    react=_count,
    evolve=_labelled,
)
TICKING = attrs.evolve(LABELS, due=lambda record, _: record.of(Labels).due_at, elapse=_tick)


def labels(firm: Company, client: ClientId) -> list[str]:
    """Labels of a client, in order."""
    return [
        recorded.event.label
        for recorded in firm.history(client_journal(client))
        if isinstance(recorded.event, Labelled)
    ]


def test_key_is_not_stolen_by_a_rule_set_that_did_not_ask_for_its_holder():
    """
    Whoever holds a key keeps it, also where a rule set reserves it without having named it: as in
    the services, the rules are asked again with the holder in sight.
    """
    firm = company(REGISTER, LABELS)
    mine = Label(client_id=PETRA, label=Code("a"))
    theirs = Label(client_id=OLGA, label=Code("a"))
    firm.when(mine)
    holder = firm.holder(Key(Code("label"), Blind("a")))

    with pytest.raises(KeyTakenError):
        firm.when(theirs)
    firm.when(mine)
    assert holder is not None
    assert holder == firm.holder(Key(Code("label"), Blind("a")))

    firm.when(attrs.evolve(mine, gives_back=True))
    assert None is firm.holder(Key(Code("label"), Blind("a")))
    assert 1 == len(firm.when(theirs))


def test_rules_get_the_history_they_ask_for_whatever_they_do():
    """
    A rule may need the whole journal when it decides or reacts, when time elapses, when a fact is
    kept and when somebody looks; each time it is given.
    """
    firm = company(REGISTER, TICKING)
    firm.when(Register(client_id=PETRA), Label(client_id=PETRA, label=Code("counted")))
    assert ["counted", "2-so-far"] == labels(firm, PETRA)

    assert 3 == firm.at(AT + 2 * DAY).record(client_journal(PETRA)).of(Labels).count
    firm.advance(AT + 9 * DAY)
    assert ["counted", "2-so-far", "3-at-last"] == labels(firm, PETRA)

    other = company(REGISTER, TICKING)
    other.keep(firm.events[0])
    other.keep(firm.events[1])
    assert ["counted", "2-so-far"] == labels(other, PETRA)


def test_rule_set_that_is_never_content_is_stopped():
    """
    What rules may ask for is bounded.
    """

    def greedy(record, _command, _context):
        raise HistoryNeededError(client_journal(PETRA))

    firm = company(REGISTER, attrs.evolve(LABELS, decide=greedy))

    with pytest.raises(RulebookError, match="asked for more"):
        firm.when(Label(client_id=PETRA, label=Code("a")))


# Another run's history


def lively() -> Scenario:
    """A company with some history: notes, a refusal, purchases, a return, a lapse."""
    firm = company(REGISTER, OWNERSHIP, PURCHASE)
    firm.when(
        Register(client_id=PETRA),
        Register(client_id=OLGA),
        approach(PETRA, MARTA, "likes tea"),
        bought(1, line("1", TEA, 3, 300)),
    )
    _try(firm, approach(PETRA, IVO))
    firm.at(AT + 5 * DAY).when(back(2, wanted(1, TEA), day=2), approach(OLGA, IVO, "prefers cups"))
    return firm


def test_restored_company_is_as_it_was_and_goes_on():
    """
    A company that takes over a history has the same states, versions and due moments as the one
    that made it, and what happens next is the same.
    """
    first = lively()
    again = company(REGISTER, OWNERSHIP, PURCHASE, vault=first.vault)
    again.restore(first.events)

    assert (first.events, first.now) == (again.events, again.now)
    for firm in (first, again):
        firm.advance(AT + 20 * DAY)
        firm.when(approach(OLGA, IVO), back(3, wanted(1, TEA), day=3))
        firm.advance(AT + 200 * DAY)

    assert said(first.events) == said(again.events)
    assert first.record(client_journal(PETRA)).of(Ownership) == again.record(
        client_journal(PETRA)
    ).of(Ownership)


def test_restored_company_makes_ids_that_are_not_in_the_history():
    """
    No event, append or sealed value of the history is confused with what comes after it.
    """
    first = lively()
    again = company(REGISTER, OWNERSHIP, PURCHASE, vault=first.vault)
    again.restore(first.events)
    count = len(first.events)

    for n in range(count):
        again.when(approach(PETRA, MARTA, f"note {n}"))

    ids = [recorded.event_id for recorded in again.events]
    appends = {recorded.append_id for recorded in first.events}
    assert len(ids) == len(set(ids))
    assert appends.isdisjoint(recorded.append_id for recorded in again.events[count:])
    assert appends.isdisjoint(ids)
    notes = [r.event.note for r in again.events if getattr(r.event, "note", None)]
    assert ["likes tea", "prefers cups", *(f"note {n}" for n in range(count))] == [
        first.vault.open(note) for note in notes
    ]


def test_kept_facts_make_everything_that_follows_anew():
    """
    Facts of another run stay what they were, with their actor; derived events come of themselves.
    """
    first = lively()
    again = company(REGISTER, OWNERSHIP, PURCHASE)

    for recorded in first.events:
        if recorded.type.origin in {Origin.RECORDED, Origin.DECIDED}:
            again.at(recorded.recorded_at).keep(recorded)

    assert said(first.events) == said(again.events)
    assert [r.actor for r in first.events] == [r.actor for r in again.events]
    assert ClientClaimed in {recorded.event_class for recorded in again.events}


def test_kept_fact_lets_time_elapse_first():
    """
    What was due before a fact is kept happens before it.
    """
    firm = company()
    firm.when(Register(client_id=PETRA), approach(PETRA, MARTA))
    fact = attrs.evolve(firm.events[0], occurred_at=AT + 31 * DAY)

    decision = firm.at(AT + 31 * DAY).keep(fact)

    assert [OwnershipLapsed, Registered] == [r.event_class for r in decision.events]


def test_forgetting_a_person_destroys_their_values():
    """
    What an append forgets is gone from the vault once it is appended.
    """
    forgetting = attrs.evolve(
        LABELS,
        decide=lambda _record, command, _context: (
            PendingEvent(
                Labelled(label=command.label), rule="X", forget=(client_journal(command.client_id),)
            ),
        ),
    )
    firm = company(REGISTER, OWNERSHIP, forgetting)
    firm.when(Register(client_id=PETRA), approach(PETRA, MARTA, "likes tea"))
    note = firm.events[1].event.note
    assert "likes tea" == firm.vault.open(note)

    firm.when(Label(client_id=PETRA, label=Code("erased")))

    assert None is firm.vault.open(note)


@pytest.mark.parametrize(
    ("journal", "expected"),
    [
        (client_journal(PETRA), ("client", "wallet")),
        (wallet_journal(WalletId("petra")), ("client", "wallet")),
        (employee_journal(MARTA), ("employee",)),
    ],
)
def test_client_and_own_wallet_move_together(journal, expected):
    """
    Time lets a client and the client's own wallet elapse in one run, since they react to each
    other; other journals stand alone.
    """
    assert expected == tuple(j.kind.value for j in together(journal))
    assert {journal.id} == {j.id for j in together(journal)}


def test_roster_of_the_tests_is_used_where_it_is_given():
    """
    Staff facts from elsewhere stand in for the company's own journals.
    """
    firm = company()

    assert isinstance(firm.staff, Roster)
    assert None is firm.context().units
