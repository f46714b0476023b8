"""
The observer: what is told of every call, a line in the log, a figure and a span.

The line of a call, at INFO, has its method, code, reason, milliseconds, the kind of its principal
and keyed hashes of principal and request id: enough to follow a complaint, nothing that tells who
a client is. Calls of health are told at DEBUG.

Commands that a call brings along are figures like calls of their own. Those refused are one line
for each rpc, code and reason, with how many and the request of the first of them: two hundred rows
of a file that are wrong in the same way are one thing to look at, and the record of audit names
each that a rule refused.
"""

from __future__ import annotations

import asyncio
import logging
import time

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from types import TracebackType

from clientela.domain.event import Actor
from clientela.services.logs import EXTRA, Fields, fields, kind_of, places_of
from clientela.services.metrics import NO_METRICS, Count, Metrics
from clientela.services.seen import SEEN, Brought, Seen
from clientela.services.tracing import NO_TRACES, TRACEPARENT, Span, Traces


HEALTH = "/grpc.health.v1.Health/"
"""Begin of the paths of the one open service: no credentials, no admission, no line at INFO."""

REFERENCE_LENGTH = 16
"""Characters of a keyed hash in a line."""

ACTORS_MAX = 4_096
"""Principals whose keyed hashes are remembered; the longest unused goes first."""

Hashes = Callable[[str, str], str]
"""`(scope, text)` to a keyed hash, as `Sessions.blind` makes it."""

_LOG = logging.getLogger("clientela.calls")
_FAULTS = logging.getLogger("clientela.faults")


def _unhashed(_scope: str, _text: str) -> str:
    return ""


class Observer:
    """
    Tells of calls.

    Args:
        metrics: Keeps figures.

        traces: Keeps spans.

        hashes: Makes keyed hashes; without it principals and requests are left out.

        monotonic: Seconds.
    """

    def __init__(
        self,
        *,
        metrics: Metrics = NO_METRICS,
        traces: Traces = NO_TRACES,
        hashes: Hashes = _unhashed,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._metrics = metrics
        self._traces = traces
        self._hashes = hashes
        self._monotonic = monotonic
        self._said = lru_cache(maxsize=ACTORS_MAX)(self._said_of)

    def call(self, method: str, parent: str = "") -> Telling:
        """
        Tell of the call that a block answers.

        Args:
            method: Path of the rpc.

            parent: `traceparent` of its caller.
        """
        matched = TRACEPARENT.fullmatch(parent)
        seen = Seen(method, trace=matched[1] if matched else "")
        return Telling(seen, self, self._traces.call(method, parent if matched else ""))

    def fault(self, error: Exception, method: str, reference: str) -> None:
        """Tell of a fault of the service, by type and place, without its text."""
        kind, places = kind_of(error), places_of(error)
        _FAULTS.error(
            "fault %s in %s: %s at %s",
            reference,
            method,
            kind,
            places,
            extra=fields(method=method, reference=reference, error=kind, places=places),
        )

    def store_failed(self, method: str) -> None:
        """Tell that a call ended because the store could not be reached."""
        self._metrics.count(Count.STORE_FAILURES, method)

    def now_s(self) -> float:
        """The present moment on the clock of calls."""
        return self._monotonic()

    def tell(self, seen: Seen, seconds: float, span: Span) -> None:
        """Tell what was seen of a call that took so long."""
        if seen.code != "OK":
            span.fail(seen.code)
            if seen.reason:
                span.note("clientela.reason", seen.reason)
        if seen.brought is not None:
            self._tell_brought(seen, seen.brought, span)
        self._metrics.called(seen.method, seen.code, None if seen.is_stream else seconds)
        level = logging.DEBUG if seen.method.startswith(HEALTH) else logging.INFO
        if _LOG.isEnabledFor(level):
            ms = round(seconds * 1_000, 3)
            line = Fields(method=seen.method, code=seen.code, ms=ms)
            if seen.reason:
                line["reason"] = seen.reason
            if seen.brought is not None:
                line["count"] = sum(map(len, seen.brought.values()))
            self._add_origin(line, seen, seen.request_id, seen.request)
            _write(level, "%s %s %s ms", (seen.method, seen.code, ms), line)

    def _tell_brought(
        self, seen: Seen, brought: Mapping[Brought, Sequence[str]], span: Span
    ) -> None:
        """Tell what the commands came to that a call brought along."""
        refused = 0
        for each, request_ids in brought.items():
            times = len(request_ids)
            self._metrics.brought(each.method, each.code, each.reason, times)
            if not each.reason:
                continue
            refused += times
            if _LOG.isEnabledFor(logging.INFO):
                line = Fields(method=each.method, code=each.code, reason=each.reason, count=times)
                self._add_origin(line, seen, request_ids[0])
                _write(logging.INFO, "%s %s x%s", (each.method, each.code, times), line)
        span.note("clientela.commands", sum(map(len, brought.values())))
        span.note("clientela.refused", refused)

    def _add_origin(self, line: Fields, seen: Seen, request_id: str, hashed: str = "") -> None:
        """Add to *line* whom it is about, by keyed hashes."""
        if seen.actor is not None:
            line["actor"] = self._said(seen.actor)
        if request_id:
            line["request"] = (hashed or self._hashes("request", request_id))[:REFERENCE_LENGTH]
        if seen.trace:
            line["trace"] = seen.trace

    def _said_of(self, actor: Actor) -> str:
        hashed = self._hashes("log-actor", str(actor))
        return f"{actor.kind.value} {hashed[:REFERENCE_LENGTH]}"


def _write(level: int, text: str, told: tuple[object, ...], line: Fields) -> None:
    """Write a line; made here, because they come from one place that nobody need look up."""
    extra = {EXTRA: line}
    _LOG.handle(_LOG.makeRecord(_LOG.name, level, "", 0, text, told, None, extra=extra))


class Telling:
    """
    Sees a call, from the beginning of a block to its end, and has it told.

    Args:
        seen: What is seen of it.

        observer: Tells.

        span: Of the call.
    """

    def __init__(self, seen: Seen, observer: Observer, span: AbstractContextManager[Span]) -> None:
        self._seen = seen
        self._observer = observer
        self._span = span

    def __enter__(self) -> Seen:
        SEEN.set(self._seen)
        self._began_s = self._observer.now_s()
        self._begun = self._span.__enter__()
        return self._seen

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            self._seen.code = "CANCELLED"
        try:
            self._observer.tell(self._seen, self._observer.now_s() - self._began_s, self._begun)
        finally:
            self._span.__exit__(kind, error, traceback)
