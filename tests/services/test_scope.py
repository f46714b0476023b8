"""
Which records a principal reaches: every relation between caller and record, written out.
"""

from __future__ import annotations

import pytest

from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import Code, EmployeeId, PrincipalId, UnitId
from clientela.services.access import Scope
from clientela.services.principal import Grant, Principal
from clientela.services.scope import Reach, check_target, reach_of
from tests.services.edge import (
    HEAD,
    LENA,
    METHODS,
    NORTH,
    PETRA,
    SOUTH,
    YARD,
    Town,
    as_employee,
    edge,
    request_of,
)


def caller(kind, id_, *units):
    """A principal with one grant for each of *units*."""
    grants = tuple(Grant(Code("g"), unit) for unit in units)
    return Principal(actor=Actor(kind, PrincipalId(id_)), grants=grants)


MARTA = caller(ActorKind.EMPLOYEE, "marta", NORTH)
IVO = caller(ActorKind.EMPLOYEE, "ivo", NORTH)
NORA = caller(ActorKind.EMPLOYEE, "nora", SOUTH)
YARDMAN = caller(ActorKind.EMPLOYEE, "yardman", YARD)
CHIEF = caller(ActorKind.EMPLOYEE, "chief", HEAD)
ANALYST = caller(ActorKind.EMPLOYEE, "anna", None)
TILL = caller(ActorKind.SERVICE, "till", None)
NORTH_TILL = caller(ActorKind.SERVICE, "north-till", NORTH)
PARTNER = caller(ActorKind.PARTNER, "agency", None)
NORTH_PARTNER = caller(ActorKind.PARTNER, "agency", NORTH)
PETRA_HERSELF = caller(ActorKind.CLIENT, "petra", None)

SEES_CLIENT = {
    # whose caller: Petra (north, Marta's), Pavel (south, Nora's), Lena (yard, nobody's)
    "marta": (MARTA, "petra lena"),
    "ivo": (IVO, "petra lena"),
    "nora": (NORA, "pavel"),
    "yardman": (YARDMAN, "lena"),
    "chief": (CHIEF, "petra pavel lena"),
    "analyst": (ANALYST, "petra pavel lena nobody"),
    "till": (TILL, "petra pavel lena nobody"),
    "north till": (NORTH_TILL, "petra lena"),
    "partner": (PARTNER, ""),
    "north partner": (NORTH_PARTNER, "petra lena"),
    "petra": (PETRA_HERSELF, "petra"),
}

OWNS_CLIENT = {
    # through the owner's unit only: nobody owns Lena
    "marta": (MARTA, "petra"),
    "nora": (NORA, "pavel"),
    "yardman": (YARDMAN, ""),
    "chief": (CHIEF, "petra pavel"),
    "till": (TILL, "petra pavel lena nobody"),
    "petra": (PETRA_HERSELF, "petra"),
}

SEES_UNIT = {
    "marta": (MARTA, "north yard"),
    "nora": (NORA, "south"),
    "chief": (CHIEF, "head north south yard"),
    "till": (TILL, "head north south yard nobody"),
    "partner": (PARTNER, ""),
    "petra": (PETRA_HERSELF, ""),
}

SEES_EMPLOYEE = {
    "marta": (MARTA, "marta ivo boss"),
    "nora": (NORA, "nora anna"),
    "chief": (CHIEF, "marta ivo nora boss anna olaf"),
    "till": (TILL, "marta ivo nora boss anna olaf nobody"),
    "petra": (PETRA_HERSELF, ""),
}

IS_EMPLOYEE = {
    "marta": (MARTA, "marta"),
    "till": (TILL, "marta ivo nora boss anna olaf nobody"),
    "north till": (NORTH_TILL, "marta ivo boss"),
    "partner": (PARTNER, ""),
    "petra": (PETRA_HERSELF, ""),
}

CLIENTS = ("petra", "pavel", "lena", "nobody")
UNITS = ("head", "north", "south", "yard", "nobody")
STAFF = ("marta", "ivo", "nora", "boss", "anna", "olaf", "nobody")

MATRIX = [
    ("GetClient", Scope.CLIENT, CLIENTS, SEES_CLIENT),
    ("GetBalance", Scope.CLIENT, CLIENTS, SEES_CLIENT),
    ("ReplaceOwner", Scope.UNIT, CLIENTS, OWNS_CLIENT),
    ("RegisterEmployee", Scope.UNIT, UNITS, SEES_UNIT),
    ("GrantRole", Scope.UNIT, STAFF, SEES_EMPLOYEE),
    ("Approach", Scope.SELF, STAFF, IS_EMPLOYEE),
]
CELLS = [
    pytest.param(method, who, target, target in seen.split(), id=f"{method}-{name}-{target}")
    for method, _, targets, rows in MATRIX
    for name, (who, seen) in rows.items()
    for target in targets
]


