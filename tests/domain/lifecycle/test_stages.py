from __future__ import annotations

from datetime import timedelta

import pytest

from clientela.domain.definitions.versions import definitions_of
from clientela.domain.errors import UnknownError
from clientela.domain.facts import Direction, Purpose
from clientela.domain.ids import ClientId, Code
from clientela.domain.lifecycle import track_draft
from clientela.domain.lifecycle.course import Means
from clientela.domain.lifecycle.events import (
    StageCorrected,
    StageEntered,
    StageEnteredByTime,
    StageSet,
)
from clientela.domain.lifecycle.explanation import explain
from clientela.domain.lifecycle.model import LifecycleDefinition
from clientela.domain.lifecycle.refusals import (
    BackdatedStageError,
    NotByHandError,
    UndeclaredMoveError,
)
from clientela.domain.lifecycle.stages import LIFECYCLE, Lifecycle, SetStage
from clientela.domain.lifecycle.visits import stage_at, visits
from clientela.domain.record import HistoryNeededError, Record
from tests.domain.lifecycle.histories import (
    CLM,
    EFREMOVA,
    JOURNAL,
    PETRA,
    SHOP,
    SHOP_DEFINITION,
    SHOP_TEXT,
    at_last,
    bought,
    company,
    conflict,
    contact,
    day,
    definition,
    in_time,
    left,
    moments,
    registered,
    resolved,
    returned,
    signal,
    steps,
    told,
    versions,
)
from tests.domain.spec import CLERK


BOTH = LifecycleDefinition()

# Each row: what happened, then the stages with the day each was entered, by hand.
LADDER = {
    "all six stages": (
        [
            registered(0),
            contact(3),
            bought(5),
            contact(9, purpose=Purpose.SERVICE),
            signal(20, "buys-only-here"),
            signal(30, "recommends"),
            left(40, "income-changed"),
        ],
        [
            ("potential", 0),
            ("visitor", 3),
            ("buyer", 5),
            ("regular", 9),
            ("adherent", 30),
            ("former", 40),
        ],
    ),
    "two enquiries without a purchase do not promote": (
        [registered(0), contact(1), contact(2), contact(3)],
        [("potential", 0), ("visitor", 1)],
    ),
    "an enquiry before the first purchase is not the second approach": (
        [registered(0), contact(1), bought(2)],
        [("potential", 0), ("visitor", 1), ("buyer", 2)],
    ),
    "two receipts of one visit are one approach": (
        [registered(0), bought(1), bought(1.1), bought(2)],
        [("potential", 0), ("visitor", 1), ("buyer", 1), ("regular", 2)],
    ),
    "our own calls are no approaches": (
        [registered(0), contact(1, Direction.OUTBOUND), bought(2), contact(3, Direction.OUTBOUND)],
        [("potential", 0), ("visitor", 2), ("buyer", 2)],
    ),
    "sole supplier without recommendation is not adherent": (
        [registered(0), bought(1), bought(2), signal(3, "buys-only-here")],
        [("potential", 0), ("visitor", 1), ("buyer", 1), ("regular", 2)],
    ),
    "a complaint does not lower an adherent": (
        [
            registered(0),
            bought(1),
            signal(2, "recommends"),
            signal(3, "buys-only-here"),
            bought(4),
            contact(5, purpose=Purpose.FEEDBACK, kind="complaint"),
            conflict(6),
        ],
        [("potential", 0), ("visitor", 1), ("buyer", 1), ("regular", 4), ("adherent", 4)],
    ),
    "a signal taken back does not count": (
        [
            registered(0),
            bought(1),
            bought(2),
            signal(3, "recommends"),
            signal(4, "recommends", holds=False),
            signal(5, "buys-only-here"),
        ],
        [("potential", 0), ("visitor", 1), ("buyer", 1), ("regular", 2)],
    ),
    "a return is no approach": (
        [registered(0), bought(1), returned(5)],
        [("potential", 0), ("visitor", 1), ("buyer", 1)],
    ),
    "the end is open from the first stage on": (
        [registered(0), left(2)],
        [("potential", 0), ("former", 2)],
    ),
    "a former client who only calls stays former": (
        [registered(0), bought(1), left(2), contact(3)],
        [("potential", 0), ("visitor", 1), ("buyer", 1), ("former", 2)],
    ),
    "a former client who buys again is a buyer again": (
        [registered(0), bought(1), bought(2), left(3), bought(50), bought(60)],
        [
            ("potential", 0),
            ("visitor", 1),
            ("buyer", 1),
            ("regular", 2),
            ("former", 3),
            ("buyer", 50),
            ("regular", 60),
        ],
    ),
}

