from datetime import timedelta

import pytest

from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import employee_journal, unit_journal
from clientela.domain.organisation.staff import Employee, RecordLeaving
from clientela.domain.organisation.units import Unit
from clientela.services.translate import organisation
from clientela.services.translate.messages import journal_versions, timestamp
from clientela.v1 import organisation_pb2
from tests.services.translate.shop import AT, MARTA, NORTH, hidden, shop, shown


STAFF = employee_journal(MARTA)
BRANCH = unit_journal(NORTH)


def test_a_unit_is_told_with_its_place():
    """
    OWN-7: a unit at the top has no parent.
    """
    state = shop().record(BRANCH).of(Unit)

    expected = organisation_pb2.Unit(
        unit_id="north",
        kind=organisation_pb2.UNIT_KIND_BRANCH,
        label="north",
        etag="units-1",
        versions=journal_versions({BRANCH: 1}),
    )
    assert expected == organisation.unit(state, etag="units-1", versions={BRANCH: 1})


def test_an_employee_is_told_with_roles_in_order():
    """
    OWN-15: roles are sorted; the name is shown to those who may see it.
    """
    company = shop()
    state = company.record(STAFF).of(Employee)

    expected = organisation_pb2.Employee(
        employee_id="marta",
        unit_id="north",
        name="Marta Vogel",
        roles=["analyst", "salesperson"],
        versions=journal_versions({STAFF: 1}),
    )
    assert expected == organisation.employee(state, shown(company), versions={STAFF: 1})
    assert organisation.employee(state, hidden(company), versions={}).personal_withheld


def test_who_has_left_has_no_roles():
    """
    OWN-3: an employee who left is told with the moment, without roles.
    """
    company = shop()
    left_at = AT + timedelta(days=1)
    company.run(RecordLeaving(employee_id=MARTA, left_at=left_at))
    state = company.record(STAFF).of(Employee)

    answer = organisation.employee(state, shown(company), versions={})

    assert ([], timestamp(left_at)) == (list(answer.roles), answer.left_at)


def test_leaving_happens_at_one_moment():
    """
    OWN-3: a leaving that tells `occurred_at` beside `left_at` is refused.
    """
    request = organisation_pb2.RecordLeavingRequest(
        request_id="6f2b", employee_id="marta", left_at=timestamp(AT), occurred_at=timestamp(AT)
    )

    with pytest.raises(InvalidValueError) as refused:
        organisation.record_leaving(request)

    assert "occurred_at" == refused.value.field
