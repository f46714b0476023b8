from __future__ import annotations

from datetime import timedelta

import pytest

from clientela.domain.definitions.documents import Document, digest, document, parse
from clientela.domain.definitions.problems import DefinitionsError
from clientela.domain.definitions.versions import (
    ApplyDefinitions,
    DefinitionsApplied,
    RetroactiveError,
    definitions_of,
    definitions_rule_set,
    section_types,
)
from clientela.domain.errors import UnknownError
from clientela.domain.lifecycle.model import LifecycleDefinition
from clientela.domain.lifecycle.stages import LIFECYCLE
from clientela.domain.ownership.policy import OwnershipPolicy
from clientela.domain.ownership.rules import OWNERSHIP
from tests.domain.spec import AT, Scenario


SECTIONS = section_types((OWNERSHIP, LIFECYCLE))
DEFINITIONS = definitions_rule_set(SECTIONS)
MONTH = "[ownership]\nlapses_after_days = 30"
YEAR = "[ownership]\nlapses_after_days = 365"


def applied(number: int, text: str, effective_from=AT) -> DefinitionsApplied:
    """The event of this version."""
    canonical = document(parse(text))
    return DefinitionsApplied(
        number=number,
        effective_from=effective_from,
        document=canonical,
        digest=digest(canonical),
    )


def test_sections_are_those_of_the_rule_sets():
    """
    Each rule set with settings has a section of its own name.
    """
    assert {"ownership": OwnershipPolicy, "lifecycle": LifecycleDefinition} == SECTIONS


def test_applied_documents_are_numbered():
    """
    Each document that says something new is a version, in force from now on unless stated.
    """
    company = Scenario(DEFINITIONS)

    assert (applied(1, MONTH),) == company.when(ApplyDefinitions.of(MONTH))
    later = AT + timedelta(days=9)
    assert (applied(2, YEAR, later),) == company.when(ApplyDefinitions.of(YEAR, later))


def test_same_content_is_already_so():
    """
    A document that differs in comments only changes nothing.
    """
    company = Scenario(DEFINITIONS)
    company.when(ApplyDefinitions.of(MONTH))

    assert () == company.when(ApplyDefinitions.of("# again\n" + MONTH))
    company.when(ApplyDefinitions.of(YEAR))
    assert 1 == len(company.when(ApplyDefinitions.of(MONTH)))


def test_same_content_can_be_brought_forward():
    """
    A version that is still to come is in force earlier if it is applied again for an earlier
    moment; for its own moment, or a later one, it is so already.
    """
    company = Scenario(DEFINITIONS)
    later = AT + timedelta(days=9)
    company.when(ApplyDefinitions.of(MONTH), ApplyDefinitions.of(YEAR, later))

    assert () == company.when(ApplyDefinitions.of(YEAR, later))
    assert () == company.when(ApplyDefinitions.of(YEAR, later + timedelta(days=1)))
    assert (applied(3, YEAR),) == company.when(ApplyDefinitions.of(YEAR))
    assert () == company.when(ApplyDefinitions.of(YEAR))
    assert () == company.when(ApplyDefinitions.of(YEAR, AT - timedelta(days=1)))

    in_force = definitions_of(company.events, SECTIONS).at(AT).of(OwnershipPolicy)
    assert 365 == in_force.lapses_after_days


def test_wrong_document_is_not_applied():
    """
    What is wrong is refused whole and leaves nothing behind.
    """
    company = Scenario(DEFINITIONS)

    with pytest.raises(DefinitionsError, match=r"ownership\.lapses_after_day: unknown key"):
        company.when(ApplyDefinitions.of("[ownership]\nlapses_after_day = 3"))
    with pytest.raises(DefinitionsError, match="no document"):
        company.when(ApplyDefinitions(document=Document("[]")))

    assert [] == company.events


def test_only_the_first_version_reaches_into_the_past():
    """
    The first version may begin before now, for imported history; a later one would rewrite it.
    """
    company = Scenario(DEFINITIONS)
    past = AT - timedelta(days=1000)
    company.when(ApplyDefinitions.of(MONTH, past))

    with pytest.raises(RetroactiveError) as refused:
        company.when(ApplyDefinitions.of(YEAR, AT - timedelta(seconds=1)))

    assert {
        "rule": "definitions.effective_from",
        "earliest": AT.isoformat(),
    } == refused.value.details()
    assert (company.events[0].ref,) == refused.value.because


def test_versions_are_found_by_moment_and_by_number():
    """
    At each moment the latest version begun is in force, the first one before its begin as well.
    """
    company = Scenario(DEFINITIONS)
    later = AT + timedelta(days=9)
    company.when(ApplyDefinitions.of(MONTH), ApplyDefinitions.of(YEAR, later))

    found = definitions_of(company.events, SECTIONS)

    terms = [
        found.at(moment).of(OwnershipPolicy).lapses_after_days
        for moment in (AT - timedelta(days=5000), AT, later - timedelta(seconds=1), later)
    ]
    assert [30, 30, 30, 365] == terms
    assert (1, 2) == (found.version(1).number, found.version(2).number)
    assert ["clm", "efremova"] == [m.id for m in found.at(AT).of(LifecycleDefinition).models]


def test_without_a_version_the_defaults_are_in_force():
    """
    A company that applied nothing has the defaults, told as version 0.
    """
    found = definitions_of((), SECTIONS)

    assert ("ownership@0", OwnershipPolicy()) == (
        found.at(AT).label("ownership"),
        found.at(AT).of(OwnershipPolicy),
    )
    with pytest.raises(UnknownError):
        found.version(2)


def test_section_of_a_rule_set_switched_off_is_passed_over():
    """
    What was right when it was applied stays readable.
    """
    company = Scenario(DEFINITIONS)
    company.when(ApplyDefinitions.of(MONTH + "\n[lifecycle]\npresets = []"))

    found = definitions_of(company.events, section_types((OWNERSHIP,)))

    assert 30 == found.at(AT).of(OwnershipPolicy).lapses_after_days


def test_applied_version_asks_again():
    """
    A backtest applies the same document at the same moment.
    """
    company = Scenario(DEFINITIONS)
    company.when(ApplyDefinitions.of(MONTH))
    [recorded] = company.events
    again = Scenario(DEFINITIONS)

    command = DEFINITIONS.asks(recorded)

    assert command is not None
    assert (recorded.event,) == again.when(command)
