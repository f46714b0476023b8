"""
What every call passes, beyond what its parts are tested for.
"""

from __future__ import annotations

import pytest

from clientela.adapters.memory import MemoryStore
from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import PrincipalId
from clientela.services.principal import Credentials, Grant, Principal
from clientela.services.refusals import AccessDeniedError
from clientela.v1.client_pb2 import UpdateClientResponse
from clientela.v1.common_pb2 import Outcome
from tests.services.edge import METHODS, NORTH, TILL, Caller, edge, entered, request_of


class NorthTill:
    """Everybody is the till of the north."""

    is_for_trials = True

    def authenticate(self, _credentials: Credentials) -> Principal:
        grants = tuple(Grant(access.permission, NORTH) for access in METHODS.values())
        return Principal(actor=Actor(ActorKind.SERVICE, PrincipalId("till")), grants=grants)


async def entering(caller: Caller, authenticator=None):
    """The context in which *caller* reads clients."""
    entrance = entered(MemoryStore(), authenticator=authenticator)
    credentials = Credentials(metadata={name: (value,) for name, value in caller.items()})
    return await entrance.context(METHODS["ListClients"], credentials, 5.0)


async def test_a_service_acts_for_the_unit_it_names():
    """
    REC-4: the unit a till stands in goes into the event.
    """
    context = await entering({**TILL, "x-clientela-unit": "south"})

    assert "south" == context.unit_id


async def test_a_service_of_one_unit_acts_for_no_other():
    """
    S4: what was granted for the north cannot be used as the south.
    """
    north = await entering({"x-clientela-unit": "north"}, NorthTill())
    with pytest.raises(AccessDeniedError):
        await entering({"x-clientela-unit": "south"}, NorthTill())

    assert "north" == north.unit_id


@pytest.mark.parametrize("value", ["", "north south", "../north", "n" * 65])
async def test_a_unit_is_an_id(value):
    """
    S11: metadata is checked like every other input.
    """
    with pytest.raises(AccessDeniedError):
        await entering({**TILL, "x-clientela-unit": value})


@pytest.mark.parametrize("value", ["", "marta", "system/clientela", "employee/", "employee/a b"])
async def test_whom_a_service_stands_in_for_is_a_principal(value):
    """
    S11: nobody stands in for the system, or for what is no name.
    """
    with pytest.raises(AccessDeniedError):
        await entering({**TILL, "x-clientela-on-behalf-of": value})


@pytest.mark.parametrize(
    ("given", "expected"),
    [("sale-17", "sale-17"), ("", "fresh-1"), ("a b", "fresh-1"), ("x" * 65, "fresh-1")],
)
async def test_a_correlation_id_is_kept_if_it_is_one(given, expected):
    """
    S9: what a caller writes into events and logs is an id or is replaced.
    """
    context = await entering({**TILL, "x-correlation-id": given})

    assert expected == context.correlation_id


async def test_a_repeat_shows_personal_values_again_and_is_audited_again():
    """
    G30: the command path writes a row for what it carries out, not for what it repeats.
    """
    repeated = UpdateClientResponse(outcome=Outcome(replayed=True))
    async with edge() as served:
        served.stage.answers["UpdateClient"] = lambda _: repeated

        await served.call("UpdateClient", request_of("UpdateClient", client_id="petra"))

        assert [("client/petra", "read")] == [(r[2], r[3]) for r in await served.audited()]
