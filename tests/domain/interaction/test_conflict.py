"""
Conflicts and how they end.
"""

from __future__ import annotations

import attrs
import pytest

from clientela.domain.errors import InvalidValueError
from clientela.domain.facts import (
    ConflictRecorded,
    ConflictResolved,
)
from clientela.domain.ids import (
    Code,
)
from clientela.domain.interaction.conflict import ResolveConflict
from clientela.domain.interaction.policy import (
    CONFLICT_CAUSES,
)
from clientela.domain.interaction.refusals import NoConflictError
from clientela.domain.personal import Personal
from tests.domain.interaction.talks import CONFLICT, PETRA, contacts
from tests.domain.spec import MARTA, NORA


@pytest.mark.parametrize("cause", CONFLICT_CAUSES)
def test_conflict_has_a_cause_and_stays_open_until_it_is_resolved(company, cause):
    """
    LIFE-21: a conflict is recorded with one of its causes and is open until it is resolved, well
    or badly.
    """
    (began,) = company.when(attrs.evolve(CONFLICT, cause=cause, note=Personal("shouted")))
    conflict = company.events[-1].ref
    assert (
        ConflictRecorded(client_id=PETRA, employee_id=MARTA, cause=cause, note=began.note) == began
    )
    assert conflict == contacts(company).open_conflict

    (ended,) = company.when(ResolveConflict(client_id=PETRA, handled_well=cause == "error"))

    assert ConflictResolved(client_id=PETRA, handled_well=cause == "error") == ended
    assert ("LIFE-21", (conflict,)) == (company.events[-1].rule, company.events[-1].because)
    assert None is contacts(company).open_conflict


def test_nothing_is_resolved_where_no_conflict_is_open(company):
    """
    LIFE-21: a resolution needs a conflict, each conflict one resolution.
    """
    resolve = ResolveConflict(client_id=PETRA, handled_well=True)
    with pytest.raises(NoConflictError) as refused:
        company.when(resolve)
    assert ("NO_CONFLICT", "LIFE-21") == (refused.value.reason, refused.value.rule)

    company.when(CONFLICT, resolve)
    with pytest.raises(NoConflictError):
        company.when(resolve)


def test_conflict_can_be_had_with_somebody_who_is_not_the_owner(company):
    """
    LIFE-21: anybody on our side can fall out with a client, owned or not.
    """
    assert 1 == len(company.when(attrs.evolve(CONFLICT, employee_id=NORA)))


def test_conflict_without_a_listed_cause_is_refused(company):
    """
    LIFE-21: causes are a list.
    """
    with pytest.raises(InvalidValueError) as refused:
        company.when(attrs.evolve(CONFLICT, cause=Code("moved-away")))

    assert "cause" == refused.value.field