FIVE = {
    "all five stages": (
        [registered(0), contact(2), contact(5), bought(8), bought(30)],
        [
            ("attraction", 0),
            ("interest", 2),
            ("evaluation", 5),
            ("purchase", 8),
            ("loyalty", 30),
        ],
    ),
    "an outbound call without reply interests nobody": (
        [registered(0), contact(2, Direction.OUTBOUND)],
        [("attraction", 0)],
    ),
    "a subscription is interest": (
        [registered(0), signal(2, "subscribed")],
        [("attraction", 0), ("interest", 2)],
    ),
    "who buys at once has passed every stage": (
        [registered(0), bought(2)],
        [("attraction", 0), ("interest", 2), ("evaluation", 2), ("purchase", 2)],
    ),
    "two orders of one day are two orders": (
        [registered(0), bought(2), bought(2.1)],
        [
            ("attraction", 0),
            ("interest", 2),
            ("evaluation", 2),
            ("purchase", 2),
            ("loyalty", 2.1),
        ],
    ),
    "one order stays developing, whatever else happens": (
        [registered(0), bought(2), contact(5), contact(9), signal(10, "recommends")],
        [("attraction", 0), ("interest", 2), ("evaluation", 2), ("purchase", 2)],
    ),
    "moving away is not going to a competitor": (
        [registered(0), bought(2), left(5, "moved-away")],
        [("attraction", 0), ("interest", 2), ("evaluation", 2), ("purchase", 2)],
    ),
    "back from the competitor": (
        [registered(0), bought(2), left(5, "dissatisfied", "better-alternative"), bought(9)],
        [
            ("attraction", 0),
            ("interest", 2),
            ("evaluation", 2),
            ("purchase", 2),
            ("competitor", 5),
            ("purchase", 9),
        ],
    ),
}

SILENCE = {
    "half a year of silence is an end": (
        [registered(0), bought(1), bought(2)],
        [("guest", 0), ("regular", 2), ("gone", 182)],
    ),
    "every approach begins the term again": (
        [registered(0), bought(1), bought(2), contact(100)],
        [("guest", 0), ("regular", 2), ("gone", 280)],
    ),
    "a guest who does not buy goes cold and can be won": (
        [registered(0), bought(100, 15), bought(110, 5)],
        [("guest", 0), ("cold", 90), ("regular", 110), ("gone", 290)],
    ),
    "what comes back lowers what was spent": (
        [registered(0), bought(100, 15), returned(105, 15), bought(110, 5)],
        [("guest", 0), ("cold", 90)],
    ),
    "silence over, the next purchase begins a new cycle": (
        [registered(0), bought(1), bought(2), bought(300), bought(301)],
        [
            ("guest", 0),
            ("regular", 2),
            ("gone", 182),
            ("guest", 300),
            ("regular", 301),
        ],
    ),
    "a conflict handled well makes a friend": (
        [
            registered(0),
            bought(1),
            bought(2),
            signal(3, "recommends"),
            conflict(4),
            resolved(5),
            signal(9, "recommends", holds=False),
        ],
        [("guest", 0), ("regular", 2), ("friend", 5), ("regular", 9), ("gone", 182)],
    ),
    "a conflict handled badly does not": (
        [
            registered(0),
            bought(1),
            bought(2),
            signal(3, "recommends"),
            conflict(4),
            resolved(5, well=False),
        ],
        [("guest", 0), ("regular", 2), ("gone", 182)],
    ),
}


@pytest.mark.parametrize("name", LADDER)
def test_ladder_of_six_stages(name):
    """
    LIFE-6, LIFE-20, LIFE-21, LIFE-22, LIFE-23, LIFE-25, LIFE-27: stage and date after each fact.
    """
    facts, expected = LADDER[name]

    assert expected == steps(in_time(facts, BOTH, day(400)), EFREMOVA)


