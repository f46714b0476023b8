"""
Figures kept for Prometheus, and handed out over HTTP on a port of their own.

Every figure is named `clientela_...`; `docs/operating.md` lists them. The extra `metrics` brings
what this needs.
"""

from __future__ import annotations

import contextlib
import ipaddress

from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import cast

import attrs

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    start_http_server,
)

from clientela.adapters.telemetry.failures import ExpositionError
from clientela.services.metrics import (
    LABEL_LENGTH_MAX,
    LABELS_MAX,
    OTHER_LABEL,
    Count,
    Figure,
    Level,
    Measure,
)


NAMESPACE = "clientela"

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Bounds of what lasts: calls have a deadline of 30 seconds at most."""

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Bounds of what has a size."""

BOUNDS: Mapping[Measure, tuple[float, ...]] = MappingProxyType(
    {Measure.GROUP_SIZE: SIZES, Measure.COMMIT_SECONDS: SECONDS}
)


@attrs.frozen(kw_only=True)
class Exposition:
    """
    Where figures are handed out, and how.

    Attributes:
        host: Address to listen on.

        port: 0 lets the system choose.

        certificate: Certificate chain (PEM); None for plaintext, on loopback only.

        key: Its private key (PEM).

        client_authority: Who signs the certificates of those who read (PEM); None for no matter.
    """

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None
    client_authority: Path | None = None

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"


class PrometheusMetrics:
    """Keeps figures in a registry of its own; see `services.metrics.Metrics`."""

    def __init__(self) -> None:
        cast("Callable[[], None]", disable_created_metrics)()
        self.registry = CollectorRegistry(auto_describe=False)
        self._calls = Counter(
            f"{NAMESPACE}_calls",
            "Calls answered, streams included.",
            ("method", "code"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            f"{NAMESPACE}_call_seconds",
            "Seconds a call took; streams are left out.",
            ("method",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._brought = Counter(
            f"{NAMESPACE}_history_commands",
            "Commands that calls of RecordHistory brought along, by the rpc they are alone.",
            ("method", "code", "reason"),
            registry=self.registry,
        )
        self._counts = {what: self._counter(what.value) for what in Count}
        self._levels = {what: self._gauge(what.value) for what in Level}
        self._measures = {what: self._histogram(what) for what in Measure}
        self._labels: dict[Figure, set[str]] = {}

    def called(self, method: str, code: str, seconds: float | None) -> None:
        """An rpc was answered."""
        self._calls.labels(method, code).inc()
        if seconds is not None:
            self._seconds.labels(method).observe(seconds)

    def brought(self, method: str, code: str, reason: str, times: int) -> None:
        """Commands that one call brought along were answered, and came to the same."""
        self._brought.labels(method, code, reason).inc(times)

    def count(self, what: Count, label: str = "", times: int = 1) -> None:
        """Something happened."""
        counter = self._counts[what]
        if what.value.label:
            counter = counter.labels(self._label(what.value, label))
        counter.inc(times)

    def level(self, what: Level, value: float, label: str = "") -> None:
        """Something is at *value*."""
        gauge = self._levels[what]
        if what.value.label:
            gauge = gauge.labels(self._label(what.value, label))
        gauge.set(value)

    def measure(self, what: Measure, value: float) -> None:
        """Something came to *value*."""
        self._measures[what].observe(value)

    def _counter(self, figure: Figure) -> Counter:
        name = f"{NAMESPACE}_{figure.name}"
        return Counter(name, figure.text, _labels(figure), registry=self.registry)

    def _gauge(self, figure: Figure) -> Gauge:
        name = f"{NAMESPACE}_{figure.name}"
        return Gauge(name, figure.text, _labels(figure), registry=self.registry)

    def _histogram(self, what: Measure) -> Histogram:
        name = f"{NAMESPACE}_{what.value.name}"
        return Histogram(name, what.value.text, buckets=BOUNDS[what], registry=self.registry)

    def _label(self, figure: Figure, label: str) -> str:
        known = self._labels.setdefault(figure, set())
        label = label[:LABEL_LENGTH_MAX]
        if label in known:
            return label
        if len(known) >= LABELS_MAX:
            return OTHER_LABEL
        known.add(label)
        return label


@contextlib.contextmanager
def exposed(metrics: PrometheusMetrics, exposition: Exposition) -> Generator[int]:
    """
    Hand *metrics* out at `/metrics` while the block runs; gives the port.

    Raises:
        ExpositionError: others would read it unencrypted, or the address cannot be listened on.
    """
    if exposition.certificate is None and not _is_loopback(exposition.host):
        raise ExpositionError(
            exposition.address,
            "other machines reach it: give the service a certificate, or name 127.0.0.1",
        )
    try:
        server, thread = start_http_server(
            exposition.port,
            exposition.host,
            metrics.registry,
            certfile=_text(exposition.certificate),
            keyfile=_text(exposition.key),
            client_cafile=_text(exposition.client_authority),
            client_auth_required=exposition.client_authority is not None,
        )
    except OSError:
        problem = "it is in use, or not of this machine, or a file of its certificate is not good"
        raise ExpositionError(exposition.address, problem) from None
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _labels(figure: Figure) -> tuple[str, ...]:
    return (figure.label,) if figure.label else ()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
