"""
What a leaving means for the leaver's clients.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from clientela.domain.errors import DomainError
from clientela.domain.identity.profile import IDENTITY
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import ClientId, Code, EmployeeId, JournalKind, client_journal
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.staff import STAFF, RecordLeaving
from clientela.domain.ownership.claim import Approach, ClientClaimed
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.orphaning import OrphanClient
from clientela.domain.ownership.rules import OWNERSHIP
from clientela.domain.personal import Personal
from tests.domain.spec import AT, IVO, MARTA, NORA, NORTH, Scenario


CLIENTS = tuple(ClientId(f"client-{number}") for number in range(7))
THEIRS = CLIENTS[:5]
LEFT_AT = AT + timedelta(hours=1)
PHONE = Code("phone")


class Owners:
    """Finds clients by owner, in the journals of a scenario."""

    def __init__(self, company: Scenario) -> None:
        self.company = company

    def owned_by(self, employee_id: EmployeeId) -> Iterator[ClientId]:
        for journal_id in self.company.journal_ids(JournalKind.CLIENT):
            if self.company.record(journal_id).of(Ownership).owner_id == employee_id:
                yield ClientId(journal_id.id)


@pytest.fixture
def company():
    """Seven clients, five of Marta's and two of Nora's."""
    scenario = Scenario(IDENTITY, STAFF, OWNERSHIP)
    scenario.when(RegisterEmployee(employee_id=MARTA, unit_id=NORTH, name=Personal("Marta")))
    for client_id in CLIENTS:
        seller = MARTA if client_id in THEIRS else NORA
        scenario.when(RegisterClient(client_id=client_id), approach(client_id, seller))
    return scenario


def approach(client_id: ClientId, seller: EmployeeId) -> Approach:
    """An approach with an offer."""
    return Approach(client_id=client_id, employee_id=seller, channel=PHONE)


def leave(company: Scenario) -> tuple[object, ...]:
    """Marta leaves; the commands that follow."""
    company.at(AT + timedelta(days=1)).when(RecordLeaving(employee_id=MARTA, left_at=LEFT_AT))
    company.roster.leave(MARTA, LEFT_AT)
    return tuple(company.rulebook.follow_ups(company.events[-1], Owners(company)))


def test_every_client_of_a_leaver_is_to_be_orphaned(company):
    """
    OWN-3: a leaving asks, at its own moment, for each client of the leaver and for nobody else's;
    asked twice it asks for the same.
    """
    expected = tuple(
        OrphanClient(client_id=client_id, employee_id=MARTA, occurred_at=LEFT_AT)
        for client_id in THEIRS
    )

    assert expected == leave(company)
    leaving = next(e for e in company.events if e.event_class.__name__ == "EmployeeLeft")
    assert expected == tuple(company.rulebook.follow_ups(leaving, Owners(company)))


def test_orphans_are_listed_and_each_is_taken_over_once(company):
    """
    OWN-3: a leaver with five clients leaves five orphans; each is taken over once, none is lost.
    """
    company.when(*leave(company))

    states = {c: company.record(client_journal(c)).of(Ownership) for c in CLIENTS}
    assert THEIRS == tuple(c for c, ownership in states.items() if ownership.orphaned)

    for client_id in THEIRS:
        assert ClientClaimed is type(company.when(approach(client_id, IVO))[-1])
        with pytest.raises(DomainError):
            company.when(approach(client_id, NORA))
    assert [IVO] * 5 + [NORA] * 2 == [
        company.record(client_journal(c)).of(Ownership).owner_id for c in CLIENTS
    ]


def test_nothing_else_asks_for_orphans(company):
    """
    OWN-3: only a leaving does.
    """
    followed = [
        command
        for recorded in company.events
        for command in company.rulebook.follow_ups(recorded, Owners(company))
    ]

    assert [] == followed
