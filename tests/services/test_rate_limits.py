"""
How often one principal may call.
"""

from __future__ import annotations

import asyncio

from datetime import timedelta

import grpc
import grpc.aio
import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import PrincipalId
from clientela.services.access import AccessTable, CallClass
from clientela.services.rate_limits import Rate, RateLimits, RateRules
from clientela.services.refusals import RateLimitedError
from clientela.v1.history_pb2 import HistoryCommand, RecordHistoryRequest
from tests.services.edge import METHODS, Ticks, as_employee, edge, refusal_of, request_of


MARTA = Actor(ActorKind.EMPLOYEE, PrincipalId("marta"))
IVO = Actor(ActorKind.EMPLOYEE, PrincipalId("ivo"))
TILL = Actor(ActorKind.SERVICE, PrincipalId("till"))
READ, CLAIM = METHODS["GetOwnership"], METHODS["Approach"]
TWO_A_SECOND = RateRules(classes={CallClass.READ: Rate(2, 1)}, methods={})


def is_limited(limits, principal, access):
    """Whether a call is one too many; if not it is counted."""
    try:
        limits.count(principal, access)
    except RateLimitedError:
        return True
    return False


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


def test_a_call_that_brings_many_along_is_paid_for_before_the_next():
    """
    S12: commands of one call count like calls; a service's do not.
    """
    ticks = Ticks()
    rules = RateRules(classes={CallClass.COMMAND: Rate(2, 1)}, methods={})
    [history] = AccessTable.of_services(["clientela.v1.HistoryService"])
    five = RecordHistoryRequest(commands=[HistoryCommand()] * 5)
    limits = RateLimits(rules, ticks)
    for actor in (MARTA, TILL):
        limits.count(actor, history)
        limits.count_many(actor, history, five)

    with pytest.raises(RateLimitedError) as caught:
        limits.count(MARTA, history)
    limits.count(TILL, history)
    ticks.now += 2.0
    limits.count(MARTA, history)

    assert timedelta(seconds=2) == caught.value.retry_after


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

    assert is_limited(limits, MARTA, READ)
    assert not is_limited(limits, IVO, READ)


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

    assert not any(is_limited(limits, TILL, CLAIM) for _ in range(1_000))
    assert any(is_limited(limits, MARTA, CLAIM) for _ in range(1_000))


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
        passed += not is_limited(limits, MARTA, READ)

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


async def outcomes(served, request, caller, times):
    """Reasons of calls of FindClients, one after the other; empty for an answer."""
    found = []
    for _ in range(times):
        try:
            await served.call("FindClients", request, caller)
        except grpc.aio.AioRpcError as error:
            found.append(refusal_of(error).reason)
        else:
            found.append("")
    return found


BY_NAME = request_of("FindClients", name="Petra")
BY_PHONE = request_of("FindClients", identifier={"kind": "phone", "text": "+12125550188"})
BY_CARD = request_of("FindClients", card_number="7000 0001")


async def test_a_person_searches_five_times_a_second():
    """
    S12: search 5/s, for people; a till is trusted.
    """
    async with edge() as served:
        person = await outcomes(served, BY_NAME, as_employee("marta"), 6)
        till = await outcomes(served, BY_NAME, {"x-clientela-actor": "service/till"}, 20)

    assert [*[""] * 5, "RATE_LIMITED"] == person
    assert [""] * 20 == till


async def test_numbers_are_not_tried_out(caplog):
    """
    S12: phones, e-mails and cards are looked up 30 times a minute, all together, and who wants
    more is told of in the log, by no number.
    """
    async with edge() as served:
        found = []
        for turn in range(31):
            served.ticks.now += 0.5
            found += await outcomes(served, (BY_PHONE, BY_CARD)[turn % 2], as_employee("marta"), 1)
        # By then half of what a minute brings is there again.
        more = await outcomes(served, BY_PHONE, as_employee("ivo"), 1)
        for _ in range(30):
            served.ticks.now += 0.2
            found += await outcomes(served, BY_PHONE, as_employee("marta"), 1)

    assert "RATE_LIMITED" in found
    assert [""] == more
    assert 30 <= found.count("") <= 30 + 22
    assert "somebody may be trying out numbers" in caplog.text
    assert "5550188" not in caplog.text