@pytest.mark.parametrize("name", FIVE)
def test_five_stages(name):
    """
    LIFE-4, LIFE-17, LIFE-18, LIFE-19: stage and date after each fact.
    """
    facts, expected = FIVE[name]

    assert expected == steps(in_time(facts, BOTH, day(400)), CLM)


@pytest.mark.parametrize("name", SILENCE)
def test_own_model_with_time(name):
    """
    LIFE-11, LIFE-16: a company's own model moves clients by time alone, at the exact moment.
    """
    facts, expected = SILENCE[name]

    assert expected == steps(in_time(facts, SHOP_DEFINITION, day(400)), SHOP)


def test_every_stage_of_a_passing_is_recorded_with_its_facts():
    """
    LIFE-12: one fact may lead through several stages; each is entered, in the order of the model.
    """
    scenario = company(BOTH)
    scenario.when(registered(0))
    scenario.at(day(4)).when(bought(4))

    events = [e for e in scenario.events if isinstance(e.event, StageEntered)]
    ladder = [e for e in events if e.event.model == EFREMOVA]

    assert [
        StageEntered(client_id=PETRA, model=EFREMOVA, stage=Code("potential")),
        StageEntered(
            client_id=PETRA, model=EFREMOVA, stage=Code("visitor"), previous=Code("potential")
        ),
        StageEntered(
            client_id=PETRA, model=EFREMOVA, stage=Code("buyer"), previous=Code("visitor")
        ),
    ] == [e.event for e in ladder]
    assert ["lifecycle.efremova.entry", "LIFE-6", "LIFE-6"] == [e.rule for e in ladder]
    assert {"lifecycle@1"} == {e.definition for e in ladder}
    assert [(day(0),), (day(4),), (day(4),)] == [moments(scenario, e.because) for e in ladder]


def test_second_approach_names_both():
    """
    LIFE-12, LIFE-20: what made a client regular are the first purchase and the second approach.
    """
    scenario = in_time([registered(0), bought(1), contact(5), bought(6)], BOTH, day(7))

    explained = explain(scenario.record(JOURNAL), EFREMOVA, scenario.definitions, day(7))

    assert ("regular", day(5), "LIFE-20", "lifecycle@1", Means.FACT) == (
        explained.stage,
        explained.since,
        explained.rule,
        explained.definition,
        explained.means,
    )
    assert (day(1), day(5)) == moments(scenario, explained.facts)
    assert ["former", "adherent"] == [way.to for way in explained.ways]
    assert [False, False] == [way.verdict.holds for way in explained.ways]


def test_fact_that_others_could_replace_is_not_named():
    """
    LIFE-12: with two receipts on the first day neither is needed, so only the second day is named.
    """
    scenario = in_time([registered(0), bought(1), bought(1.1), bought(5)], BOTH, day(6))

    explained = explain(scenario.record(JOURNAL), EFREMOVA, scenario.definitions, day(6))

    assert (day(5),) == moments(scenario, explained.facts)


def test_unknown_model_is_not_explained():
    """
    LIFE-12: only a model the client is followed in has a stage to explain.
    """
    scenario = in_time([registered(0)], BOTH, day(1))

    with pytest.raises(UnknownError, match="no lifecycle model shoe"):
        explain(scenario.record(JOURNAL), Code("shoe"), scenario.definitions, day(1))


def test_end_carries_its_causes():
    """
    LIFE-23, LIFE-24: becoming former carries every cause recorded, silence the model's own.
    """
    facts = [registered(0), bought(1), left(2, "moved-away", "income-changed")]
    scenario = in_time(facts, BOTH, day(3))
    silent = in_time([registered(0), bought(1), bought(2)], SHOP_DEFINITION, day(200))

    assert ("moved-away", "income-changed") == visits(scenario.events, EFREMOVA)[-1].causes
    assert (("silence",), Means.TIME, (day(2),)) == (
        visits(silent.events, SHOP)[-1].causes,
        visits(silent.events, SHOP)[-1].means,
        moments(silent, visits(silent.events, SHOP)[-1].because),
    )


