"""
Metrics and traces as the settings want them, from here to the end of a block.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import attrs

from clientela.adapters.settings import SettingError, Settings
from clientela.services.metrics import NO_METRICS, Metrics
from clientela.services.tracing import NO_TRACES, Traces


@attrs.frozen(kw_only=True)
class Telemetry:
    """
    What the service tells about itself to others.

    Attributes:
        metrics: Keeps figures.

        traces: Keeps spans.

        metrics_port: Where figures are handed out; 0 for nowhere.
    """

    metrics: Metrics = NO_METRICS
    traces: Traces = NO_TRACES
    metrics_port: int = 0


@contextmanager
def telemetry(settings: Settings) -> Generator[Telemetry]:
    """
    Tell what *settings* want to be told, while the block runs.

    Raises:
        SettingError: what that takes is not installed.

        ExpositionError: figures cannot be handed out there.
    """
    with ExitStack() as stack:
        metrics, port = _metrics(settings, stack)
        yield Telemetry(metrics=metrics, metrics_port=port, traces=_traces(settings, stack))


def _metrics(settings: Settings, stack: ExitStack) -> tuple[Metrics, int]:
    if settings.metrics_port is None:
        return NO_METRICS, 0
    try:
        from clientela.adapters.telemetry.prometheus import (  # noqa: PLC0415  # an extra
            Exposition,
            PrometheusMetrics,
            exposed,
        )
    except ImportError:
        raise SettingError("metrics_port", "`pip install clientela[metrics]` beside it") from None
    metrics = PrometheusMetrics()
    is_here = settings.metrics_host in {"127.0.0.1", "::1", "localhost"}
    exposition = Exposition(
        host=settings.metrics_host,
        port=settings.metrics_port,
        certificate=None if is_here else settings.tls_certificate,
        key=None if is_here else settings.tls_key,
        client_authority=None if is_here else settings.tls_client_ca,
    )
    return metrics, stack.enter_context(exposed(metrics, exposition))


def _traces(settings: Settings, stack: ExitStack) -> Traces:
    if not settings.trace_endpoint:
        return NO_TRACES
    try:
        from clientela.adapters.telemetry.opentelemetry import (  # noqa: PLC0415  # an extra
            OpenTelemetryTraces,
        )
    except ImportError:
        raise SettingError("trace_endpoint", "`pip install clientela[tracing]` beside it") from None
    traces = OpenTelemetryTraces(settings.trace_endpoint, settings.trace_share)
    stack.callback(traces.close)
    return traces
