"""
The real history through other definitions, and without some of its facts.
"""

from __future__ import annotations

import contextlib

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest

from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.domain.backtest import Difference, Kind, backtest, without
from clientela.domain.company import Company
from clientela.domain.context import Definitions
from clientela.domain.draft import State, state
from clientela.domain.errors import DomainError
from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import Direction, EndKind, Purpose
from clientela.domain.ids import ClientId, Code, EmployeeId, JournalKind, Ref, client_journal
from clientela.domain.interaction.conflict import RecordConflict, ResolveConflict
from clientela.domain.interaction.departure import RecordDeparture
from clientela.domain.interaction.recording import RecordInteraction
from clientela.domain.interaction.rules import INTERACTION
from clientela.domain.interaction.signals import RecordSignal
from clientela.domain.ownership.claim import Approach, ApproachRefused, ClientClaimed
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.orphaning import OrphanClient
from clientela.domain.ownership.policy import CONFLICT, EMPLOYEE_LEFT, OwnershipPolicy
from clientela.domain.ownership.refusals import ClientTakenError
from clientela.domain.ownership.replacement import OwnerReplaced, ReplaceOwner
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.personal import Personal
from clientela.domain.purchase.policy import PurchasePolicy
from clientela.domain.purchase.recording import PURCHASE, RecordPurchase, RecordReturn
from clientela.domain.ruleset import Command, RuleSet
from tests.domain.purchase.till import TEA, key, line, wanted
from tests.domain.register import REGISTER, Register
from tests.domain.spec import AT, CLERK, IVO, MARTA, NORA, Scenario, definitions


PETRA = ClientId("petra")
OLGA = ClientId("olga")
CLIENTS = (PETRA, OLGA)
SELLERS = (MARTA, IVO, NORA)
PHONE = Code("phone")
MOVED = Code("moved")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
IVO_LEAVES = AT + 12 * DAY


def firm(given_definitions: Definitions) -> Scenario:
    """An empty company; Ivo is going to leave it."""
    scenario = Scenario(REGISTER, OWNERSHIP, INTERACTION, PURCHASE)
    scenario.definitions = given_definitions
    scenario.roster.leave(IVO, IVO_LEAVES)
    return scenario


def run(company: Company, *commands: Command) -> None:
    """Run commands; what is refused is refused."""
    for command in commands:
        with contextlib.suppress(DomainError):
            company.run(command, CLERK)


def begun(given_definitions: Definitions) -> Scenario:
    """A company with its clients."""
    company = firm(given_definitions)
    run(company, *(Register(client_id=client) for client in CLIENTS))
    return company


def approach(client: ClientId, seller: EmployeeId, **changes: object) -> Approach:
    """An approach with an offer."""
    return Approach(client_id=client, employee_id=seller, channel=PHONE, **changes)  # type: ignore[arg-type]


# Random histories

clients = st.sampled_from(CLIENTS)
sellers = st.sampled_from(SELLERS)
numbers = st.integers(0, 9)

