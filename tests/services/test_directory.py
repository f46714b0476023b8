"""
Who belongs where, read from journals as they are written.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from clientela.adapters.memory import MemoryStore
from clientela.adapters.memory_reads import MemoryReads
from clientela.domain.codec import Codec
from clientela.domain.context import StaffMember
from clientela.domain.event import Actor, ActorKind
from clientela.domain.facts import BusinessKey, Direction, Line, Purpose
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import (
    BusinessId,
    ClientId,
    Code,
    EmployeeId,
    PrincipalId,
    UnitId,
    WalletId,
)
from clientela.domain.interaction.recording import RecordInteraction
from clientela.domain.money import Money
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.roles import GrantRole
from clientela.domain.organisation.staff import RecordLeaving
from clientela.domain.organisation.units import MoveUnit, RegisterUnit, UnitKind
from clientela.domain.ownership.claim import Approach
from clientela.domain.ownership.refusals import ClientTakenError
from clientela.domain.personal import Personal
from clientela.domain.purchase.recording import RecordPurchase
from clientela.domain.standard import PlainForms, standard_rulebook
from clientela.services.calls import Call
from clientela.services.clocks import VirtualClock
from clientela.services.command_path import CommandPath
from clientela.services.directory import JournalDirectory, Standing
from clientela.services.fresh_ids import new_id
from clientela.services.read_models import ReadModels
from clientela.services.records import Records
from clientela.services.serving import SERVING
from tests.services.edge import AT
from tests.services.vault import OpenSessions


HEAD, NORTH, SOUTH = (UnitId(name) for name in ("head", "north", "south"))
MARTA, NORA = EmployeeId("marta"), EmployeeId("nora")
PETRA = ClientId("petra")
SALESPERSON = Code("salesperson")
CLERK = Actor(ActorKind.EMPLOYEE, PrincipalId("clerk"))


class CountedStore(MemoryStore):
    """Counts how often it is asked to load."""

    loads = 0

    async def load(self, wanted):
        self.loads += 1
        return await super().load(wanted)


class Firm:
    """A company over a memory store: a head office with north and south, a seller in each."""

    def __init__(self) -> None:
        rulebook, store, sessions = standard_rulebook(), CountedStore(), OpenSessions()
        self.store = store
        codec = Codec(rulebook.event_classes)
        records = Records(rulebook, codec, store)
        reads = ReadModels(
            (SERVING,), store, MemoryReads(), codec, sessions=sessions, forms=PlainForms()
        )
        self.path = CommandPath(
            records,
            store,
            sessions=sessions,
            forms=PlainForms(),
            clock=VirtualClock(AT),
            new_id=new_id,
        )
        self.directory = JournalDirectory(records, reads)
        self.cold = JournalDirectory(Records(rulebook, codec, store), reads)

    async def run(self, *commands, unit=None):
        for command in commands:
            await self.path.execute(command, Call(actor=CLERK, unit=unit))


@pytest.fixture
async def firm():
    """A firm with its tree and its sellers."""
    firm = Firm()
    await firm.run(
        unit_of(HEAD, None),
        unit_of(NORTH, HEAD),
        unit_of(SOUTH, HEAD),
        seller(MARTA, NORTH),
        seller(NORA, SOUTH),
    )
    return firm


def unit_of(unit_id, parent_id):
    """One more branch."""
    return RegisterUnit(
        unit_id=unit_id, kind=UnitKind.BRANCH, label=Code(unit_id), parent_id=parent_id
    )


def seller(employee_id, unit_id):
    """One more salesperson."""
    return RegisterEmployee(
        employee_id=employee_id,
        unit_id=unit_id,
        name=Personal(employee_id),
        roles=(SALESPERSON,),
    )


def purchase(unit_id):
    """Petra buys a tin of tea there."""
    line = Line(line_id=Code("1"), sku=Code("tea"), quantity=1, net=Money(1_000, "EUR"))
    key = BusinessKey(Code("till"), BusinessId("1"))
    return RecordPurchase(client_id=PETRA, purchase=key, lines=(line,), unit_id=unit_id)


def approach(employee_id, *, with_offer=True):
    """A seller calls Petra."""
    return Approach(
        client_id=PETRA, employee_id=employee_id, channel=Code("phone"), with_offer=with_offer
    )


async def test_staff_and_units_are_as_they_were_written(firm):
    """
    OWN-7: roles, units and the tree are read from their journals, changes included.
    """
    await firm.run(GrantRole(employee_id=MARTA, role=Code("director")))

    assert StaffMember(
        MARTA, NORTH, roles=frozenset({SALESPERSON, Code("director")})
    ) == await firm.directory.member(MARTA)
    assert frozenset({NORTH, HEAD}) == await firm.directory.upward(NORTH)
    assert await firm.directory.member(EmployeeId("nobody")) is None
    assert await firm.directory.upward(UnitId("nowhere")) is None


async def test_whoever_is_asked_about_is_loaded_at_once(firm):
    """
    An employee and a unit without one above are each found by one load, and then in memory.
    """
    loads = [firm.store.loads]
    for _ in range(2):
        await firm.cold.member(MARTA)
        loads.append(firm.store.loads)
        await firm.cold.upward(HEAD)
        loads.append(firm.store.loads)

    assert [1, 1, 0, 0] == [after - before for before, after in pairwise(loads)]


async def test_a_client_is_seen_by_who_registered_and_who_owns(firm):
    """
    OWN-9: the south registered Petra, Marta of the north claimed her: both serve her.
    """
    await firm.run(RegisterClient(client_id=PETRA), unit=SOUTH)
    registered = await firm.directory.client(PETRA)
    await firm.run(approach(MARTA))

    assert Standing(client_id=PETRA, units=frozenset({SOUTH, HEAD})) == registered
    assert Standing(
        client_id=PETRA,
        owner_id=MARTA,
        owner_units=frozenset({NORTH, HEAD}),
        units=frozenset({NORTH, SOUTH, HEAD}),
    ) == await firm.directory.client(PETRA)


async def test_a_client_is_seen_by_who_met_or_sold(firm):
    """
    OWN-9: a contact and a purchase make a unit one that serves the client.
    """
    await firm.run(RegisterClient(client_id=PETRA))
    nobody = await firm.directory.client(PETRA)
    await firm.run(
        RecordInteraction(
            client_id=PETRA,
            employee_id=NORA,
            channel=Code("visit"),
            direction=Direction.INBOUND,
            purpose=Purpose.ENQUIRY,
            kind=Code("visit"),
        )
    )
    met = await firm.directory.client(PETRA)
    await firm.run(purchase(NORTH))

    assert [frozenset(), {SOUTH, HEAD}, {NORTH, SOUTH, HEAD}] == [
        nobody.units,
        met.units,
        (await firm.directory.client(PETRA)).units,
    ]


async def test_a_refused_approach_serves_nobody(firm):
    """
    OWN-6: who asked in vain does not see the client for having asked.
    """
    await firm.run(RegisterClient(client_id=PETRA), approach(MARTA))
    with pytest.raises(ClientTakenError):
        await firm.run(approach(NORA))

    standing = await firm.directory.client(PETRA)

    assert frozenset({NORTH, HEAD}) == standing.units


async def test_a_moved_unit_moves_what_is_seen(firm):
    """
    OWN-7: the tree is the tree of now, not of when the client was claimed.
    """
    await firm.run(RegisterClient(client_id=PETRA), approach(MARTA))
    await firm.run(MoveUnit(unit_id=NORTH, parent_id=SOUTH))

    standing = await firm.directory.client(PETRA)

    assert frozenset({NORTH, SOUTH, HEAD}) == standing.owner_units


async def test_an_orphan_stays_with_its_unit(firm):
    """
    OWN-3: when the owner has left, the unit still sees the client, to find a new one.
    """
    await firm.run(RegisterClient(client_id=PETRA), approach(MARTA))
    await firm.run(RecordLeaving(employee_id=MARTA, left_at=AT))

    standing = await firm.directory.client(PETRA)

    assert frozenset({NORTH, HEAD}) == standing.owner_units


async def test_nobody_is_nobody(firm):
    """
    S4: who was never written is not there, whether asked as client or by wallet.
    """
    assert await firm.directory.client(ClientId("nobody")) is None
    assert await firm.directory.client_of(WalletId("nobody")) is None
    await firm.run(RegisterClient(client_id=PETRA))
    assert PETRA == await firm.directory.client_of(WalletId("petra"))
