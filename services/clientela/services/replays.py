"""
Replays: parked messages carried out, since an operator says so or since their cause went away.
"""

from __future__ import annotations

import attrs

from clientela.services.background import keep_going
from clientela.services.inbound import Inbound, read
from clientela.services.inbound_failures import MENDED, again_at, problem_of, reason_of
from clientela.services.inbox import Inbox
from clientela.services.parked import ParkedMessage
from clientela.services.passage import principal_in
from clientela.services.principal import Principal


MEND_PAUSE_S = 1.0
"""Seconds between two looks for what can be carried out by now."""


@attrs.frozen
class Replayed:
    """
    What came of carrying out a lane.

    Attributes:
        done: Messages that are carried out and parked no more.

        stuck: The message that the lane still waits for; None if the lane is free.
    """

    done: int
    stuck: ParkedMessage | None = None


class Replays:
    """
    Carries out parked messages.

    Args:
        inbox: Where they came in.

        own: On whose behalf a message is carried out whose sender is not known.
    """

    def __init__(self, inbox: Inbox, own: Principal) -> None:
        self.inbox = inbox
        self._own = own

    async def replay(self, lane: str) -> Replayed:
        """
        Carry out what is parked in a lane, from its first message to the one that still fails.

        Raises:
            StoreError: the store cannot be reached.
        """
        inbox, done = self.inbox, 0
        async with inbox.lock(lane):
            while heads := await inbox.parked.page(0, 1, lane):
                error = await self._error(heads[0])
                if error is not None:
                    again = attrs.evolve(
                        heads[0],
                        reason=reason_of(error),
                        problem=problem_of(error),
                        tried_at=inbox.now(),
                        tries=heads[0].tries + 1,
                    )
                    await inbox.parked.tried(again)
                    return Replayed(done, again)
                await inbox.parked.drop(heads[0].number)
                done += 1
        return Replayed(done)

    async def run(self) -> None:
        """Carry out what can be carried out by now, again and again, until cancelled."""
        await keep_going("replaying", self.mend, MEND_PAUSE_S)

    async def mend(self) -> int:
        """
        Carry out parked messages whose cause may have gone away by now.

        Returns:
            How many were carried out.
        """
        done, after = 0, 0
        while heads := await self.inbox.parked.heads(after):
            after = heads[-1].number
            for head in heads:
                if head.reason in MENDED and self.inbox.now() >= again_at(head):
                    done += (await self.replay(head.lane)).done
        return done

    async def _error(self, kept: ParkedMessage) -> Exception | None:
        body = await self.inbox.parcels.opened(kept.id, kept.body)
        if body is None:
            # Of somebody who was erased nothing may be kept.
            return None
        message = Inbound(kind=kept.kind, body=body, headers=kept.headers)
        principal = principal_in(kept.principal) or self._own
        return await self.inbox.passage.error(message, read(message), principal)
