"""
Spans kept for OpenTelemetry, and sent out by OTLP.

The trace of a call goes on where its caller's was; whether it is sent is what the caller's trace
says, or, where there is none, the share of calls that the settings name. The extra `tracing`
brings what this needs.
"""

from __future__ import annotations

import threading

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from urllib.parse import urlsplit

import attrs

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as Recorded

from clientela.services.tracing import TRACEPARENT


WAITING_MAX = 2_048
"""Spans that wait to be sent; more are dropped, so that nothing waits for a collector."""

BATCH_MAX = 512
"""Spans sent at once."""

SEND_SECONDS = 5.0
"""Pause between two sendings."""

CLOSE_SECONDS_MAX = 3.0
"""How long the end of the service waits for spans to be sent."""

ATTRIBUTES_MAX = 16
"""Attributes of a span."""


@attrs.frozen
class _Span:
    """A span as `services.tracing.Span` wants it."""

    recorded: Recorded

    def note(self, name: str, value: str | int) -> None:
        """An attribute."""
        self.recorded.set_attribute(name, value)

    def fail(self, code: str) -> None:
        """It failed."""
        self.recorded.set_attribute("error.type", code)
        self.recorded.set_status(Status(StatusCode.ERROR))


class OpenTelemetryTraces:
    """
    Keeps spans; see `services.tracing.Traces`.

    Args:
        endpoint: Collector that speaks OTLP over gRPC, `http://host:port` or `https://host:port`.

        share: Of the calls without a trace of their caller's, how many are traced: 0 to 1.
    """

    def __init__(self, endpoint: str, share: float = 1.0) -> None:
        is_plain = urlsplit(endpoint).scheme != "https"
        self._exporter: SpanExporter = OTLPSpanExporter(endpoint=endpoint, insecure=is_plain)
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)),
            resource=Resource(
                {"service.name": "clientela", "service.version": version("clientela")}
            ),
            span_limits=SpanLimits(max_span_attributes=ATTRIBUTES_MAX),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._exporter,
                max_queue_size=WAITING_MAX,
                max_export_batch_size=BATCH_MAX,
                schedule_delay_millis=SEND_SECONDS * 1_000,
            )
        )
        self._tracer = self._provider.get_tracer("clientela")

    @contextmanager
    def call(self, method: str, parent: str) -> Generator[_Span]:
        """The span of an rpc."""
        service, _, name = method.strip("/").partition("/")
        recorded = self._tracer.start_span(
            method.strip("/"),
            context=_context_of(parent),
            kind=SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.service": service, "rpc.method": name},
            record_exception=False,
        )
        before = _CALL.get()
        _CALL.set(recorded)
        try:
            yield _Span(recorded)
        finally:
            # Not by a token: a stream may end in another context than it began in.
            _CALL.set(before)
            recorded.end()

    @contextmanager
    def step(self, name: str) -> Generator[_Span]:
        """The span of a step."""
        call = _CALL.get()
        context = Context() if call is None else set_span_in_context(call, Context())
        recorded = self._tracer.start_span(name, context=context, record_exception=False)
        try:
            yield _Span(recorded)
        except BaseException as error:
            _Span(recorded).fail(type(error).__name__)
            raise
        finally:
            recorded.end()

    def close(self) -> None:
        """Send what waits, as far as the collector takes it within `CLOSE_SECONDS_MAX`."""
        # On a thread, because sending has no bound of its own that may be set.
        sending = threading.Thread(target=self._provider.force_flush, daemon=True)
        sending.start()
        sending.join(CLOSE_SECONDS_MAX)
        self._exporter.shutdown()
        self._provider.shutdown()


_CALL: ContextVar[Recorded | None] = ContextVar("clientela-span", default=None)


def _context_of(parent: str) -> Context:
    """Where a call goes on; a root where its caller names no span."""
    matched = TRACEPARENT.fullmatch(parent)
    if matched is None:
        return Context()
    trace, span, flags = (int(part, 16) for part in matched.groups())
    remote = SpanContext(trace, span, is_remote=True, trace_flags=TraceFlags(flags))
    return set_span_in_context(NonRecordingSpan(remote), Context())
