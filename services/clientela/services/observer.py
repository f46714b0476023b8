"""
The observer: what is told of every call, a line in the log, a figure and a span.

The line of a call, at INFO, has its method, code, reason, milliseconds, the kind of its principal
and keyed hashes of principal and request id: enough to follow a complaint, nothing that tells who
a client is. Calls of health are told at DEBUG.
"""

from __future__ import annotations

import asyncio
import logging
import time

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

import attrs

from clientela.domain.event import Actor
from clientela.services.logs import Fields, fields, kind_of, places_of
from clientela.services.metrics import NO_METRICS, Count, Metrics
from clientela.services.tracing import NO_TRACES, TRACEPARENT, Span, Traces


HEALTH = "/grpc.health.v1.Health/"
"""Begin of the paths of the one open service: no credentials, no admission, no line at INFO."""

REFERENCE_LENGTH = 16
"""Characters of a keyed hash in a line."""

Hashes = Callable[[str, str], str]
"""`(scope, text)` to a keyed hash, as `Sessions.blind` makes it."""

_LOG = logging.getLogger("clientela.calls")
_FAULTS = logging.getLogger("clientela.faults")


def _unhashed(_scope: str, _text: str) -> str:
    return ""


@attrs.define
class Seen:
    """
    What was seen of a call so far.

    Attributes:
        method: Path of the rpc.

        trace: Trace id of its caller; empty for none.

        code: Name of its status code.

        reason: Stable reason of a refusal; empty for none.

        actor: Who calls, as soon as that is known.

        request_id: As the caller gave it; leaves only as a keyed hash.

        is_stream: Whether it lasts as long as its caller likes.
    """

    method: str
    trace: str = ""
    code: str = "OK"
    reason: str = ""
    actor: Actor | None = None
    request_id: str = ""
    is_stream: bool = False

    def refused(self, code: str, reason: str) -> None:
        """It ends with this."""
        self.code, self.reason = code, reason


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

    @contextmanager
    def call(self, method: str, parent: str = "") -> Generator[Seen]:
        """
        Tell of the call that the block answers.

        Args:
            method: Path of the rpc.

            parent: `traceparent` of its caller.
        """
        matched = TRACEPARENT.fullmatch(parent)
        seen = Seen(method, trace=matched[1] if matched else "")
        _SEEN.set(seen)
        began_at = self._monotonic()
        with self._traces.call(method, parent if matched else "") as span:
            try:
                yield seen
            except (asyncio.CancelledError, GeneratorExit):
                seen.code = "CANCELLED"
                raise
            finally:
                self._tell(seen, self._monotonic() - began_at, span)

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

    def _tell(self, seen: Seen, seconds: float, span: Span) -> None:
        if seen.code != "OK":
            span.fail(seen.code)
            if seen.reason:
                span.note("clientela.reason", seen.reason)
        self._metrics.called(seen.method, seen.code, None if seen.is_stream else seconds)
        level = logging.DEBUG if seen.method.startswith(HEALTH) else logging.INFO
        if _LOG.isEnabledFor(level):
            ms = round(seconds * 1_000, 3)
            line = self._line(seen, ms)
            _LOG.log(level, "%s %s %s ms", seen.method, seen.code, ms, extra=fields(**line))

    def _line(self, seen: Seen, ms: float) -> Fields:
        line = Fields(method=seen.method, code=seen.code, ms=ms)
        if seen.reason:
            line["reason"] = seen.reason
        if seen.actor is not None:
            line["actor"] = f"{seen.actor.kind.value} {self._hash('log-actor', str(seen.actor))}"
        if seen.request_id:
            line["request"] = self._hash("request", seen.request_id)
        if seen.trace:
            line["trace"] = seen.trace
        return line

    def _hash(self, scope: str, text: str) -> str:
        return self._hashes(scope, text)[:REFERENCE_LENGTH]


_SEEN: ContextVar[Seen | None] = ContextVar("clientela-seen", default=None)


def note_actor(actor: Actor) -> None:
    """Who makes the call being answered; nothing outside one."""
    if (seen := _SEEN.get()) is not None:
        seen.actor = actor


def note_request(request: object) -> None:
    """What the call being answered asks for, of which only the request id is kept."""
    if (seen := _SEEN.get()) is not None:
        seen.request_id = getattr(request, "request_id", "")
