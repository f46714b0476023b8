import json

from datetime import timedelta
from typing import Any as Any_

import pytest

from clientela.domain.definitions.conditions import (
    All,
    Any,
    Condition,
    IdleFor,
    InStage,
    Interactions,
    Not,
    Purchases,
    Signal,
    Spent,
)
from clientela.domain.definitions.loading import value
from clientela.domain.facts import Direction
from clientela.domain.ids import Code, Ref
from clientela.domain.lifecycle.explanation import explain
from clientela.domain.lifecycle.visits import visits
from clientela.domain.money import Money
from clientela.services.translate import lifecycle
from clientela.services.translate.messages import (
    explanation,
    fact_ref,
    journal_versions,
    timestamp,
)
from clientela.v1 import lifecycle_pb2
from tests.services.translate.shop import AT, CLIENT, OLGA, shop


BOUGHT_AT = AT + timedelta(days=1)
CLM = Code("clm")


def read(plain):
    """The condition of a definition."""
    vocabulary: Any_ = Condition
    return value(plain, vocabulary)


def test_a_stage_is_told_with_the_facts_that_led_into_it():
    """
    LIFE-12: the purchase without which the client would not be a buyer, and the event that says so.
    """
    company = shop()
    told = explain(company.record(CLIENT), CLM, company.definitions, company.now)

    answer = lifecycle.client_stage(
        OLGA, told, until=AT, etag="lifecycle-13", versions={CLIENT: 14}
    )

    definition = told.definition
    expected = lifecycle_pb2.ClientStage(
        client_id="olga",
        model="clm",
        stage="purchase",
        since=timestamp(BOUGHT_AT),
        means=lifecycle_pb2.MEANS_FACT,
        cycle=1,
        explanation=explanation("LIFE-19", (Ref(CLIENT, 8),), definition, AT),
        entered=fact_ref(Ref(CLIENT, 11)),
        etag="lifecycle-13",
        versions=journal_versions({CLIENT: 14}),
    )
    assert expected == answer


def test_a_part_of_a_stage_names_the_whole():
    """
    LIFE-11: a sub-stage is counted under its parent; a stage by itself names none.
    """
    [first, *_] = visits(shop().history(CLIENT), CLM)

    assert "interest" == lifecycle.visit(first, Code("interest")).parent
    assert "" == lifecycle.visit(first, first.stage).parent


def test_visits_are_told_with_begin_and_end():
    """
    LIFE-16: attraction lasted a day, the stages passed at once have no length, purchase lasts.
    """
    told = [lifecycle.visit(each, each.stage) for each in visits(shop().history(CLIENT), CLM)]

    bought = timestamp(BOUGHT_AT)
    assert [
        ("attraction", timestamp(AT), bought),
        ("interest", bought, bought),
        ("evaluation", bought, bought),
        ("purchase", bought, lifecycle_pb2.StageVisit().ended_at),
    ] == [(each.stage, each.began_at, each.ended_at) for each in told]
    assert ["", "attraction", "interest", "evaluation"] == [each.previous for each in told]
    assert not told[-1].HasField("ended_at")


def test_ways_out_tell_what_their_conditions_say():
    """
    LIFE-12: a buyer becomes a regular with a second purchase; so far there is one.
    """
    company = shop()
    told = explain(company.record(CLIENT), CLM, company.definitions, company.now)

    way = next(way for way in told.ways if way.to == "loyalty")
    shown = lifecycle.way_out(way)

    assert way.verdict.condition == read(json.loads(shown.verdict.condition))
    assert (way.rule, False) == (shown.rule, shown.verdict.holds)
    assert len(way.verdict.operands) == len(shown.verdict.operands)


CONDITIONS = (
    Purchases(at_least=2),
    Purchases(at_most=1, on_distinct_days=True),
    Signal(Code("subscribed")),
    IdleFor(180),
    Spent(Money(50_000, "EUR")),
    Interactions(1, (Code("call"),), Direction.INBOUND),
    All((Not(IdleFor(90)), Any((Signal(Code("a")), InStage(Purchases(at_least=1)))))),
)


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_a_condition_reads_as_it_is_written_in_definitions(condition):
    """
    LIFE-11: what an explanation shows can be pasted into a definition and means the same.
    """
    plain = json.loads(json.dumps(lifecycle.plain_condition(condition)))

    assert condition == read(plain)
