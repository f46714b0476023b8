"""
Parked messages: what came in from other systems and could not be carried out, kept until it can.

Messages of one client form a *lane*: while one is parked, those after it wait behind it, and
nobody else does. A body is kept sealed; beside it stands nothing that is personal.

With a client's erasure their lane goes, in the same transaction. What names no client, or one that
is not registered, may be of anybody: nobody's erasure reaches it, so it is kept for
`UNATTRIBUTED_KEPT` at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import attrs

from clientela.domain.ids import Blind
from clientela.services.ports import PAGE_MAX


WAITING = "WAITING"
"""Reason of a message that is parked only because one before it is."""

UNATTRIBUTED_KEPT = timedelta(days=30)
"""How long a message is kept that is of nobody who is registered; then it is dropped untried."""

REASON_LENGTH_MAX = 64
"""Characters of a reason."""

PROBLEM_LENGTH_MAX = 256
"""Characters of a problem."""

LANE_LENGTH_MAX = 80
"""Characters of a lane."""


@attrs.frozen(kw_only=True)
class ParkedMessage:
    """
    A message as it is kept.

    Attributes:
        number: Its place among all, from 1; 0 until kept.

        id: Unique id; the body is sealed for it.

        mark: Keyed hash of what it says and for whom: the same message is kept once in its lane.

        lane: Whose messages wait behind it: `client/<id>`, or one of its own.

        kind: What it tells of, for instance `purchase`.

        headers: Headers that matter when it is carried out; no credentials.

        principal: On whose behalf, as `principal_text` writes it; empty for nobody known.

        reason: Stable reason why it is parked, or `WAITING`.

        problem: The same for people; holds no personal values.

        parked_at: When it was parked.

        tried_at: When it was last tried.

        tries: How often it was tried, 0 or more.

        body: The message, sealed.
    """

    id: str
    mark: Blind
    lane: str
    kind: str
    reason: str
    problem: str
    parked_at: datetime
    tried_at: datetime
    body: bytes = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    principal: str = ""
    tries: int = 0
    number: int = 0


class Parked(Protocol):
    """Keeps parked messages; each call is one transaction."""

    async def park(self, message: ParkedMessage) -> bool:
        """
        Keep a message at the end of its lane.

        Returns:
            False if one with its mark is in the lane already; it stays as it is.

        Raises:
            StoreUnavailableError: the store cannot be reached; it may be kept.
        """
        ...

    async def lanes(self, among: Iterable[str]) -> frozenset[str]:
        """Those of *among*, at most `PAGE_MAX`, in which something is parked."""
        ...

    async def heads(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[ParkedMessage]:
        """The first message of every lane, those with a number above *after*, in order."""
        ...

    async def page(
        self, after: int = 0, limit: int = PAGE_MAX, lane: str = ""
    ) -> Sequence[ParkedMessage]:
        """Messages with a number above *after*, of one lane or of all, in order."""
        ...

    async def get(self, number: int) -> ParkedMessage | None:
        """One message; None if it is not parked any more."""
        ...

    async def tried(self, message: ParkedMessage) -> None:
        """Keep reason, problem, time and count of a message that was tried again in vain."""
        ...

    async def drop(self, number: int) -> bool:
        """Forget a message; whether it was there."""
        ...

    async def since(self, after: str = "", limit: int = PAGE_MAX) -> Sequence[tuple[str, datetime]]:
        """Lanes above *after*, in order, each with when its oldest message was parked."""
        ...

    async def drop_lane(self, lane: str, before: datetime | None = None) -> int:
        """Forget all of a lane, or what was parked before a moment; how many messages."""
        ...

    async def count(self) -> int:
        """How many are parked."""
        ...