def test_competitor_is_reached_from_every_stage():
    """
    LIFE-4, LIFE-25: from each stage a client may go to a competitor, a partial cycle.
    """
    road = [registered(0), contact(1), contact(2), bought(3), bought(4)]

    for length in range(1, len(road) + 1):
        facts = [*road[:length], left(9, "better-alternative")]
        last = visits(in_time(facts, BOTH, day(10)).events, CLM)[-1]
        assert ("competitor", day(9), ("better-alternative",)) == (
            last.stage,
            last.began_at,
            last.causes,
        )


def test_cycles_are_counted():
    """
    LIFE-27: who comes back does so under the same id, the cycle rises, the history stays.
    """
    facts = [registered(0), bought(1), left(2), bought(3), left(4), bought(5)]

    found = visits(in_time(facts, BOTH, day(6)).events, EFREMOVA)

    assert [1, 1, 1, 1, 2, 2, 3] == [visit.cycle for visit in found]


def test_visits_cover_time_without_gap():
    """
    LIFE-1: at any past moment there is exactly one stage; before the first fact there is none.
    """
    scenario = in_time([registered(0), bought(1), bought(9)], BOTH, day(10))
    found = visits(scenario.events, EFREMOVA)

    assert [visit.ended_at for visit in found[:-1]] == [visit.began_at for visit in found[1:]]
    assert None is found[-1].ended_at
    assert None is stage_at(scenario.events, EFREMOVA, day(0) - timedelta(seconds=1))
    at_days = [stage_at(scenario.events, EFREMOVA, day(d)) for d in (0, 1, 8.9, 9)]
    assert ["potential", "buyer", "buyer", "regular"] == [v.stage for v in at_days if v]


def test_first_fact_of_any_kind_begins_the_lifecycle():
    """
    LIFE-12: whoever is on record has a stage in every model, from the first fact on.
    """
    scenario = company(BOTH)
    scenario.when(registered(0))

    assert ["attraction", "potential"] == [
        stay.move.stage for stay in scenario.record(JOURNAL).of(Lifecycle).stays.values()
    ]
    assert None is scenario.record(JOURNAL).of(Lifecycle).stage(SHOP)


def test_time_moves_at_its_own_moment_however_late_it_is_noticed():
    """
    LIFE-16: one late look equals many punctual ones.
    """
    facts = [registered(0), bought(1), bought(2)]
    punctual = in_time(facts, SHOP_DEFINITION, day(400))
    late = company(SHOP_DEFINITION).at(day(2))
    late.when(*facts)
    late.at(day(400)).elapse(JOURNAL)

    assert told(punctual, SHOP) == told(late, SHOP)
    assert StageEnteredByTime(
        client_id=PETRA,
        model=SHOP,
        stage=Code("gone"),
        previous=Code("regular"),
        causes=(Code("silence"),),
    ) == (late.events[-1].event)
    assert day(182) == late.events[-1].occurred_at


def test_stage_set_along_a_declared_exit():
    """
    LIFE-26: where a model allows it, a person sets a stage along a declared exit, with a reason.
    """
    scenario = in_time([registered(0), bought(1), bought(2)], SHOP_DEFINITION, day(5))

    events = scenario.when(
        SetStage(client_id=PETRA, model=SHOP, stage=Code("gone"), reason=Code("fraud"))
    )

    assert (
        StageSet(
            client_id=PETRA,
            model=SHOP,
            stage=Code("gone"),
            previous=Code("regular"),
            reason=Code("fraud"),
        ),
    ) == events
    last = visits(scenario.events, SHOP)[-1]
    assert ("gone", day(5), Means.HAND, (Code("fraud"),)) == (
        last.stage,
        last.began_at,
        last.means,
        last.causes,
    )
    scenario.advance(day(300))
    assert "gone" == scenario.record(JOURNAL).of(Lifecycle).stage(SHOP)
    scenario.when(bought(300))
    back = visits(scenario.events, SHOP)[-1]
    assert ("guest", 2) == (back.stage, back.cycle)


def test_stage_set_again_changes_nothing():
    """
    LIFE-26: setting the present stage is already so.
    """
    scenario = in_time([registered(0)], SHOP_DEFINITION, day(5))

    assert () == scenario.when(
        SetStage(client_id=PETRA, model=SHOP, stage=Code("guest"), reason=Code("whim"))
    )


