"""
Kept facts: packed, bounded, and as they were when they are looked at.
"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain import packed
from clientela.domain.behaviour import kept
from clientela.domain.behaviour.fact import Fact, FactKind
from clientela.domain.behaviour.kept import MARKS_MAX, Memory
from clientela.domain.ids import ClientId, Code, Ref, client_journal
from clientela.domain.money import Money
from clientela.domain.packed import NOTHING
from tests.domain.spec import AT


HOME = client_journal(ClientId("petra"))
CODES = st.sampled_from([Code("call"), Code("a|b,c;\n%")])
CAUSES = st.lists(CODES, max_size=2).map(tuple)


@st.composite
def facts(draw, number=1):
    """A fact of any kind, its calendar day another one than that of its moment, perhaps."""
    kind = draw(st.sampled_from(FactKind))
    at = AT + timedelta(microseconds=draw(st.integers(0, 10**12)))
    more: dict[str, object] = {}
    if kind in {FactKind.PURCHASE, FactKind.RETURN}:
        more["amount"] = Money(draw(st.integers(-5, 10**9)), "EUR")
    if kind in {FactKind.INTERACTION, FactKind.SIGNAL, FactKind.STAGE}:
        more["code"] = draw(CODES)
    if kind in {FactKind.SIGNAL, FactKind.RESOLUTION}:
        more["holds"] = draw(st.booleans())
    if kind in {FactKind.LEFT, FactKind.STAGE}:
        more["causes"] = draw(CAUSES)
    if kind is FactKind.STAGE:
        more["stage"] = draw(CODES)
    inbound = kind is FactKind.PURCHASE or (kind is FactKind.INTERACTION and draw(st.booleans()))
    day = at.date() + timedelta(days=draw(st.integers(-2, 2)))
    ref = Ref(HOME, draw(st.integers(1, 10**6)))
    return Fact(kind=kind, at=at, ref=ref, day=day, inbound=inbound, **more)  # type: ignore[arg-type]


@given(fact=facts())
def test_fact_comes_back_as_it_was(fact):
    """
    LIFE-12: a packed fact is the same fact, whatever its codes hold.
    """
    assert fact == kept.fact_in(kept.line_of(fact), HOME)


def bought(number: int, currency: str = "EUR") -> Fact:
    """A purchase, one a day."""
    at = AT + timedelta(days=number)
    amount = Money(100, currency)
    kind = FactKind.PURCHASE
    ref = Ref(HOME, number)
    return Fact(kind=kind, at=at, ref=ref, day=at.date(), inbound=True, amount=amount)


def test_latest_of_each_group_are_remembered():
    """
    LIFE-12: of purchases in each currency the last `MARKS_MAX` are remembered, in order; facts that
    figures remember themselves are not.
    """
    left = Fact(kind=FactKind.LEFT, at=AT, ref=Ref(HOME, 500), day=AT.date())
    dollars = [bought(number, "USD") for number in range(1, 4)]
    euros = [bought(number) for number in range(4, MARKS_MAX + 9)]

    found = kept.latest(kept.packed_facts([left, *dollars, *euros]))

    assert (*dollars, *euros[-MARKS_MAX:]) == kept.facts_in(found, HOME)


def test_late_fact_is_put_in_its_place():
    """
    LIFE-1: kept facts stand in the order in which they happened.
    """
    text = kept.packed_facts([bought(1), bought(3)])

    assert (bought(1), bought(2), bought(3)) == kept.facts_in(
        kept.with_fact(text, bought(2), HOME), HOME
    )


def test_memory_tells_packed_facts_and_then_later_ones():
    """
    LIFE-12: what was told since follows on what was packed, each time somebody looks.
    """
    memory = Memory(kept.packed_facts([bought(1)]), HOME)
    memory.add(bought(2))

    assert [bought(1), bought(2)] == list(memory) == list(memory)
    assert [] == list(Memory(NOTHING))


def test_a_line_is_short():
    """
    R9: a fact takes a line of some forty characters: hundreds of them fit into a state.
    """
    assert packed.count(kept.packed_facts([bought(1)])) == 1
    assert len(kept.line_of(bought(1))) <= 40