PHONES = [{"kind": "phone", "text": f"+1212555{number}"} for number in range(4000, 4040)]
PARTNER = {"x-clientela-actor": "partner/shop"}


@pytest.mark.parametrize(
    ("method", "fields", "caller"),
    [
        ("AddIdentifier", {"client_id": "petra", "identifier": PHONES[0]}, as_employee("boss")),
        ("RegisterClient", {"identifiers": PHONES[:1]}, as_employee("boss")),
        ("IssueCard", {"wallet_id": "petra", "number": "7000 0001"}, as_employee("boss")),
        ("ReplaceCard", {"wallet_id": "petra", "number": "7000 0001"}, as_employee("boss")),
        ("RegisterClient", {"identifiers": PHONES[:1]}, PARTNER),
    ],
)
async def test_numbers_are_not_tried_out_by_trials(method, fields, caller):
    """
    S12: a trial that tells whether somebody has a number is a look-up, and leaves no more behind:
    it is counted with them. What is carried out, and a trial without a number, is not.
    """
    rules = RateRules(classes={}, look_up=Rate(2, 60))
    trial = request_of(method, validate_only=True, **fields)
    bare = request_of("UpdateClient", client_id="petra", validate_only=True)
    async with edge(rates=rules) as served:
        found = [await tried(served, method, trial, caller) for _ in range(3)]
        done = await tried(served, method, request_of(method, **fields), caller)
        other = await tried(served, "UpdateClient", bare, as_employee("boss"))

    assert ("RATE_LIMITED", 1) == (found[2], found.count("RATE_LIMITED"))
    assert "RATE_LIMITED" not in {done, other}


async def tried(served, method, request, caller):
    """The reason that a call is refused for; empty for an answer."""
    try:
        await served.call(method, request, caller)
    except grpc.aio.AioRpcError as error:
        return refusal_of(error).reason
    return ""


def test_numbers_of_one_trial_are_counted_one_by_one():
    """
    S12: forty numbers in one trial are forty look-ups, be it one of many commands of a call;
    whoever tried them waits until they are paid for.
    """
    trial = {"identifiers": PHONES, "validate_only": True}
    registration = request_of("RegisterClient", **trial)
    history = request_of("RecordHistory", commands=[{"register_client": trial}])
    left = {}
    for method, request in (("RegisterClient", registration), ("RecordHistory", history)):
        ticks = Ticks()
        limits = RateLimits(RateRules(classes={}), ticks)
        limits.count_look_up(MARTA, METHODS[method], request)
        with pytest.raises(RateLimitedError) as caught:
            limits.count_look_up(MARTA, METHODS["FindClients"], BY_PHONE)
        left[method] = caught.value.retry_after
        limits.count_look_up(TILL, METHODS[method], request)

    assert {"RegisterClient", "RecordHistory"} == left.keys()
    assert {timedelta(seconds=22)} == {*left.values()}


async def test_a_person_has_two_exports_under_way():
    """
    S12: a third is refused while two run, and let in when one has ended; others are not held up.
    """
    leave = asyncio.Event()
    request = request_of("ExportClient", client_id="petra")
    boss, till = as_employee("boss"), {"x-clientela-actor": "service/till"}
    async with edge(rates=RateRules(classes={})) as served:
        served.stage.answers["ExportClient"] = lambda _: [leave.wait()]
        running = [asyncio.create_task(served.refused("ExportClient", request, boss))]
        running.append(asyncio.create_task(served.refused("ExportClient", request, boss)))
        running.append(asyncio.create_task(served.refused("ExportClient", request, till)))
        async with asyncio.timeout(60):
            while len(served.stage.seen) < 3:
                await asyncio.to_thread(bool)
        third = await served.refused("ExportClient", request, boss)
        leave.set()
        await asyncio.gather(*running)
        served.stage.answers.clear()
        again = await served.stream("ExportClient", request, boss)

    assert ("RESOURCE_EXHAUSTED", "RATE_LIMITED", 5.0) == (
        third.code,
        third.reason,
        third.retry_seconds,
    )
    assert 1 == len(again)
