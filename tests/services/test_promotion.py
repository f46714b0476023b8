"""
Nobody gives a role that reaches further than they do, or moves staff out of reach.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.edge import TILL, as_employee, edge, request_of


BOSS = as_employee("boss")
OLAF = as_employee("olaf")

REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "own role": ("GrantRole", {"employee_id": "boss", "role": "database-operator"}),
    "colleague's role": ("GrantRole", {"employee_id": "marta", "role": "top-manager"}),
    "role of a new one": (
        "RegisterEmployee",
        {"employee_id": "vera", "unit_id": "north", "roles": ["salesperson", "analyst"]},
    ),
    "own unit": ("MoveEmployee", {"employee_id": "boss", "unit_id": "head"}),
    "foreign unit": ("MoveEmployee", {"employee_id": "marta", "unit_id": "south"}),
    "no unit": ("MoveEmployee", {"employee_id": "marta", "unit_id": "nowhere"}),
    "foreign employee": ("GrantRole", {"employee_id": "nora", "role": "salesperson"}),
}
ALLOWED: dict[str, tuple[str, dict[str, Any]]] = {
    "role of the unit": ("GrantRole", {"employee_id": "marta", "role": "immediate-superior"}),
    "unit below": ("MoveEmployee", {"employee_id": "marta", "unit_id": "yard"}),
    "new one below": (
        "RegisterEmployee",
        {"employee_id": "vera", "unit_id": "yard", "roles": ["salesperson"]},
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_who_runs_a_branch_cannot_give_more_than_the_branch(case):
    """
    S3: the director of the north makes nobody, and not themselves, more than the north.
    """
    method, fields = REFUSED[case]
    async with edge() as served:
        refusal = await served.refused(method, request_of(method, **fields), BOSS)

        assert refusal.code in {"PERMISSION_DENIED", "NOT_FOUND"}
        assert [] == served.stage.seen
        assert ["denied"] == [row[3] for row in await served.audited()]


@pytest.mark.parametrize("case", ALLOWED)
async def test_who_runs_a_branch_staffs_it(case):
    """
    OWN-7: within the branch the director decides.
    """
    method, fields = ALLOWED[case]
    async with edge() as served:
        await served.call(method, request_of(method, **fields), BOSS)

        assert 1 == len(served.stage.seen)


@pytest.mark.parametrize("caller", [OLAF, TILL], ids=["operator", "service"])
@pytest.mark.parametrize("case", [*list(REFUSED)[:5]])
async def test_who_reaches_the_company_staffs_it(case, caller):
    """
    OWN-7: an operator of the whole company may do all of it.
    """
    method, fields = REFUSED[case]
    async with edge() as served:
        await served.call(method, request_of(method, **fields), caller)

        assert 1 == len(served.stage.seen)
