from __future__ import annotations

import pytest

from clientela.domain.definitions.problems import DefinitionsError
from clientela.domain.ids import Code
from clientela.domain.lifecycle.model import LifecycleDefinition
from tests.domain.lifecycle.histories import definition


MODEL = """
[[lifecycle.models]]
id = "m"
entry = "a"
labels = { en = "M" }
stages = [
  { id = "a", labels = { en = "A" }, exits = [{ to = "b", when = %s }] },
  { id = "b", labels = { en = "B" }, exits = [{ to = "a", when = %s }] },
]
"""

STAYED = "{ in_stage_for = { days = 1 } }"
IDLE = "{ idle_for = { days = 1 } }"


def model(there: str, back: str) -> LifecycleDefinition:
    """A model of two stages and the two ways between them."""
    return definition(MODEL % (there, back))


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (STAYED, STAYED),
        (IDLE, IDLE),
        (IDLE, "{ purchases = { at_least = 1 } }"),
        (STAYED, "{ not = { signal = 'x' } }"),
        ("{ signal = 'x' }", f"{{ any = [{{ in_stage = {{ signal = 'x' }} }}, {STAYED}] }}"),
        (STAYED, f"{{ in_stage = {IDLE} }}"),
    ],
)
def test_stages_that_time_alone_leads_round_are_refused(there, back):
    """
    LIFE-26: a lifecycle may go round, but not without end while nothing happens.
    """
    with pytest.raises(DefinitionsError, match="time alone leads round"):
        model(there, back)


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (IDLE, "{ not = { idle_for = { days = 1 } } }"),
        (IDLE, "{ in_stage = { purchases = { at_least = 1 } } }"),
        (STAYED, f"{{ all = [{{ in_stage = {{ signal = 'x' }} }}, {STAYED}] }}"),
        ("{ signal = 'x' }", "{ not = { signal = 'x' } }"),
    ],
)
def test_stages_that_facts_lead_round_are_allowed(there, back):
    """
    LIFE-26, LIFE-27: returns are permitted where a definition declares them.
    """
    assert 2 == len(model(there, back).models[0].stages)


def test_longer_circle_is_told_stage_by_stage():
    """
    LIFE-26: a refusal names the stages that lead round.
    """
    text = """
    [[lifecycle.models]]
    id = "m"
    entry = "a"
    labels = { en = "M" }
    stages = [
      { id = "a", labels = { en = "A" }, exits = [{ to = "b", when = { signal = "x" } }] },
      { id = "b", labels = { en = "B" }, exits = [
        { to = "d", when = { signal = "y" } },
        { to = "c", when = { in_stage_for = { days = 1 } } },
      ] },
      { id = "c", labels = { en = "C" }, exits = [
        { to = "a", when = { purchases = { at_least = 1 } } },
      ] },
      { id = "d", labels = { en = "D" } },
    ]
    """

    with pytest.raises(DefinitionsError) as refused:
        definition(text)

    assert (
        "lifecycle.models[0].stages: time alone leads round b > c > a > b:"
        " let one exit ask for a fact of its stage" == str(refused.value)
    )


def test_model_tells_its_parts():
    """
    LIFE-11: a model knows its stages, where they lead, and under which stage they are counted.
    """
    found = model("{ signal = 'x' }", "{ not = { signal = 'x' } }").model(Code("m"))
    assert found is not None

    assert None is found.stage(Code("z"))
    assert () == found.ways(Code("z"))
    assert not found.is_end(Code("z"))
    assert "z" == found.top(Code("z"))
    assert ["lifecycle.m.a.exits[0]"] == [way.rule for way in found.ways(Code("a"))]
