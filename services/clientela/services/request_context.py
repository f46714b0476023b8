"""
The context of a request: who calls what, how far they reach, and how much time is left.

The guard sets it before a servicer runs; a servicer asks for it instead of reading metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime

import attrs

from clientela.domain.event import Actor
from clientela.domain.ids import UnitId
from clientela.services.access import MethodAccess
from clientela.services.calls import Call
from clientela.services.principal import Principal
from clientela.services.scope import Reach


@attrs.frozen(kw_only=True)
class RequestContext:
    """
    What a servicer may know of the call it answers.

    Attributes:
        principal: Who calls, grants filled in.

        access: Of the rpc.

        reach: Which records may be touched; a list must be bounded by it in its query.

        shows_personal: Whether personal values may be opened for this call.

        deadline: Monotonic seconds at which the time is over.

        correlation_id: Shared by everything this call sets off.

        on_behalf_of: Whom a service stands in for.

        unit_id: The unit the caller acts for.

        tells_history: Whether mutations are decided on the journal's own clock.

        repeats: Whether it probably brings what was carried out before.
    """

    principal: Principal
    access: MethodAccess
    reach: Reach
    shows_personal: bool
    deadline: float
    correlation_id: str
    on_behalf_of: Actor | None = None
    unit_id: UnitId | None = None
    tells_history: bool = False
    repeats: bool = False

    def call(
        self,
        request_id: str = "",
        *,
        validate_only: bool = False,
        etags: Mapping[str, str] | None = None,
        at: datetime | None = None,
    ) -> Call:
        """How a command of this call is carried out."""
        return Call(
            actor=self.principal.actor,
            on_behalf_of=self.on_behalf_of,
            unit=self.unit_id,
            request_id=request_id,
            validate_only=validate_only,
            etags=etags or {},
            at=at,
            keep_refusals=not self.tells_history,
            correlation_id=self.correlation_id,
            is_likely_repeat=self.repeats,
        )


_CURRENT: ContextVar[RequestContext] = ContextVar("clientela-request")


def current() -> RequestContext:
    """The context of the request being answered; `LookupError` outside one."""
    return _CURRENT.get()


def enter(context: RequestContext) -> None:
    """Make *context* the current one, for the rest of this task."""
    _CURRENT.set(context)
