"""
How often one principal may call.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import PrincipalId
from clientela.services.access import CallClass
from clientela.services.rate_limits import Rate, RateLimits, RateRules
from clientela.services.refusals import RateLimitedError
from tests.services.edge import METHODS, Ticks, as_employee, edge


MARTA = Actor(ActorKind.EMPLOYEE, PrincipalId("marta"))
IVO = Actor(ActorKind.EMPLOYEE, PrincipalId("ivo"))
TILL = Actor(ActorKind.SERVICE, PrincipalId("till"))
READ, CLAIM = METHODS["GetOwnership"], METHODS["Approach"]
TWO_A_SECOND = RateRules(classes={CallClass.READ: Rate(2, 1)}, methods={})


def test_a_bucket_holds_a_burst_and_fills_again():
    """
    S12: two at once, the third after half a second, which it is told.
    """
    ticks = Ticks()
    limits = RateLimits(TWO_A_SECOND, ticks)
    limits.count(MARTA, READ)
    limits.count(MARTA, READ)

    with pytest.raises(RateLimitedError) as caught:
        limits.count(MARTA, READ)
    ticks.now += 0.5
    limits.count(MARTA, READ)

    assert timedelta(seconds=0.5) == caught.value.retry_after


def test_who_waits_long_saves_up_no_more_than_a_burst():
    """
    S12: an hour of silence buys two calls, not seven thousand.
    """
    ticks = Ticks()
    limits = RateLimits(TWO_A_SECOND, ticks)
    limits.count(MARTA, READ)
    ticks.now += 3_600
    limits.count(MARTA, READ)
    limits.count(MARTA, READ)

    with pytest.raises(RateLimitedError):
        limits.count(MARTA, READ)


def test_everyone_has_a_bucket_of_their_own():
    """
    S12: one who floods does not use up what is left to others.
    """
    limits = RateLimits(RateRules(classes={CallClass.READ: Rate(1, 1)}, methods={}), Ticks())
    limits.count(MARTA, READ)

    limits.count(IVO, READ)


def test_claims_are_counted_apart():
    """
    S12: sixty approaches a minute a person, so that nobody hoards clients; reads go on.
    """
    ticks = Ticks()
    limits = RateLimits(None, ticks)
    for _ in range(60):
        ticks.now += 0.1
        limits.count(MARTA, CLAIM)
    for _ in range(5):
        limits.count(MARTA, CLAIM)

    with pytest.raises(RateLimitedError):
        limits.count(MARTA, CLAIM)
    limits.count(MARTA, READ)


def test_services_of_the_company_are_not_counted():
    """
    S12: a till or a site speaks for many.
    """
    limits = RateLimits(None, Ticks())

    for _ in range(1_000):
        limits.count(TILL, CLAIM)


@given(st.lists(st.floats(min_value=0, max_value=3), max_size=60))
def test_no_window_lets_more_pass_than_rate_and_burst(pauses):
    """
    S12: however calls are spread, n seconds let at most n times the rate and one burst pass.
    """
    ticks = Ticks()
    limits = RateLimits(TWO_A_SECOND, ticks)
    passed = 0
    for pause in pauses:
        ticks.now += pause
        try:
            limits.count(MARTA, READ)
        except RateLimitedError:
            continue
        passed += 1

    assert passed <= 2 + 2 * sum(pauses) + 1e-6


async def test_a_flood_over_the_wire_is_refused_with_a_time_to_try_again():
    """
    S12: RESOURCE_EXHAUSTED with RetryInfo.
    """
    async with edge(rates=TWO_A_SECOND) as served:
        for _ in range(2):
            await served.call("ListClients", caller=as_employee("marta"))

        refusal = await served.refused("ListClients", caller=as_employee("marta"))

        assert ("RESOURCE_EXHAUSTED", "RATE_LIMITED", 0.5) == (
            refusal.code,
            refusal.reason,
            refusal.retry_seconds,
        )
