"""
Required fields: those marked `REQUIRED` in the protos must say something.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from google.api.field_behavior_pb2 import FieldBehavior, field_behavior
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from clientela.domain.errors import InvalidValueError
from clientela.services.personal_fields import messages_in


TYPES_MAX = 2_000
"""Message types whose required fields are remembered."""

_NUMBERS = frozenset({FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64})
"""Numbers have no absence: whether 0 will do is for the rules to say."""


def check_required(message: Message) -> None:
    """
    Check that every required field of *message*, at any depth, is there.

    Raises:
        InvalidValueError: one is not; names it by its path, `lines[3].sku`.
    """
    _check(message, "")


def _check(message: Message, path: str) -> None:
    present = message.ListFields()
    required = _required(message.DESCRIPTOR)
    if required:
        names = {field.name for field, _ in present}
        for name in required:
            if name not in names:
                raise InvalidValueError(_join(path, name), "a value: it is required")
    asking = _asking(message.DESCRIPTOR)
    for field, value in present if asking else ():
        if field.name in asking:
            place = _join(path, field.name)
            for index, inner in enumerate(messages_in(field, value)):
                _check(inner, place if isinstance(value, Message) else f"{place}[{index}]")


@lru_cache(maxsize=TYPES_MAX)
def _required(message_type: Descriptor) -> tuple[str, ...]:
    # The published types know extensions of our own protos only.
    behavior: Any = field_behavior
    return tuple(
        field.name
        for field in message_type.fields
        if FieldBehavior.REQUIRED in field.GetOptions().Extensions[behavior]
        and (field.has_presence or field.cpp_type not in _NUMBERS)
    )


@lru_cache(maxsize=TYPES_MAX)
def _asking(message_type: Descriptor) -> frozenset[str]:
    """Fields of a type that hold messages of which something is required, at any depth."""
    inner = {f.name: f.message_type for f in message_type.fields if f.message_type is not None}
    return frozenset(name for name, held in inner.items() if _asks(held, frozenset()))


def _asks(message_type: Descriptor, above: frozenset[Descriptor]) -> bool:
    """Whether a type requires anything, at any depth; *above* are those it stands within."""
    if message_type in above:
        return False
    within = above | {message_type}
    held = (field.message_type for field in message_type.fields)
    return bool(_required(message_type)) or any(
        _asks(inner, within) for inner in held if inner is not None
    )


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