def test_undeclared_move_is_refused_with_the_allowed_ones():
    """
    LIFE-26: an undeclared jump is refused with the list of allowed ones.
    """
    scenario = in_time([registered(0)], SHOP_DEFINITION, day(5))

    with pytest.raises(UndeclaredMoveError, match="to gone, regular, cold") as refused:
        scenario.when(SetStage(client_id=PETRA, model=SHOP, stage=Code("friend"), reason=Code("x")))

    assert ("LIFE-26", "guest", "gone,regular,cold") == (
        refused.value.details()["rule"],
        refused.value.details()["stage"],
        refused.value.details()["allowed"],
    )
    assert (day(0),) == moments(scenario, refused.value.because)


def test_presets_are_not_set_by_hand():
    """
    LIFE-12: stages follow from facts, not from labels that somebody sets.
    """
    scenario = in_time([registered(0)], BOTH, day(5))

    with pytest.raises(NotByHandError) as refused:
        scenario.when(
            SetStage(client_id=PETRA, model=CLM, stage=Code("interest"), reason=Code("x"))
        )

    assert {"rule": "LIFE-12", "model": "clm"} == refused.value.details()


def test_stage_does_not_begin_before_the_present_one():
    """
    LIFE-26: a stage set by hand begins when the present one has begun, or later.
    """
    scenario = in_time([registered(0), bought(3), bought(4)], SHOP_DEFINITION, day(5))

    with pytest.raises(BackdatedStageError):
        scenario.when(
            SetStage(
                client_id=PETRA,
                model=SHOP,
                stage=Code("gone"),
                reason=Code("fraud"),
                occurred_at=day(3),
            )
        )


@pytest.mark.parametrize(
    ("client", "model", "stage", "missing"),
    [
        ("nobody", "shop", "gone", "no client nobody"),
        ("petra", "shoe", "gone", "no lifecycle model shoe"),
        ("petra", "shop", "gome", "no stage gome"),
    ],
)
def test_what_is_named_must_exist(client, model, stage, missing):
    """
    LIFE-26: client, model and stage exist.
    """
    scenario = in_time([registered(0)], SHOP_DEFINITION, day(5))
    command = SetStage(
        client_id=ClientId(client), model=Code(model), stage=Code(stage), reason=Code("x")
    )

    with pytest.raises(UnknownError, match=missing):
        scenario.when(command)


def test_stage_set_asks_again():
    """
    LIFE-26: a backtest asks for a stage set by hand as it was asked for; for nothing else.
    """
    scenario = in_time([registered(0)], SHOP_DEFINITION, day(5))
    command = SetStage(
        client_id=PETRA,
        model=SHOP,
        stage=Code("cold"),
        reason=Code("silent"),
        occurred_at=day(4),
    )
    scenario.run(command, CLERK)

    assert [command] == [c for c in map(LIFECYCLE.asks, scenario.events) if c]


def test_late_fact_that_only_adds_is_a_stage_entered():
    """
    LIFE-12: a late fact that adds stages, and changes none, enters them at the moment it happened.
    """
    scenario = company(BOTH).at(day(50))
    scenario.when(registered(0), bought(1), bought(5), signal(9, "subscribed"))

    scenario.when(signal(7, "recommends"))
    events = scenario.when(signal(8, "buys-only-here"))

    assert (
        StageEntered(
            client_id=PETRA, model=EFREMOVA, stage=Code("adherent"), previous=Code("regular")
        ),
    ) == events[1:]
    assert ("adherent", 8) == steps(scenario, EFREMOVA)[-1]


def test_late_fact_that_only_adds_leads_through_several_stages():
    """
    LIFE-12: stages that a late fact leads through are entered one after the other.
    """
    scenario = company(SHOP_DEFINITION).at(day(200))
    scenario.when(registered(0), bought(10), left(100), contact(150))

    events = scenario.when(bought(120))

    assert [("guest", 0), ("cold", 90), ("gone", 100), ("guest", 120)] == steps(scenario, SHOP)
    assert [
        ("shop", "guest", day(120)),
        ("clm", "loyalty", day(120)),
        ("efremova", "buyer", day(120)),
        ("efremova", "regular", day(150)),
    ] == [(e.event.model, e.event.stage, e.occurred_at) for e in scenario.events[-4:]]
    assert [StageEntered] * 4 == [type(event) for event in events[1:]]


