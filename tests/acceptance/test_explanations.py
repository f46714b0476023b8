"""
Every answer names its facts: each is on record, and without it the answer would be another one.
"""

from __future__ import annotations

import attrs
import pytest

from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.ownership.refusals import ClientTakenError
from clientela.domain.ruleset import Command
from tests.acceptance.explanations import (
    balance,
    grounds,
    idle_facts,
    owner,
    points,
    refusal,
    stage,
)
from tests.acceptance.town import (
    CARD,
    PETRA,
    WALLET,
    approach,
    blocks_card,
    buys,
    calls,
    departs,
    empty_town,
    issues_card,
    key,
    leaves,
    makes_up,
    orphan,
    quarrels,
    replace,
    returns,
    sets,
    signal,
    spends,
    town,
)


STAGES: list[tuple[str, str, list[tuple[int, Command]], int, int]] = [
    ("clm", "attraction", [], 1, 1),
    ("clm", "interest", [(1, signal("subscribed"))], 2, 1),
    ("clm", "evaluation", [(1, calls()), (2, calls())], 3, 2),
    ("clm", "purchase", [(1, buys("a", 10))], 2, 1),
    ("clm", "loyalty", [(1, buys("a", 10)), (1, buys("b", 10))], 2, 2),
    ("clm", "competitor", [(1, departs("better-alternative"))], 2, 1),
    ("clm", "purchase", [(1, departs("better-alternative")), (2, buys("a", 10))], 3, 1),
    ("efremova", "potential", [], 1, 1),
    ("efremova", "visitor", [(1, calls())], 2, 1),
    ("efremova", "buyer", [(1, buys("a", 10))], 2, 1),
    ("efremova", "buyer", [(1, buys("a", 10)), (1, buys("b", 10))], 2, 0),
    ("efremova", "regular", [(1, buys("a", 10)), (2, buys("b", 10))], 3, 2),
    (
        "efremova",
        "adherent",
        [
            (1, buys("a", 10)),
            (2, buys("b", 10)),
            (3, signal("buys-only-here")),
            (4, signal("recommends")),
        ],
        5,
        2,
    ),
    ("efremova", "former", [(1, buys("a", 10)), (2, departs("other"))], 3, 1),
    ("care", "new", [], 1, 1),
    ("care", "good", [(1, buys("a", 60)), (2, buys("b", 60))], 3, 2),
    ("care", "new", [(1, buys("a", 60)), (2, buys("b", 60)), (3, returns("a"))], 4, 1),
    ("care", "consoled", [(1, quarrels("marta")), (2, makes_up())], 3, 2),
    ("care", "talkative", [(1, calls()), (2, calls())], 3, 2),
    ("care", "forgotten", [], 31, 1),
    ("care", "forgotten", [(3, sets("forgotten"))], 4, 1),
    ("care", "silent", [(1, buys("a", 120)), (5, calls())], 40, 2),
    ("care", "good", [(1, buys("a", 120)), (40, buys("b", 10))], 45, 1),
]
"""Model, stage, what happened, up to which day, and the least number of facts to be named."""


@pytest.mark.parametrize(
    ("model", "at", "happened", "days", "least"),
    STAGES,
    ids=[f"{model}-{at}-{n}" for n, (model, at, *_) in enumerate(STAGES)],
)
def test_every_stage_is_explained_by_facts_it_needs(model, at, happened, days, least):
    """
    LIFE-4, LIFE-6, LIFE-12: each stage of the presets, and stages of every kind of condition, by
    hand and by time alone included, name the facts without which the client would not stand there.
    """
    company = town(*happened, days=days)

    facts, idle = idle_facts(company, PETRA, stage(PETRA, model), empty_town)

    assert at == stage(PETRA, model)(company).says[0]
    assert [] == idle
    assert least <= len(facts)


