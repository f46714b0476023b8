"""
Watching appends: how long each takes, whether others were faster, as a figure and a span.
"""

from __future__ import annotations

import time

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType

import attrs

from clientela.services.metrics import NO_METRICS, Count, Measure, Metrics
from clientela.services.store_errors import ConflictError
from clientela.services.tracing import NO_TRACES, Span, Traces


SPAN = "clientela.append"
"""Name of the span of an append."""


@attrs.frozen(kw_only=True)
class AppendWatch:
    """
    Tells of appends.

    Attributes:
        metrics: Keeps figures.

        traces: Keeps spans.

        monotonic: Seconds.
    """

    metrics: Metrics = NO_METRICS
    traces: Traces = NO_TRACES
    monotonic: Callable[[], float] = time.perf_counter

    def append(self, events: int) -> Watched:
        """
        Tell of the append that a block makes.

        Args:
            events: How many events it holds.
        """
        return Watched(self, events, self.traces.step(SPAN))


class Watched:
    """
    An append, from the beginning of a block to its end.

    Args:
        watch: Tells of it.

        events: How many it holds.

        span: Of it.
    """

    def __init__(self, watch: AppendWatch, events: int, span: AbstractContextManager[Span]) -> None:
        self._watch = watch
        self._events = events
        self._span = span

    def __enter__(self) -> None:
        self._began_s = self._watch.monotonic()
        self._span.__enter__().note("clientela.events", self._events)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        watch = self._watch
        if isinstance(error, ConflictError):
            watch.metrics.count(Count.CONFLICTS, type(error).__name__)
        watch.metrics.measure(Measure.COMMIT_SECONDS, watch.monotonic() - self._began_s)
        self._span.__exit__(kind, error, traceback)
