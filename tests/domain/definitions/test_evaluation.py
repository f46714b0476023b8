from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.domain.behaviour.fact import Fact, FactKind
from clientela.domain.behaviour.figures import Behaviour
from clientela.domain.definitions.conditions import (
    All,
    Any,
    Approaches,
    Condition,
    ConflictHandledWell,
    IdleFor,
    InStage,
    InStageFor,
    Interactions,
    Left,
    Not,
    Purchases,
    Signal,
    Spent,
    StageIs,
    leaves,
)
from clientela.domain.definitions.evaluation import evaluate
from clientela.domain.definitions.verdicts import Situation
from clientela.domain.errors import InvalidValueError
from clientela.domain.facts import Direction
from clientela.domain.ids import ClientId, Code, Ref, client_journal
from clientela.domain.money import Money
from tests.domain.spec import AT


JOURNAL = client_journal(ClientId("petra"))
DAY = timedelta(days=1)
RECOMMENDS = Code("recommends")


def ref(number: int) -> Ref:
    """An event of the client's journal."""
    return Ref(JOURNAL, number)


def fact(number: int, kind: FactKind, when: float, **more: object) -> Fact:
    """A fact of any kind, so many days after the begin."""
    at = AT + when * DAY
    return Fact(kind=kind, at=at, ref=ref(number), day=at.date(), **more)  # type: ignore[arg-type]


def bought(number: int, when: float, euros: int = 10) -> Fact:
    """A purchase."""
    return fact(number, FactKind.PURCHASE, when, inbound=True, amount=Money(euros * 100, "EUR"))


def called(number: int, when: float, kind: str = "call", *, inbound: bool = True) -> Fact:
    """An interaction."""
    return fact(number, FactKind.INTERACTION, when, code=Code(kind), inbound=inbound)


def signal(number: int, when: float, *, holds: bool = True) -> Fact:
    """A signal."""
    return fact(number, FactKind.SIGNAL, when, code=RECOMMENDS, holds=holds)


def left(number: int, when: float, *causes: str) -> Fact:
    """A departure."""
    named = tuple(Code(cause) for cause in causes or ("moved-away",))
    return fact(number, FactKind.LEFT, when, causes=named)


def conflict(number: int, when: float) -> Fact:
    """The begin of a conflict."""
    return fact(number, FactKind.CONFLICT, when)


def resolved(number: int, when: float, *, well: bool = True) -> Fact:
    """The end of a conflict."""
    return fact(number, FactKind.RESOLUTION, when, holds=well)


def returned(number: int, when: float, euros: int = 10) -> Fact:
    """A return."""
    return fact(number, FactKind.RETURN, when, amount=Money(euros * 100, "EUR"))


def figures(facts) -> Behaviour:
    """The figures of these facts."""
    behaviour, known = Behaviour(), list[Fact]()
    for each in facts:
        behaviour = behaviour.add(each, tuple(known))
        known.append(each)
    return behaviour


def lived(facts, stay=(), **more) -> Situation:
    """The situation after these facts; those of the present stage are the last of them."""
    return Situation(
        life=figures(facts),
        stay=figures(stay),
        facts=tuple(facts),
        begin=stay[0].moment if stay else None,
        **more,
    )


def at(when: float) -> datetime:
    """A moment so many days after the begin."""
    return AT + when * DAY


TWICE = Purchases(at_least=2)
TWO_DAYS = Approaches(2, on_distinct_days=True)
SILENT = IdleFor(30)