def test_late_fact_that_changes_history_is_corrected_not_rewritten():
    """
    LIFE-1: what was concluded stays in the journal; the correction says what it turned out to be.
    """
    scenario = in_time([registered(0), bought(1), bought(2)], SHOP_DEFINITION, day(200))
    before = [("guest", 0), ("regular", 2), ("gone", 182)]
    assert before == steps(scenario, SHOP)

    scenario.when(contact(100))

    assert [("guest", 0), ("regular", 2)] == steps(scenario, SHOP)
    known_then = [e for e in scenario.events if not isinstance(e.event, StageCorrected)]
    assert before == [(v.stage, (v.began_at - day(0)).days) for v in visits(known_then, SHOP)]
    corrected = [e for e in scenario.events if isinstance(e.event, StageCorrected)][-1]
    assert "LIFE-1" == corrected.rule
    scenario.advance(day(300))
    assert [("guest", 0), ("regular", 2), ("gone", 280)] == steps(scenario, SHOP)


def test_registration_after_the_first_purchase_counts_from_the_purchase():
    """
    LIFE-1: a client whose purchases are older than the registration begins with the first of them.
    """
    scenario = at_last([registered(90), bought(3), bought(1), bought(1.1)], BOTH, day(100))

    assert [("potential", 1), ("visitor", 1), ("buyer", 1), ("regular", 3)] == steps(
        scenario, EFREMOVA
    )


def test_new_model_judges_clients_by_all_that_happened():
    """
    LIFE-11: a model that comes into force later places every client at that moment where its rules
    lead on the whole history.
    """
    facts = [registered(0), bought(1), bought(2), bought(30)]
    scenario = in_time(facts, versions((0, BOTH), (20, SHOP_DEFINITION)), day(400))

    assert [("regular", 20), ("gone", 210)] == steps(scenario, SHOP)
    [first, _] = visits(scenario.events, SHOP)
    assert ("lifecycle@2", Means.TIME, None) == (first.definition, first.means, first.previous)
    assert (day(1), day(2)) == moments(scenario, first.because)
    assert [("potential", 0), ("visitor", 1), ("buyer", 1), ("regular", 2)] == steps(
        scenario, EFREMOVA
    )


def test_stage_that_a_new_version_dropped_is_left():
    """
    LIFE-11: who stood in a stage that is gone stands where the new rules lead.
    """
    changed = SHOP_TEXT.replace('"cold"', '"cool"')
    settings = versions((0, SHOP_DEFINITION), (100, definition(changed)))
    scenario = in_time([registered(0)], settings, day(120))

    assert [("guest", 0), ("cold", 90), ("cool", 100)] == steps(scenario, SHOP)


def test_late_fact_is_judged_by_the_rules_of_its_time():
    """
    LIFE-11: at each moment the version in force then is applied, however late a fact is heard of.
    """
    stricter = SHOP_TEXT.replace("purchases = { at_least = 2 }", "purchases = { at_least = 3 }")
    scenario = company(versions((0, SHOP_DEFINITION), (50, definition(stricter))))
    scenario.advance(day(60))
    scenario.when(registered(0), bought(1))

    scenario.when(bought(2))

    last = visits(scenario.events, SHOP)[-1]
    assert ("regular", day(2), "lifecycle@1") == (last.stage, last.began_at, last.definition)


