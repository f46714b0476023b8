"""
Looks for planted values in bytes and files, in whatever form they may have got there.

A value is sought as it is, folded, in capitals and as digits; in UTF-8 and UTF-16; each of these
plain, in hex, in base64 at every alignment, escaped for URLs, JSON and Python; and as a hash
without a key. What is compressed or encrypted is not found.

All forms of all values are sought at once: an occurrence of a form of 15 bytes or more covers an
aligned window of 8 bytes, a shorter one an aligned window of 4, so only such windows are looked up
and a form is searched for only where one of its windows stands. 500 values, 54,000 forms, take
about four seconds per 100 MB.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import sys
import unicodedata

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, quote_plus

import attrs


VALUE_LENGTH_MIN = 7
"""Characters of a planted value; a shorter one would be found by chance."""

VALUE_LENGTH_MAX = 4096

LEAKS_MAX = 100
"""Findings after which a search ends."""

BLOCK_LENGTH = 1 << 14
"""Bytes searched at once, or four of the longest form; few windows are in it by chance."""

_DIGITS_LENGTH = 10
_NARROW, _WIDE = 4, 8
_WIDE_FORM_LENGTH_MIN = 2 * _WIDE - 1
_HASHES = ("md5", "sha1", "sha256")


class ValueUnfitError(Exception):
    """A value is too short or too long to be planted."""


@attrs.frozen(order=True)
class Leak:
    """
    A planted value was found.

    Attributes:
        where: File, or what the bytes were said to be.

        offset: Position of its first byte, at its first occurrence in this form.

        name: What the value was called; the value itself is not repeated.

        form: In what form.
    """

    where: str
    offset: int
    name: str
    form: str


def texts(value: str) -> Iterator[tuple[str, str]]:
    """The ways one value may be written, each with its name."""
    yield "plain", value
    yield "folded", value.casefold()
    yield "capitals", value.upper()
    yield "decomposed", unicodedata.normalize("NFD", value)
    digits = "".join(filter(str.isdecimal, value))
    if len(digits) >= VALUE_LENGTH_MIN:
        yield "digits", digits[-_DIGITS_LENGTH:]


def encodings(text: str) -> Iterator[tuple[str, bytes]]:
    """The bytes one text may become, each with a name."""
    yield "utf-8", text.encode()
    yield "utf-16-le", text.encode("utf-16-le")
    yield "utf-16-be", text.encode("utf-16-be")


def escapes(text: str) -> Iterator[tuple[str, bytes]]:
    """The bytes one text may be escaped to, each with a name."""
    for name, escaped in (("url", quote(text, safe="")), ("form", quote_plus(text, safe=""))):
        yield name, escaped.encode()
        yield f"{name} in small letters", escaped.lower().encode()
    yield "json", json.dumps(text)[1:-1].encode()
    yield "python", text.encode("unicode_escape")
    yield "python bytes", text.encode().decode("latin-1").encode("unicode_escape")


def spellings(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """The ASCII that some bytes may become, each with a name; and the bytes themselves."""
    yield "bytes", raw
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    for alignment in range(3):
        encoded = base64.b64encode(bytes(alignment) + raw)
        # Only the characters whose six bits are all of the value.
        first = -(-alignment * 8 // 6)
        inner = encoded[first : (alignment + len(raw)) * 8 // 6]
        yield f"base64 at {alignment}", inner
        yield f"base64url at {alignment}", inner.translate(bytes.maketrans(b"+/", b"-_"))


def hashes(value: str) -> Iterator[tuple[str, bytes]]:
    """Hashes without a key of one value, each with its name."""
    digits = "".join(filter(str.isdecimal, value))
    written = dict.fromkeys(text for _, text in texts(value))
    if len(digits) >= VALUE_LENGTH_MIN:
        written |= dict.fromkeys((digits, f"+{digits}"))
    for algorithm in _HASHES:
        for text in written:
            digest = hashlib.new(algorithm, text.encode(), usedforsecurity=False).digest()
            yield algorithm, digest


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """Every form in which a value is sought, each with its name."""
    for written, text in texts(value):
        for encoding, raw in encodings(text):
            for spelling, form in spellings(raw):
                yield f"{written}, {encoding}, {spelling}", form
        for escape, form in escapes(text):
            yield f"{written}, {escape}", form
    for algorithm, digest in hashes(value):
        for spelling, form in spellings(digest):
            yield f"{algorithm}, {spelling}", form


class Scanner:
    """
    Seeks planted values.

    Args:
        values: Texts by a name that may be shown.

        secrets: Bytes by a name that may be shown, for instance keys.

    Raises:
        ValueUnfitError: a value or a secret is too short or too long.
    """

    def __init__(
        self, values: Mapping[str, str], secrets: Mapping[str, bytes] | None = None
    ) -> None:
        self._forms: dict[bytes, tuple[str, str]] = {}
        for name, value in values.items():
            self._plant(name, len(value), forms(value))
        for name, secret in (secrets or {}).items():
            self._plant(name, len(secret), spellings(secret))
        wide = [form for form in self._forms if len(form) >= _WIDE_FORM_LENGTH_MIN]
        narrow = [form for form in self._forms if len(form) < _WIDE_FORM_LENGTH_MIN]
        self._wide, self._narrow = _windows(wide, _WIDE), _windows(narrow, _NARROW)
        self._wide_keys, self._narrow_keys = frozenset(self._wide), frozenset(self._narrow)
        self._overlap = max(map(len, self._forms), default=1) - 1
        self._block = max(BLOCK_LENGTH, 4 * self._overlap)

    def in_bytes(self, data: bytes, where: str) -> tuple[Leak, ...]:
        """What is found in *data*."""
        return self._scan(io.BytesIO(data), where)

    def in_file(self, path: Path) -> tuple[Leak, ...]:
        """What is found in the file at *path*, which may be growing; nothing if it is gone."""
        try:
            with path.open("rb") as file:
                return self._scan(file, str(path))
        except FileNotFoundError:
            return ()

    def in_tree(self, *folders: Path) -> tuple[Leak, ...]:
        """What is found in the names and the bytes of all files below *folders*."""
        leaks: list[Leak] = []
        for path in _files(folders):
            leaks += self.in_bytes(os.fsencode(path.name), f"name of {path}")
            leaks += self.in_file(path)
            if len(leaks) >= LEAKS_MAX:
                break
        return tuple(leaks[:LEAKS_MAX])

    def _plant(self, name: str, length: int, found: Iterable[tuple[str, bytes]]) -> None:
        if not VALUE_LENGTH_MIN <= length <= VALUE_LENGTH_MAX:
            raise ValueUnfitError(
                f"{name} has {length} characters; plant {VALUE_LENGTH_MIN} to {VALUE_LENGTH_MAX}"
            )
        for form_name, form in found:
            self._forms.setdefault(form, (name, form_name))

    def _scan(self, file: BinaryIO, where: str) -> tuple[Leak, ...]:
        found: dict[bytes, int] = {}
        kept, offset = b"", 0
        while (block := file.read(self._block)) and len(found) < LEAKS_MAX:
            data = kept + block
            for form, position in self._search(data):
                found.setdefault(form, offset + position)
            kept = data[len(data) - min(self._overlap, len(data)) :]
            offset += len(data) - len(kept)
        leaks = (Leak(where, position, *self._forms[form]) for form, position in found.items())
        return tuple(sorted(leaks)[:LEAKS_MAX])

    def _search(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        padded = memoryview(data + bytes(-len(data) % _WIDE))
        seen: set[bytes] = set()
        # Both the cast and the intersection run without a Python step a window.
        for window in self._wide_keys.intersection(padded.cast("Q")):
            seen |= self._wide[window]
        for window in self._narrow_keys.intersection(padded.cast("I")):
            seen |= self._narrow[window]
        for form in seen:
            position = data.find(form)
            if position >= 0:
                yield form, position


def _windows(found: Iterable[bytes], width: int) -> dict[int, set[bytes]]:
    """Forms by each window that may be the aligned one in an occurrence."""
    windows: dict[int, set[bytes]] = {}
    for form in found:
        for start in range(width):
            window = int.from_bytes(form[start : start + width], sys.byteorder)
            windows.setdefault(window, set()).add(form)
    return windows


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for parent, _, names in os.walk(folder):
            yield from (path for name in names if (path := Path(parent, name)).is_file())
