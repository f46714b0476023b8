"""
One example of any event class, made from its type hints and always the same.
"""

from __future__ import annotations

import enum
import types

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import attrs

from clientela.domain.event import SYSTEM, RecordedEvent
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import (
    BusinessId,
    ClientId,
    Code,
    EventId,
    JournalId,
    JournalKind,
    Ref,
    client_journal,
)
from clientela.domain.money import Money
from clientela.domain.personal import Personal, Sealed


AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PETRA = client_journal(ClientId("petra"))

_PLAIN: dict[Any, Any] = {
    int: 3,
    bool: True,
    datetime: AT,
    date: AT.date(),
    Decimal: Decimal("2.50"),
    Money: Money(1250, "EUR"),
    JournalId: PETRA,
    Ref: Ref(PETRA, 3),
}


def example(cls: type) -> Any:
    """An instance of an attrs class in which no field has its default."""
    hints = get_type_hints(cls)
    return cls(
        **{
            field.alias: _other_than(field.default, _value(hints[field.name], field.name))
            for field in attrs.fields(cls)
            if field.init
        }
    )


def recorded(event: object, kind: JournalKind) -> RecordedEvent:
    """The event as it stands in a journal."""
    return RecordedEvent(
        event_id=EventId("e1"),
        journal=JournalId(kind, "petra"),
        version=1,
        event=event,
        occurred_at=AT,
        recorded_at=AT,
        actor=SYSTEM,
        on_behalf_of=None,
        unit=None,
        request=None,
        append_id="a1",
        index=0,
        count=1,
        correlation_id="a1",
        causation_id=None,
        rule="REC-3",
        definition="example@1",
        because=(),
    )


def _value(hint: Any, name: str) -> Any:
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint is BusinessKey:
        return BusinessKey(Code("till-1"), BusinessId(name.replace("_", "-")))
    if isinstance(hint, NewType):
        return _named(hint, name)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return list(hint)[-1]
    if get_origin(hint) is tuple:
        return (_value(get_args(hint)[0], name),)
    if get_origin(hint) in {Union, types.UnionType}:
        return _one_of(get_args(hint), name)
    return example(hint)


def _named(hint: NewType, name: str) -> Any:
    if hint.__supertype__ is str:
        return hint(f"example-{name.replace('_', '-')}")
    return _value(hint.__supertype__, name)


def _one_of(hints: tuple[Any, ...], name: str) -> Any:
    if Personal in hints:
        return Sealed(PETRA, EventId("e1"), Code(name), "box")
    return _value(next(hint for hint in hints if hint is not type(None)), name)


def _other_than(default: Any, value: Any) -> Any:
    if value != default:
        return value
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    assert isinstance(value, enum.Enum)
    return next(member for member in type(value) if member is not default)
