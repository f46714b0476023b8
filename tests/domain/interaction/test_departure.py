"""
Clients who leave, and why.
"""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from clientela.domain.context import DefinitionVersion
from clientela.domain.errors import InvalidValueError
from clientela.domain.facts import (
    ClientLeft,
    EndKind,
)
from clientela.domain.ids import (
    Code,
)
from clientela.domain.interaction.departure import CAUSES_MAX
from clientela.domain.interaction.policy import (
    LEAVING_CAUSES,
    InteractionPolicy,
)
from clientela.domain.interaction.rules import INTERACTION
from tests.domain.interaction.talks import CONFLICT, DEPARTURE, PETRA
from tests.domain.register import REGISTER, Register
from tests.domain.spec import AT, Scenario, definitions


def test_causes_of_leaving_are_those_the_source_names():
    """
    LIFE-23, LIFE-24: moved away, income changed, staff brought their own suppliers; changed
    requirements, a better alternative, dissatisfaction, advertising that did not catch, terms not
    as expected; and other.
    """
    assert {
        "moved-away",
        "income-changed",
        "staff-brought-own-suppliers",
        "changed-requirements",
        "better-alternative",
        "dissatisfied",
        "advertising-did-not-catch",
        "terms-not-as-expected",
        "other",
    } == set(LEAVING_CAUSES)


@pytest.mark.parametrize("ended", list(EndKind))
def test_departure_is_recorded_with_its_causes_and_who_ended_it(company, ended):
    """
    LIFE-23, LIFE-24: a client leaves for one or more recorded causes; who ended it is kept.
    """
    causes = LEAVING_CAUSES[:3]

    assert (ClientLeft(client_id=PETRA, causes=causes, ended=ended),) == company.when(
        attrs.evolve(DEPARTURE, causes=causes, ended=ended)
    )
    assert "LIFE-23" == company.events[-1].rule


@pytest.mark.parametrize(
    "causes",
    [(), (Code("whim"),), (Code("moved-away"), Code("whim")), (Code("other"),) * (CAUSES_MAX + 1)],
)
def test_departure_without_a_listed_cause_is_refused(company, causes):
    """
    LIFE-23: a client is not former without a cause, an unlisted one, or too many.
    """
    with pytest.raises(InvalidValueError) as refused:
        company.when(attrs.evolve(DEPARTURE, causes=causes))

    assert "causes" == refused.value.field
    assert "whim" not in str(refused.value)


def test_company_adds_causes_of_its_own():
    """
    LIFE-21, LIFE-23: a company's own causes hold besides those of the source, from the moment on
    at which they are in force.
    """
    policy = InteractionPolicy(leaving_causes=(Code("retired"),), conflict_causes=(Code("noise"),))
    company = Scenario(REGISTER, INTERACTION)
    company.when(Register(client_id=PETRA))
    later = AT + timedelta(days=1)
    company.definitions = attrs.evolve(
        definitions(),
        versions=(
            *definitions().versions,
            DefinitionVersion(2, later, {InteractionPolicy: policy}),
        ),
    )
    own = (
        attrs.evolve(DEPARTURE, causes=(Code("retired"), Code("other"))),
        attrs.evolve(CONFLICT, cause=Code("noise")),
    )

    for command in own:
        with pytest.raises(InvalidValueError):
            company.when(command)
    company.at(later)

    assert [1, 1, 1] == [len(company.when(command)) for command in (*own, CONFLICT)]
