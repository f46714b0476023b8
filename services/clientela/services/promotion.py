"""
Promotion: nobody gives a role that reaches further than they do, or moves staff out of reach.

Without this, who runs one branch could make themselves the operator of the whole company.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from clientela.domain.errors import UnknownError
from clientela.domain.ids import Code, UnitId
from clientela.services.access import MethodAccess
from clientela.services.directory import Directory
from clientela.services.grants import COMPANY_WIDE
from clientela.services.refusals import AccessDeniedError
from clientela.services.scope import Reach


MANAGING = Code("organisation.manage")
"""Permission of the rpcs that say who works where and as what."""


async def check_promotion(
    access: MethodAccess, reach: Reach, request: Message, directory: Directory
) -> None:
    """
    Check that *request* gives nobody more than the caller has.

    Raises:
        AccessDeniedError: it grants a role of the whole company to be had from within a unit.

        UnknownError: it puts somebody into a unit that is not within reach.
    """
    if access.permission != MANAGING or reach.is_whole:
        return
    asked: Any = request
    roles = {*getattr(asked, "roles", ()), getattr(asked, "role", "")}
    if not COMPANY_WIDE.isdisjoint(roles):
        raise AccessDeniedError(MANAGING)
    unit_id = UnitId(getattr(asked, "unit_id", ""))
    if unit_id and access.target != "unit_id":
        upward = await directory.upward(unit_id)
        if upward is None or not reach.covers(upward):
            raise UnknownError("unit", unit_id)
