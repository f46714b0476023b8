"""
Watching appends: how long each takes, whether others were faster, as a figure and a span.
"""

from __future__ import annotations

import time

from collections.abc import Callable, Generator
from contextlib import contextmanager

import attrs

from clientela.services.metrics import NO_METRICS, Count, Measure, Metrics
from clientela.services.store_errors import ConflictError
from clientela.services.tracing import NO_TRACES, Traces


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

    @contextmanager
    def append(self, events: int) -> Generator[None]:
        """
        Tell of the append that the block makes.

        Args:
            events: How many events it holds.
        """
        began_at = self.monotonic()
        with self.traces.step(SPAN) as span:
            span.note("clientela.events", events)
            try:
                yield
            except ConflictError as error:
                self.metrics.count(Count.CONFLICTS, type(error).__name__)
                raise
            finally:
                self.metrics.measure(Measure.COMMIT_SECONDS, self.monotonic() - began_at)
