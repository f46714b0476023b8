"""
The entrance: what every call passes before its servicer sees it, and its answer before it leaves.

    credentials -> principal -> not too often -> may call this -> the record is within reach
    -> servicer -> personal values withheld, or their reading noted
"""

from __future__ import annotations

import time

from collections.abc import Callable, Iterator
from typing import Any

import attrs

from google.protobuf.message import Message

from clientela.domain.errors import UnknownError
from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import Code, UnitId, is_id
from clientela.services.access import CallClass, MethodAccess
from clientela.services.audit import ANONYMOUS, Audit
from clientela.services.directory import Directory
from clientela.services.grants import StaffGrants
from clientela.services.history import tells_history
from clientela.services.personal_fields import is_shown, messages_in
from clientela.services.ports import Clock, NewId
from clientela.services.principal import Authenticator, Credentials, Principal, parsed_actor
from clientela.services.promotion import check_promotion
from clientela.services.rate_limits import RateLimits
from clientela.services.refusals import AccessDeniedError, UnauthenticatedError
from clientela.services.request_context import RequestContext
from clientela.services.scope import Reach, check_target, reach_of
from clientela.services.seen import note_actor


CORRELATION_HEADER = "x-correlation-id"
"""Metadata: shared by everything one outside request sets off; an id."""

ON_BEHALF_OF_HEADER = "x-clientela-on-behalf-of"
"""Metadata: whom a service stands in for, as `employee/marta`."""

UNIT_HEADER = "x-clientela-unit"
"""Metadata: the unit a service acts for."""

ON_BEHALF_OF = Code("on-behalf-of")
"""Named in the refusal of anybody but a service who claims to stand in for somebody."""

ACTING_UNIT = Code("acting-unit")
"""Named in the refusal of a service that acts for a unit beyond its reach."""

NOT_TOLD = "?"
"""Target of a denial whose record is not named, because nobody knows whether it is an id at all."""

SHOWN_MAX = 200
"""Clients named in one audit row: as many as a page holds."""


