"""
Packed values: what a state keeps many of, as lines of text.

A state that held hundreds of small values would spend more time and memory on holding them than on
the few that a command looks at. Packed they are one string: stored and read as it is, shared by
every copy of the state, and unpacked line by line where somebody looks.

    line   the fields of one value, `FIELD` between them
    text   lines, `LINE` after each; nothing is the empty text
"""

from __future__ import annotations

import bisect

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NewType

from clientela.domain.ids import Code, JournalId, JournalKind, Ref


Packed = NewType("Packed", str)
"""Lines, each ended by `LINE`."""

NOTHING = Packed("")

FIELD = "|"
LINE = ";"
"""JSON needs no escape for it: long texts are read in one piece."""
PART = ","
"""Between the parts of a field that has several."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400
_SECOND_US = 1_000_000
_ESCAPES = {"%": "%25", FIELD: "%7C", LINE: "%3B", PART: "%2C"}
_TABLE = str.maketrans(_ESCAPES)


def count(text: Packed) -> int:
    """How many lines there are."""
    return text.count(LINE)


def lines(text: Packed) -> list[str]:
    """The lines in order."""
    return text.split(LINE)[:-1]


def backwards(text: Packed) -> Iterator[str]:
    """The lines, the last one first, found as they are asked for."""
    end = len(text) - 1
    while end > 0:
        begin = text.rfind(LINE, 0, end) + 1
        yield text[begin:end]
        end = begin - 1


def joined(made: Iterable[str]) -> Packed:
    """A text of these lines."""
    found = [*made, ""]
    return Packed(LINE.join(found))


def with_line(text: Packed, line: str) -> Packed:
    """*text* with one more line at its end."""
    return Packed(f"{text}{line}{LINE}")


def place(text: Packed, key: str) -> tuple[int, int]:
    """Where the line whose first field is *key* begins and the next one would; equal if none is."""
    start = word(key) + FIELD
    if text.startswith(start):
        return (0, text.index(LINE) + 1)
    begin = text.find(LINE + start) + 1
    return (begin, text.index(LINE, begin) + 1) if begin else (0, 0)


def line(text: Packed, key: str) -> str | None:
    """The line whose first field is *key*; None if there is none."""
    begin, end = place(text, key)
    return text[begin : end - 1] if end else None


def without(text: Packed, key: str) -> Packed:
    """*text* without the line whose first field is *key*, if it has it."""
    begin, end = place(text, key)
    return Packed(text[:begin] + text[end:]) if end else text


def replaced(text: Packed, key: str, made: str) -> Packed:
    """*text* with another line in the place of the one whose first field is *key*."""
    begin, end = place(text, key)
    return Packed(f"{text[:begin]}{made}{LINE}{text[end:]}") if end else text


def sorted_in(text: Packed, made: str, order: Callable[[str], Any]) -> Packed:
    """
    *text*, whose lines are in order, with one more after those that are not above it.

    Args:
        text: The lines.

        made: The line.

        order: What lines are ordered by.
    """
    last = next(backwards(text), None)
    if last is None or order(last) <= order(made):
        return with_line(text, made)
    known = lines(text)
    at = bisect.bisect(known, order(made), key=order)
    return joined((*known[:at], made, *known[at:]))


def word(text: str) -> str:
    """A text as a field or a part of one."""
    if "%" in text or FIELD in text or PART in text or LINE in text:
        return text.translate(_TABLE)
    return text


WORDS_KEPT = 4096
"""Codes whose fields are remembered."""

code = lru_cache(WORDS_KEPT)(word)
"""As `word`, for codes, of which there are few."""


def unword(text: str) -> str:
    """The text of a field or a part."""
    if "%" in text:
        for plain, escaped in reversed(_ESCAPES.items()):
            text = text.replace(escaped, plain)
    return text


def words(texts: Iterable[str]) -> str:
    """Texts as one field."""
    return PART.join(map(word, texts))


def codes(field: str) -> tuple[Code, ...]:
    """The codes of a field of several; none for an empty one."""
    return tuple(Code(unword(part)) for part in field.split(PART)) if field else ()


def instant(moment: datetime) -> str:
    """A moment as a field: microseconds since 1970."""
    since = moment - _EPOCH
    # A third of the cost of dividing by a microsecond, and every line has a moment.
    return str((since.days * _DAY_S + since.seconds) * _SECOND_US + since.microseconds)


def moment_of(field: str | int) -> datetime:
    """The moment of a field, UTC."""
    return _EPOCH + timedelta(0, 0, int(field))


def reference(ref: Ref, home: JournalId) -> str:
    """A reference as a part of a field: the version alone where it is to the journal *home*."""
    journal = ref.journal
    if journal is home or journal == home:
        return str(ref.version)
    return f"{word(str(journal))}@{ref.version}"


def ref_of(part: str, home: JournalId) -> Ref:
    """The reference of a part."""
    journal, _, version = part.rpartition("@")
    if not journal:
        return Ref(home, int(version))
    kind, _, id_ = unword(journal).partition("/")
    return Ref(JournalId(JournalKind(kind), id_), int(version))