approaches = st.builds(
    lambda client, seller, with_offer, note: approach(
        client, seller, with_offer=with_offer, note=Personal("note") if note else None
    ),
    clients,
    sellers,
    st.booleans(),
    st.booleans(),
)
replacements = st.builds(
    lambda client, seller, reason: ReplaceOwner(
        client_id=client, employee_id=seller, reason=reason
    ),
    clients,
    sellers,
    st.sampled_from([CONFLICT, EMPLOYEE_LEFT, MOVED]),
)
orphans = st.builds(
    lambda client, seller: OrphanClient(client_id=client, employee_id=seller), clients, sellers
)
conflicts = st.builds(
    lambda client, seller: RecordConflict(
        client_id=client, employee_id=seller, cause=Code("error"), note=Personal("shouted")
    ),
    clients,
    sellers,
)
contacts = st.builds(
    lambda client, seller: RecordInteraction(
        client_id=client,
        channel=PHONE,
        direction=Direction.INBOUND,
        purpose=Purpose.ENQUIRY,
        kind=Code("call"),
        employee_id=seller,
    ),
    clients,
    sellers,
)
others = st.builds(
    lambda client, which: (
        ResolveConflict(client_id=client, handled_well=True),
        RecordSignal(client_id=client, signal=Code("trial"), holds=True),
        RecordSignal(client_id=client, signal=Code("trial"), holds=False),
        RecordDeparture(client_id=client, causes=(Code("other"),), ended=EndKind.BY_CLIENT),
    )[which],
    clients,
    st.integers(0, 3),
)
purchases = st.builds(
    lambda client, number, quantity: RecordPurchase(
        client_id=client,
        purchase=key(f"{client}-{number}"),
        lines=(line("1", TEA, quantity, quantity * 100),),
    ),
    clients,
    numbers,
    st.integers(1, 3),
)
returns = st.builds(
    lambda client, number, quantity, purchase: RecordReturn(
        client_id=client,
        return_key=key(f"{client}-{number}"),
        currency="EUR",
        lines=(wanted(quantity, TEA, None, f"{client}-{number}" if purchase else None),),
    ),
    clients,
    numbers,
    st.integers(1, 3),
    st.booleans(),
)
commands = approaches | replacements | orphans | conflicts | contacts | others | purchases | returns
steps = st.tuples(st.integers(0, 15), st.integers(0, 5), commands)
policies = st.builds(
    OwnershipPolicy,
    special_cases=st.sampled_from([(), (MOVED,)]),
    lapses_after_days=st.none() | st.integers(1, 40),
)


def lived(given_definitions: Definitions, history: Sequence[tuple[int, int, Command]]) -> Scenario:
    """A company after some commands, each so many days after the last and known so many late."""
    company = begun(given_definitions)
    for wait, late, command in history:
        company.now += wait * DAY + HOUR
        made: Any = command
        run(company, attrs.evolve(made, occurred_at=company.now - late * DAY))
    return company


@given(
    st.lists(steps, max_size=25),
    policies,
    st.none() | st.integers(0, 20),
    st.none() | st.integers(0, 99),
)
def test_unchanged_definitions_give_the_empty_difference(history, policy, term, rest):
    """
    Whatever happened, in whatever order it became known, with ownership that lapses or not: run
    once more under the same definitions it comes out the same, also where time has still to pass.
    """
    same = definitions(policy, PurchasePolicy(returnable_days=term))
    company = lived(same, history)
    until = None if rest is None else company.now + rest * DAY

    assert () == backtest(company.events, firm, same, same, until=until)


@pytest.mark.parametrize("day", [-1, 0, 1, 5, 12, 30])
def test_time_may_stop_within_the_history(day):
    """
    What was recorded after *until* is in neither history: unchanged definitions give the empty
    difference wherever time stops, and others only what they change up to then.
    """
    kept, shorter = (definitions(OwnershipPolicy(lapses_after_days=days)) for days in (10, 3))
    company = lived(kept, [(0, 0, approach(PETRA, MARTA)), (1, 0, approach(OLGA, NORA))])
    company.advance(company.now + 20 * DAY)
    until = AT + day * DAY

    assert () == backtest(company.events, firm, kept, kept, until=until)
    found = backtest(company.events, firm, kept, shorter, until=until)
    assert all(difference.occurred_at <= until for difference in found)
    assert bool(found) == (day >= 5)


# Against an independent count

attempts = st.lists(st.tuples(st.integers(1, 20), clients, sellers), max_size=20)
terms = st.none() | st.integers(1, 40)
Happened = tuple[str, datetime, str, str]