def test_sub_stages_are_counted_under_their_parent():
    """
    LIFE-11: a stage split in two leaves the counts of its parent as they were; its exits hold too.
    """
    split = """
    [[lifecycle.models]]
    id = "split"
    entry = "guest"
    labels = { en = "Split" }
    stages = [
      { id = "guest", labels = { en = "Guest" }, exits = [
        { to = "large", when = { spent = { at_least = "100.00 EUR" } } },
        { to = "small", when = { purchases = { at_least = 1 } } },
      ] },
      { id = "regular", labels = { en = "Regular" }, exits = [
        { to = "gone", when = { left = {} } },
        { to = "large", when = { spent = { at_least = "100.00 EUR" } } },
      ] },
      { id = "small", parent = "regular", labels = { en = "Small" } },
      { id = "large", parent = "regular", labels = { en = "Large" } },
      { id = "gone", labels = { en = "Gone" }, end = true },
    ]
    """
    section = definition(split)
    name = Code("split")
    scenario = in_time([registered(0), bought(1, 60), bought(2, 60), left(3)], section, day(4))
    model = section.model(name)
    assert model is not None

    found = steps(scenario, name)

    assert [("guest", 0), ("small", 1), ("large", 2), ("gone", 3)] == found
    assert ["guest", "regular", "regular", "gone"] == [model.top(Code(s)) for s, _ in found]


def test_stage_set_by_hand_stands_when_history_changes():
    """
    LIFE-26, LIFE-1: a late fact changes what led to a stage set by hand, not that it was set.
    """
    scenario = in_time([registered(0)], SHOP_DEFINITION, day(10))
    cold = SetStage(client_id=PETRA, model=SHOP, stage=Code("cold"), reason=Code("moved"))
    scenario.when(cold)
    scenario.advance(day(20))

    scenario.when(bought(1), bought(2))

    assert [("guest", 0), ("regular", 2), ("cold", 10)] == steps(scenario, SHOP)
    last = visits(scenario.events, SHOP)[-1]
    assert (Means.HAND, "regular", (Code("moved"),)) == (last.means, last.previous, last.causes)


def test_stage_set_by_hand_is_told_again_after_its_model_is_gone():
    """
    LIFE-11: a stage set in a model that a later version dropped stays in the history of its time.
    """
    settings = versions((0, SHOP_DEFINITION), (100, BOTH))
    scenario = in_time([registered(0)], settings, day(10))
    scenario.when(SetStage(client_id=PETRA, model=SHOP, stage=Code("cold"), reason=Code("moved")))
    scenario.advance(day(200))

    scenario.when(contact(5))

    assert [("guest", 0), ("cold", 10)] == steps(scenario, SHOP)
    scenario.definitions = versions((0, BOTH))
    scenario.when(contact(4))
    assert [] == steps(scenario, SHOP)


def test_new_model_asks_for_the_whole_history_of_a_long_journal(monkeypatch):
    """
    LIFE-11: where not all facts are kept one by one, a new model needs the journal, and says so.
    """
    monkeypatch.setattr(track_draft, "TAIL_MAX", 4)
    monkeypatch.setattr(track_draft, "TAIL_KEPT", 2)
    settings = versions((0, BOTH), (100, SHOP_DEFINITION))
    scenario = in_time([registered(0), *map(bought, range(1, 20))], settings, day(99))
    context = scenario.at(day(150)).context()
    journal = scenario.rulebook.fold(scenario.rulebook.empty(JOURNAL), scenario.events)

    with pytest.raises(HistoryNeededError):
        scenario.rulebook.elapse(Record([journal]), context)
    history = {JOURNAL: tuple(scenario.events)}
    decision = scenario.rulebook.elapse(Record([journal], histories=history), context)

    assert ["regular"] == [recorded.event.stage for recorded in decision.events]
    [recorded] = decision.events
    assert (day(100), day(2)) == (recorded.occurred_at, recorded.event.counts_from)


def test_first_version_rules_the_history_before_it():
    """
    LIFE-11: a company that begins with the defaults and then applies its first version has its
    history judged by that version from the begin.
    """
    facts = [registered(0), bought(1), bought(2)]
    scenario = in_time(facts, definitions_of((), {}), day(10))
    scenario.definitions = versions((20, SHOP_DEFINITION))
    scenario.at(day(400)).elapse(JOURNAL)

    assert [("guest", 0), ("regular", 2), ("gone", 182)] == steps(scenario, SHOP)


def test_fact_of_the_future_comes_after_what_time_does_before_it():
    """
    LIFE-16: a fact dated after now is judged at its moment, with the time until then gone by.
    """
    scenario = in_time([registered(0), bought(1), bought(2)], SHOP_DEFINITION, day(10))

    scenario.when(bought(300))

    assert [("guest", 0), ("regular", 2), ("gone", 182), ("guest", 300)] == steps(scenario, SHOP)


