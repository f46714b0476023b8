"""
Access: what the option `(clientela.v1.access)` of every rpc says, read from the descriptors.

The protos are the permission matrix (OWN-15): each rpc names the roles of employees that may call
it and the permission that services and partners need. A server does not start with an rpc that
says nothing, or that says something nobody can check.
"""

from __future__ import annotations

import enum

from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import Default

from clientela.domain.event import ActorKind
from clientela.domain.ids import Code
from clientela.domain.organisation.roles import OUTSIDE_ROLES, ROLES
from clientela.services.principal import Grant, Principal
from clientela.services.refusals import AccessDeniedError
from clientela.v1.access_pb2 import Access, access


TARGETS = ("", "client_id", "wallet_id", "unit_id", "employee_id")
"""Request fields that can name the record of a scope; empty for none."""


class CallClass(enum.Enum):
    """What kind of work an rpc is; each has its own room, so that none starves another."""

    COMMAND = "command"
    """Changes something."""

    READ = "read"
    """Answers one thing or one page."""

    STREAM = "stream"
    """Answers for as long as the caller stays."""

    # Members are single: identity is their hash, and every call asks for it.
    __hash__ = object.__hash__


class Scope(enum.Enum):
    """On which records an rpc may be used."""

    NONE = Access.SCOPE_NONE
    """It touches no record."""

    CLIENT = Access.SCOPE_CLIENT
    """A client whom the caller may see."""

    UNIT = Access.SCOPE_UNIT
    """The caller's unit and those below it; of clients, those whose owner belongs there."""

    COMPANY = Access.SCOPE_COMPANY
    """The whole company."""

    SELF = Access.SCOPE_SELF
    """For employees only they themselves."""


class UnguardedMethodError(Exception):
    """
    An rpc says nothing of access, or what it says cannot be checked; the server does not start.

    Attributes:
        method: Full name of the rpc.
    """

    def __init__(self, method: str, problem: str) -> None:
        self.method = method
        super().__init__(f"{method}: {problem}")


@attrs.frozen(kw_only=True)
class MethodAccess:
    """
    Who may call an rpc, and on which records.

    Attributes:
        method: Full name, for instance `clientela.v1.OwnershipService.Approach`.

        permission: What a service or partner needs, for instance `ownership.write`.

        roles: Roles of employees that may call it; `client` lets clients call it.

        scope: On which records.

        target: Field of the request that names the record; empty for none.

        is_personal: Whether personal values pass.

        call_class: What kind of work it is.
    """

    method: str
    permission: Code
    roles: frozenset[Code]
    scope: Scope
    target: str
    is_personal: bool
    call_class: CallClass

    @property
    def path(self) -> str:
        """Name as the transport has it, for instance `/clientela.v1.OwnershipService/Approach`."""
        service, _, name = self.method.rpartition(".")
        return f"/{service}/{name}"

    def allowed(self, principal: Principal, now: datetime) -> tuple[Grant, ...]:
        """
        The grants by which *principal* may call it at *now*, one or more.

        Raises:
            AccessDeniedError: there is none.
        """
        match principal.kind:
            case ActorKind.EMPLOYEE:
                names = self.roles.difference(OUTSIDE_ROLES)
            case ActorKind.CLIENT:
                names = self.roles.intersection(OUTSIDE_ROLES)
            case ActorKind.SERVICE | ActorKind.PARTNER:
                names = frozenset({self.permission})
            case ActorKind.SYSTEM:
                names = frozenset[Code]()
        named = [grant for grant in principal.grants or () if grant.name in names]
        grants = tuple(grant for grant in named if grant.holds(now))
        if not grants:
            raise AccessDeniedError(self.permission)
        return grants


class AccessTable:
    """
    The access of every rpc that a server offers.

    Args:
        methods: All of them.
    """

    def __init__(self, methods: Iterable[MethodAccess]) -> None:
        self._methods = {access.path: access for access in methods}

    @classmethod
    def of_services(cls, names: Iterable[str]) -> AccessTable:
        """
        The access of every rpc of the services of these full names.

        Raises:
            UnguardedMethodError: one has none, or one that cannot be checked.
        """
        pool = Default()
        services = (pool.FindServiceByName(name) for name in names)
        return cls(_read(method) for service in services for method in service.methods)

    def of(self, path: str) -> MethodAccess | None:
        """The access of the rpc at *path*; None if this server has no such rpc."""
        return self._methods.get(path)

    def __iter__(self) -> Iterator[MethodAccess]:
        return iter(self._methods.values())

    @property
    def permissions(self) -> frozenset[Code]:
        """Every permission that some rpc asks for."""
        return frozenset(access.permission for access in self)


def _read(method: MethodDescriptor) -> MethodAccess:
    options = method.GetOptions()
    if not options.HasExtension(access):
        raise UnguardedMethodError(method.full_name, "has no option (clientela.v1.access)")
    said = options.Extensions[access]
    roles = frozenset(map(Code, said.roles))
    _check(method, said, roles)
    return MethodAccess(
        method=method.full_name,
        permission=Code(said.permission),
        roles=roles,
        scope=Scope(said.scope),
        target=said.target,
        is_personal=said.personal,
        call_class=_call_class(method, said.permission),
    )


def _check(method: MethodDescriptor, said: Access, roles: frozenset[Code]) -> None:
    area, _, verb = said.permission.partition(".")
    if not area or verb not in _VERBS:
        raise UnguardedMethodError(method.full_name, f"permission must end in one of {_VERBS}")
    if not roles.issubset(ROLES):
        raise UnguardedMethodError(method.full_name, "names a role that is not in the catalogue")
    if said.scope not in _SCOPES:
        raise UnguardedMethodError(method.full_name, "has no scope")
    if said.target and said.target not in method.input_type.fields_by_name:
        raise UnguardedMethodError(method.full_name, f"has no request field {said.target}")
    if said.scope != Access.SCOPE_COMPANY and said.target not in TARGETS:
        raise UnguardedMethodError(method.full_name, f"nobody can check target {said.target}")


def _call_class(method: MethodDescriptor, permission: str) -> CallClass:
    if method.server_streaming:
        return CallClass.STREAM
    return CallClass.READ if permission.endswith(".read") else CallClass.COMMAND


_VERBS = ("read", "write", "manage")
_SCOPES = frozenset(scope.value for scope in Scope)
