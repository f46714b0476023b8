"""
Events and states to plain data and back, with upcasting of old versions.

Stored names carry the schema version (`owner-assigned.v1`). An old payload is lifted by upcasters,
one version at a time, before it is structured; an unknown name stops the reader, it is never
skipped.
"""

from __future__ import annotations

import json

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

import cattrs

from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

from clientela.domain.draft import FrozenDict
from clientela.domain.event import Actor, ActorKind, Key, RecordedEvent, event_type
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import Blind, BusinessId, Code, JournalId, JournalKind, PrincipalId, Ref
from clientela.domain.personal import Personal, PersonalText, Sealed


_T = TypeVar("_T")

Payload = dict[str, Any]
Upcaster = Callable[[Payload], Payload]
"""Lifts a payload of one version to the next; pure."""


class UnknownEventError(Exception):
    """
    A journal holds an event that this composition does not know: newer code wrote it, or a rule
    set is missing. Reading stops.

    Attributes:
        stored_name: Name and version as stored.
    """

    def __init__(self, stored_name: str) -> None:
        self.stored_name = stored_name
        super().__init__(
            f"unknown event {stored_name}: install the rule set that makes it, or a newer version"
        )


class UnsealedError(Exception):
    """A personal value was about to be stored in the open."""

    def __init__(self) -> None:
        super().__init__("a personal value must be sealed before it is stored")


class Codec:
    """
    Encodes and decodes everything that is kept.

    Args:
        event_classes: Every event class a journal may hold.

        upcasters: By stored name of the old version, for instance `owner-assigned.v1`.
    """

    def __init__(
        self, event_classes: Iterable[type], upcasters: Mapping[str, Upcaster] | None = None
    ) -> None:
        self._classes: dict[str, Any] = {event_type(cls).stored_name: cls for cls in event_classes}
        self._upcasters = dict(upcasters or {})
        self._converter = _converter()

    def encode(self, event: object) -> tuple[str, Payload]:
        """
        Stored name and payload of an event.

        Raises:
            UnsealedError: a personal value in it is open.
        """
        return event_type(event).stored_name, self._converter.unstructure(event)

    def decode(self, stored_name: str, payload: Payload) -> Any:
        """
        The event of a stored name and payload, lifted to the present version.

        Raises:
            UnknownEventError: no such event is known.
        """
        while stored_name in self._upcasters:
            payload = self._upcasters[stored_name](payload)
            name, _, number = stored_name.rpartition(".v")
            stored_name = f"{name}.v{int(number) + 1}"
        if stored_name not in self._classes:
            raise UnknownEventError(stored_name)
        return self._converter.structure(payload, self._classes[stored_name])

    def envelope(self, recorded: RecordedEvent) -> Payload:
        """The envelope of *recorded* as plain data: all its fields but the event."""
        plain: Payload = self._converter.unstructure(recorded, unstructure_as=RecordedEvent)
        del plain["event"]
        return plain

    def recorded(self, envelope: Payload, event: object) -> RecordedEvent:
        """The recorded event of an envelope and its event."""
        return self._converter.structure({**envelope, "event": event}, RecordedEvent)

    def plain(self, value: object) -> Any:
        """Any attrs value (a state, a definition) as plain data."""
        return self._converter.unstructure(value)

    def value(self, plain: Any, cls: type[_T]) -> _T:
        """The value of *cls* from plain data."""
        return self._converter.structure(plain, cls)


def canonical(plain: Any) -> bytes:
    """Plain data as JSON bytes, the same bytes for the same data: what hashes are made over."""
    return _CANONICAL.encode(plain).encode()


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)

NAMES_KEPT = 4096
"""Journal ids, and actors, that are read once and shared by all events that name them."""


def _moment(text: str, _cls: object) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


@lru_cache(NAMES_KEPT)
def _journal_id(text: str, _cls: object = None) -> JournalId:
    kind, _, id_ = text.partition("/")
    return JournalId(JournalKind(kind), id_)


def _ref(text: str, _cls: object = None) -> Ref:
    journal, _, version = text.rpartition("@")
    return Ref(_journal_id(journal, JournalId), int(version))


@lru_cache(NAMES_KEPT)
def _actor(text: str, _cls: object = None) -> Actor:
    kind, _, id_ = text.partition("/")
    return Actor(ActorKind(kind), PrincipalId(id_))


def _business_key(text: str, _cls: object = None) -> BusinessKey:
    source, _, id_ = text.partition(":")
    return BusinessKey(Code(source), BusinessId(id_))


def _key(text: str, _cls: object = None) -> Key:
    scope, _, value = text.rpartition(":")
    return Key(Code(scope), Blind(value))


def command_converter() -> cattrs.Converter:
    """A converter for commands, whose personal values are open; never for what is kept."""
    converter = _converter()
    converter.register_unstructure_hook(Personal, lambda value: value.text)
    return converter


def _refuse(_value: Personal) -> Any:
    raise UnsealedError


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(omit_if_default=True, detailed_validation=False)
    plain_as_text: tuple[type, ...] = (JournalId, Ref, Actor, BusinessKey)
    for cls in plain_as_text:
        converter.register_unstructure_hook(cls, str)
    converter.register_unstructure_hook(Key, lambda key: f"{key.scope}:{key.value}")
    converter.register_structure_hook(JournalId, _journal_id)
    converter.register_structure_hook(Ref, _ref)
    converter.register_structure_hook(Actor, _actor)
    converter.register_structure_hook(BusinessKey, _business_key)
    converter.register_structure_hook(Key, _key)
    converter.register_unstructure_hook(datetime, lambda moment: moment.isoformat())
    converter.register_structure_hook(datetime, _moment)
    converter.register_unstructure_hook(date, lambda day: day.isoformat())
    converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    converter.register_unstructure_hook(Personal, _refuse)
    converter.register_structure_hook(Sealed, make_dict_structure_fn(Sealed, converter))
    converter.register_unstructure_hook(Sealed, make_dict_unstructure_fn(Sealed, converter))
    converter.register_structure_hook(
        PersonalText, lambda plain, _: converter.structure(plain, Sealed)
    )
    converter.register_unstructure_hook(
        FrozenDict, lambda frozen: converter.unstructure(dict(frozen))
    )
    converter.register_structure_hook_func(lambda cls: cls is Any, lambda value, _: value)
    return converter
