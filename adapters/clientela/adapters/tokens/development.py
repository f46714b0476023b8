"""
Development mode: a caller is who they say they are. A server with it listens on loopback only.

    x-clientela-actor: service/till              every permission
    x-clientela-actor: employee/marta            roles and unit as on record
    x-clientela-roles: salesperson,director      other roles instead, for an employee
    x-clientela-unit: north                      with the unit they hold for
"""

from __future__ import annotations

from clientela.domain.event import ActorKind
from clientela.domain.ids import Code, UnitId, is_id
from clientela.domain.organisation.roles import CLIENT, STAFF_ROLES
from clientela.services.entrance import UNIT_HEADER
from clientela.services.grants import granted
from clientela.services.history import PERMISSION as HISTORY
from clientela.services.personal_fields import PERMISSION
from clientela.services.principal import Credentials, Grant, Principal, parsed_actor
from clientela.services.refusals import UnauthenticatedError


ACTOR_HEADER = "x-clientela-actor"
ROLES_HEADER = "x-clientela-roles"


class DevelopmentAuthenticator:
    """
    Believes what callers say.

    Args:
        permissions: What a service or partner is granted besides the sight of personal values
            and the telling of history: all there are.
    """

    is_for_trials = True

    def __init__(self, permissions: frozenset[Code]) -> None:
        self._grants = tuple(Grant(name) for name in sorted({*permissions, PERMISSION, HISTORY}))

    def authenticate(self, credentials: Credentials) -> Principal:
        """
        Whoever the caller says.

        Raises:
            UnauthenticatedError: the caller does not say.
        """
        actor = parsed_actor(credentials.only(ACTOR_HEADER) or "")
        if actor is None:
            raise UnauthenticatedError("none")
        if actor.kind is ActorKind.EMPLOYEE:
            if ROLES_HEADER not in credentials.metadata:
                return Principal(actor=actor)
            unit_id = _unit_id(credentials)
            return Principal(actor=actor, grants=_roles(credentials, unit_id), unit_id=unit_id)
        if actor.kind is ActorKind.CLIENT:
            return Principal(actor=actor, grants=(Grant(CLIENT),))
        return Principal(actor=actor, grants=self._grants)


def _unit_id(credentials: Credentials) -> UnitId | None:
    text = credentials.only(UNIT_HEADER)
    if text is not None and not is_id(text):
        raise UnauthenticatedError("unit")
    return None if text is None else UnitId(text)


def _roles(credentials: Credentials, unit_id: UnitId | None) -> tuple[Grant, ...]:
    names = [Code(name.strip()) for name in (credentials.only(ROLES_HEADER) or "").split(",")]
    if not set(names) <= set(STAFF_ROLES):
        raise UnauthenticatedError("roles")
    return tuple(granted(name, unit_id) for name in names)
