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
    present = {field.name for field, _ in message.ListFields()}
    for name in _required(message.DESCRIPTOR):
        if name not in present:
            raise InvalidValueError(_join(path, name), "a value: it is required")
    for field, value in message.ListFields():
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


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