@pytest.mark.parametrize(("method", "who", "target", "may"), CELLS)
async def test_a_record_is_reached_or_is_not_there(method, who, target, may):
    """
    G25: own, parent, child, sibling and foreign, for every kind of caller and of record.
    """
    access = METHODS[method]
    reach = reach_of(who, who.grants, access.scope)

    if may:
        await check_target(access, reach, target, Town())
        return
    with pytest.raises(UnknownError) as caught:
        await check_target(access, reach, target, Town())
    assert (access.target.removesuffix("_id"), target) == (caught.value.kind, caught.value.id)


@pytest.mark.parametrize("method", [row[0] for row in MATRIX])
def test_the_matrix_speaks_of_the_scopes_that_the_protos_say(method):
    """
    G25: a scope that is changed in a proto changes its expectations here.
    """
    expected = {row[0]: row[1] for row in MATRIX}

    assert expected[method] is METHODS[method].scope


@pytest.mark.parametrize("target", ["", "../petra", "petra pavel", "p" * 65, "пётр"])
async def test_what_is_no_id_is_an_invalid_argument(target):
    """
    S11: what names a record is an id before it is anything else.
    """
    with pytest.raises(InvalidValueError):
        await check_target(METHODS["GetClient"], Reach(), target, Town())


def test_who_reaches_nothing_sees_nothing():
    """
    S2: a reach nobody filled in reaches nothing.
    """
    town = Town()

    assert not any(Reach().sees(standing) for standing in town.clients.values())
    assert not Reach().covers(frozenset({HEAD, NORTH}))


def test_a_client_nobody_owns_is_not_the_employee_without_an_id():
    """
    S2: nobody's client is not a nameless caller's own.
    """
    lena = Town().clients[LENA]

    assert not Reach(employee_id=None).sees(lena)
    assert not Reach(employee_id=EmployeeId("marta")).sees(lena)


def test_company_scope_is_whole_for_staff_and_services_and_never_for_partners_and_clients():
    """
    S6: who is outside the company never reaches it whole.
    """
    whole = [reach_of(p, p.grants, Scope.COMPANY).is_whole for p in (MARTA, TILL)]
    outside = [reach_of(p, p.grants, Scope.COMPANY).is_whole for p in (PARTNER, PETRA_HERSELF)]

    assert ([True, True], [False, False]) == (whole, outside)


def test_an_owner_keeps_sight_of_a_client_of_the_unit_they_left():
    """
    OWN-2: Marta moved to the south, and Petra is still hers.
    """
    south = Reach(units=frozenset({SOUTH}), employee_id=EmployeeId("marta"))

    assert south.sees(Town().clients[PETRA])
    assert not south.sees(Town().clients[LENA])


async def test_breadth_comes_from_the_grant_that_lets_in():
    """
    S3: Ivo sees the whole company as an accountant, and only where accountants may call.
    """
    async with edge() as served:
        as_seller = await served.refused(
            "UpdateClient", request_of("UpdateClient", client_id="pavel"), as_employee("ivo")
        )
        await served.call(
            "GetClient", request_of("GetClient", client_id="pavel"), as_employee("ivo")
        )

        assert "NOT_FOUND" == as_seller.code


async def test_foreign_and_missing_are_answered_alike():
    """
    G25: same code, same text, same data but the id, and the same row of audit.
    """
    async with edge() as served:
        foreign, missing = [
            await served.refused(
                "GetClient", request_of("GetClient", client_id=name), as_employee("marta")
            )
            for name in ("pavel", "pavla")
        ]
        served.stage.answers["GetClient"] = lambda r: UnknownError("client", r.client_id)
        by_servicer = await served.refused("GetClient", request_of("GetClient", client_id="pavel"))

        assert str(foreign) == str(missing).replace("pavla", "pavel") == str(by_servicer)
        assert [("?", "NOT_FOUND")] == [(r[2], r[4]) for r in await served.audited()]


async def test_an_approach_to_a_foreign_client_reaches_the_rule():
    """
    OWN-6: who may not see the client may still ask for it, and is told by the rule why not.
    """
    async with edge() as served:
        await served.call(
            "Approach",
            request_of("Approach", client_id="pavel", employee_id="marta"),
            as_employee("marta"),
        )

        assert ["pavel"] == [request.client_id for request, _ in served.stage.seen]


async def test_nobody_approaches_in_the_name_of_a_colleague():
    """
    OWN-1: a claim is the claim of who makes it.
    """
    async with edge() as served:
        refusal = await served.refused(
            "Approach",
            request_of("Approach", client_id="lena", employee_id="ivo"),
            as_employee("marta"),
        )

        assert ("NOT_FOUND", {"kind": "employee", "id": "ivo"}) == (refusal.code, refusal.metadata)


async def test_a_list_is_bounded_by_the_reach_in_its_context():
    """
    S3: scope is inside the query: the servicer is handed the units, not a filter for after.
    """
    async with edge() as served:
        await served.call("ListClients", caller=as_employee("marta"))

        (_, context) = served.stage.seen[0]
        expected = Reach(units=frozenset({UnitId("north")}), employee_id=EmployeeId("marta"))
        assert expected == context.reach
