"""
What ownership refuses.

    RefusedError
      - ClientTakenError        another seller holds the client          OWN-2, OWN-6
      - SellerLeftError         the seller no longer works here          OWN-3
      - NoGroundError           the reason given is not on record        OWN-3, OWN-4
    InvalidValueError
      - ReasonUnlistedError     the reason is not on the company's list  OWN-5
"""

from __future__ import annotations

from datetime import datetime

from clientela.domain.errors import InvalidValueError, RefusedError
from clientela.domain.event import PendingEvent
from clientela.domain.ids import Code, EmployeeId, Ref, UnitId


class ClientTakenError(RefusedError):
    """
    Another seller holds the client: whoever approached first with an offer (OWN-2, OWN-6).

    Attributes:
        owner_id: The owner; told only to those who may see the client.

        unit_id: The owner's unit; likewise.

        other_unit: Whether the refused seller belongs to another unit than the owner.

        may_request: Whether a transfer can be requested.
    """

    reason = "CLIENT_TAKEN"

    def __init__(
        self,
        owner_id: EmployeeId,
        unit_id: UnitId,
        *,
        rule: str,
        may_request: bool,
        because: tuple[Ref, ...],
        until: datetime | None,
        leaves: tuple[PendingEvent, ...] = (),
    ) -> None:
        self.owner_id = owner_id
        self.unit_id = unit_id
        self.other_unit = rule == "OWN-6"
        self.may_request = may_request
        super().__init__(
            "another unit looks after this client"
            if self.other_unit
            else "a colleague looks after this client",
            rule=rule,
            because=because,
            until=until,
            leaves=leaves,
        )

    def details(self) -> dict[str, str]:
        """Rule, end and whether a transfer can be requested; never the owner."""
        return {**super().details(), "may_request": str(self.may_request).lower()}


class SellerLeftError(RefusedError):
    """
    The employee no longer works here and can neither approach nor own (OWN-3).

    Attributes:
        employee_id: Who.
    """

    reason = "EMPLOYEE_LEFT"

    def __init__(self, employee_id: EmployeeId, because: tuple[Ref, ...] = ()) -> None:
        self.employee_id = employee_id
        super().__init__(
            f"employee {employee_id} has left the company", rule="OWN-3", because=because
        )


class NoGroundError(RefusedError):
    """
    Nothing on record supports the reason given for a change of owner (OWN-3, OWN-4).

    Attributes:
        ground: The reason given.
    """

    reason = "NO_GROUND"

    def __init__(self, ground: Code, rule: str) -> None:
        self.ground = ground
        super().__init__(f"nothing on record supports a change of owner for {ground}", rule=rule)

    def details(self) -> dict[str, str]:
        """Rule and the reason given."""
        return {**super().details(), "ground": self.ground}


class ReasonUnlistedError(InvalidValueError):
    """The reason is not on the company's list of special cases (OWN-5)."""

    reason = "REASON_UNLISTED"

    def __init__(self, listed: tuple[Code, ...]) -> None:
        super().__init__("reason", f"one of {', '.join(listed)}")
