"""
What employees' roles on record come to, and how soon a change is felt.
"""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import PrincipalId
from clientela.domain.organisation.roles import ACCOUNTANT, ANALYST, SALESPERSON, STAFF_ROLES
from clientela.services.access import CallClass
from clientela.services.clocks import VirtualClock
from clientela.services.grants import COMPANY_WIDE, StaffGrants, granted
from clientela.services.principal import Grant, Principal
from tests.services.edge import AT, IVO, MARTA, NORTH, Ticks, Town, as_employee, edge, request_of


def employee(employee_id):
    """As a token says: a name and nothing else."""
    return Principal(actor=Actor(ActorKind.EMPLOYEE, PrincipalId(employee_id)))


class Office:
    """Grants over a town."""

    def __init__(self):
        self.town, self.ticks, self.clock = Town(), Ticks(), VirtualClock(AT)
        self.grants = StaffGrants(self.town, self.clock, self.ticks)

    async def granted(self, employee_id, call_class=CallClass.COMMAND):
        return (await self.grants.filled(employee(employee_id), call_class)).grants


async def test_roles_reach_their_unit_or_the_company():
    """
    OWN-15: Ivo sells in the north and keeps the accounts of all.
    """
    office = Office()

    assert (Grant(ACCOUNTANT), Grant(SALESPERSON, NORTH)) == await office.granted(IVO)
    assert NORTH == (await office.grants.filled(employee(IVO), CallClass.READ)).unit_id


async def test_who_is_not_on_record_or_has_left_has_nothing():
    """
    OWN-3: from the moment of leaving on nothing is granted any more.
    """
    office = Office()
    office.town.members[MARTA] = attrs.evolve(
        office.town.members[MARTA], left_at=AT + timedelta(seconds=1)
    )
    before = await office.granted(MARTA)
    office.clock.move(AT + timedelta(seconds=1))

    assert (Grant(SALESPERSON, NORTH),) == before
    assert () == await office.granted(MARTA)
    assert () == await office.granted("stranger")


async def test_a_revoked_role_ends_at_once_for_commands_and_soon_for_reads():
    """
    G26: no write after revocation; reads stop within five seconds.
    """
    office = Office()
    await office.granted(MARTA, CallClass.READ)
    office.town.members[MARTA] = attrs.evolve(office.town.members[MARTA], roles=frozenset())

    office.ticks.now += 4.9
    still_reading = await office.granted(MARTA, CallClass.READ)
    office.ticks.now += 0.2
    no_longer = await office.granted(MARTA, CallClass.READ)

    assert ((Grant(SALESPERSON, NORTH),), ()) == (still_reading, no_longer)


async def test_a_command_never_uses_what_is_remembered():
    """
    S5: commands read grants anew, and what they read is what reads remember.
    """
    office = Office()
    await office.granted(MARTA, CallClass.READ)
    office.town.members[MARTA] = attrs.evolve(office.town.members[MARTA], roles=frozenset())

    assert () == await office.granted(MARTA, CallClass.COMMAND)
    assert () == await office.granted(MARTA, CallClass.READ)


async def test_grants_that_came_with_the_credentials_stay():
    """
    S1: what a verified certificate or token says of a service is not looked up.
    """
    office = Office()
    till = Principal(actor=Actor(ActorKind.SERVICE, PrincipalId("till")), grants=(Grant(ANALYST),))

    assert till == await office.grants.filled(till, CallClass.COMMAND)
    assert 0 == office.town.asked


@pytest.mark.parametrize("kind", [k for k in ActorKind if k is not ActorKind.EMPLOYEE])
async def test_only_employees_are_looked_up(kind):
    """
    S2: nobody else's grants come from the records of staff.
    """
    principal = Principal(actor=Actor(kind, PrincipalId(MARTA)))

    assert () == (await Office().grants.filled(principal, CallClass.READ)).grants


def test_roles_of_the_company_are_roles_of_staff():
    """
    OWN-15: whom the company-wide list names is in the catalogue; sellers are not on it.
    """
    assert set(STAFF_ROLES) > COMPANY_WIDE
    assert SALESPERSON not in COMPANY_WIDE
    assert Grant(SALESPERSON, NORTH) == granted(SALESPERSON, NORTH)


async def test_revocation_over_the_wire():
    """
    G26: the very next command is refused.
    """
    async with edge() as served:
        request = request_of("UpdateClient", client_id="petra")
        await served.call("UpdateClient", request, as_employee("marta"))
        town = served.town
        town.members[MARTA] = attrs.evolve(town.members[MARTA], roles=frozenset())

        refusal = await served.refused("UpdateClient", request, as_employee("marta"))

        assert "PERMISSION_DENIED" == refusal.code
