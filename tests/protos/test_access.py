import re

import pytest

from google.protobuf.descriptor import FieldDescriptor

from clientela.domain.organisation.roles import ROLES, STAFF_ROLES
from clientela.v1.access_pb2 import Access, access, personal
from tests.protos.wire import fields_within, methods, mutations, reads


TARGETS = {"", "client_id", "wallet_id", "unit_id", "employee_id"}


def said(method):
    """What *method* says of access."""
    return method.GetOptions().Extensions[access]


@pytest.mark.parametrize("name", methods())
def test_every_rpc_says_who_may_call_it(name):
    """
    OWN-7: every rpc has the access option with permission and scope; there is no default.
    """
    method = methods()[name]

    assert method.GetOptions().HasExtension(access)
    assert re.fullmatch(r"[a-z]+\.(read|write|manage)", said(method).permission)
    assert said(method).scope != Access.SCOPE_UNSPECIFIED


@pytest.mark.parametrize("name", methods())
def test_roles_are_of_the_catalogue_and_named_once(name):
    """
    OWN-15: an rpc is granted to roles of the catalogue only, each named once.
    """
    roles = list(said(methods()[name]).roles)

    assert set(roles) <= set(ROLES)
    assert len(roles) == len(set(roles))


@pytest.mark.parametrize("name", methods())
def test_the_target_of_a_scope_is_a_field_that_names_a_record(name):
    """
    OWN-7: a scope is checked on a field of the request that holds an id; what reaches the whole
    company may name another field.
    """
    method = methods()[name]
    target = said(method).target

    assert target == "" or target in method.input_type.fields_by_name
    assert said(method).scope == Access.SCOPE_COMPANY or target in TARGETS
    assert said(method).scope != Access.SCOPE_SELF or target != ""


@pytest.mark.parametrize("name", methods())
def test_an_rpc_tells_whether_personal_values_pass(name):
    """
    `personal` is true exactly where a field of request or response, at any depth, is so marked.
    """
    method = methods()[name]
    fields = (*fields_within(method.input_type), *fields_within(method.output_type))
    passes = any(field.GetOptions().Extensions[personal] for field in fields)

    assert passes == said(method).personal


def test_only_text_is_personal():
    """
    A personal value is a string: nothing else can be emptied without changing its meaning.
    """
    marked = {
        field.full_name: field.type
        for method in methods().values()
        for message in (method.input_type, method.output_type)
        for field in fields_within(message)
        if field.GetOptions().Extensions[personal]
    }

    assert {FieldDescriptor.TYPE_STRING} == set(marked.values())


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_every_role_of_staff_may_do_something_and_not_everything(role):
    """
    OWN-15: every role stands in the matrix with a permitted and a refused operation.
    """
    permitted = {name for name, method in methods().items() if role in said(method).roles}

    assert permitted
    assert set(methods()) - permitted


@pytest.mark.parametrize("name", mutations())
def test_a_mutation_asks_for_more_than_reading(name):
    """
    OWN-7: nobody who may only read may change anything.
    """
    assert not said(mutations()[name]).permission.endswith(".read")


@pytest.mark.parametrize("name", sorted(set(reads()) - {"ExportClient"}))
def test_a_read_asks_for_reading_only(name):
    """
    OWN-7: who may only read may read; an export, which gathers everything, asks for more.
    """
    assert said(reads()[name]).permission.endswith(".read")