def counted(
    tried: Sequence[tuple[int, ClientId, EmployeeId]], term: int | None, until: datetime
) -> Counter[Happened]:
    """What approaches come to under a term, by plain arithmetic."""
    found: Counter[Happened] = Counter()
    owner: dict[ClientId, tuple[EmployeeId, datetime]] = {}

    def lapse(now: datetime) -> None:
        for client, (seller, touched) in list(owner.items()):
            if term is not None and touched + term * DAY <= now:
                found[client, touched + term * DAY, "ownership-lapsed.v1", seller] += 1
                del owner[client]

    now = AT
    for wait, client, seller in tried:
        now += wait * DAY
        lapse(now)
        holder = owner.get(client, (None, now))[0]
        if holder not in {None, seller}:
            found[client, now, "approach-refused.v1", seller] += 1
            continue
        found[client, now, "approach-made.v1", seller] += 1
        if holder is None:
            found[client, now, "client-claimed.v1", seller] += 1
        owner[client] = seller, now
    lapse(until)
    return found


def named(difference: Difference) -> Happened:
    """Client, moment, event and seller of a difference."""
    plain = difference.value()
    who = plain.get("employee_id") or plain["owner_id"]
    return difference.journal.id, difference.occurred_at, difference.name, who


@given(attempts, terms, terms)
def test_difference_under_another_term_is_that_of_an_independent_count(tried, before, after):
    """
    With another term of ownership the difference lists exactly what plain arithmetic lists: lapses
    that would or would not have been, claims, approaches and refusals that follow from them.
    """
    kept, changed = (
        definitions(OwnershipPolicy(lapses_after_days=term)) for term in (before, after)
    )
    company = begun(kept)
    for wait, client, seller in tried:
        company.now += wait * DAY
        company.roster.leave(IVO, AT + 9999 * DAY)
        run(company, approach(client, seller))
    until = company.now + 45 * DAY

    def staying(given_definitions: Definitions) -> Company:
        staff = firm(given_definitions)
        staff.roster.leave(IVO, AT + 9999 * DAY)
        return staff

    found = backtest(company.events, staying, kept, changed, until=until)

    was, would = counted(tried, before, until), counted(tried, after, until)
    assert was - would == Counter(named(d) for d in found if d.kind is not Kind.NEW)
    assert would - was == Counter(named(d) for d in found if d.kind is Kind.NEW)
    refused = [d for d in found if d.kind is Kind.REFUSED]
    assert {("approach-made.v1", "CLIENT_TAKEN")} >= {(d.name, d.reason) for d in refused}
    assert [] == [d for d in found if d.kind is Kind.GONE and d.name == "approach-made.v1"]


# What would be refused


def test_decided_event_that_would_be_refused_is_listed_with_its_reason():
    """
    What was allowed and would not have been is listed as refused, with the reason, and what
    followed from it as gone.
    """
    kept = definitions(OwnershipPolicy(special_cases=(MOVED,)))
    company = begun(kept)
    run(company, approach(PETRA, MARTA))
    company.at(AT + DAY)
    run(company, ReplaceOwner(client_id=PETRA, employee_id=NORA, reason=MOVED))
    company.at(AT + 2 * DAY)
    run(company, approach(PETRA, NORA))

    refused, *followed = sorted(
        backtest(company.events, firm, kept, definitions()), key=lambda d: d.occurred_at
    )

    assert (
        Kind.REFUSED,
        client_journal(PETRA),
        AT + DAY,
        "owner-replaced.v1",
        "REASON_UNLISTED",
    ) == (
        refused.kind,
        refused.journal,
        refused.occurred_at,
        refused.name,
        refused.reason,
    )
    assert {"client_id": "petra", "owner_id": "nora", "unit_id": "south"}.items() <= (
        refused.value().items()
    )
    assert [
        (Kind.NEW, "approach-refused.v1", ""),
        (Kind.REFUSED, "approach-made.v1", "CLIENT_TAKEN"),
    ] == [(d.kind, d.name, d.reason) for d in sorted(followed, key=lambda d: d.name)[::-1]]


