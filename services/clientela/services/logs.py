"""
Logs: what a line may say.

A line is a fixed text and fields of this list; whoever writes lines out leaves everything else
out. Personal values have no field here, ids appear as keyed hashes, errors by type and place,
because the text of an error may hold what somebody typed.
"""

from __future__ import annotations

import traceback

from typing import TypedDict, Unpack


EXTRA = "clientela_fields"
"""Attribute of a log record that holds the fields."""

FRAMES_MAX = 20
"""Innermost frames of a fault that are told."""


class Fields(TypedDict, total=False):
    """
    Every field that a line may have.

    Attributes:
        method: Path of an rpc.

        code: Name of its status code.

        reason: Stable reason of a refusal.

        ms: Milliseconds it took.

        actor: Kind of principal, and a keyed hash of the principal.

        request: Keyed hash of the request id.

        trace: Trace id, 32 hex digits.

        reference: What a caller was told of a fault.

        error: Class of an error.

        places: Where it came from, innermost first.

        work: Background work.

        part: Part of the service, as health names it.

        command: Class of a command.

        event: Name of an event.

        kind: Kind of journal.

        position: Position of an event.

        partition: Number of a partition.

        consumer: Name of a consumer.

        count: How many.
    """

    method: str
    code: str
    reason: str
    ms: float
    actor: str
    request: str
    trace: str
    reference: str
    error: str
    places: str
    work: str
    part: str
    command: str
    event: str
    kind: str
    position: int
    partition: int
    consumer: str
    count: int


FIELDS = frozenset(Fields.__annotations__)
"""Their names: what is not among them is not written."""


def fields(**values: Unpack[Fields]) -> dict[str, Fields]:
    """Fields of a line, to be given as `extra`."""
    return {EXTRA: values}


def kind_of(error: BaseException) -> str:
    """The class of *error* by its full name."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def places_of(error: BaseException) -> str:
    """Where *error* came from, innermost frame first, without its text."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
    return " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