# Each row: a condition, the facts, the day it is asked on; whether it holds, the facts without
# which it would say otherwise, and the day it changes by time alone. All by hand.
VERDICTS = [
    (TWICE, [bought(1, 1)], 5, False, set(), None),
    (TWICE, [bought(1, 1), bought(2, 2)], 5, True, {1, 2}, None),
    (TWICE, [bought(1, 1), bought(2, 2), bought(3, 3)], 5, True, set(), None),
    (Purchases(at_most=1), [bought(1, 1)], 5, True, set(), None),
    (Purchases(at_most=1), [bought(1, 1), bought(2, 2)], 5, False, {1, 2}, None),
    (Purchases(at_least=2, at_most=2), [bought(i, i) for i in (1, 2)], 5, True, {1, 2}, None),
    (TWO_DAYS, [bought(1, 1), bought(2, 1.1)], 5, False, set(), None),
    (TWO_DAYS, [bought(1, 1), bought(2, 1.1), called(3, 2)], 5, True, {3}, None),
    (TWO_DAYS, [bought(1, 1), called(2, 2, inbound=False)], 5, False, set(), None),
    (Approaches(2), [bought(1, 1), called(2, 1.1)], 5, True, {1, 2}, None),
    (Interactions(1, direction=Direction.OUTBOUND), [called(1, 1)], 5, False, set(), None),
    (Interactions(1, direction=Direction.INBOUND), [called(1, 1)], 5, True, {1}, None),
    (Interactions(1, (Code("visit"),)), [called(1, 1), called(2, 2, "visit")], 5, True, {2}, None),
    (Interactions(2), [called(1, 1), called(2, 2, inbound=False)], 5, True, {1, 2}, None),
    (Spent(Money(2000, "EUR")), [bought(1, 1, 5), bought(2, 2, 16)], 5, True, {1, 2}, None),
    (Spent(Money(2000, "EUR")), [bought(1, 1, 5), bought(2, 2, 20)], 5, True, {2}, None),
    (Spent(Money(2000, "EUR")), [bought(1, 1, 25), returned(2, 2, 6)], 5, False, {2}, None),
    (Spent(Money(2000, "USD")), [bought(1, 1, 25)], 5, False, set(), None),
    (Signal(RECOMMENDS), [], 5, False, set(), None),
    (Signal(RECOMMENDS), [signal(1, 1)], 5, True, {1}, None),
    (Signal(RECOMMENDS), [signal(1, 1), signal(2, 2)], 5, True, set(), None),
    (Signal(RECOMMENDS), [signal(1, 1), signal(2, 2, holds=False)], 5, False, {2}, None),
    (Left(), [left(1, 1)], 5, True, {1}, None),
    (Left(), [left(1, 1), bought(2, 2)], 5, False, {2}, None),
    (Left(), [left(1, 1), bought(2, 2), bought(3, 3)], 5, False, set(), None),
    (Left(), [bought(1, 1), left(2, 2), bought(3, 3)], 5, False, {3}, None),
    (Left(), [left(1, 1), called(2, 2)], 5, True, {1}, None),
    (Left((Code("silence"),)), [left(1, 1)], 5, False, set(), None),
    (Left((Code("silence"),)), [left(1, 1, "dissatisfied", "silence")], 5, True, {1}, None),
    (ConflictHandledWell(), [resolved(1, 1)], 5, False, set(), None),
    (ConflictHandledWell(), [conflict(1, 1)], 5, False, set(), None),
    (ConflictHandledWell(), [conflict(1, 1), resolved(2, 2)], 5, True, {1, 2}, None),
    (ConflictHandledWell(), [conflict(1, 1), resolved(2, 2, well=False)], 5, False, set(), None),
    (
        ConflictHandledWell(),
        [conflict(1, 1), resolved(2, 2), conflict(3, 3)],
        5,
        False,
        {3},
        None,
    ),
    (SILENT, [], 5, False, set(), None),
    (SILENT, [bought(1, 1)], 5, False, set(), 31),
    (SILENT, [bought(1, 1)], 31, True, {1}, None),
    (SILENT, [bought(1, 1), bought(2, 20)], 31, False, {2}, 50),
    (SILENT, [bought(1, 1), bought(2, 20)], 50, True, set(), None),
    (SILENT, [signal(1, 1)], 5, False, set(), 31),
    (Not(TWICE), [bought(1, 1), bought(2, 2)], 5, False, {1, 2}, None),
    (Not(SILENT), [bought(1, 1)], 5, True, set(), 31),
    (All((TWICE, Signal(RECOMMENDS))), [bought(1, 1), bought(2, 2)], 5, False, set(), None),
    (
        All((TWICE, Signal(RECOMMENDS))),
        [bought(1, 1), bought(2, 2), signal(3, 3)],
        5,
        True,
        {1, 2, 3},
        None,
    ),
    (
        Any((TWICE, Signal(RECOMMENDS))),
        [bought(1, 1), bought(2, 2), signal(3, 3)],
        5,
        True,
        set(),
        None,
    ),
    (Any((TWO_DAYS, Purchases(at_least=1))), [bought(1, 1), called(2, 2)], 5, True, {1}, None),
    (Any((TWICE, SILENT)), [bought(1, 1), bought(2, 2)], 5, True, {1, 2}, None),
    (All((SILENT, IdleFor(60))), [bought(1, 1)], 5, False, set(), 61),
    (Any((SILENT, IdleFor(60))), [bought(1, 1)], 5, False, set(), 31),
    (All((SILENT, Not(IdleFor(60)))), [bought(1, 1)], 31, True, {1}, 61),
]


