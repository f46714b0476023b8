"""
Replays: parked messages carried out, since an operator says so or since their cause went away.
"""

from __future__ import annotations

import logging

from datetime import datetime

import attrs

from clientela.domain.ids import JournalId
from clientela.services.background import keep_going
from clientela.services.inbound import Inbound, read
from clientela.services.inbound_failures import MENDED, again_at, problem_of, reason_of
from clientela.services.inbox import Inbox, person_in
from clientela.services.parcels import COMPANY
from clientela.services.parked import UNATTRIBUTED_KEPT, ParkedMessage
from clientela.services.passage import principal_in
from clientela.services.principal import Principal
from clientela.services.store_errors import StoreError


MEND_PAUSE_S = 1.0
"""Seconds between two looks for what can be carried out by now."""

SWEEP_PAUSE_S = 60.0
"""Seconds between two looks for what must not be kept any longer."""

_LOG = logging.getLogger(__name__)


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

        own: On whose behalf a message is carried out whose sender is not known, if somebody says
            that it shall be.
    """

    def __init__(self, inbox: Inbox, own: Principal) -> None:
        self.inbox = inbox
        self._own = own

    async def replay(self, lane: str, *, is_answered: bool = False) -> Replayed:
        """
        Carry out what is parked in a lane, from its first message to the one that still fails.

        Args:
            lane: Which one.

            is_answered: Whether messages are carried out even if their sender is not known, since
                whoever calls answers for them.

        Raises:
            StoreError: the store cannot be reached.
        """
        inbox, done = self.inbox, 0
        own = self._own if is_answered else None
        async with inbox.lock(lane):
            while heads := await inbox.parked.page(0, 1, lane):
                error = await self._error(heads[0], own)
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

        Raises:
            StoreError: the store cannot be reached.

            Exception: what a message that is damaged failed by, once all others were tried.
        """
        broken: Exception | None = None
        done, after = 0, 0
        while heads := await self.inbox.parked.heads(after):
            after = heads[-1].number
            for head in heads:
                if head.reason in MENDED and self.inbox.now() >= again_at(head):
                    try:
                        done += (await self.replay(head.lane)).done
                    except StoreError:
                        raise
                    except Exception as error:  # noqa: BLE001  # it must not stop the others
                        broken = error
        if broken is not None:
            raise broken
        return done

    async def run_sweep(self) -> None:
        """Drop what must not be kept any longer, again and again, until cancelled."""
        await keep_going("sweeping", self._swept, SWEEP_PAUSE_S)

    async def sweep(self) -> int:
        """
        Drop what is of the erased, parked in the moment of their erasure, and what is of nobody
        registered and was parked longer than `UNATTRIBUTED_KEPT` ago.

        Returns:
            How many messages were dropped.

        Raises:
            StoreError: the store cannot be reached.
        """
        dropped, after = 0, ""
        while lanes := await self.inbox.parked.since(after):
            after = lanes[-1][0]
            for lane, since in lanes:
                dropped += await self._sweep_lane(lane, since)
        return dropped

    async def kept_until(self, kept: ParkedMessage) -> datetime | None:
        """
        When a message is dropped untried; None if it is kept until somebody sees to it.

        Raises:
            StoreError: the store cannot be reached.
        """
        is_of_nobody = await self._owner(kept.lane) == COMPANY
        return kept.parked_at + UNATTRIBUTED_KEPT if is_of_nobody else None

    async def _swept(self) -> int:
        await self.sweep()
        return 0

    async def _sweep_lane(self, lane: str, since: datetime) -> int:
        inbox = self.inbox
        before = inbox.now() - UNATTRIBUTED_KEPT
        async with inbox.lock(lane):
            owner = await self._owner(lane)
            if owner is None:
                return await inbox.parked.drop_lane(lane)
            if owner != COMPANY or since >= before:
                return 0
            dropped = await inbox.parked.drop_lane(lane, before)
        _LOG.error(
            "%d parked messages of nobody registered are dropped after %d days",
            dropped,
            UNATTRIBUTED_KEPT.days,
        )
        return dropped

    async def _owner(self, lane: str) -> JournalId | None:
        """Under whose key the messages of a lane should be; None if they were erased."""
        person = person_in(lane)
        return COMPANY if person is None else await self.inbox.parcels.owner(person)

    async def _error(self, kept: ParkedMessage, own: Principal | None) -> Exception | None:
        body = await self.inbox.parcels.opened(kept.id, kept.body)
        if body is None:
            # Of somebody who was erased nothing may be kept.
            return None
        message = Inbound(kind=kept.kind, body=body, headers=kept.headers)
        principal = principal_in(kept.principal) or own
        return await self.inbox.passage.error(message, read(message), principal)