OWNERS: dict[str, tuple[str | None, list[tuple[int, Command]], int, int]] = {
    "approach": ("marta", [(1, approach("marta"))], 2, 1),
    "approach-after-talks": (
        "marta",
        [(1, calls()), (1, approach("ivo", with_offer=False)), (2, approach("marta"))],
        3,
        1,
    ),
    "approached-again": ("marta", [(1, approach("marta")), (9, approach("marta"))], 10, 2),
    "conflict": (
        "ivo",
        [(1, approach("marta")), (2, quarrels("marta")), (3, replace("ivo", "conflict"))],
        4,
        3,
    ),
    "two-conflicts": (
        "nora",
        [
            (1, approach("marta")),
            (2, quarrels("marta")),
            (3, replace("ivo", "conflict")),
            (4, quarrels("ivo")),
            (5, replace("nora", "conflict")),
        ],
        6,
        4,
    ),
    "special-case": ("nora", [(1, approach("marta")), (2, replace("nora", "moved-away"))], 3, 2),
    "left": (
        "ivo",
        [(1, approach("marta")), (2, leaves("marta", 2)), (3, replace("ivo", "employee-left"))],
        4,
        3,
    ),
    "orphaned": (
        "marta",
        [(1, approach("marta")), (2, leaves("marta", 2)), (2, orphan("marta"))],
        3,
        3,
    ),
    "claimed-after-orphan": (
        "nora",
        [
            (1, approach("marta")),
            (2, leaves("marta", 2)),
            (2, orphan("marta")),
            (3, approach("nora")),
        ],
        4,
        3,
    ),
    "lapsed": (None, [(1, approach("marta")), (9, approach("marta"))], 80, 2),
    "claimed-after-lapse": ("ivo", [(1, approach("marta")), (70, approach("ivo"))], 80, 1),
}
"""Owner, what happened, up to which day, and the least number of facts to be named."""


@pytest.mark.parametrize("case", OWNERS)
def test_every_owner_is_explained_by_facts_it_needs(case):
    """
    OWN-1, OWN-3, OWN-4, OWN-5, OWN-9: who looks after a client, after whom and until when names the
    approaches, conflicts, departures and replacements without which it would be otherwise.
    """
    expected, happened, days, least = OWNERS[case]
    company = town(*happened, days=days)

    facts, idle = idle_facts(company, PETRA, owner(PETRA), empty_town)

    spell = owner(PETRA)(company).says[0]
    assert expected == (spell and spell[0])
    assert [] == idle
    assert least <= len(facts)


def test_nobody_looks_after_a_client_whom_nobody_approached():
    """
    OWN-1: where nothing happened there is nothing to name.
    """
    company = town((1, calls()), days=2)

    assert ((None, None, False, None, None), ()) == attrs.astuple(
        owner(PETRA)(company), recurse=False
    )


BALANCES: dict[str, tuple[tuple[int, int, int], list[tuple[int, Command]], int, int]] = {
    "earned": ((50, 0, 0), [(1, buys("a", 50))], 2, 1),
    "spent": ((30, 0, 0), [(1, buys("a", 50)), (2, spends(20, "s"))], 3, 2),
    "returned": ((40, 0, 0), [(1, buys("a", 50)), (2, buys("b", 40)), (3, returns("a"))], 4, 1),
    "owed": ((0, 0, 20), [(1, buys("a", 50)), (2, spends(20, "s")), (3, returns("a"))], 4, 3),
    "taken-elsewhere": (
        (20, 0, 0),
        [(1, buys("a", 50)), (2, spends(20, "s")), (3, buys("b", 40)), (4, returns("a"))],
        5,
        4,
    ),
    "repaid": (
        (20, 0, 0),
        [(1, buys("a", 50)), (2, spends(20, "s")), (3, returns("a")), (4, buys("b", 40))],
        5,
        4,
    ),
    "given-back": (
        (50, 0, 0),
        [(1, buys("a", 50)), (2, spends(20, "s", "b")), (3, buys("b", 40, 20)), (4, returns("b"))],
        5,
        4,
    ),
    "expired": ((40, 0, 0), [(1, buys("a", 50)), (20, buys("b", 40))], 40, 1),
    "expired-when-returned": (
        (40, 0, 0),
        [(1, buys("a", 50)), (20, buys("b", 40)), (40, returns("a"))],
        41,
        1,
    ),
}
"""Points free, held and owed, what happened, up to which day, and the least number of facts."""