@attrs.frozen(kw_only=True)
class Entrance:
    """
    Checks calls.

    Attributes:
        authenticator: Tells who calls.

        staff: Fills in what employees were granted.

        directory: Tells where records stand.

        rates: Counts calls.

        audit: Notes denials and reads of personal values.

        clock: Tells the time.

        new_id: Makes correlation ids.

        monotonic: Seconds, for deadlines.
    """

    authenticator: Authenticator
    staff: StaffGrants
    directory: Directory
    rates: RateLimits
    audit: Audit
    clock: Clock
    new_id: NewId
    monotonic: Callable[[], float] = time.monotonic

    async def identified(self, credentials: Credentials, method: str) -> Principal:
        """
        The principal behind *credentials*, who calls the rpc of this name.

        Raises:
            UnauthenticatedError: there is none.
        """
        try:
            principal = self.authenticator.authenticate(credentials)
        except UnauthenticatedError as error:
            await self.audit.denied(ANONYMOUS, method, "", f"UNAUTHENTICATED {error.cause}")
            raise
        note_actor(principal.actor)
        return principal

    async def context(
        self, access: MethodAccess, credentials: Credentials, seconds: float
    ) -> RequestContext:
        """
        The context of a call that its caller may make.

        Args:
            access: Of the rpc.

            credentials: What the caller showed.

            seconds: How much time the call has.

        Raises:
            UnauthenticatedError: nobody calls.

            RateLimitedError: too often.

            AccessDeniedError: the principal may not.
        """
        deadline = self.monotonic() + seconds
        identified = await self.identified(credentials, access.method)
        self.rates.count(identified.actor, access)
        principal = await self.staff.filled(identified, access.call_class)
        now = self.clock.now()
        try:
            grants = access.allowed(principal, now)
            reach = reach_of(principal, grants, access.scope)
            return RequestContext(
                principal=principal,
                access=access,
                reach=reach,
                shows_personal=is_shown(principal, grants),
                deadline=deadline,
                correlation_id=self._correlation_id(credentials),
                on_behalf_of=_on_behalf_of(principal, credentials),
                unit_id=_unit_id(principal, reach, credentials),
                tells_history=tells_history(principal, credentials, now),
            )
        except AccessDeniedError as error:
            await self.audit.denied(str(principal.actor), access.method, "", error.reason)
            raise

    async def check_request(self, context: RequestContext, request: Message) -> None:
        """
        Check that the record that *request* names is within reach, and that it promotes nobody.

        Raises:
            UnknownError: the record is not there, or not within reach.

            InvalidValueError: what names it is no id.

            AccessDeniedError: it would give somebody more than the caller has.

            RateLimitedError: the caller looks too many people up.
        """
        access, actor = context.access, context.principal.actor
        self.rates.count_look_up(actor, access, request)
        self.rates.count_many(actor, access, request)
        try:
            await check_target(access, context.reach, _target(access, request), self.directory)
            await check_promotion(access, context.reach, request, self.directory)
        except UnknownError as error:
            # Missing and foreign take the same time and leave the same row.
            await self.audit.denied(str(actor), access.method, NOT_TOLD, error.reason)
            raise
        except AccessDeniedError as error:
            await self.audit.denied(str(actor), access.method, "", error.reason)
            raise

    async def note_missing(self, context: RequestContext, error: UnknownError) -> None:
        """
        Note that what a request names is not there, or not within reach, as its servicer found.

        Only where the servicer looks itself, because no single field names the record.

        Raises:
            StoreUnavailableError: it cannot be noted.
        """
        if not context.access.target and not context.reach.is_whole:
            actor = str(context.principal.actor)
            await self.audit.denied(actor, context.access.method, NOT_TOLD, error.reason)

    async def note_shown(
        self, context: RequestContext, request: Message, response: Message
    ) -> None:
        """
        Note that the caller is about to see the personal values in *response*.

        The command path has noted what it carried out; a trial or a repeat is noted here.

        Raises:
            StoreUnavailableError: it cannot be noted, so they must not be shown.
        """
        access = context.access
        if not access.is_personal or not context.shows_personal:
            return
        is_trial = getattr(request, "validate_only", False)
        if access.call_class is CallClass.COMMAND and not is_trial and not _is_replayed(response):
            return
        target = _target(access, request)
        kind = access.target.removesuffix("_id")
        shown = f"{kind}/{target}" if target else " ".join(_clients_in(response))
        await self.audit.read(str(context.principal.actor), access.method, shown)

    def _correlation_id(self, credentials: Credentials) -> str:
        given = credentials.only(CORRELATION_HEADER)
        return given if given is not None and is_id(given) else self.new_id()


def _target(access: MethodAccess, request: Message) -> str:
    """What names the record; empty where nothing does, or more than an id."""
    target: Any = getattr(request, access.target) if access.target else ""
    return target if isinstance(target, str) else ""


def _is_replayed(response: Any) -> bool:
    return bool(getattr(getattr(response, "outcome", None), "replayed", False))


def _clients_in(page: Message) -> Iterator[str]:
    items = (item for field, value in page.ListFields() for item in messages_in(field, value))
    for _, item in zip(range(SHOWN_MAX), items, strict=False):
        client_id = getattr(item, "client_id", "")
        if client_id:
            yield f"client/{client_id}"


def _on_behalf_of(principal: Principal, credentials: Credentials) -> Actor | None:
    if ON_BEHALF_OF_HEADER not in credentials.metadata:
        return None
    named = parsed_actor(credentials.only(ON_BEHALF_OF_HEADER) or "")
    if principal.kind is not ActorKind.SERVICE or named is None:
        raise AccessDeniedError(ON_BEHALF_OF)
    return named


def _unit_id(principal: Principal, reach: Reach, credentials: Credentials) -> UnitId | None:
    if principal.kind is not ActorKind.SERVICE or UNIT_HEADER not in credentials.metadata:
        return principal.unit_id
    named = UnitId(credentials.only(UNIT_HEADER) or "")
    if not is_id(named) or not reach.covers(frozenset({named})):
        raise AccessDeniedError(ACTING_UNIT)
    return named
