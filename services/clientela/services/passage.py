"""
The passage: a request that came as a message goes through the same checks as one that came by rpc.

    principal -> may call this -> the record is within reach -> the same command
"""

from __future__ import annotations

import asyncio
import json

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import Code, PrincipalId, UnitId
from clientela.services.access import AccessTable
from clientela.services.audit import Audit
from clientela.services.calls import Call
from clientela.services.core import Core
from clientela.services.directory import JournalDirectory
from clientela.services.entrance import Entrance
from clientela.services.grants import StaffGrants
from clientela.services.history import PERMISSION as HISTORY
from clientela.services.inbound import KINDS, Inbound, InboundKind, Reading
from clientela.services.inbound_failures import may_pass
from clientela.services.principal import Credentials, Grant, Principal, parsed_actor
from clientela.services.rate_limits import RateLimits, RateRules
from clientela.services.refusals import UnauthenticatedError
from clientela.services.request_context import RequestContext, enter
from clientela.services.store_errors import StoreError


SECONDS = 30.0
"""How long carrying out one message may take."""

TRIES_MAX = 5
"""Tries of one message while somebody else is faster."""

TRY_AGAIN_S = 0.05
"""Seconds before the second of them; they double with every further one."""

PERMISSIONS = (Code("purchase.write"), Code("interaction.write"))
"""What messages without credentials of their own may do."""

UNCOUNTED = RateRules(unlimited=frozenset(ActorKind))
"""The bus evens out bursts by itself: a principal's messages are not counted."""


@attrs.frozen(kw_only=True)
class MessageContext(RequestContext):
    """The context of a message: what it comes to is kept by its business identity alone."""

    def call(
        self,
        request_id: str = "",
        *,
        validate_only: bool = False,
        etags: Mapping[str, str] | None = None,
        at: datetime | None = None,
    ) -> Call:
        """How a command of this message is carried out: no answer is stored, no refusal either."""
        del request_id
        made = super().call("", validate_only=validate_only, etags=etags, at=at)
        return attrs.evolve(made, keep_refusals=False)


@attrs.frozen
class _Known:
    """Tells who sent a message, since that was found out when it came."""

    principal: Principal
    is_for_trials: bool = False

    def authenticate(self, credentials: Credentials) -> Principal:
        """The principal."""
        del credentials
        return self.principal


class Passage:
    """
    Carries out requests of messages.

    Args:
        core: What servicers work with.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        names = {kind.method.rpartition(".")[0] for kind in KINDS.values()}
        self._access = {each.method: each for each in AccessTable.of_services(sorted(names))}
        directory = JournalDirectory(core.path.records, core.reads)
        self._staff = StaffGrants(directory, core.clock)
        self._directory = directory
        self._rates = RateLimits(UNCOUNTED)
        self._audit = Audit(core.store, core.clock)

    async def carry_out(
        self, kind: InboundKind, request: Any, principal: Principal, headers: Mapping[str, str]
    ) -> None:
        """
        Carry out *request*; it is committed when this returns.

        Args:
            kind: What it is by rpc.

            request: Complete and within all limits.

            principal: On whose behalf.

            headers: Metadata of the message; no credentials.

        Raises:
            Exception: whatever the rpc would have raised.

            TimeoutError: it took longer than `SECONDS`; whether it took effect is not known.
        """
        work = self._carried_out(kind, request, principal, headers)
        async with asyncio.timeout(SECONDS):
            # In a task of its own: the context of the request is that of the task.
            await asyncio.create_task(work)

    async def error(
        self, message: Inbound, reading: Reading, principal: Principal | None
    ) -> Exception | None:
        """
        Carry a message out.

        Args:
            message: The message.

            reading: What it says.

            principal: On whose behalf; None where that is not known.

        Returns:
            Why it cannot be carried out; None once it is.

        Raises:
            StoreError: the store cannot be reached.
        """
        if reading.problem is not None:
            return reading.problem
        if principal is None:
            return UnauthenticatedError("message")
        kind = KINDS[message.kind]
        for tries in range(1, TRIES_MAX + 1):
            try:
                await self.carry_out(kind, reading.request, principal, message.headers)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, it concerns this one only
                if not may_pass(error) or tries == TRIES_MAX:
                    return error
                await asyncio.sleep(TRY_AGAIN_S * 2 ** (tries - 1))
            else:
                break
        return None

    async def _carried_out(
        self, kind: InboundKind, request: Any, principal: Principal, headers: Mapping[str, str]
    ) -> None:
        entrance = self._entrance(principal)
        shown = Credentials(metadata={name: (value,) for name, value in headers.items()})
        context = await entrance.context(self._access[kind.method], shown, SECONDS)
        await entrance.check_request(context, request)
        fields = {
            field.name: getattr(context, field.name) for field in attrs.fields(RequestContext)
        }
        enter(MessageContext(**fields))
        await self._core.mutate(request, kind.command(request), kind.rule_set)

    def _entrance(self, principal: Principal) -> Entrance:
        return Entrance(
            authenticator=_Known(principal),
            staff=self._staff,
            directory=self._directory,
            rates=self._rates,
            audit=self._audit,
            clock=self._core.clock,
            new_id=self._core.new_id,
        )


def own_principal(actor_id: str, *, tells_history: bool = False) -> Principal:
    """
    On whose behalf messages without credentials are carried out.

    Args:
        actor_id: Of the service they are taken for.

        tells_history: Whether they may be decided on the clock of their client's journal.
    """
    names = (*PERMISSIONS, HISTORY) if tells_history else PERMISSIONS
    actor = Actor(ActorKind.SERVICE, PrincipalId(actor_id))
    return Principal(actor=actor, grants=tuple(map(Grant, names)))


def principal_text(principal: Principal | None) -> str:
    """A principal as it is kept beside a parked message; empty for None."""
    if principal is None:
        return ""
    grants = principal.grants
    plain = {
        "actor": str(principal.actor),
        "grants": None if grants is None else [_grant_plain(grant) for grant in grants],
        "unit": principal.unit_id,
    }
    return json.dumps(plain, sort_keys=True)


def principal_in(text: str) -> Principal | None:
    """The principal that `principal_text` wrote."""
    if not text:
        return None
    plain = json.loads(text)
    actor = parsed_actor(plain["actor"])
    assert actor is not None
    grants = plain["grants"]
    return Principal(
        actor=actor,
        grants=None if grants is None else tuple(_grant(*each) for each in grants),
        unit_id=None if plain["unit"] is None else UnitId(plain["unit"]),
    )


def _grant_plain(grant: Grant) -> tuple[str, str | None, str | None]:
    until = None if grant.until is None else grant.until.isoformat()
    return (grant.name, grant.unit_id, until)


def _grant(name: str, unit_id: str | None, until: str | None) -> Grant:
    return Grant(
        Code(name),
        None if unit_id is None else UnitId(unit_id),
        None if until is None else datetime.fromisoformat(until),
    )
