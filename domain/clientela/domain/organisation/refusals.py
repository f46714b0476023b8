"""
What the organisation refuses.

    DomainError
      - UnitRegisteredError        a unit of this id exists, and is another       REC-4
      - EmployeeRegisteredError    an employee of this id exists, and is another  REC-4
      - TreeTooDeepError           too many units above one another
    RefusedError
      - UnitCycleError             a unit would stand below itself                OWN-7
      - EmployeeGoneError          the employee no longer works here              OWN-3
    InvalidValueError
      - RoleUnlistedError          no member of staff can have this role          OWN-15
"""

from __future__ import annotations

from clientela.domain.errors import Category, DomainError, InvalidValueError, RefusedError
from clientela.domain.ids import Code, EmployeeId, Ref, UnitId


class UnitRegisteredError(DomainError):
    """
    A unit of this id exists already, and not as it is described now.

    Attributes:
        unit_id: Which unit.
    """

    reason = "UNIT_REGISTERED"
    category = Category.TAKEN

    def __init__(self, unit_id: UnitId) -> None:
        self.unit_id = unit_id
        super().__init__(f"unit {unit_id} is registered already, otherwise than here")

    def details(self) -> dict[str, str]:
        """The unit."""
        return {"unit_id": self.unit_id}


class EmployeeRegisteredError(DomainError):
    """
    An employee of this id exists already, and not as described now.

    Attributes:
        employee_id: Who.
    """

    reason = "EMPLOYEE_REGISTERED"
    category = Category.TAKEN

    def __init__(self, employee_id: EmployeeId) -> None:
        self.employee_id = employee_id
        super().__init__(f"employee {employee_id} is registered already, otherwise than here")

    def details(self) -> dict[str, str]:
        """The employee."""
        return {"employee_id": self.employee_id}


class TreeTooDeepError(DomainError):
    """
    Too many units would stand above one another.

    Attributes:
        limit: How many may stand above a unit.
    """

    reason = "UNIT_TREE_TOO_DEEP"
    category = Category.LIMIT

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"at most {limit} units stand above a unit")

    def details(self) -> dict[str, str]:
        """The limit."""
        return {"limit": str(self.limit)}


class UnitCycleError(RefusedError):
    """
    The unit would stand below itself, and scopes by unit would have no end (OWN-7).

    Attributes:
        unit_id: Which unit.

        parent_id: The unit above it, as wanted.
    """

    reason = "UNIT_CYCLE"

    def __init__(self, unit_id: UnitId, parent_id: UnitId) -> None:
        self.unit_id = unit_id
        self.parent_id = parent_id
        super().__init__(f"unit {parent_id} is unit {unit_id} or stands below it", rule="OWN-7")


class EmployeeGoneError(RefusedError):
    """
    The employee has left the company (OWN-3).

    Attributes:
        employee_id: Who.
    """

    reason = "EMPLOYEE_GONE"

    def __init__(self, employee_id: EmployeeId, because: tuple[Ref, ...] = ()) -> None:
        self.employee_id = employee_id
        super().__init__(f"employee {employee_id} has left", rule="OWN-3", because=because)


class RoleUnlistedError(InvalidValueError):
    """No member of staff can have this role (OWN-15)."""

    reason = "ROLE_UNLISTED"

    def __init__(self, listed: tuple[Code, ...]) -> None:
        super().__init__("role", f"one of {', '.join(listed)}")
