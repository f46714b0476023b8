"""
What one process of the company does at a time.
"""

from __future__ import annotations

import asyncio

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from clientela.adapters.memory_leases import MemoryLeases
from clientela.domain.ownership.lapse import OwnershipLapsed
from clientela.services.duty import LEASE_TTL, POLL_S, RENEW_S, Duty
from clientela.services.leases import Lease
from clientela.services.scheduler import Scheduler
from clientela.services.store_errors import StoreUnavailableError
from tests.domain.spec import AT
from tests.services.firm import DAY, LAPSE, MARTA, Firm, approach


NAME = "keeping"
LAPSED = "ownership-lapsed.v1"


class Moody(MemoryLeases):
    """Leases of a store that may be away; time passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.is_away = False
        self.trouble: Exception = StoreUnavailableError("it is away")
        super().__init__(lambda: self.seconds)

    async def acquire(self, name: str, holder: str, ttl: timedelta) -> Lease | None:
        """Take or renew a lease, if the store is there."""
        self._check()
        return await super().acquire(name, holder, ttl)

    async def release(self, lease: Lease) -> None:
        """Give it back, if the store is there."""
        self._check()
        await super().release(lease)

    def _check(self) -> None:
        if self.is_away:
            raise self.trouble


class Process:
    """A process with one duty, and whether its work goes on."""

    def __init__(self, leases: Moody, holder: str) -> None:
        self.begun = 0
        self.ended = 0
        self.slept: list[float] = []
        self._leases = leases
        self.duty = Duty(
            leases,
            NAME,
            holder,
            (self._work,),
            monotonic=lambda: leases.seconds,
            sleep=self._sleep,
        )

    async def step(self) -> bool:
        """Let it look for its lease; whether its work goes on afterwards."""
        await self.duty.step()
        await asyncio.sleep(0)
        return self.begun > self.ended

    async def run(self) -> None:
        """Run it through a few looks, then end it."""
        with pytest.raises(asyncio.CancelledError):
            await self.duty.run()

    async def _work(self) -> None:
        self.begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.ended += 1

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.slept.append(seconds)
        self._leases.seconds += seconds
        if len(self.slept) == 3:
            raise asyncio.CancelledError


@pytest.fixture
def leases():
    """Granted to nobody."""
    return Moody()


async def test_one_process_does_it_until_it_dies(leases):
    """
    R11: the second waits; when the first has given no sign of life for the term, it takes over.
    """
    first, second = Process(leases, "first"), Process(leases, "second")

    assert [True, False] == [await first.step(), await second.step()]
    leases.seconds += LEASE_TTL.total_seconds() - 1
    assert not await second.step()
    leases.seconds += 1
    assert await second.step()


async def test_renewed_lease_lets_the_work_go_on(leases):
    """
    Whoever renews keeps the lease for as long as it likes; its work is begun once.
    """
    first, second = Process(leases, "first"), Process(leases, "second")
    for _ in range(10):
        assert [True, False] == [await first.step(), await second.step()]
        leases.seconds += RENEW_S

    assert (1, 0) == (first.begun, first.ended)


async def test_holder_that_stood_still_past_its_term_ends_its_work(leases):
    """
    F17: it learns at its first look that another has taken over, and begins anew only after that
    one is gone.
    """
    first, second = Process(leases, "first"), Process(leases, "second")
    await first.step()
    leases.seconds += LEASE_TTL.total_seconds()
    await second.step()

    assert not await first.step()
    assert (1, 1) == (first.begun, first.ended)
    leases.seconds += LEASE_TTL.total_seconds()
    assert await first.step()
    assert not await second.step()


@pytest.mark.parametrize("trouble", [StoreUnavailableError("it is away"), RuntimeError("a fault")])
async def test_store_that_is_away_ends_the_work_with_the_term(leases, trouble):
    """
    While the store cannot be reached, for whatever reason, the lease lasts as long as it was
    granted for, and no longer; it is asked for again and again.
    """
    leases.trouble = trouble
    process = Process(leases, "first")
    await process.step()
    leases.is_away = True

    leases.seconds += LEASE_TTL.total_seconds() - 1
    assert await process.step()
    leases.seconds += 1
    assert not await process.step()
    leases.is_away = False
    assert await process.step()


async def test_lease_is_given_back_at_the_end(leases):
    """
    A process that is told to stop ends its work and lets the next one begin at once.
    """
    first, second = Process(leases, "first"), Process(leases, "second")
    await first.run()

    assert (1, 1) == (first.begun, first.ended)
    assert [RENEW_S] * 3 == first.slept
    assert await second.step()


async def test_lease_is_given_back_by_one_who_is_cancelled_again(leases):
    """
    Whoever stops a process cancels more than once; the works are waited for all the same.
    """
    first, second = Process(leases, "first"), Process(leases, "second")

    async def for_ever(_seconds: float) -> None:
        await asyncio.Event().wait()

    first.duty._sleep = for_ever
    await first.step()
    running = asyncio.create_task(first.duty.run())
    await asyncio.sleep(0)

    while not running.done():
        running.cancel()
        await asyncio.sleep(0)

    assert (1, 1) == (first.begun, first.ended)
    assert await second.step()


async def test_lease_of_another_is_asked_for_again_and_again(leases):
    """
    Whoever waits looks every second.
    """
    first, second = Process(leases, "first"), Process(leases, "second")
    await first.step()
    await second.run()

    assert [POLL_S] * 3 == second.slept
    assert 0 == second.begun


async def test_store_that_is_away_keeps_nobody_from_ending(leases):
    """
    A lease that cannot be given back runs out by itself.
    """
    first, second = Process(leases, "first"), Process(leases, "second")

    async def go_away(_seconds: float) -> None:
        leases.is_away = True
        raise asyncio.CancelledError

    first.duty._sleep = go_away
    with pytest.raises(asyncio.CancelledError):
        await first.duty.run()
    leases.is_away = False

    assert not await second.step()
    leases.seconds += LEASE_TTL.total_seconds()
    assert await second.step()


async def test_appends_of_a_former_holder_do_no_harm():
    """
    F17: two schedulers at work on the same journal, one stopped in the midst of an append and
    continued after the other has done the work: the append claims the version that it was decided
    on, so it fails and is decided again, and time has its effect once.
    """
    here = await Firm().open(MARTA)
    there = here.other()
    await here.run(LAPSE)
    await here.run(approach(MARTA))
    for firm in (here, there):
        firm.clock.move(AT + 100 * DAY)
    former, latter = _scheduler(here), _scheduler(there)
    here.store.before.append(_once(latter.step))
    version = await here.count()

    await former.step()

    tried = [e.version for a in here.store.appends for e in a.events if e.name == LAPSED]
    assert 1 == (await here.events()).count(OwnershipLapsed)
    assert version + 1 == await here.count()
    assert [len(await here.events())] * 2 == tried


def _scheduler(firm: Firm) -> Scheduler:
    return Scheduler(firm.path, firm.store, firm.clock, lambda _journal, error: _raise(error))


def _raise(error: Exception) -> None:
    raise error


def _once(step: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[None]]:
    async def done() -> None:
        assert 1 == await step()

    return done
