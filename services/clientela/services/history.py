"""
History: calls that tell of what happened long ago are decided at the moment they tell of.

An import of old sales says so with every call. Each is then decided on the journal's own clock: as
if it came when it happened, or right after the last thing written there, whichever is later. Its
refusals are not kept, so that a row may be mended and sent again.
"""

from __future__ import annotations

from datetime import datetime

from clientela.domain.event import ActorKind
from clientela.domain.ids import Code
from clientela.services.principal import Credentials, Principal
from clientela.services.refusals import AccessDeniedError


CLOCK_HEADER = "x-clientela-clock"
"""Metadata: by which clock a mutation is decided; absent for the service's own."""

OCCURRED = "occurred"
"""The clock of the journal: the mutation is decided at its `occurred_at`, which it must have."""

PERMISSION = Code("history.write")
"""What a service or partner needs to choose that clock."""


def tells_history(principal: Principal, credentials: Credentials, now: datetime) -> bool:
    """
    Whether the call is to be decided on the journal's own clock.

    Raises:
        AccessDeniedError: it asks for that, or for a clock there is not, and may not.
    """
    if CLOCK_HEADER not in credentials.metadata:
        return False
    is_granted = principal.kind in _KINDS and any(
        grant.name == PERMISSION and grant.holds(now) for grant in principal.grants or ()
    )
    if not is_granted or credentials.only(CLOCK_HEADER) != OCCURRED:
        raise AccessDeniedError(PERMISSION)
    return True


_KINDS = frozenset({ActorKind.SERVICE, ActorKind.PARTNER})
