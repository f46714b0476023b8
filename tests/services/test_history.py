"""
Calls that tell of what happened long ago.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import Code, PrincipalId
from clientela.services.history import tells_history
from clientela.services.principal import Credentials, Grant, Principal
from clientela.services.refusals import AccessDeniedError


NOW = datetime(2026, 3, 2, tzinfo=UTC)
SERVICE = Actor(ActorKind.SERVICE, PrincipalId("import"))
GRANT = Grant(Code("history.write"))


def says(*clocks):
    """Credentials that name clocks."""
    return Credentials(metadata={"x-clientela-clock": clocks} if clocks else {})


def test_who_may_tells_history():
    """
    A service with the permission has its calls decided when they happened; others say nothing.
    """
    importer = Principal(actor=SERVICE, grants=(GRANT,))

    assert tells_history(importer, says("occurred"), NOW)
    assert not tells_history(importer, says(), NOW)
    assert not tells_history(Principal(actor=SERVICE, grants=()), says(), NOW)


@pytest.mark.parametrize(
    ("kind", "grants", "clocks"),
    [
        (ActorKind.SERVICE, (), ("occurred",)),
        (ActorKind.SERVICE, (Grant(Code("purchase.write")),), ("occurred",)),
        (ActorKind.SERVICE, (Grant(Code("history.write"), until=NOW),), ("occurred",)),
        (ActorKind.SERVICE, (GRANT,), ("mine",)),
        (ActorKind.SERVICE, (GRANT,), ("occurred", "occurred")),
        (ActorKind.EMPLOYEE, (GRANT,), ("occurred",)),
        (ActorKind.CLIENT, (GRANT,), ("occurred",)),
    ],
)
def test_who_may_not_is_refused(kind, grants, clocks):
    """
    S4: nobody chooses the clock without the permission, and there is only one to choose.
    """
    principal = Principal(actor=Actor(kind, PrincipalId("x")), grants=grants)

    with pytest.raises(AccessDeniedError):
        tells_history(principal, says(*clocks), NOW - timedelta(0))
