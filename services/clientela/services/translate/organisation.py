"""
OrganisationService: units and staff, in as commands, out as resources.
"""

from __future__ import annotations

from collections.abc import Mapping

from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import EmployeeId, JournalId, UnitId
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.roles import GrantRole, RevokeRole
from clientela.domain.organisation.staff import Employee, MoveEmployee, RecordLeaving
from clientela.domain.organisation.units import MoveUnit, RegisterUnit, Unit, UnitKind
from clientela.domain.personal import Personal
from clientela.services.translate.fields import (
    code,
    member,
    moment,
    named,
    named_if_any,
)
from clientela.services.translate.messages import (
    journal_versions,
    number_if_any,
    timestamp_if_any,
)
from clientela.services.translate.mutations import check_mutation, occurred_at
from clientela.services.translate.opening import Opening
from clientela.v1 import organisation_pb2


def register_unit(request: organisation_pb2.RegisterUnitRequest) -> RegisterUnit:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request, is_new=True)
    return RegisterUnit(
        unit_id=named(UnitId, request.unit_id, "unit_id"),
        kind=member(UnitKind, organisation_pb2.UnitKind, request.kind, "kind"),
        label=code(request.label, "label"),
        parent_id=named_if_any(UnitId, request.parent_id, "parent_id"),
        occurred_at=occurred_at(request),
    )


def move_unit(request: organisation_pb2.MoveUnitRequest) -> MoveUnit:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return MoveUnit(
        unit_id=named(UnitId, request.unit_id, "unit_id"),
        parent_id=named_if_any(UnitId, request.parent_id, "parent_id"),
        occurred_at=occurred_at(request),
    )


def register_employee(request: organisation_pb2.RegisterEmployeeRequest) -> RegisterEmployee:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request, is_new=True)
    return RegisterEmployee(
        employee_id=named(EmployeeId, request.employee_id, "employee_id"),
        unit_id=named(UnitId, request.unit_id, "unit_id"),
        name=Personal(request.name),
        roles=tuple(code(role, f"roles[{i}]") for i, role in enumerate(request.roles)),
        superior_id=named_if_any(EmployeeId, request.superior_id, "superior_id"),
        occurred_at=occurred_at(request),
    )


def move_employee(request: organisation_pb2.MoveEmployeeRequest) -> MoveEmployee:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return MoveEmployee(
        employee_id=named(EmployeeId, request.employee_id, "employee_id"),
        unit_id=named(UnitId, request.unit_id, "unit_id"),
        occurred_at=occurred_at(request),
    )


def grant_role(request: organisation_pb2.GrantRoleRequest) -> GrantRole:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return GrantRole(
        employee_id=named(EmployeeId, request.employee_id, "employee_id"),
        role=code(request.role, "role"),
        occurred_at=occurred_at(request),
    )


def revoke_role(request: organisation_pb2.RevokeRoleRequest) -> RevokeRole:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return RevokeRole(
        employee_id=named(EmployeeId, request.employee_id, "employee_id"),
        role=code(request.role, "role"),
        occurred_at=occurred_at(request),
    )


def record_leaving(request: organisation_pb2.RecordLeavingRequest) -> RecordLeaving:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed, or it tells two moments.
    """
    check_mutation(request)
    if request.HasField("occurred_at"):
        raise InvalidValueError("occurred_at", "nothing: it happened at left_at")
    return RecordLeaving(
        employee_id=named(EmployeeId, request.employee_id, "employee_id"),
        left_at=moment(request.left_at),
    )


def unit(
    state: Unit, *, etag: str = "", versions: Mapping[JournalId, int]
) -> organisation_pb2.Unit:
    """A registered unit, read at *versions*; in lists without *etag*."""
    return organisation_pb2.Unit(
        unit_id=state.unit_id or "",
        kind=number_if_any(organisation_pb2.UnitKind, state.kind),
        label=state.label or "",
        parent_id=state.parent_id or "",
        etag=etag,
        versions=journal_versions(versions),
    )


def employee(
    state: Employee, opening: Opening, *, etag: str = "", versions: Mapping[JournalId, int]
) -> organisation_pb2.Employee:
    """A registered member of staff, read at *versions*; in lists without *etag*."""
    return organisation_pb2.Employee(
        employee_id=state.employee_id or "",
        unit_id=state.unit_id or "",
        name=opening.text(state.name),
        roles=sorted(state.roles),
        superior_id=state.superior_id or "",
        left_at=timestamp_if_any(state.left_at),
        personal_withheld=opening.withholds(state.name),
        etag=etag,
        versions=journal_versions(versions),
    )
