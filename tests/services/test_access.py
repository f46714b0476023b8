"""
Who may call what: read from the descriptors, complete, and held to over a real socket.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from google.protobuf import descriptor_pb2, descriptor_pool

from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import Code, PrincipalId
from clientela.domain.organisation.roles import OUTSIDE_ROLES, ROLES, STAFF_ROLES
from clientela.services import access as access_module
from clientela.services.access import AccessTable, CallClass, Scope, UnguardedMethodError
from clientela.services.principal import Grant, Principal
from clientela.services.refusals import AccessDeniedError
from clientela.v1.access_pb2 import Access, access
from tests.services.edge import AT, METHODS, as_employee, edge, request_of


def principal(kind, *names, until=None):
    """Somebody to whom these were granted."""
    grants = tuple(Grant(Code(name), None, until) for name in names)
    return Principal(actor=Actor(kind, PrincipalId("x")), grants=grants)


def planted(monkeypatch, **said):
    """A pool with a service whose one rpc says *said* of access."""
    pool = descriptor_pool.DescriptorPool()
    for name in ("google/protobuf/descriptor.proto", "clientela/v1/access.proto"):
        original = descriptor_pb2.FileDescriptorProto()
        descriptor_pool.Default().FindFileByName(name).CopyToProto(original)
        pool.Add(original)
    file = descriptor_pb2.FileDescriptorProto(
        name="planted.proto",
        package="clientela.v1",
        syntax="proto3",
        dependency=["clientela/v1/access.proto"],
    )
    file.message_type.add(name="PlantRequest").field.add(
        name="client_id", number=1, type=9, label=1
    )
    method = file.service.add(name="PlantService").method.add(
        name="Plant",
        input_type=".clientela.v1.PlantRequest",
        output_type=".clientela.v1.PlantRequest",
    )
    if said:
        method.options.Extensions[access].CopyFrom(Access(**said))
    pool.Add(file)
    monkeypatch.setattr(access_module, "Default", lambda: _Lent(pool))
    return ["clientela.v1.PlantService"]


class _Lent:
    """A pool whose options are read with the extension of the real one."""

    def __init__(self, pool):
        self.pool = pool

    def FindServiceByName(self, name):  # noqa: N802 (protobuf names it)
        return self.pool.FindServiceByName(name)


GOOD: dict[str, Any] = {
    "permission": "plant.read",
    "scope": Access.SCOPE_CLIENT,
    "target": "client_id",
}


UNSOUND: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({}, "has no option"),
    "no permission": ({**GOOD, "permission": ""}, "permission"),
    "no verb": ({**GOOD, "permission": "plant"}, "permission"),
    "verb": ({**GOOD, "permission": "plant.steal"}, "permission"),
    "no scope": ({**GOOD, "scope": Access.SCOPE_UNSPECIFIED}, "has no scope"),
    "scope": ({**GOOD, "scope": 99}, "has no scope"),
    "role": ({**GOOD, "roles": ["king"]}, "role"),
    "target": ({**GOOD, "target": "nothing"}, "no request field nothing"),
}


@pytest.mark.parametrize("case", UNSOUND)
def test_an_rpc_without_sound_access_keeps_the_server_from_starting(case, monkeypatch):
    """
    S2: default deny begins before the first call, and says what is missing where.
    """
    said, problem = UNSOUND[case]
    names = planted(monkeypatch, **said)

    with pytest.raises(UnguardedMethodError) as caught:
        AccessTable.of_services(names)

    assert "clientela.v1.PlantService.Plant" == caught.value.method
    assert problem in str(caught.value)


def test_sound_access_is_read(monkeypatch):
    """
    S2: what the option says is what the table says.
    """
    (found,) = AccessTable.of_services(planted(monkeypatch, **GOOD, roles=["salesperson"]))

    assert ("plant.read", ["salesperson"], Scope.CLIENT, "client_id", CallClass.READ) == (
        str(found.permission),
        [str(role) for role in found.roles],
        found.scope,
        found.target,
        found.call_class,
    )


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_call_what_its_rpcs_name_and_nothing_else(role, name):
    """
    OWN-15: every role and every rpc, each either permitted or refused as the proto says.
    """
    kind = ActorKind.CLIENT if role in OUTSIDE_ROLES else ActorKind.EMPLOYEE
    may = role in METHODS[name].roles

    if may:
        assert (Grant(role),) == METHODS[name].allowed(principal(kind, role), AT)
        return
    with pytest.raises(AccessDeniedError) as caught:
        METHODS[name].allowed(principal(kind, role), AT)
    assert METHODS[name].permission == caught.value.permission


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("kind", [ActorKind.SERVICE, ActorKind.PARTNER])
def test_a_service_needs_the_permission_and_no_role_helps(kind, name):
    """
    S3: roles are for people, permissions for systems.
    """
    method = METHODS[name]

    assert method.allowed(principal(kind, method.permission), AT)
    with pytest.raises(AccessDeniedError):
        method.allowed(principal(kind, *ROLES, "other.read"), AT)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("kind", ActorKind)
def test_who_was_granted_nothing_may_do_nothing(kind, name):
    """
    S2: default deny, whoever calls; an employee cannot bring a permission, the system none.
    """
    with pytest.raises(AccessDeniedError):
        METHODS[name].allowed(principal(kind), AT)
    if kind in {ActorKind.EMPLOYEE, ActorKind.CLIENT, ActorKind.SYSTEM}:
        with pytest.raises(AccessDeniedError):
            METHODS[name].allowed(principal(kind, METHODS[name].permission), AT)


def test_a_grant_ends_at_its_moment():
    """
    S4: a grant holds until its end, the end excluded.
    """
    method = METHODS["GetClient"]
    caller = principal(ActorKind.EMPLOYEE, "salesperson", until=AT)

    assert method.allowed(caller, AT - timedelta(microseconds=1))
    with pytest.raises(AccessDeniedError):
        method.allowed(caller, AT)


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_every_role_is_permitted_something_and_refused_something(role):
    """
    OWN-15: every role appears in the matrix with a permitted and a refused operation.
    """
    permitted = {name for name, method in METHODS.items() if role in method.roles}

    assert set() < permitted < set(METHODS)


@pytest.mark.parametrize("name", METHODS)
async def test_nobody_gets_in_without_a_name(name):
    """
    S1: every rpc of ours is closed to the anonymous.
    """
    async with edge() as served:
        refusal = await served.refused(name, request_of(name), {})

        assert ("UNAUTHENTICATED", "UNAUTHENTICATED", {}) == (
            refusal.code,
            refusal.reason,
            refusal.metadata,
        )
        assert [] == served.stage.seen


@pytest.mark.parametrize("name", METHODS)
async def test_an_employee_gets_in_by_role_alone(name):
    """
    G25: a salesperson over the wire, at every rpc: refused exactly where the role is not named.
    """
    async with edge() as served:
        if "salesperson" in METHODS[name].roles:
            return
        refusal = await served.refused(name, request_of(name), as_employee("marta"))

        assert ("PERMISSION_DENIED", "ACCESS_DENIED", {"permission": METHODS[name].permission}) == (
            refusal.code,
            refusal.reason,
            refusal.metadata,
        )
        assert [] == served.stage.seen
