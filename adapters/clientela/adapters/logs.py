"""
Logs written out: one line a record, as JSON or for people to read, with nothing that has no field.

    ours      the text of the line, and its fields as far as `services.logs` lists them
    foreign   only who speaks, how loud, from where, and the class of an error: a library does not
              know what is personal

An error is told by class and place. Neither a line that cannot be written nor an error that nobody
caught prints what it was about.
"""

from __future__ import annotations

import enum
import json
import logging
import sys
import threading

from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from clientela.adapters.log_lines import LineHandler
from clientela.services.logs import EXTRA, FIELDS, fields, kind_of, places_of


if TYPE_CHECKING:
    from sys import UnraisableHookArgs


TEXT_LENGTH_MAX = 1_024
"""Characters of one value that are written; the rest is cut off."""

OURS = "clientela"
"""The logger above all of ours."""

_FAULTS = logging.getLogger("clientela.faults")


class Form(enum.StrEnum):
    """How lines look."""

    JSON = "json"
    """One JSON object a line, for machines."""

    TEXT = "text"
    """For people."""


class Volume(enum.StrEnum):
    """From where on lines are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def level(self) -> int:
        """As the logging module counts."""
        return logging.getLevelNamesMapping()[self.name]


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object: time, level, logger, message, then its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, in ASCII."""
        line = {
            "time": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": _clipped(record.name),
            "message": _message(record),
            **dict(_told(record)),
        }
        return json.dumps(line, separators=(",", ":"))


class TextFormatter(logging.Formatter):
    """Writes a record for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; control characters are escaped, so that it stays one."""
        time = f"{_time(record):%H:%M:%S}.{int(record.msecs):03}"
        message = _message(record)
        more = ((name, str(value)) for name, value in _told(record))
        told = "".join(f"  {name}={value}" for name, value in more if value not in message)
        text = f"{time} {record.levelname:<7} {message}{told}"
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def set_up(form: Form, volume: Volume, stream: TextIO | None = None) -> None:
    """
    Have this process write lines, and nothing else about what goes wrong.

    Args:
        form: How they look.

        volume: From where on.

        stream: Where to; None for the error output.
    """
    handler = LineHandler(stream)
    handler.setFormatter(JsonFormatter() if form is Form.JSON else TextFormatter())
    logging.basicConfig(level=volume.level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    # A line that cannot be written would be printed with everything that was to go into it.
    logging.raiseExceptions = False
    sys.excepthook = _uncaught
    sys.unraisablehook = _unraisable
    threading.excepthook = _uncaught_in_thread


def _message(record: logging.LogRecord) -> str:
    if not _is_ours(record):
        return "a library speaks"
    try:
        return _clipped(record.getMessage())
    except (TypeError, ValueError):
        return _clipped(str(record.msg))


def _told(record: logging.LogRecord) -> Iterator[tuple[str, str | int | float]]:
    if _is_ours(record):
        given: dict[str, Any] = getattr(record, EXTRA, {})
        for name, value in given.items():
            if name in FIELDS:
                yield name, value if isinstance(value, int | float) else _clipped(str(value))
    else:
        yield "places", f"{record.pathname}:{record.lineno}"
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        yield "error", kind_of(error)
        yield "raised", _clipped(places_of(error))


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name == OURS or record.name.startswith(f"{OURS}.")


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _clipped(text: str) -> str:
    return text if len(text) <= TEXT_LENGTH_MAX else f"{text[: TEXT_LENGTH_MAX - 3]}..."


def _uncaught(
    _kind: type[BaseException], error: BaseException, _traceback: TracebackType | None
) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    kind, places = kind_of(error), places_of(error)
    _FAULTS.critical(
        "nobody caught %s at %s", kind, places, extra=fields(error=kind, places=places)
    )


def _unraisable(told: UnraisableHookArgs) -> None:
    if told.exc_value is not None:
        _uncaught(type(told.exc_value), told.exc_value, None)


def _uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        _uncaught(type(told.exc_value), told.exc_value, None)
