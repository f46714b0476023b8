from datetime import timedelta

from clientela.domain.ids import ClientId, EmployeeId, Ref, UnitId
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.spells import spells
from clientela.services.translate import ownership
from clientela.services.translate.messages import (
    actor,
    explanation,
    fact_ref,
    journal_versions,
    timestamp,
)
from clientela.services.translate.ownership import OrphanFilter
from clientela.v1 import ownership_pb2
from tests.services.translate.shop import AT, CLERK, CLIENT, OLGA, shop


CLAIMED_AT = AT + timedelta(hours=1)


def test_an_owner_is_told_with_the_facts_that_made_them():
    """
    OWN-9: who, of which unit, since when, and the approach without which it would be otherwise.
    """
    company = shop()
    lapses_at = AT + timedelta(days=30)

    answer = ownership.ownership(
        OLGA,
        company.record(CLIENT).of(Ownership),
        claim=company.history(CLIENT)[5],
        lapses_at=lapses_at,
        etag="ownership-6",
        versions={CLIENT: 14},
    )

    expected = ownership_pb2.Ownership(
        client_id="olga",
        owner_id="marta",
        unit_id="north",
        since=timestamp(CLAIMED_AT),
        lapses_at=timestamp(lapses_at),
        claim=fact_ref(Ref(CLIENT, 6)),
        explanation=explanation("OWN-1", (Ref(CLIENT, 5),), None, lapses_at),
        etag="ownership-6",
        versions=journal_versions({CLIENT: 14}),
    )
    assert expected == answer


def test_nobody_is_told_as_nobody():
    """
    OWN-1: a client nobody looks after has no owner, no unit and no explanation.
    """
    answer = ownership.ownership(ClientId("boris"), Ownership(), claim=None, versions={})

    assert ownership_pb2.Ownership(client_id="boris") == answer


def test_a_spell_is_told_with_its_begin_and_cause():
    """
    OWN-9: a spell that lasts has no end.
    """
    [spell] = spells(shop().history(CLIENT))

    expected = ownership_pb2.OwnershipSpell(
        owner_id="marta",
        unit_id="north",
        began_at=timestamp(CLAIMED_AT),
        reason="claim",
        by=actor(CLERK),
        claim=fact_ref(Ref(CLIENT, 6)),
    )
    assert expected == ownership.spell(spell)


def test_an_orphan_is_told_with_the_owner_who_left():
    """
    OWN-3: the list of orphans names the former owner and since when the client waits.
    """
    state = Ownership(
        owner_id=EmployeeId("marta"), unit_id=UnitId("north"), orphaned=Ref(CLIENT, 9)
    )

    expected = ownership_pb2.Orphan(
        client_id="olga",
        owner_id="marta",
        unit_id="north",
        orphaned_at=timestamp(AT),
        orphaned=fact_ref(Ref(CLIENT, 9)),
    )
    assert expected == ownership.orphan(OLGA, state, AT)


def test_a_filter_of_orphans_names_unit_and_former_owner():
    """
    OWN-3: orphans are listed by unit and by the owner who left.
    """
    request = ownership_pb2.ListOrphansRequest(unit_id="north", owner_id="marta")

    expected = OrphanFilter(unit_id=UnitId("north"), owner_id=EmployeeId("marta"))
    assert expected == ownership.orphan_filter(request)
    assert OrphanFilter() == ownership.orphan_filter(ownership_pb2.ListOrphansRequest())
