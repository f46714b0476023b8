"""
What the service tells about itself holds no personal value: lines at DEBUG, figures, spans.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import urllib.request

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import grpc
import pytest

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from tests.leak.people import PEOPLE
from tests.leak.test_personal_values import PLANTED, begin, child, error_bytes, load, refusals


CLIENTS = 12
"""Whose values are recorded here; enough for every kind of call."""


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps what it is sent, as bytes."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def Export(self, request, context):  # noqa: N802  # gRPC names it
        self.sent.append(request.SerializeToString())
        return trace_service_pb2.ExportTraceServiceResponse()


@attrs.frozen
class Told:
    """
    What a service told about itself.

    Attributes:
        lines: Of its log.

        figures: As Prometheus reads them.

        spans: As a collector gets them.
    """

    lines: bytes
    figures: bytes
    spans: bytes


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What a service told that recorded clients and refused calls full of their values."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        folder = tmp_path_factory.mktemp("telling")
        figures = asyncio.run(_lived(folder, f"http://127.0.0.1:{port}"))
    finally:
        server.stop(1).wait()
    lines = (folder / "printed.log").read_bytes()
    return Told(lines, figures, b"\n".join(collector.sent))


async def _lived(folder: Path, endpoint: str) -> bytes:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = (
        *("--log-level", "debug", "--log-format", "json"),
        *("--metrics-port", str(port), "--trace-endpoint", endpoint),
    )
    async with child(folder, *options) as service:
        await begin(service.wire)
        await load(service.wire, PEOPLE[:CLIENTS])
        for call in refusals():
            await error_bytes(service.wire, *call)
        figures = await asyncio.to_thread(_figures, port)
        service.process.send_signal(signal.SIGTERM)
        await service.process.wait()
    return figures


def _figures(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        text: bytes = answer.read()
    return text


def test_lines_at_debug_hold_no_value(told: Told):
    """
    S9, G29: every call is a line, also those that were refused for what they held, and no value of
    any client stands in one, in whatever form.
    """
    assert told.lines.count(b'"logger":"clientela.calls"') > 5 * CLIENTS
    assert b'"level":"debug"' in told.lines
    assert b'"code":"INVALID_ARGUMENT"' in told.lines
    assert () == PLANTED.in_bytes(told.lines, "lines")


def test_lines_name_no_client_and_no_request(told: Told):
    """
    S9: ids of clients and of requests leave as keyed hashes.
    """
    assert b'"request":"' in told.lines
    assert not [p.client_id for p in PEOPLE[:CLIENTS] if p.client_id.encode() in told.lines]


def test_figures_hold_no_value(told: Told):
    """
    G29: labels are names of rpcs, codes and kinds.
    """
    assert b"clientela_calls_total" in told.figures
    assert b"clientela_commit_seconds_count" in told.figures
    assert b"clientela_group_size_sum" in told.figures
    assert () == PLANTED.in_bytes(told.figures, "figures")


def test_spans_hold_no_value(told: Told):
    """
    G29: a span a call and a span an append, and no value in any.
    """
    assert b"clientela.v1.PurchaseService/RecordPurchase" in told.spans
    assert b"clientela.append" in told.spans
    assert () == PLANTED.in_bytes(told.spans, "spans")
