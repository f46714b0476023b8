"""
Random small histories: what order they are heard in does not matter, and explanations are honest.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clientela.domain.codec import Codec
from clientela.domain.facts import Direction
from clientela.domain.lifecycle import track_draft
from clientela.domain.lifecycle.model import LifecycleDefinition
from clientela.domain.lifecycle.stages import Lifecycle
from clientela.domain.lifecycle.visits import visits
from tests.domain.lifecycle.histories import (
    CLM,
    EFREMOVA,
    JOURNAL,
    SHOP,
    SHOP_DEFINITION,
    SHOP_TEXT,
    at_last,
    bought,
    conflict,
    contact,
    day,
    definition,
    in_time,
    left,
    moments,
    present,
    registered,
    resolved,
    returned,
    signal,
    versions,
)


MODELS = (CLM, EFREMOVA, SHOP)
LAST = 900
SLOT = 1 / 16
"""Facts happen at moments of their own, several of them on one day."""

CHANGED_TEXT = SHOP_TEXT.replace("days = 90", "days = 30").replace('"friend"', '"fan"')

MAKERS = (
    bought,
    bought,
    lambda when: bought(when, 30),
    returned,
    contact,
    lambda when: contact(when, Direction.OUTBOUND),
    lambda when: signal(when, "recommends"),
    lambda when: signal(when, "recommends", holds=False),
    lambda when: signal(when, "buys-only-here"),
    lambda when: signal(when, "evaluating"),
    conflict,
    resolved,
    lambda when: resolved(when, well=False),
    left,
    lambda when: left(when, "better-alternative"),
)


@st.composite
def histories(draw, most=10):
    """Facts in order, the registration first; close together and far apart."""
    gaps = draw(
        st.lists(
            st.sampled_from([SLOT, 2 * SLOT, 0.5, 1.0, 3.0, 40.0, 89.5, 180.0, 200.0]),
            min_size=1,
            max_size=most,
        )
    )
    facts = [registered(0)]
    when = 0.0
    for gap in gaps:
        when += gap
        facts.append(draw(st.sampled_from(MAKERS))(when))
    return facts


@pytest.fixture(
    scope="module", params=[(track_draft.TAIL_MAX, track_draft.MOVES_MAX), (4, 40), (4, 4)]
)
def _bounds(request):
    """The state keeps few facts and moves, so that some are older than all it keeps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(track_draft, "TAIL_MAX", request.param[0])
        patch.setattr(track_draft, "TAIL_KEPT", request.param[0] // 2)
        patch.setattr(track_draft, "MOVES_MAX", request.param[1])
        yield


FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.usefixtures("_bounds")
@FEW
@given(data=st.data(), facts=histories())
def test_order_of_hearing_does_not_matter(data, facts):
    """
    LIFE-1: the same facts heard in any order end in the same visits as when heard in time.
    """
    first, *rest = facts
    shuffled = data.draw(st.permutations(rest))

    punctual = in_time(facts, SHOP_DEFINITION, day(LAST * 3))
    late = at_last([first, *shuffled], SHOP_DEFINITION, day(LAST * 3))

    assert present(punctual, MODELS) == present(late, MODELS)


@pytest.mark.usefixtures("_bounds")
@FEW
@given(data=st.data(), facts=histories())
def test_some_late_and_some_in_time(data, facts):
    """
    LIFE-1: facts that arrive days after they happened end in the same visits as when heard in time.
    """
    first, *rest = facts
    delays = st.sampled_from([timedelta(days=days) for days in (0, 0, 1, 50, 400)])
    heard = sorted(
        ((fact.occurred_at + data.draw(delays), fact) for fact in rest), key=lambda pair: pair[0]
    )

    punctual = in_time(facts, SHOP_DEFINITION, day(LAST * 4))
    late = in_time([first], SHOP_DEFINITION, day(0))
    for when, fact in heard:
        late.advance(when)
        late.when(fact)
    late.advance(day(LAST * 4))

    assert present(punctual, MODELS) == present(late, MODELS)


@pytest.mark.usefixtures("_bounds")
@FEW
@given(facts=histories(), pace=st.sampled_from([7, 40, 500]))
def test_one_late_look_equals_many_punctual_ones(facts, pace):
    """
    LIFE-16: it does not matter how often anybody looks whether time moved a client.
    """
    once = in_time(facts, SHOP_DEFINITION, day(LAST * 3))
    often = in_time(facts, SHOP_DEFINITION, day(0))
    while often.now < day(LAST * 3):
        often.at(min(often.now + timedelta(days=pace), day(LAST * 3))).elapse(JOURNAL)

    assert present(once, MODELS) == present(often, MODELS)


@FEW
@given(data=st.data(), facts=histories(), start=st.sampled_from([20, 100, 300]))
def test_order_of_hearing_does_not_matter_under_changing_rules(data, facts, start):
    """
    LIFE-11: at each moment the version in force then is applied, in whatever order facts are heard.
    """
    first, *rest = facts
    changed = definition(CHANGED_TEXT)
    settings = versions((0, LifecycleDefinition()), (start, SHOP_DEFINITION), (400, changed))

    punctual = in_time(facts, settings, day(LAST * 3))
    late = at_last([first, *data.draw(st.permutations(rest))], settings, day(LAST * 3))

    assert present(punctual, MODELS) == present(late, MODELS)


@FEW
@given(facts=histories(most=8))
def test_explained_facts_are_needed(facts):
    """
    LIFE-12: each fact an explanation names is needed: without it that stage is not entered then.
    """
    scenario = in_time(facts, SHOP_DEFINITION, day(LAST * 3))

    for model in MODELS:
        for visit in visits(scenario.events, model):
            named = moments(scenario, visit.because)
            assert named
            for moment in named:
                less = [fact for fact in facts if fact.occurred_at != moment]
                other = in_time(less, SHOP_DEFINITION, day(LAST * 3))
                entered = [
                    (v.stage, v.previous, v.began_at, v.cycle) for v in visits(other.events, model)
                ]
                assert (visit.stage, visit.previous, visit.began_at, visit.cycle) not in entered


@pytest.mark.usefixtures("_bounds")
@FEW
@given(data=st.data(), facts=histories())
def test_state_is_a_fold_of_the_journal(data, facts):
    """
    LIFE-12: folding the journal again, or its stored form, gives the same state, field by field.
    """
    first, *rest = facts
    scenario = at_last([first, *data.draw(st.permutations(rest))], SHOP_DEFINITION, day(LAST))
    codec = Codec(scenario.rulebook.event_classes)
    kept = scenario.rulebook.elapse(scenario.record(JOURNAL), scenario.context()).record

    folded = scenario.rulebook.fold(scenario.rulebook.empty(JOURNAL), scenario.events)

    assert kept.of(Lifecycle) == folded.states[Lifecycle]
    assert kept.of(Lifecycle) == codec.value(codec.plain(kept.of(Lifecycle)), Lifecycle)
    for recorded in scenario.events:
        name, payload = codec.encode(recorded.event)
        assert recorded.event == codec.decode(name, payload)
