"""
What is told of every call: a line, a figure, a span.
"""

from __future__ import annotations

import asyncio
import logging

from contextlib import contextmanager

import attrs
import pytest

from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import PrincipalId
from clientela.services.logs import EXTRA
from clientela.services.metrics import NO_METRICS, OTHER_LABEL, Count, NoMetrics
from clientela.services.observer import Observer
from clientela.services.refusals import RateLimitedError
from clientela.services.seen import KINDS_MAX, Brought, note_brought, note_hash, note_request
from clientela.services.store_errors import StoreUnavailableError
from clientela.services.tracing import NoTraces
from clientela.v1.ownership_pb2 import ApproachRequest
from tests.services.edge import as_employee, edge, request_of


METHOD = "/clientela.v1.OwnershipService/Approach"
BUY = "/clientela.v1.PurchaseService/RecordPurchase"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@attrs.define
class Kept(NoMetrics):
    """Keeps what it is told."""

    calls: list[tuple[str, str, bool]] = attrs.field(factory=list)
    counts: list[tuple[Count, str]] = attrs.field(factory=list)
    commands: list[tuple[str, str, str, int]] = attrs.field(factory=list)

    def brought(self, method, code, reason, times):
        self.commands.append((method, code, reason, times))

    def called(self, method, code, seconds):
        self.calls.append((method, code, seconds is None))

    def count(self, what, label="", times=1):
        self.counts.append((what, label))


@attrs.define
class Spans(NoTraces):
    """Keeps spans."""

    kept: list[list[object]] = attrs.field(factory=list)

    @contextmanager
    def call(self, method, parent):
        self.kept.append([method, parent])
        yield self

    def note(self, name, value):
        self.kept[-1].append((name, value))

    def fail(self, code):
        self.kept[-1].append(code)


def hashed(scope, text):
    """Tells what would be hashed, which a real one does not."""
    return f"<{scope} {text}>"


def line(caplog):
    """Fields of the one line of a call."""
    [record] = [record for record in caplog.records if record.name == "clientela.calls"]
    return getattr(record, EXTRA)


def test_a_line_has_what_it_takes_to_follow_a_complaint(caplog):
    """
    S9: method, code, reason, time, kind of principal, keyed hashes; neither id nor request as such.
    """
    caplog.set_level(logging.INFO)
    ticks = iter((1.0, 1.25))
    observer = Observer(hashes=hashed, monotonic=lambda: next(ticks))
    with observer.call(METHOD, PARENT) as told:
        told.actor = Actor(ActorKind.EMPLOYEE, PrincipalId("marta"))
        told.request_id = "r-1"
        told.refused("FAILED_PRECONDITION", "CLIENT_TAKEN")

    assert {
        "method": METHOD,
        "code": "FAILED_PRECONDITION",
        "ms": 250.0,
        "reason": "CLIENT_TAKEN",
        "actor": "employee <log-actor emplo",
        "request": "<request r-1>",
        "trace": "0af7651916cd43dd8448eb211c80319c",
    } == line(caplog)


def test_without_hashes_nobody_is_named(caplog):
    """
    S9: what cannot be hashed is left out.
    """
    caplog.set_level(logging.INFO)
    with Observer().call(METHOD) as told:
        told.actor = Actor(ActorKind.CLIENT, PrincipalId("petra"))
        told.request_id = "petra-1"

    assert "petra" not in str(line(caplog))


def test_what_was_hashed_for_the_store_is_not_hashed_again(caplog):
    """
    The keyed hash of a request id serves the line too, but only of the request being answered.
    """
    caplog.set_level(logging.INFO)
    with Observer(hashes=hashed).call(METHOD):
        note_request(ApproachRequest(request_id="r-1"))
        note_hash("r-1", "hash-of-r-1")
        note_hash("r-1-followed-up", "hash-of-another")

    assert "hash-of-r-1" == line(caplog)["request"]


def test_a_principal_is_hashed_once(caplog):
    """
    The keyed hash of a principal is remembered from call to call.
    """
    caplog.set_level(logging.INFO)
    asked: list[tuple[str, str]] = []

    def counted(scope, text):
        asked.append((scope, text))
        return hashed(scope, text)

    observer = Observer(hashes=counted)
    for name in ("marta", "marta", "nora"):
        with observer.call(METHOD) as told:
            told.actor = Actor(ActorKind.EMPLOYEE, PrincipalId(name))

    assert [("log-actor", "employee/marta"), ("log-actor", "employee/nora")] == asked


@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit])
def test_a_call_that_its_caller_leaves_is_cancelled(caplog, error):
    """
    F26: whoever hangs up is told of as such.
    """
    metrics = Kept()
    with pytest.raises(error), Observer(metrics=metrics).call(METHOD):
        raise error

    assert [(METHOD, "CANCELLED", False)] == metrics.calls


def test_calls_of_health_are_told_at_debug(caplog):
    """
    A probe every few seconds does not fill the log.
    """
    caplog.set_level(logging.INFO)
    with Observer().call("/grpc.health.v1.Health/Check"):
        pass

    assert [] == caplog.records


