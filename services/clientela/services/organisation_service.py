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
from clientela.services.calls import Outcome
from clientela.services.core import Core, Told, check_exists
from clientela.services.directory import JournalDirectory
from clientela.services.read_models import ReadModel
from clientela.services.registers import ALL, EMPLOYEE_REGISTER, UNIT_REGISTER
from clientela.services.request_context import current
from clientela.services.translate import organisation as wire
from clientela.services.translate.fields import named
from clientela.services.translate.pages import page, paged
from clientela.services.translate.reads import AsOf, as_of, check_read, consistency
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
        return pb.RegisterUnitResponse(outcome=outcome, unit=self._unit_after(done))

    async def MoveUnit(self, request: pb.MoveUnitRequest, context: Any) -> pb.MoveUnitResponse:
        done, outcome = await self._core.mutate(request, wire.move_unit(request), UNITS)
        return pb.MoveUnitResponse(outcome=outcome, unit=self._unit_after(done))

    async def RegisterEmployee(
        self, request: pb.RegisterEmployeeRequest, context: Any
    ) -> pb.RegisterEmployeeResponse:
        done, outcome = await self._core.mutate(request, wire.register_employee(request), STAFF)
        employee = await self._after(done)
        return pb.RegisterEmployeeResponse(outcome=outcome, employee=employee)

    async def MoveEmployee(
        self, request: pb.MoveEmployeeRequest, context: Any
    ) -> pb.MoveEmployeeResponse:
        done, outcome = await self._core.mutate(request, wire.move_employee(request), STAFF)
        return pb.MoveEmployeeResponse(outcome=outcome, employee=await self._after(done))

    async def GrantRole(self, request: pb.GrantRoleRequest, context: Any) -> pb.GrantRoleResponse:
        done, outcome = await self._core.mutate(request, wire.grant_role(request), STAFF)
        return pb.GrantRoleResponse(outcome=outcome, employee=await self._after(done))

    async def RevokeRole(
        self, request: pb.RevokeRoleRequest, context: Any
    ) -> pb.RevokeRoleResponse:
        done, outcome = await self._core.mutate(request, wire.revoke_role(request), STAFF)
        return pb.RevokeRoleResponse(outcome=outcome, employee=await self._after(done))

    async def RecordLeaving(
        self, request: pb.RecordLeavingRequest, context: Any
    ) -> pb.RecordLeavingResponse:
        done, outcome = await self._core.mutate(request, wire.record_leaving(request), STAFF)
        return pb.RecordLeavingResponse(outcome=outcome, employee=await self._after(done))

    async def GetUnit(self, request: pb.GetUnitRequest, context: Any) -> pb.Unit:
        journal_id = unit_journal(named(UnitId, request.unit_id, "unit_id"))
        view, moment = await self._view(request, journal_id)
        return self._unit(view, self._core.etag(view.record, UNITS, moment))

    async def GetEmployee(self, request: pb.GetEmployeeRequest, context: Any) -> pb.Employee:
        journal_id = employee_journal(named(EmployeeId, request.employee_id, "employee_id"))
        view, moment = await self._view(request, journal_id)
        return await self._employee(view, self._core.etag(view.record, STAFF, moment))

    async def ListUnits(self, request: pb.ListUnitsRequest, context: Any) -> pb.ListUnitsResponse:
        check_read(request)
        await self._core.check_fresh(request)
        wanted = page(request)
        units: list[pb.Unit] = []
        async for unit_id in self._listed(UNIT_REGISTER, wanted.after):
            view = await self._core.view(unit_journal(UnitId(unit_id)))
            if request.parent_id in {"", view.record.of(Unit).parent_id}:
                units.append(self._unit(view))
            if len(units) > wanted.size:
                break
        shown, token = paged(request, wanted, units, lambda unit: unit.unit_id)
        return pb.ListUnitsResponse(units=shown, next_page_token=token)

    async def ListEmployees(
        self, request: pb.ListEmployeesRequest, context: Any
    ) -> pb.ListEmployeesResponse:
        check_read(request)
        await self._core.check_fresh(request)
        wanted = page(request)
        found: list[pb.Employee] = []
        async for employee_id in self._listed(EMPLOYEE_REGISTER, wanted.after):
            view = await self._core.view(employee_journal(EmployeeId(employee_id)))
            employee = view.record.of(Employee)
            if _is_wanted(employee, request) and await self._is_within(employee):
                found.append(await self._employee(view))
            if len(found) > wanted.size:
                break
        shown, token = paged(request, wanted, found, lambda employee: employee.employee_id)
        return pb.ListEmployeesResponse(employees=shown, next_page_token=token)

    async def _is_within(self, employee: Employee) -> bool:
        """Whether the caller's grants reach the unit of *employee*."""
        reach = current().reach
        if reach.is_whole or employee.unit_id is None:
            return reach.is_whole
        directory = JournalDirectory(self._core.path.records, self._core.reads)
        upward = await directory.upward(employee.unit_id)
        return reach.covers(upward or frozenset({employee.unit_id}))

    async def _listed(self, register: ReadModel, after: str) -> AsyncIterator[str]:
        """Ids of a register above *after*, in order."""
        while rows := await self._core.reads.find(register, ALL, after=after):
            for key, _ in rows:
                yield key
            after = rows[-1][0]

    async def _view(self, request: Any, journal_id: JournalId) -> tuple[View, AsOf]:
        check_read(request)
        moment = as_of(request, by_effect=False)
        view = await self._core.view(journal_id, consistency=consistency(request), as_of=moment)
        check_exists(view.record, journal_id.kind)
        return view, moment

    def _unit_after(self, done: Outcome) -> pb.Unit:
        return self._unit(done, self._core.etag(done.record, UNITS))

    def _unit(self, told: Told, etag: str = "") -> pb.Unit:
        return wire.unit(told.record.of(Unit), etag=etag, versions=told.versions)

    async def _after(self, done: Outcome) -> pb.Employee:
        return await self._employee(done, self._core.etag(done.record, STAFF))

    async def _employee(self, told: Told, etag: str = "") -> pb.Employee:
        opening = await self._core.opening(told.record.journal(JournalKind.EMPLOYEE).id, told=told)
        return wire.employee(told.record.of(Employee), opening, etag=etag, versions=told.versions)


def _is_wanted(employee: Employee, request: pb.ListEmployeesRequest) -> bool:
    if employee.left_at is not None and not request.with_former:
        return False
    if request.unit_id and request.unit_id != employee.unit_id:
        return False
    return not request.role or request.role in employee.roles