@pytest.mark.parametrize("case", BALANCES)
def test_every_balance_is_explained_by_facts_it_needs(case):
    """
    LOY-10: a balance after earning, spending, return and expiry, and a debt, name the purchases,
    returns and spends without which other points would be there, or would be there otherwise.
    """
    (available, held, debt), happened, days, least = BALANCES[case]
    company = town(*happened, days=days)

    facts, idle = idle_facts(company, PETRA, balance(PETRA), empty_town)

    told = points(PETRA)(company).says
    assert (available, held, debt) == (told.available, told.held, told.debt)
    assert [] == idle
    assert least <= len(facts)


REFUSALS: dict[str, tuple[str, Command, list[tuple[int, Command]], int]] = {
    "colleague": ("CLIENT_TAKEN", approach("ivo"), [(1, approach("marta"))], 1),
    "other-unit": ("CLIENT_TAKEN", approach("nora"), [(1, approach("marta"))], 1),
    "later-until": (
        "CLIENT_TAKEN",
        approach("ivo"),
        [(1, approach("marta")), (9, approach("marta"))],
        2,
    ),
    "given-away": (
        "CLIENT_TAKEN",
        approach("marta"),
        [(1, approach("marta")), (2, quarrels("marta")), (3, replace("ivo", "conflict"))],
        1,
    ),
    "left": ("EMPLOYEE_LEFT", approach("ivo"), [(1, leaves("ivo", 1))], 1),
    "no-ground": ("NO_GROUND", replace("ivo", "conflict"), [(1, approach("marta"))], 0),
    "no-points": ("INSUFFICIENT_POINTS", spends(51, "s"), [(1, buys("a", 50))], 1),
    "points-owed": (
        "INSUFFICIENT_POINTS",
        spends(1, "s"),
        [(1, buys("a", 50)), (2, spends(20, "x")), (3, returns("a"))],
        2,
    ),
    "card-blocked": (
        "CARD_BLOCKED",
        SpendPoints(wallet_id=WALLET, spend=key("s"), points=1, card_id=CARD),
        [(1, buys("a", 50)), (2, issues_card()), (3, blocks_card())],
        1,
    ),
    "no-such-exit": ("STAGE_UNDECLARED", sets("talkative"), [(1, buys("a", 120))], 1),
}
"""Reason, what is refused, what had happened, and the least number of facts to be named."""


@pytest.mark.parametrize("case", REFUSALS)
def test_every_refusal_is_explained_by_facts_it_needs(case):
    """
    OWN-2, OWN-3, OWN-6, LOY-10, LIFE-26: a refusal names the facts without which it would not have
    been made, or would have told another owner, date or number; lack of a ground names none.
    """
    reason, command, happened, least = REFUSALS[case]
    company = town(*happened, days=20)
    question = refusal(PETRA, command)

    facts, idle = idle_facts(company, PETRA, question, empty_town)

    assert reason == question(company).says[0]
    assert [] == idle
    assert least <= len(facts)


def test_a_refused_approach_keeps_its_reasons_on_record():
    """
    OWN-2: the approach that was refused stands in the journal with the facts it was refused for.
    """
    company = town((1, approach("marta")), days=2)
    with pytest.raises(ClientTakenError) as refused:
        company.run(approach("ivo"))
    kept = company.events[-1]
    made_owner = next(e for e in company.events if e.type.name == "approach-made")

    assert "approach-refused" == kept.type.name
    assert refused.value.because == kept.because
    assert {made_owner.ref} == grounds(kept.because, company.events)
