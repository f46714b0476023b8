"""
Samples of what the company is: units, staff, definitions.
"""

from clientela.domain.definitions.documents import document
from clientela.domain.definitions.versions import ApplyDefinitions
from clientela.domain.ids import Code, UnitId
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.roles import GrantRole, RevokeRole
from clientela.domain.organisation.staff import MoveEmployee, RecordLeaving
from clientela.domain.organisation.units import MoveUnit, RegisterUnit, UnitKind
from clientela.domain.personal import Personal
from clientela.services.translate import (
    definition,
    organisation,
)
from clientela.v1 import (
    definition_pb2,
    organisation_pb2,
)
from tests.services.translate.samples import (
    AT,
    FOR_MARTA,
    IVO,
    MARTA,
    NORTH,
    Sample,
    common,
    moment,
)


COMPANY_SAMPLES = {
    "RegisterUnit": Sample(
        organisation.register_unit,
        organisation_pb2.RegisterUnitRequest(
            **common(unit_id=NORTH),
            kind=organisation_pb2.UNIT_KIND_DEPARTMENT,
            label="north",
            parent_id="whole",
        ),
        RegisterUnit(
            unit_id=NORTH,
            kind=UnitKind.DEPARTMENT,
            label=Code("north"),
            parent_id=UnitId("whole"),
            occurred_at=AT,
        ),
    ),
    "MoveUnit": Sample(
        organisation.move_unit,
        organisation_pb2.MoveUnitRequest(**common(unit_id=NORTH), parent_id="whole"),
        MoveUnit(unit_id=NORTH, parent_id=UnitId("whole"), occurred_at=AT),
    ),
    "RegisterEmployee": Sample(
        organisation.register_employee,
        organisation_pb2.RegisterEmployeeRequest(
            **FOR_MARTA, unit_id=NORTH, name="Marta", roles=["salesperson"], superior_id=IVO
        ),
        RegisterEmployee(
            employee_id=MARTA,
            unit_id=NORTH,
            name=Personal("Marta"),
            roles=(Code("salesperson"),),
            superior_id=IVO,
            occurred_at=AT,
        ),
    ),
    "MoveEmployee": Sample(
        organisation.move_employee,
        organisation_pb2.MoveEmployeeRequest(**FOR_MARTA, unit_id=NORTH),
        MoveEmployee(employee_id=MARTA, unit_id=NORTH, occurred_at=AT),
    ),
    "GrantRole": Sample(
        organisation.grant_role,
        organisation_pb2.GrantRoleRequest(**FOR_MARTA, role="director"),
        GrantRole(employee_id=MARTA, role=Code("director"), occurred_at=AT),
    ),
    "RevokeRole": Sample(
        organisation.revoke_role,
        organisation_pb2.RevokeRoleRequest(**FOR_MARTA, role="director"),
        RevokeRole(employee_id=MARTA, role=Code("director"), occurred_at=AT),
    ),
    "RecordLeaving": Sample(
        organisation.record_leaving,
        organisation_pb2.RecordLeavingRequest(
            request_id="6f2b", employee_id=MARTA, left_at=moment()
        ),
        RecordLeaving(employee_id=MARTA, left_at=AT),
    ),
    "ApplyDefinitions": Sample(
        definition.apply_definitions,
        definition_pb2.ApplyDefinitionsRequest(
            **common(effective_from=moment()), toml="[purchase]\nreturnable_days = 14\n"
        ),
        ApplyDefinitions(
            document=document({"purchase": {"returnable_days": 14}}),
            effective_from=AT,
            occurred_at=AT,
        ),
    ),
}