def test_no_stage_is_entered_twice_by_one_fact():
    """
    LIFE-26: one fact leads on until no exit holds or the client has been there: it ends.
    """
    text = """
    [[lifecycle.models]]
    id = "round"
    entry = "a"
    labels = { en = "Round" }
    stages = [
      { id = "a", labels = { en = "A" }, exits = [
        { to = "b", when = { purchases = { at_least = 1 } } },
      ] },
      { id = "b", labels = { en = "B" }, exits = [
        { to = "a", when = { purchases = { at_least = 1 } } },
      ] },
    ]
    """
    name = Code("round")
    facts = [registered(0), bought(1), bought(2)]

    assert [("a", 0), ("b", 1), ("a", 2)] == steps(in_time(facts, definition(text), day(3)), name)
    late = at_last([facts[0], facts[2], facts[1]], definition(text), day(3))
    assert [("a", 0), ("b", 1), ("a", 2)] == steps(late, name)


def test_fact_is_not_named_where_another_exit_leads_to_the_same_stage():
    """
    LIFE-12: what alone would change an exit, but not where the client goes, is no reason.
    """
    text = """
    [[lifecycle.models]]
    id = "two"
    entry = "guest"
    labels = { en = "Two" }
    stages = [
      { id = "guest", labels = { en = "Guest" }, exits = [
        { to = "friend", when = { all = [
          { signal = "recommends" },
          { purchases = { at_least = 1 } },
        ] } },
        { to = "friend", when = { purchases = { at_least = 1 } } },
      ] },
      { id = "friend", labels = { en = "Friend" } },
    ]
    """
    facts = [registered(0), signal(1, "recommends"), bought(2)]
    scenario = in_time(facts, definition(text), day(3))

    last = visits(scenario.events, Code("two"))[-1]

    assert ("friend", (day(2),)) == (last.stage, moments(scenario, last.because))


def test_stage_set_by_hand_is_held_until_the_next_fact():
    """
    LIFE-26: a stage set against what its exits say stays until something further happens, also when
    a late fact has the history told again.
    """
    friend = SetStage(client_id=PETRA, model=SHOP, stage=Code("friend"), reason=Code("a-favour"))
    scenario = in_time([registered(0), bought(1), bought(2)], SHOP_DEFINITION, day(10))
    scenario.when(friend)
    scenario.advance(day(11))
    expected = [("guest", 0), ("regular", 2), ("friend", 10)]
    assert expected == steps(scenario, SHOP)

    scenario.when(contact(5))
    assert expected == steps(scenario, SHOP)

    scenario.when(contact(11))
    assert [*expected, ("regular", 11)] == steps(scenario, SHOP)


def test_fact_older_than_all_that_is_kept_counts_where_it_belongs(monkeypatch):
    """
    LIFE-1: a very late fact that changes no stage counts for the life, not for a stay begun later.
    """
    monkeypatch.setattr(track_draft, "TAIL_MAX", 4)
    monkeypatch.setattr(track_draft, "TAIL_KEPT", 2)
    bought_early = [registered(0), bought(1), bought(2), bought(3)]
    came_back = [bought(300), *map(contact, range(301, 310))]
    scenario = in_time([*bought_early, *came_back], SHOP_DEFINITION, day(310))
    expected = [("guest", 0), ("regular", 2), ("gone", 183), ("guest", 300)]

    scenario.when(bought(2.5), contact(310))

    assert expected == steps(scenario, SHOP)
    life = scenario.record(JOURNAL).of(Lifecycle).track.now.life
    assert 5 == life.purchases.count


def test_stage_of_a_model_no_longer_in_force_is_explained_without_ways_out():
    """
    LIFE-12: a model that a later version dropped still tells where the client stood, and no more.
    """
    settings = versions((0, SHOP_DEFINITION), (5, BOTH))
    scenario = in_time([registered(0), bought(1), bought(2)], settings, day(9))

    explained = explain(scenario.record(JOURNAL), SHOP, settings, day(9))

    assert ("regular", "regular", ()) == (explained.stage, explained.top, explained.ways)