def test_a_span_has_code_and_reason():
    """
    Issue 3, 8: a span a call, and no more in it than the line says.
    """
    spans = Spans()
    with Observer(traces=spans).call(METHOD, "nonsense") as told:
        told.refused("ABORTED", "VERSION_CONFLICT")

    assert [[METHOD, "", "ABORTED", ("clientela.reason", "VERSION_CONFLICT")]] == spans.kept


def test_commands_of_one_call_are_told_by_what_they_came_to(caplog):
    """
    Issue 3, 8: each counts like a call of its own; refusals of a kind are one line, which names the
    first of them by the keyed hash of its request id.
    """
    caplog.set_level(logging.INFO)
    metrics, spans = Kept(), Spans()
    bought, refused = Brought(BUY), Brought(BUY, "FAILED_PRECONDITION", "KEY_TAKEN")
    with Observer(metrics=metrics, traces=spans, hashes=hashed).call(METHOD) as told:
        told.actor = Actor(ActorKind.SERVICE, PrincipalId("till"))
        for brought, name in ((bought, "a"), (refused, "b"), (bought, "c"), (refused, "d")):
            note_brought(brought, name)

    assert [(BUY, "OK", "", 2), (BUY, "FAILED_PRECONDITION", "KEY_TAKEN", 2)] == metrics.commands
    assert [(METHOD, "OK", False)] == metrics.calls
    actor = "service <log-actor servi"
    summary, call = [getattr(record, EXTRA) for record in caplog.records]
    assert {
        "method": BUY,
        "code": "FAILED_PRECONDITION",
        "reason": "KEY_TAKEN",
        "count": 2,
        "actor": actor,
        "request": "<request b>",
    } == summary
    assert (METHOD, "OK", 4, actor) == tuple(call[n] for n in ("method", "code", "count", "actor"))
    assert [[METHOD, "", ("clientela.commands", 4), ("clientela.refused", 2)]] == spans.kept


def test_lines_of_one_call_are_bounded(caplog):
    """
    R20: two hundred refusals are as many in the figures, and so many lines at most.
    """
    caplog.set_level(logging.INFO)
    metrics = Kept()
    with Observer(metrics=metrics).call(METHOD):
        for number in range(200):
            note_brought(Brought(BUY, "FAILED_PRECONDITION", f"REASON_{number}"), "r")

    assert KINDS_MAX + 2 == len(caplog.records)
    assert 200 == sum(times for *_, times in metrics.commands)
    last = (BUY, "FAILED_PRECONDITION", OTHER_LABEL, 200 - KINDS_MAX)
    assert last == metrics.commands[-1]


async def test_the_guard_tells_of_every_call(caplog):
    """
    Issue 3, 8: an answer, a refusal and a stream are told with code, reason and principal.
    """
    caplog.set_level(logging.INFO)
    metrics, spans = Kept(), Spans()
    observer = Observer(metrics=metrics, traces=spans, hashes=hashed)
    caller = {**as_employee("marta"), "traceparent": PARENT}
    async with edge(observer=observer) as served:
        request = request_of("Approach", client_id="petra", employee_id="marta", request_id="r-7")
        await served.call("Approach", request, caller)
        await served.stream("FollowEvents")
        served.stage.answers["GetOwnership"] = lambda _: StoreUnavailableError("away")
        await served.refused("GetOwnership", request_of("GetOwnership", client_id="petra"))

    told = [getattr(r, EXTRA) for r in caplog.records if r.name == "clientela.calls"]
    assert [
        ("OK", None, "employee <log-actor emplo", "<request r-7>"),
        ("OK", None, "service <log-actor servi", None),
        ("UNAVAILABLE", "STORE_UNAVAILABLE", "service <log-actor servi", None),
    ] == [(f["code"], f.get("reason"), f.get("actor"), f.get("request")) for f in told]
    assert [False, True, False] == [is_stream for _, _, is_stream in metrics.calls]
    assert [(Count.STORE_FAILURES, "/clientela.v1.OwnershipService/GetOwnership")] == metrics.counts
    assert PARENT == spans.kept[0][1]


async def test_who_is_refused_at_the_door_is_told_of_too(caplog):
    """
    S12: a flood is seen in the log, with its principal.
    """
    caplog.set_level(logging.INFO)
    async with edge(observer=Observer(hashes=hashed)) as served:
        request = request_of("FindClients", name="Petra")
        served.stage.answers["FindClients"] = lambda _: StoreUnavailableError("away")
        refusals = [await _outcome(served, request) for _ in range(40)]

    last = [getattr(r, EXTRA) for r in caplog.records if r.name == "clientela.calls"][-1]
    assert RateLimitedError.reason in refusals
    assert (RateLimitedError.reason, "employee <log-actor emplo") == (last["reason"], last["actor"])


async def _outcome(served, request):
    return (await served.refused("FindClients", request, as_employee("marta"))).reason


def test_nobody_is_told_costs_nothing():
    """
    Metrics and traces are off unless asked for, and then nothing is kept.
    """
    NO_METRICS.count(Count.CONFLICTS)
    with Observer().call(METHOD) as told:
        assert METHOD == told.method