def test_refused_approach_that_would_be_allowed_is_listed():
    """
    What was refused and would have been allowed appears as gone and new.
    """
    company = begun(definitions())
    run(company, approach(PETRA, MARTA))
    company.at(AT + 10 * DAY)
    run(company, approach(PETRA, NORA))

    found = backtest(
        company.events, firm, definitions(), definitions(OwnershipPolicy(lapses_after_days=5))
    )

    assert [
        (Kind.NEW, "ownership-lapsed.v1", AT + 5 * DAY),
        (Kind.GONE, "approach-refused.v1", AT + 10 * DAY),
        (Kind.NEW, "approach-made.v1", AT + 10 * DAY),
        (Kind.NEW, "client-claimed.v1", AT + 10 * DAY),
    ] == [(d.kind, d.name, d.occurred_at) for d in found]


def test_recorded_facts_are_never_refused():
    """
    What happened happened, whatever the rules: only what followed from it can differ.
    """
    kept = definitions(PurchasePolicy(returnable_days=None))
    company = begun(kept)
    run(company, _bought(1), _brought_back(2, 30))

    found = backtest(company.events, firm, kept, definitions(PurchasePolicy(returnable_days=0)))

    assert () == found


def _bought(number: int) -> RecordPurchase:
    return RecordPurchase(client_id=PETRA, purchase=key(number), lines=(line("1", TEA, 1, 1),))


def _brought_back(number: int, day: int) -> RecordReturn:
    return RecordReturn(
        client_id=PETRA,
        return_key=key(number),
        currency="EUR",
        lines=(wanted(1, TEA),),
        occurred_at=AT + day * DAY,
    )


def test_nothing_happened_nothing_differs():
    """
    A company without a history has no difference.
    """
    assert () == backtest((), firm, definitions(), definitions(OwnershipPolicy()))


def test_history_itself_stays_as_it_was():
    """
    A backtest changes nothing of what it is run over.
    """
    company = begun(definitions())
    run(company, approach(PETRA, MARTA), approach(PETRA, NORA))
    was = tuple(company.events)

    backtest(company.events, firm, definitions(), definitions(OwnershipPolicy(lapses_after_days=1)))

    assert was == tuple(company.events)


# Without some facts

Answer = tuple[object, ...]


def answered(company: Company, command: Command) -> Answer:
    """What a command comes to: events, or the refusal and who holds the client since when."""
    try:
        return tuple(recorded.event for recorded in company.run(command, CLERK).events)
    except ClientTakenError as refused:
        ownership = company.record(*command.journals()).of(Ownership)
        return (refused.reason, refused.rule, ownership.owner_id, ownership.since, refused.until)
    except DomainError as refused:
        return (refused.reason,)


def asked_again(
    events: Sequence[RecordedEvent],
    recorded: RecordedEvent,
    removed: Sequence[Ref],
    given_definitions: Definitions,
) -> Answer:
    """The command behind *recorded*, in a company in which the removed facts never happened."""
    first = next(i for i, e in enumerate(events) if e.append_id == recorded.append_id)
    root = next(
        command
        for e in events[first:]
        if e.append_id == recorded.append_id
        and (command := firm(given_definitions).rulebook.asks(e)) is not None
    )
    until = events[first - 1].recorded_at
    company = without(events[:first], firm(given_definitions), removed, until)
    company.now = recorded.recorded_at
    return answered(company, root)


def _way(command: Command) -> str:
    """Approaches and replacements are two ways to the same: to own the client."""
    return "own" if isinstance(command, Approach | ReplaceOwner) else type(command).__name__


once = st.lists(
    st.tuples(
        st.integers(1, 15),
        st.just(0),
        approaches.map(lambda a: attrs.evolve(a, with_offer=True, note=None))
        | replacements
        | orphans
        | conflicts,
    ),
    max_size=20,
    unique_by=lambda step: (_way(step[2]), step[2].client_id, step[2].employee_id),
)


