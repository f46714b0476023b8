"""
Holding: the functions that conditions are made into say what judging says.
"""

from __future__ import annotations

import pytest

from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.domain.definitions.conditions import InStage, InStageFor, StageIs
from clientela.domain.definitions.evaluation import judge
from clientela.domain.definitions.holding import holding
from clientela.domain.ids import Code
from tests.domain.definitions.test_evaluation import (
    LEAVES,
    VERDICTS,
    at,
    conditions,
    facts_in_order,
    lived,
    ref,
    timed_conditions,
)


@pytest.mark.parametrize(("condition", "facts", "when", "holds", "named", "changes"), VERDICTS)
def test_answer_is_that_of_the_verdict(condition, facts, when, holds, named, changes):
    """
    LIFE-12: each condition, asked without its reasons, answers as by hand.
    """
    del named, changes
    situation = lived(facts)

    assert holds is holding(condition)(situation.life, situation, at(when))


@settings(max_examples=300, deadline=None)
@given(
    condition=st.one_of(conditions(), timed_conditions(), st.sampled_from(LEAVES).map(InStage)),
    facts=facts_in_order(),
    now=st.integers(0, 40),
    begin=st.integers(0, 12),
)
def test_answer_without_reasons_is_the_answer_with_them(condition, facts, now, begin):
    """
    LIFE-12: a condition made into a function says what judging it says, of any history.
    """
    known = [each for each in facts if each.at <= at(now)]
    situation = lived(known, known[begin:], since=at(0), because=(ref(1),))

    assert judge(condition, situation, at(now)).holds is holding(condition)(
        situation.life, situation, at(now)
    )


@pytest.mark.parametrize(("stage", "holds"), [("loyalty", True), ("purchase", False)])
def test_stage_of_another_model(stage, holds):
    """
    LIFE-12: a stage is asked for without its reasons too.
    """
    situation = lived([], stages={Code("clm"): (Code("loyalty"), ref(7))})

    assert holds is holding(StageIs(Code("clm"), Code(stage)))(situation.life, situation, at(1))


def test_nothing_has_lasted_where_no_stage_began():
    """
    LIFE-16: a term in a stage has not passed while there is no stage.
    """
    situation = lived([])

    assert not holding(InStageFor(1))(situation.life, situation, at(99))
