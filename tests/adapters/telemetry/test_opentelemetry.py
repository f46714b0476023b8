"""
Spans as a collector gets them, over a real socket.
"""

from __future__ import annotations

import time

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from clientela.adapters.telemetry.opentelemetry import OpenTelemetryTraces


METHOD = "/clientela.v1.OwnershipService/Approach"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNTRACED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps what it is sent."""

    def __init__(self):
        self.spans = []

    def Export(self, request, context):  # noqa: N802  # gRPC names it
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
def collector():
    """A collector on loopback, and where it is."""
    server = grpc.server(ThreadPoolExecutor(2))
    keeper = Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(keeper, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield keeper, f"http://127.0.0.1:{port}"
    server.stop(None).wait()


def attributes(span):
    """Of a span, by name."""
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_a_call_goes_on_where_its_caller_was(collector):
    """
    Issue 3, 8: a span a call, below the span that `traceparent` names, and a span a step below it.
    """
    keeper, endpoint = collector
    traces = OpenTelemetryTraces(endpoint)
    with traces.call(METHOD, PARENT) as span:
        span.note("clientela.reason", "CLIENT_TAKEN")
        span.fail("FAILED_PRECONDITION")
        with traces.step("commit"):
            pass
    traces.close()

    commit, call = keeper.spans
    assert ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331") == (
        call.trace_id.hex(),
        call.parent_span_id.hex(),
    )
    assert (call.trace_id, call.span_id) == (commit.trace_id, commit.parent_span_id)
    assert (METHOD[1:], Span.SPAN_KIND_SERVER) == (call.name, call.kind)
    assert Status.STATUS_CODE_ERROR == call.status.code
    assert {
        "rpc.system": "grpc",
        "rpc.service": "clientela.v1.OwnershipService",
        "rpc.method": "Approach",
        "clientela.reason": "CLIENT_TAKEN",
        "error.type": "FAILED_PRECONDITION",
    } == attributes(call)


@pytest.mark.parametrize(
    "parent",
    ["", "00-zz-b7ad6b7169203331-01", f"00-{'0' * 32}-b7ad6b7169203331-01", PARENT + "-x"],
)
def test_a_parent_that_is_none_begins_a_trace(collector, parent):
    """
    W3C Trace Context: what is not well-formed is as good as absent.
    """
    keeper, endpoint = collector
    traces = OpenTelemetryTraces(endpoint)
    with traces.call(METHOD, parent):
        pass
    traces.close()

    [call] = keeper.spans
    assert b"" == call.parent_span_id
    assert "0af7651916cd43dd8448eb211c80319c" != call.trace_id.hex()


@pytest.mark.parametrize(("parent", "share"), [(UNTRACED, 1.0), ("", 0.0)])
def test_what_nobody_wants_traced_is_not_sent(collector, parent, share):
    """
    The caller's trace says whether its calls are sent, and the settings where there is none.
    """
    keeper, endpoint = collector
    traces = OpenTelemetryTraces(endpoint, share)
    with traces.call(METHOD, parent), traces.step("commit"):
        pass
    traces.close()

    assert [] == keeper.spans


def test_an_error_is_told_by_its_class(collector):
    """
    R19: neither message nor traceback of an error goes into a span.
    """
    keeper, endpoint = collector
    traces = OpenTelemetryTraces(endpoint)
    with pytest.raises(ValueError, match="Ivan"), traces.step("commit"):
        int("Ivan Ivanov")
    traces.close()

    [step] = keeper.spans
    assert {"error.type": "ValueError"} == attributes(step)
    assert b"Ivan" not in step.SerializeToString()


def test_a_collector_that_is_away_holds_nothing_up():
    """
    R16: what nobody takes is dropped; the service stops all the same.
    """
    traces = OpenTelemetryTraces("http://127.0.0.1:9")
    begun_at = time.monotonic()
    for _ in range(5_000):
        with traces.call(METHOD, ""):
            pass
    traces.close()

    assert time.monotonic() - begun_at < 25
