"""
Personal fields of messages: found by the option `(clientela.v1.personal)`, emptied for callers
who may not see them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from clientela.domain.event import ActorKind
from clientela.domain.ids import Code
from clientela.domain.organisation.roles import (
    CONTACT_CENTRE_AGENT,
    DATA_ENTRY_CLERK,
    DATABASE_OPERATOR,
    DIRECTOR,
    IMMEDIATE_SUPERIOR,
    PROJECT_TEAM_MEMBER,
    SALESPERSON,
    SERVICE_COMMITTEE,
)
from clientela.services.principal import Grant, Principal
from clientela.v1.access_pb2 import personal


PERMISSION = Code("personal.read")
"""What a service or partner needs to see personal values."""

ROLES = frozenset(
    {
        SALESPERSON,
        IMMEDIATE_SUPERIOR,
        DATA_ENTRY_CLERK,
        DATABASE_OPERATOR,
        CONTACT_CENTRE_AGENT,
        DIRECTOR,
        PROJECT_TEAM_MEMBER,
        SERVICE_COMMITTEE,
    }
)
"""Roles that deal with clients themselves and see personal values of those within reach; figures
are made without (analyst, marketer, top manager, accountant)."""

WITHHELD = "personal_withheld"
"""Field of a message that says that something in it was emptied."""

TYPES_MAX = 2_000
"""Message types whose personal fields are remembered."""


def is_shown(principal: Principal, grants: Iterable[Grant]) -> bool:
    """Whether *principal*, calling by these grants, sees personal values."""
    match principal.kind:
        case ActorKind.EMPLOYEE:
            return any(grant.name in ROLES for grant in grants)
        case ActorKind.CLIENT:
            return True
        case ActorKind.SERVICE | ActorKind.PARTNER:
            return any(grant.name == PERMISSION for grant in principal.grants or ())
        case ActorKind.SYSTEM:
            return False


def withhold(message: Message) -> bool:
    """
    Empty every personal field of *message*, in place and at every depth.

    Returns:
        Whether anything was emptied; messages that can say so then say so.
    """
    is_emptied = False
    for field, value in message.ListFields():
        if field.name in _personal_names(message.DESCRIPTOR):
            message.ClearField(field.name)
            is_emptied = True
        else:
            for child in messages_in(field, value):
                is_emptied |= withhold(child)
    if is_emptied and WITHHELD in message.DESCRIPTOR.fields_by_name:
        setattr(message, WITHHELD, True)
    return is_emptied


def messages_in(field: FieldDescriptor, value: Any) -> Iterator[Message]:
    """The messages that *value*, the content of *field*, is made of; none for other values."""
    if field.message_type is None:
        return
    if isinstance(value, Message):
        yield value
        return
    values = value.values() if field.message_type.GetOptions().map_entry else value
    for item in values:
        if isinstance(item, Message):
            yield item


@lru_cache(maxsize=TYPES_MAX)
def _personal_names(message_type: Descriptor) -> frozenset[str]:
    return frozenset(
        field.name for field in message_type.fields if field.GetOptions().Extensions[personal]
    )
