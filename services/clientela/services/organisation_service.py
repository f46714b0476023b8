"""
Servicer of OrganisationService.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from clientela.domain.ids import (
    EmployeeId,
    JournalId,
    JournalKind,
    UnitId,
    employee_journal,
    unit_journal,
)
from clientela.domain.organisation.staff import STAFF, Employee
from clientela.domain.organisation.units import UNITS, Unit
from clientela.domain.record import Record
from clientela.services.core import Core, check_exists
from clientela.services.read_models import ReadModel
from clientela.services.registers import ALL, EMPLOYEE_REGISTER, UNIT_REGISTER
from clientela.services.translate import organisation as wire
from clientela.services.translate.fields import named
from clientela.services.translate.pages import next_page_token, page
from clientela.services.translate.reads import as_of, check_read, consistency
from clientela.services.views import View
from clientela.v1 import organisation_pb2 as pb
from clientela.v1 import organisation_pb2_grpc


class OrganisationServicer(organisation_pb2_grpc.OrganisationServiceServicer):
    """
    Translates between the wire and the rules of the organisation.

    Args:
        core: What servicers work with.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def RegisterUnit(
        self, request: pb.RegisterUnitRequest, context: Any
    ) -> pb.RegisterUnitResponse:
        done, outcome = await self._core.mutate(request, wire.register_unit(request), UNITS)
        return pb.RegisterUnitResponse(outcome=outcome, unit=self._unit(done.record))

    async def MoveUnit(self, request: pb.MoveUnitRequest, context: Any) -> pb.MoveUnitResponse:
        done, outcome = await self._core.mutate(request, wire.move_unit(request), UNITS)
        return pb.MoveUnitResponse(outcome=outcome, unit=self._unit(done.record))

    async def RegisterEmployee(
        self, request: pb.RegisterEmployeeRequest, context: Any
    ) -> pb.RegisterEmployeeResponse:
        done, outcome = await self._core.mutate(request, wire.register_employee(request), STAFF)
        employee = await self._employee(done.record)
        return pb.RegisterEmployeeResponse(outcome=outcome, employee=employee)

    async def MoveEmployee(
        self, request: pb.MoveEmployeeRequest, context: Any
    ) -> pb.MoveEmployeeResponse:
        done, outcome = await self._core.mutate(request, wire.move_employee(request), STAFF)
        employee = await self._employee(done.record)
        return pb.MoveEmployeeResponse(outcome=outcome, employee=employee)

    async def GrantRole(self, request: pb.GrantRoleRequest, context: Any) -> pb.GrantRoleResponse:
        done, outcome = await self._core.mutate(request, wire.grant_role(request), STAFF)
        employee = await self._employee(done.record)
        return pb.GrantRoleResponse(outcome=outcome, employee=employee)

    async def RevokeRole(
        self, request: pb.RevokeRoleRequest, context: Any
    ) -> pb.RevokeRoleResponse:
        done, outcome = await self._core.mutate(request, wire.revoke_role(request), STAFF)
        employee = await self._employee(done.record)
        return pb.RevokeRoleResponse(outcome=outcome, employee=employee)

    async def RecordLeaving(
        self, request: pb.RecordLeavingRequest, context: Any
    ) -> pb.RecordLeavingResponse:
        done, outcome = await self._core.mutate(request, wire.record_leaving(request), STAFF)
        employee = await self._employee(done.record)
        return pb.RecordLeavingResponse(outcome=outcome, employee=employee)

    async def GetUnit(self, request: pb.GetUnitRequest, context: Any) -> pb.Unit:
        journal_id = unit_journal(named(UnitId, request.unit_id, "unit_id"))
        return self._unit((await self._view(request, journal_id)).record)

    async def GetEmployee(self, request: pb.GetEmployeeRequest, context: Any) -> pb.Employee:
        journal_id = employee_journal(named(EmployeeId, request.employee_id, "employee_id"))
        return await self._employee((await self._view(request, journal_id)).record)

    async def ListUnits(self, request: pb.ListUnitsRequest, context: Any) -> pb.ListUnitsResponse:
        check_read(request)
        wanted = page(request)
        units: list[pb.Unit] = []
        async for unit_id in self._listed(UNIT_REGISTER, wanted.after):
            record = (await self._core.view(unit_journal(UnitId(unit_id)))).record
            if request.parent_id in {"", record.of(Unit).parent_id}:
                units.append(self._unit(record))
            if len(units) > wanted.size:
                break
        token = ""
        if len(units) > wanted.size:
            token = next_page_token(request, units[wanted.size - 1].unit_id)
        return pb.ListUnitsResponse(units=units[: wanted.size], next_page_token=token)

    async def ListEmployees(
        self, request: pb.ListEmployeesRequest, context: Any
    ) -> pb.ListEmployeesResponse:
        check_read(request)
        wanted = page(request)
        found: list[pb.Employee] = []
        async for employee_id in self._listed(EMPLOYEE_REGISTER, wanted.after):
            record = (await self._core.view(employee_journal(EmployeeId(employee_id)))).record
            if _is_wanted(record.of(Employee), request):
                found.append(await self._employee(record))
            if len(found) > wanted.size:
                break
        token = ""
        if len(found) > wanted.size:
            token = next_page_token(request, found[wanted.size - 1].employee_id)
        return pb.ListEmployeesResponse(employees=found[: wanted.size], next_page_token=token)

    async def _listed(self, register: ReadModel, after: str) -> AsyncIterator[str]:
        """Ids of a register above *after*, in order."""
        while rows := await self._core.reads.find(register, ALL, after=after):
            for key, _ in rows:
                yield key
            after = rows[-1][0]

    async def _view(self, request: Any, journal_id: JournalId) -> View:
        check_read(request)
        view = await self._core.view(
            journal_id,
            consistency=consistency(request),
            as_of=as_of(request, by_effect=False),
        )
        check_exists(view.record, journal_id.kind)
        return view

    def _unit(self, record: Record) -> pb.Unit:
        etag, versions = self._core.etag(record, UNITS), self._core.versions(record)
        return wire.unit(record.of(Unit), etag=etag, versions=versions)

    async def _employee(self, record: Record) -> pb.Employee:
        opening = await self._core.opening(record.journal(JournalKind.EMPLOYEE).id)
        etag, versions = self._core.etag(record, STAFF), self._core.versions(record)
        return wire.employee(record.of(Employee), opening, etag=etag, versions=versions)


def _is_wanted(employee: Employee, request: pb.ListEmployeesRequest) -> bool:
    if employee.left_at is not None and not request.with_former:
        return False
    if request.unit_id and request.unit_id != employee.unit_id:
        return False
    return not request.role or request.role in employee.roles
