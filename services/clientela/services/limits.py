"""
Limits of messages: what no field of any request may exceed, checked by descriptor.

These hold for every rpc before a servicer sees the request, so that no rule has to ask whether a
text is endless or a moment lies in the year 40,000.
"""

from __future__ import annotations

import math
import unicodedata

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
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

TYPES_MAX = 2_000
"""Message types of which it is remembered what to check."""


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


_Check = Callable[[Any, str, int], None]
"""Checks a value at a path and a level."""

_Special = Callable[[Any, str], None]
"""Checks a message of a type that means something, at a path."""


def _check_message(message: Message, path: str, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise InvalidValueError(path, f"at most {DEPTH_MAX} levels of messages")
    special, checks = _plan(message.DESCRIPTOR)
    if special is not None:
        special(message, path)
    for field, value in message.ListFields():
        check_field = checks.get(field.name)
        if check_field is not None:
            check_field(value, f"{path}.{field.name}" if path else field.name, depth)


@lru_cache(maxsize=TYPES_MAX)
def _plan(message_type: Descriptor) -> tuple[_Special | None, Mapping[str, _Check]]:
    """What to check of messages of a type: of the whole, and of fields by name."""
    checks = {field.name: check for field in message_type.fields if (check := _check_of(field))}
    return _SPECIAL.get(message_type.full_name), checks


def _check_of(field: FieldDescriptor) -> _Check | None:
    """What checks a field; None where nothing of it has a limit."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        entry = field.message_type.fields_by_name
        return _map_check(_value_check(entry["key"]), _value_check(entry["value"]))
    check_value = _value_check(field)
    return _items_check(check_value) if field.is_repeated else check_value


def _value_check(field: FieldDescriptor) -> _Check | None:
    longest = LONG_FIELDS.get(field.full_name, TEXT_BYTES_MAX)
    match field.type:
        case FieldDescriptor.TYPE_MESSAGE | FieldDescriptor.TYPE_GROUP:
            return lambda value, place, depth: _check_message(value, place, depth + 1)
        case FieldDescriptor.TYPE_STRING:
            return lambda value, place, _depth: _check_text(value, place, longest)
        case FieldDescriptor.TYPE_BYTES:
            return lambda value, place, _depth: _check_length(len(value), place, longest)
        case FieldDescriptor.TYPE_ENUM:
            assert field.enum_type is not None
            return _enum_check(field.enum_type)
        case FieldDescriptor.TYPE_DOUBLE | FieldDescriptor.TYPE_FLOAT:
            return _check_finite
        case _:
            return None


def _items_check(check_value: _Check | None) -> _Check:
    def check_items(values: Any, place: str, depth: int) -> None:
        _check_count(values, place)
        if check_value is not None:
            for index, item in enumerate(values):
                check_value(item, f"{place}[{index}]", depth)

    return check_items


def _map_check(*checks: _Check | None) -> _Check:
    """What checks a map: each key, and each value."""

    def check_entries(value: Any, place: str, depth: int) -> None:
        _check_count(value, place)
        for entry in value.items():
            for part, check_part in zip(entry, checks, strict=True):
                if check_part is not None:
                    check_part(part, place, depth)

    return check_entries


def _enum_check(enum_type: EnumDescriptor) -> _Check:
    numbers = frozenset(enum_type.values_by_number)

    def check_number(number: Any, place: str, _depth: int) -> None:
        if number not in numbers:
            raise InvalidValueError(place, f"a value of {enum_type.name}")

    return check_number


def _check_finite(value: Any, place: str, _depth: int) -> None:
    if not math.isfinite(value):
        raise InvalidValueError(place, "a finite number")


def _check_count(values: Any, place: str) -> None:
    if len(values) > ITEMS_MAX:
        raise InvalidValueError(place, f"at most {ITEMS_MAX} items")


def _check_text(text: str, place: str, longest: int) -> None:
    _check_length(len(text) if text.isascii() else len(text.encode()), place, longest)
    if not text.isprintable() and any(map(_is_control, text)):
        raise InvalidValueError(place, "text without control characters")


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc" and character not in CONTROL_ALLOWED


def _check_length(length: int, place: str, longest: int) -> None:
    if length > longest:
        raise InvalidValueError(place, f"at most {longest} bytes")


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


_SPECIAL: Mapping[str, _Special] = MappingProxyType(
    {
        "google.protobuf.Timestamp": _check_timestamp,
        "google.protobuf.Duration": _check_duration,
        "google.type.Money": _check_money,
    }
)
