"""
Lines of the log: fields of the list and nothing else, whoever speaks.
"""

from __future__ import annotations

import ast
import io
import json
import logging
import sys
import threading

from pathlib import Path

import pytest

from clientela.adapters.logs import TEXT_LENGTH_MAX, Form, Volume, set_up
from clientela.services.logs import EXTRA, fields


IVAN = "Ivan Ivanov +7 916 123-45-67"
ROOT = Path(__file__).parents[2]
OURS = logging.getLogger("clientela.test")
FOREIGN = logging.getLogger("somebody.else")


@pytest.fixture
def written():
    """What this process writes; everything is as before afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    stream = io.StringIO()
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:], logging.raiseExceptions = before[0], before[2]
    root.setLevel(before[1])
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks


def failing(text):
    """An error of this text as it is caught."""
    try:
        int(text)
    except ValueError as error:
        return error
    raise AssertionError


def test_a_line_is_an_object_with_its_fields(written):
    """
    S9: time, level, logger and message come first, then the fields.
    """
    set_up(Form.JSON, Volume.INFO, written)
    OURS.info("a call", extra=fields(method="/a.B/C", code="OK", ms=1.5))

    line = json.loads(written.getvalue())

    assert ["time", "level", "logger", "message", "method", "code", "ms"] == list(line)
    assert ("info", "a call", 1.5) == (line["level"], line["message"], line["ms"])
    assert line["time"].endswith("+00:00")


@pytest.mark.parametrize("form", Form)
def test_what_is_no_field_is_not_written(written, form):
    """
    S9: fields are allowed by name; one that is not on the list stays out, at any level.
    """
    set_up(form, Volume.DEBUG, written)
    OURS.debug("a call", extra={EXTRA: {"code": "OK", "phone": IVAN}, "name_of_client": IVAN})

    assert "OK" in written.getvalue()
    assert "Ivan" not in written.getvalue()


@pytest.mark.parametrize("form", Form)
def test_of_a_library_only_where_it_spoke_is_written(written, form):
    """
    S9: a library does not know what is personal, so its words stay out, and the text of its errors.
    """
    set_up(form, Volume.DEBUG, written)
    FOREIGN.error("cannot reach %s", IVAN, exc_info=failing(IVAN), extra={EXTRA: {"code": IVAN}})

    assert "test_logs.py" in written.getvalue()
    assert "ValueError" in written.getvalue()
    assert "Ivan" not in written.getvalue()


@pytest.mark.parametrize("form", Form)
def test_an_error_is_told_by_class_and_place(written, form):
    """
    R19: the text of an error may hold what somebody typed.
    """
    set_up(form, Volume.INFO, written)
    OURS.error("a step failed", exc_info=failing(IVAN))

    assert "builtins.ValueError" in written.getvalue()
    assert "Traceback" not in written.getvalue()
    assert "Ivan" not in written.getvalue()


def test_what_nobody_caught_is_told_without_its_text(written, capsys):
    """
    S9: an error that ends a thread, or the process, prints neither text nor traceback.
    """
    set_up(Form.JSON, Volume.INFO, written)
    thread = threading.Thread(target=lambda: (_ for _ in ()).throw(failing(IVAN)))
    thread.start()
    thread.join()
    sys.excepthook(ValueError, failing(IVAN), None)

    lines = [json.loads(line) for line in written.getvalue().splitlines()]

    assert ["builtins.ValueError"] * 2 == [line["error"] for line in lines]
    assert "Ivan" not in written.getvalue() + "".join(capsys.readouterr())


def test_a_line_that_cannot_be_written_is_not_printed_instead(capsys):
    """
    F5: when the disk of the log is full, nothing that was to go into it appears elsewhere.
    """

    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    before = logging.getLogger().handlers[:], logging.raiseExceptions
    set_up(Form.JSON, Volume.INFO, Full())
    try:
        OURS.info("a call of %s", IVAN)
    finally:
        logging.captureWarnings(capture=False)
        logging.getLogger().handlers[:], logging.raiseExceptions = before

    assert "" == "".join(capsys.readouterr())


def test_a_long_value_is_cut_off(written):
    """
    S11: every text has a bound.
    """
    set_up(Form.JSON, Volume.INFO, written)
    OURS.info("x" * 10_000, extra=fields(reason="y" * 10_000))

    line = json.loads(written.getvalue())

    assert [TEXT_LENGTH_MAX] * 2 == [len(line["message"]), len(line["reason"])]


def test_a_line_for_people_stays_one_line(written):
    """
    S9: control characters are escaped, so that nobody forges a second line.
    """
    set_up(Form.TEXT, Volume.INFO, written)
    OURS.warning("one\ntwo\x1b[2J", extra=fields(reason="three\r\nfour"))

    assert 1 == written.getvalue().count("\n")
    assert "\x1b" not in written.getvalue()


def test_quieter_lines_are_left_out(written):
    """
    The level of the settings is from where on lines are written.
    """
    set_up(Form.JSON, Volume.ERROR, written)
    OURS.warning("a part is away")

    assert "" == written.getvalue()


SAYING = {"debug", "info", "warning", "error", "exception", "critical", "log"}


OURS_WITH_TEXT = {"BusError", "BusUnavailableError", "StoreError"}
"""Errors whose texts are ours alone, and hold names of servers and files at most."""


def _log_calls():
    for root in ("services", "adapters"):
        for path in sorted((ROOT / root).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            passed = {
                inner
                for node in ast.walk(tree)
                if isinstance(node, ast.ExceptHandler)
                and getattr(node.type, "id", "") in OURS_WITH_TEXT
                for inner in ast.walk(node)
            }
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    owner = getattr(node.func.value, "id", "").strip("_").lower()
                    is_line = owner in {"log", "faults", "logger"} and node.func.attr in SAYING
                    if is_line and node not in passed:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", node


PERSONAL = {"error", "request", "response", "message", "raw", "body", "command", "context", "row"}
"""Names of things that hold what somebody typed; their parts, such as a name of a class, may go."""


def test_no_line_of_ours_bears_an_error_or_a_message():
    """
    S9: what a line says is a fixed text, and what goes into it is never a whole error, request or
    event: the first wall, of which leaving out fields is the last.
    """
    found = list(_log_calls())
    bare = [
        place
        for place, node in found
        if any(isinstance(a, ast.Name) and a.id in PERSONAL for a in node.args)
    ]
    formatted = [
        place for place, node in found if any(isinstance(a, ast.JoinedStr) for a in node.args)
    ]

    assert len(found) > 8
    assert [] == bare
    assert [] == formatted