@given(once, policies)
@settings(max_examples=150)
def test_removing_any_named_fact_changes_the_answer(history, policy):
    """
    For every claim, replacement and refused approach of random histories in which nobody comes to
    the same twice or by two ways: each fact it names resolves to an event of the history, and had
    that fact not happened, the answer would have been another one.
    """
    same = definitions(policy)
    events = lived(same, history).events
    on_record = {recorded.ref: recorded for recorded in events}

    for recorded in events:
        if recorded.event_class not in {ClientClaimed, OwnerReplaced, ApproachRefused}:
            continue
        answer = asked_again(events, recorded, (), same)
        for fact in recorded.because:
            if on_record[fact].append_id == recorded.append_id:
                assert on_record[fact].event_id == recorded.causation_id
                continue
            assert answer != asked_again(events, recorded, (fact,), same)


def facts(company: Company, cls: type) -> tuple[Ref, ...]:
    """What the last event of a class rests on."""
    return [r.because for r in company.events if r.event_class is cls][-1]


def test_refusal_names_the_claim_and_falls_with_it():
    """
    OWN-2: the refused seller would have been let through had the owner not come first.
    """
    company = begun(definitions())
    run(company, approach(PETRA, MARTA))
    claim = company.events[-1].ref
    run(company, approach(PETRA, MARTA))
    later = company.events[-1].ref
    with pytest.raises(ClientTakenError) as refused:
        company.run(approach(PETRA, NORA))
    assert (claim,) == refused.value.because == facts(company, ApproachRefused)

    removed = (*refused.value.because, later)
    other = without(company.events[:-1], firm(definitions()), removed, AT)

    assert None is other.record(client_journal(PETRA)).of(Ownership).owner_id
    assert NORA == answered(other, approach(PETRA, NORA))[1].owner_id  # type: ignore[attr-defined]


def test_change_of_owner_after_a_conflict_names_conflict_and_claim():
    """
    OWN-4: without the conflict there is no ground, without the claim nobody to replace; other
    contacts of the owner have nothing to do with it.
    """
    company = begun(definitions())
    run(company, approach(PETRA, MARTA))
    claim = company.events[-1].ref
    run(company, RecordConflict(client_id=PETRA, employee_id=MARTA, cause=Code("error")))
    conflict = company.events[-1].ref
    run(company, approach(PETRA, MARTA, with_offer=False))
    run(company, ReplaceOwner(client_id=PETRA, employee_id=NORA, reason=CONFLICT))
    replaced = company.events[-1]

    assert (conflict, claim) == facts(company, OwnerReplaced)
    assert [("NO_GROUND",)] * 2 == [
        asked_again(company.events, replaced, (fact,), definitions()) for fact in (conflict, claim)
    ]


def test_claim_of_an_orphan_names_the_approach_and_the_orphaning():
    """
    OWN-3: the next offer takes an orphan; had the client not been orphaned, it would be refused.
    """
    company = begun(definitions())
    run(company, approach(PETRA, IVO))
    company.at(IVO_LEAVES)
    run(company, OrphanClient(client_id=PETRA, employee_id=IVO))
    orphaned = company.events[-1].ref
    run(company, approach(PETRA, NORA))
    made, claimed = company.events[-2:]

    assert (made.ref, orphaned) == claimed.because
    answer = asked_again(company.events, claimed, (orphaned,), definitions())
    assert ("CLIENT_TAKEN", IVO) == (answer[0], answer[2])


def test_change_of_owner_after_a_leaving_names_what_it_needs():
    """
    OWN-3: the claim is needed for the owner to be replaced as one who has left; that the client
    was found to be orphaned before is not, since the leaving itself is ground enough.
    """
    company = begun(definitions())
    run(company, approach(PETRA, IVO))
    claim = company.events[-1].ref
    company.at(IVO_LEAVES)
    run(company, OrphanClient(client_id=PETRA, employee_id=IVO))
    run(company, ReplaceOwner(client_id=PETRA, employee_id=NORA, reason=EMPLOYEE_LEFT))

    assert (claim,) == facts(company, OwnerReplaced)
    replaced = company.events[-1]
    assert ("NO_GROUND",) == asked_again(company.events, replaced, (claim,), definitions())