@pytest.mark.parametrize(("condition", "facts", "when", "holds", "named", "changes"), VERDICTS)
def test_verdict(condition, facts, when, holds, named, changes):
    """
    A condition tells whether it holds, on which facts, and until when.
    """
    verdict = evaluate(condition, lived(facts), at(when))

    assert (holds, frozenset(map(ref, named)), None if changes is None else at(changes)) == (
        verdict.holds,
        verdict.facts,
        verdict.changes_at,
    )


def test_present_stage_has_figures_of_its_own():
    """
    LIFE-27: within `in_stage` only what happened in the present stage counts.
    """
    facts = [bought(1, 1), bought(2, 2)]
    situation = lived(facts, facts[1:], since=at(2), because=(ref(2),))

    asked = [InStage(Purchases(at_least=n)) for n in (1, 2)]
    verdicts = [evaluate(condition, situation, at(3)) for condition in asked]

    assert [(True, frozenset({ref(2)})), (False, frozenset())] == [
        (v.holds, v.facts) for v in verdicts
    ]


def test_time_in_the_present_stage():
    """
    LIFE-16: the term runs from the begin of the stage and rests on what led into it.
    """
    situation = Situation(life=Behaviour(), since=at(2), because=(ref(2),))
    condition = InStageFor(10)

    before, after = (evaluate(condition, situation, at(day)) for day in (11.9, 12))

    assert (False, at(12), frozenset()) == (before.holds, before.changes_at, before.facts)
    assert (True, None, frozenset({ref(2)})) == (after.holds, after.changes_at, after.facts)
    assert not evaluate(condition, Situation(life=Behaviour()), at(99)).holds


def test_stage_of_another_rule_set_s_client():
    """
    LIFE-12: other rule sets may ask for a stage; the event that entered it is the fact.
    """
    situation = Situation(life=Behaviour(), stages={Code("clm"): (Code("loyalty"), ref(7))})

    asked = [StageIs(Code("clm"), Code(s)) for s in ("loyalty", "purchase")]
    verdicts = [evaluate(condition, situation, at(1)) for condition in asked]

    assert [(True, frozenset({ref(7)})), (False, frozenset())] == [
        (v.holds, v.facts) for v in verdicts
    ]
    assert not evaluate(StageIs(Code("x"), Code("y")), situation, at(1)).holds


def test_operands_tell_what_they_measured():
    """
    LIFE-12: an explanation shows each operand with its figure.
    """
    situation = lived([bought(1, 1), bought(2, 1.1)])

    verdict = evaluate(All((TWICE, TWO_DAYS, Spent(Money(1, "EUR")))), situation, at(2))

    assert [(True, 2), (False, 1), (True, 2000)] == [
        (operand.holds, operand.measured) for operand in verdict.operands
    ]


