"""
Tracing: where the time of a call goes, told to whoever keeps traces.

    call      a span for every rpc, below the span that its caller names in `traceparent`
    step      a span for what it waits for, below the span of the call

No value of a request is ever an attribute: a span bears names of rpcs, codes, reasons and counts.
"""

from __future__ import annotations

import re

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol


TRACEPARENT_HEADER = "traceparent"
"""Metadata: the span of the caller, as W3C Trace Context writes it."""

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
"""The whole of a well-formed value: version, trace, span, flags."""


class Span(Protocol):
    """A piece of work with a beginning and an end."""

    def note(self, name: str, value: str | int) -> None:
        """An attribute: a name from code, a name or number that is not personal."""
        ...

    def fail(self, code: str) -> None:
        """It failed, with a status code or the name of a class of errors."""
        ...


class Traces(Protocol):
    """Keeps spans; called on the loop, never waits, never fails."""

    def call(self, method: str, parent: str) -> AbstractContextManager[Span]:
        """
        The span of an rpc, for as long as the block runs.

        Args:
            method: Path of the rpc.

            parent: `traceparent` of its caller; empty, or not well-formed, for none.
        """
        ...

    def step(self, name: str) -> AbstractContextManager[Span]:
        """The span of a step, for as long as the block runs, below the call under way if any."""
        ...


class _NoSpan:
    """Takes everything and keeps nothing; its own context manager, so that it costs nothing."""

    def note(self, name: str, value: str | int) -> None:
        """Nothing."""

    def fail(self, code: str) -> None:
        """Nothing."""

    def __enter__(self) -> Span:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let everything through."""


class NoTraces:
    """Keeps nothing."""

    def call(self, method: str, parent: str) -> AbstractContextManager[Span]:
        """Nothing."""
        del method, parent
        return _NO_SPAN

    def step(self, name: str) -> AbstractContextManager[Span]:
        """Nothing."""
        del name
        return _NO_SPAN


_NO_SPAN = _NoSpan()

NO_TRACES: Traces = NoTraces()
"""For whoever is told of no other."""
