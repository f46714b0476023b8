from __future__ import annotations

from datetime import timedelta

import pytest

from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.domain.behaviour.fact import COUNTED, Fact, FactKind, fact_of
from clientela.domain.behaviour.figures import (
    KINDS_MAX,
    SIGNALS_MAX,
    TURNS_MAX,
    Behaviour,
    behaviour_since,
)
from clientela.domain.behaviour.kept import MARKS_MAX
from clientela.domain.ids import ClientId, Code, Ref, client_journal
from clientela.domain.money import Money
from tests.domain.lifecycle import histories
from tests.domain.lifecycle.histories import company, registered
from tests.domain.spec import AT


JOURNAL = client_journal(ClientId("petra"))
KINDS = [kind for kind in FactKind if kind not in {FactKind.BEGIN, FactKind.STAGE}]


def fact(number: int, kind: FactKind, hours: int, **more: object) -> Fact:
    """A fact of any kind, so many hours after the begin."""
    at = AT + timedelta(hours=hours)
    values = {"code": Code("x"), "amount": Money(100, "EUR"), **more}
    return Fact(kind=kind, at=at, ref=Ref(JOURNAL, number), day=at.date(), **values)  # type: ignore[arg-type]


def figures(facts) -> Behaviour:
    """The figures of these facts."""
    behaviour, known = Behaviour(), list[Fact]()
    for each in facts:
        behaviour = behaviour.add(each, tuple(known))
        known.append(each)
    return behaviour


@settings(max_examples=100, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(KINDS), max_size=MARKS_MAX),
    data=st.data(),
)
def test_order_of_hearing_does_not_matter(kinds, data):
    """
    LIFE-1: the figures of the same facts are the same, in whatever order they are added.
    """
    facts = [
        fact(number, kind, data.draw(st.integers(0, 200)), holds=number % 3 > 0)
        for number, kind in enumerate(kinds, start=1)
    ]

    assert figures(facts) == figures(data.draw(st.permutations(facts)))


def test_figures_of_each_fact():
    """
    LIFE-20: a purchase is an approach too; a contact of ours is none; a return lowers the sum only.
    """
    found = figures(
        [
            fact(1, FactKind.PURCHASE, 0, amount=Money(1000, "EUR")),
            fact(2, FactKind.PURCHASE, 30, amount=Money(500, "USD")),
            fact(3, FactKind.INTERACTION, 31, inbound=True),
            fact(4, FactKind.INTERACTION, 32),
            fact(5, FactKind.RETURN, 33, amount=Money(300, "EUR")),
        ]
    )

    assert (2, 2, AT) == (found.purchases.count, found.purchases.days, found.began_at)
    assert (3, 2) == (found.approaches.count, found.approaches.days)
    assert {"EUR": 700, "USD": 500} == found.spent
    assert {"inbound:x": 1, "outbound:x": 1} == found.interactions


def test_what_is_remembered_is_bounded():
    """
    Totals are kept for ever, single facts up to a bound: a state does not grow with age.
    """
    many = [fact(n, FactKind.PURCHASE, 24 * n) for n in range(1, 201)]
    many += [fact(n, FactKind.SIGNAL, n, code=Code(f"s{n}")) for n in range(300, 500)]
    many += [fact(n, FactKind.SIGNAL, n, code=Code("s300")) for n in range(500, 520)]
    many += [fact(n, FactKind.INTERACTION, n, code=Code(f"k{n}")) for n in range(600, 700)]
    many += [fact(n, FactKind.CONFLICT, n) for n in range(700, 720)]

    found = figures(many)

    assert (200, 200) == (found.purchases.count, found.purchases.days)
    assert (SIGNALS_MAX, TURNS_MAX) == (len(found.signals), len(found.signals[Code("s300")]))
    assert KINDS_MAX + 1 == len(found.interactions)
    assert 100 == sum(found.interactions.values())
    assert TURNS_MAX == len(found.conflicts)


def test_figures_of_a_stay_are_told_from_what_is_remembered():
    """
    LIFE-1: while no more is remembered than happened, the figures since a moment are exact.
    """
    facts = [fact(n, KINDS[n % len(KINDS)], 7 * n, inbound=True) for n in range(1, 25)]

    since = behaviour_since(figures(facts), facts, facts[9].moment)

    expected = figures(facts[9:])
    assert expected.purchases == since.purchases
    assert expected.approaches == since.approaches
    assert expected.spent == since.spent
    assert (expected.conflicts, expected.departures, expected.began_at) == (
        since.conflicts,
        since.departures,
        since.began_at,
    )


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (histories.bought(1), FactKind.PURCHASE),
        (histories.returned(1), FactKind.RETURN),
        (histories.contact(1), FactKind.INTERACTION),
        (histories.conflict(1), FactKind.CONFLICT),
        (histories.resolved(1), FactKind.RESOLUTION),
        (histories.left(1), FactKind.LEFT),
        (histories.signal(1, "x"), FactKind.SIGNAL),
    ],
)
def test_every_counted_event_is_a_fact(command, kind):
    """
    LIFE-12: each event class the figures count becomes a fact of its kind; others do not.
    """
    scenario = company()
    scenario.when(registered(0), command)
    facts = {type(r.event): fact_of(r) for r in scenario.events}

    assert type(command.fact) in COUNTED
    found = facts[type(command.fact)]
    assert found is not None
    assert kind is found.kind
    assert [None] == list({f for cls, f in facts.items() if cls not in COUNTED})