def test_change_of_owner_rests_on_the_orphaning_where_the_leaver_is_back():
    """
    OWN-3: who is back at work is replaced because the client was orphaned meanwhile, and only then.
    """
    company = begun(definitions())
    run(company, approach(PETRA, IVO))
    claim = company.events[-1].ref
    company.at(IVO_LEAVES)
    run(company, OrphanClient(client_id=PETRA, employee_id=IVO))
    orphaned = company.events[-1].ref
    company.roster.leave(IVO, AT + 999 * DAY)

    run(company, ReplaceOwner(client_id=PETRA, employee_id=NORA, reason=EMPLOYEE_LEFT))

    assert (orphaned, claim) == facts(company, OwnerReplaced)


@event("test-twinned", origin=Origin.DECIDED)
class Twinned:
    """Something decided, or what stands beside it."""

    count: int


@state(JournalKind.CLIENT)
class Twins(State):
    """How many were made."""

    count: int = 0


@attrs.frozen(kw_only=True)
class MakeTwins:
    """Make two decided events at once."""

    client_id: ClientId = PETRA
    occurred_at: datetime | None = None

    def journals(self):
        return (client_journal(self.client_id),)


TWINS = RuleSet(
    name="twins",
    state=Twins,
    commands=(MakeTwins,),
    events=(Twinned,),
    decide=lambda record, _command, _context: tuple(
        PendingEvent(Twinned(count=record.of(Twins).count + n), rule="TWIN-1") for n in (1, 2)
    ),
    evolve=lambda draft, _recorded: setattr(draft, "count", draft.count + 1),
    asks=lambda recorded: (
        MakeTwins(occurred_at=recorded.occurred_at) if recorded.event.count % 2 else None
    ),
)


def test_of_decided_events_made_together_one_is_asked_again():
    """
    A command that decides several events is asked once, not once for each.
    """

    def pair(given_definitions: Definitions) -> Scenario:
        scenario = Scenario(TWINS)
        scenario.definitions = given_definitions
        return scenario

    company = pair(definitions())
    run(company, MakeTwins(), MakeTwins())

    assert [1, 2, 3, 4] == [recorded.event.count for recorded in company.events]
    assert () == backtest(company.events, pair, definitions(), definitions())


def test_derived_fact_goes_with_its_cause():
    """
    A derived event would be made again as long as its cause stands: to take it away is to take
    away the cause.
    """
    company = begun(definitions())
    run(company, approach(PETRA, MARTA))
    claim = company.events[-1]
    assert ClientClaimed is claim.event_class

    other = without(company.events, firm(definitions()), [claim.ref], AT)

    assert [1, 1] == [len(other.history(client_journal(client))) for client in CLIENTS]


def test_elapsed_fact_goes_with_what_it_rests_on():
    """
    Time cannot be taken away, only what it acted upon.
    """
    same = definitions(OwnershipPolicy(lapses_after_days=5))
    company = begun(same)
    run(company, approach(PETRA, MARTA))
    company.advance(AT + 9 * DAY)
    lapse = company.events[-1]

    other = without(company.events, firm(same), [lapse.ref], AT + 9 * DAY)

    assert 1 == len(other.history(client_journal(PETRA)))


def test_without_nothing_everything_is_as_it_was():
    """
    Leaving out nothing, or what is not there, leaves the same history.
    """
    company = begun(definitions())
    run(company, approach(PETRA, MARTA), approach(PETRA, NORA), approach(OLGA, IVO))

    other = without(
        company.events, firm(definitions()), [Ref(client_journal(PETRA), 99)], company.now
    )

    assert [(r.ref, r.event) for r in company.events] == [(r.ref, r.event) for r in other.events]