@pytest.mark.parametrize(
    ("cls", "values", "field"),
    [
        (Purchases, {}, "at_least"),
        (Purchases, {"at_least": -1}, "at_least"),
        (Purchases, {"at_most": 10_001}, "at_most"),
        (Purchases, {"at_least": 2, "at_most": 1}, "at_most"),
        (IdleFor, {"days": 0}, "days"),
        (InStageFor, {"days": 36_501}, "days"),
        (All, {"operands": ()}, "operands"),
        (Any, {"operands": (TWICE,) * 33}, "operands"),
        (Left, {"causes": (Code("x"),) * 33}, "causes"),
    ],
    ids=str,
)
def test_condition_out_of_bounds_is_refused(cls, values, field):
    """
    Every bound of a condition is checked where it is written.
    """
    with pytest.raises(InvalidValueError) as refused:
        cls(**values)

    assert field == refused.value.field


MAKERS = (
    bought,
    lambda number, when: bought(number, when, 25),
    returned,
    called,
    lambda number, when: called(number, when, "visit"),
    lambda number, when: called(number, when, inbound=False),
    signal,
    lambda number, when: signal(number, when, holds=False),
    left,
    lambda number, when: left(number, when, "silence"),
    conflict,
    resolved,
    lambda number, when: resolved(number, when, well=False),
)

LEAVES: tuple[Condition, ...] = (
    TWICE,
    Purchases(at_most=1),
    Purchases(at_least=2, on_distinct_days=True),
    Approaches(3),
    TWO_DAYS,
    Interactions(2),
    Interactions(1, (Code("visit"),)),
    Interactions(1, direction=Direction.INBOUND),
    Spent(Money(2500, "EUR")),
    Signal(RECOMMENDS),
    Left(),
    Left((Code("silence"),)),
    ConflictHandledWell(),
)


@st.composite
def facts_in_order(draw):
    """Up to a dozen facts, two a day at most, with a first one that counts for nothing."""
    days = sorted(draw(st.sets(st.integers(2, 30), max_size=12)))
    first = fact(1, FactKind.BEGIN, 0)
    return [first, *(draw(st.sampled_from(MAKERS))(n, d / 2) for n, d in enumerate(days, 2))]


def conditions():
    """Conditions made of any leaves that time does not change."""
    return st.recursive(
        st.sampled_from(LEAVES),
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(All, st.lists(inner, min_size=1, max_size=3).map(tuple)),
            st.builds(Any, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        ),
        max_leaves=5,
    )


@settings(max_examples=300, deadline=None)
@given(condition=conditions(), facts=facts_in_order())
def test_facts_named_are_exactly_those_that_matter(condition, facts):
    """
    LIFE-12: a fact is named if and only if the condition would say otherwise without it.
    """
    verdict = evaluate(condition, lived(facts), at(40))

    needed = {
        each.ref
        for each in facts
        if evaluate(condition, lived([f for f in facts if f is not each]), at(40)).holds
        != verdict.holds
    }

    assert needed == verdict.facts


TIMED = (IdleFor(3), IdleFor(10), InStageFor(5), InStageFor(12), *LEAVES[:3])


def timed_conditions():
    """Conditions made of leaves that time changes, and others."""
    return st.recursive(
        st.sampled_from(TIMED),
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(InStage, inner),
            st.builds(All, st.lists(inner, min_size=1, max_size=3).map(tuple)),
            st.builds(Any, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        ),
        max_leaves=5,
    )


@settings(max_examples=200, deadline=None)
@given(condition=timed_conditions(), facts=facts_in_order(), now=st.integers(0, 40))
def test_moment_of_change_is_exact(condition, facts, now):
    """
    LIFE-16: a verdict holds unchanged until the moment it names, and no longer.
    """
    known = [each for each in facts if each.at <= at(now)]
    situation = lived(known, known[2:], since=at(0), because=(ref(1),))
    verdict = evaluate(condition, situation, at(now))
    half_days = [at(now) + DAY * n / 2 for n in range(200)]

    changed = next(
        (m for m in half_days if evaluate(condition, situation, m).holds != verdict.holds), None
    )

    assert changed == verdict.changes_at


def test_leaves_are_found_at_any_depth():
    """
    A compound is made of its leaves, from left to right.
    """
    nested = All((TWICE, Any((Not(SILENT), InStage(Signal(RECOMMENDS))))))

    assert (TWICE, SILENT, Signal(RECOMMENDS)) == leaves(nested)
