"""
Limits of messages: what no field of any request may exceed, checked by descriptor.

These hold for every rpc before a servicer sees the request, so that no rule has to ask whether a
text is endless or a moment lies in the year 40,000.
"""

from __future__ import annotations

import math
import unicodedata

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from clientela.domain.errors import InvalidValueError


TEXT_BYTES_MAX = 4_096
"""UTF-8 bytes of a string or bytes of a bytes field, unless `LONG_FIELDS` says more."""

ITEMS_MAX = 500
"""Items of a repeated field or map."""

DEPTH_MAX = 32
"""Levels of messages within a message, the outermost counted."""

LONG_FIELDS: Mapping[str, int] = MappingProxyType(
    {
        "clientela.v1.ApplyDefinitionsRequest.toml": 1_024 * 1_024,
        "clientela.v1.BacktestRequest.toml": 1_024 * 1_024,
    }
)
"""Bytes that single fields may hold, by full name; the transport's limit holds besides."""

CONTROL_ALLOWED = frozenset("\t\n\r")
"""Control characters that a text may hold: one that parts lines is text, one that rings is not."""

_ENUM = FieldDescriptor.TYPE_ENUM
_FLOATS = frozenset({FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT})


def decoded(decode: Callable[[bytes], Message], raw: bytes) -> Message:
    """
    The message that *raw* encodes, within all limits.

    Raises:
        InvalidValueError: it encodes none, or one that exceeds a limit; names the field.
    """
    try:
        message = decode(raw)
    except (DecodeError, ValueError):
        # The decoder's own words may quote the bytes.
        raise InvalidValueError("request", "a well-formed message") from None
    check(message)
    return message


def check(message: Message) -> None:
    """
    Check every field of *message* at every depth.

    Raises:
        InvalidValueError: one exceeds a limit; names it by its path, `lines[3].sku`.
    """
    _check_message(message, "", 1)


def _check_message(message: Message, path: str, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise InvalidValueError(path, f"at most {DEPTH_MAX} levels of messages")
    special = _SPECIAL.get(message.DESCRIPTOR.full_name)
    if special is not None:
        special(message, path)
    for field, value in message.ListFields():
        place = f"{path}.{field.name}" if path else field.name
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _check_map(field, value, place, depth)
        elif _is_repeated(value):
            _check_count(value, place)
            for index, item in enumerate(value):
                _check_value(field, item, f"{place}[{index}]", depth)
        else:
            _check_value(field, value, place, depth)


def _check_map(field: FieldDescriptor, value: Any, place: str, depth: int) -> None:
    _check_count(value, place)
    assert field.message_type is not None
    fields = field.message_type.fields_by_name
    for key, item in value.items():
        _check_value(fields["key"], key, place, depth)
        _check_value(fields["value"], item, place, depth)


def _check_count(value: Any, place: str) -> None:
    if len(value) > ITEMS_MAX:
        raise InvalidValueError(place, f"at most {ITEMS_MAX} items")


def _check_value(field: FieldDescriptor, value: Any, place: str, depth: int) -> None:
    if isinstance(value, Message):
        _check_message(value, place, depth + 1)
    elif isinstance(value, str):
        _check_text(field, value, place)
    elif isinstance(value, bytes):
        _check_length(field, len(value), place)
    elif field.type == _ENUM:
        assert field.enum_type is not None
        if value not in field.enum_type.values_by_number:
            raise InvalidValueError(place, f"a value of {field.enum_type.name}")
    elif field.type in _FLOATS and not math.isfinite(value):
        raise InvalidValueError(place, "a finite number")


def _check_text(field: FieldDescriptor, value: str, place: str) -> None:
    _check_length(field, len(value) if value.isascii() else len(value.encode()), place)
    if not value.isprintable() and any(_is_control(character) for character in value):
        raise InvalidValueError(place, "text without control characters")


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc" and character not in CONTROL_ALLOWED


def _check_length(field: FieldDescriptor, length: int, place: str) -> None:
    longest = LONG_FIELDS.get(field.full_name, TEXT_BYTES_MAX)
    if length > longest:
        raise InvalidValueError(place, f"at most {longest} bytes")


def _is_repeated(value: Any) -> bool:
    return not isinstance(value, Message | str | bytes) and hasattr(value, "__len__")


_SECONDS_MIN = -62_135_596_800
_SECONDS_MAX = 253_402_300_799
_SPAN_SECONDS_MAX = 315_576_000_000
_NANOS_MAX = 999_999_999


def _check_timestamp(message: Any, path: str) -> None:
    is_within = _SECONDS_MIN <= message.seconds <= _SECONDS_MAX
    if not is_within or not 0 <= message.nanos <= _NANOS_MAX:
        raise InvalidValueError(path, "a moment in the years 1 to 9999")


def _check_duration(message: Any, path: str) -> None:
    is_within = abs(message.seconds) <= _SPAN_SECONDS_MAX and abs(message.nanos) <= _NANOS_MAX
    if not is_within or message.seconds * message.nanos < 0:
        raise InvalidValueError(path, "a duration of at most 10,000 years, of one sign")


def _check_money(message: Any, path: str) -> None:
    if abs(message.nanos) > _NANOS_MAX or message.units * message.nanos < 0:
        raise InvalidValueError(path, "an amount whose units and nanos have one sign")


_SPECIAL: Mapping[str, Callable[[Any, str], None]] = MappingProxyType(
    {
        "google.protobuf.Timestamp": _check_timestamp,
        "google.protobuf.Duration": _check_duration,
        "google.type.Money": _check_money,
    }
)
