"""
Events and states to plain data and back, with upcasting of old versions.

Stored names carry the schema version (`owner-assigned.v1`). An old payload is lifted by upcasters,
one version at a time, before it is structured; an unknown name stops the reader, it is never
skipped.
"""

from __future__ import annotations

import json

from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring as quoted
from typing import Any, TypeVar

from clientela.domain.draft import State, seal
from clientela.domain.event import RecordedEvent, event_type
from clientela.domain.stored import STATES, STORED, actor_of, journal_id_of, moment_of, ref_of


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

    def encode(self, event: object) -> tuple[str, Payload]:
        """
        Stored name and payload of an event.

        Raises:
            UnsealedError: a personal value in it is open.
        """
        return event_type(event).stored_name, self.plain(event)

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
        return self.value(payload, self._classes[stored_name])

    def body(self, recorded: RecordedEvent) -> bytes:
        """
        What is stored and hashed of an event: envelope, stored name and payload as canonical JSON.

        Raises:
            UnsealedError: a personal value in it is open.
        """
        event = recorded.event
        name = event_type(event).stored_name
        payload = STORED.of(event.__class__).text(event)
        return (
            f'{{"envelope":{_envelope(recorded)},"name":{quoted(name)},"payload":{payload}}}'
        ).encode()

    def envelope(self, recorded: RecordedEvent) -> Payload:
        """The envelope of *recorded* as plain data: all its fields but the event."""
        plain: Payload = json.loads(_envelope(recorded))
        return plain

    def recorded(self, envelope: Payload, event: object) -> RecordedEvent:
        """The recorded event of an envelope and its event."""
        on_behalf_of, because = envelope["on_behalf_of"], envelope["because"]
        occurred_text, recorded_text = envelope["occurred_at"], envelope["recorded_at"]
        recorded_at = moment_of(recorded_text)
        is_prompt = occurred_text == recorded_text
        return RecordedEvent(
            event_id=envelope["event_id"],
            journal=journal_id_of(envelope["journal"]),
            version=envelope["version"],
            event=event,
            occurred_at=recorded_at if is_prompt else moment_of(occurred_text),
            recorded_at=recorded_at,
            actor=actor_of(envelope["actor"]),
            on_behalf_of=None if on_behalf_of is None else actor_of(on_behalf_of),
            unit=envelope["unit"],
            request=envelope["request"],
            append_id=envelope["append_id"],
            index=envelope["index"],
            count=envelope["count"],
            correlation_id=envelope["correlation_id"],
            causation_id=envelope["causation_id"],
            rule=envelope["rule"],
            definition=envelope["definition"],
            because=tuple([ref_of(text) for text in because]) if because else (),
        )

    def kept(self, value: object) -> bytes:
        """
        Any attrs value (an event, a state, a definition) as canonical JSON.

        Raises:
            UnsealedError: a personal value in it is open.
        """
        return STORED.of(value.__class__).text(value).encode()

    def plain(self, value: object) -> Any:
        """
        Any attrs value as plain data.

        Raises:
            UnsealedError: a personal value in it is open.
        """
        return json.loads(self.kept(value))

    def value(self, plain: Any, cls: type[_T]) -> _T:
        """The value of *cls* from plain data."""
        read = STORED.of(cls).value
        made: _T = plain if read is None else read(plain)
        return made

    def state_text(self, state: State) -> str:
        """
        A state as one line, which only the very same classes can read.

        Raises:
            UnsealedError: a personal value in it is open.
        """
        return STATES.of(state.__class__).text(state)

    def state(self, text: str, kind: type[State]) -> State:
        """
        The state of *kind* of its text, sealed.

        Raises:
            ValueError: it is no JSON.
        """
        read = STATES.of(kind).value
        assert read is not None
        made: State = read(_PARSER.decode(text))
        return seal(made)


def parsed(body: bytes) -> Any:
    """
    The plain data of JSON bytes.

    Raises:
        ValueError: they are no JSON.
    """
    text = body.decode()
    plain, end = _PARSER.raw_decode(text)
    if end != len(text):
        raise json.JSONDecodeError("extra data", text, end)
    return plain


_PARSER = json.JSONDecoder()


def canonical(plain: Any) -> bytes:
    """Plain data as JSON bytes, the same bytes for the same data: what hashes are made over."""
    return _CANONICAL.encode(plain).encode()


_CANONICAL = json.JSONEncoder(
    sort_keys=True, check_circular=False, separators=(",", ":"), ensure_ascii=False
)


def _envelope(recorded: RecordedEvent) -> str:
    """
    The envelope as canonical JSON text.

    Written out, for it is the greater part of most events and has the same fields in all.
    """
    occurred_at = recorded_at = recorded.recorded_at.isoformat()
    if recorded.occurred_at is not recorded.recorded_at:
        occurred_at = recorded.occurred_at.isoformat()
    because = ",".join([quoted(str(ref)) for ref in recorded.because])
    on_behalf_of = recorded.on_behalf_of
    return (
        f'{{"actor":{quoted(str(recorded.actor))}'
        f',"append_id":{quoted(recorded.append_id)}'
        f',"because":[{because}]'
        f',"causation_id":{_or_null(recorded.causation_id)}'
        f',"correlation_id":{quoted(recorded.correlation_id)}'
        f',"count":{recorded.count}'
        f',"definition":{_or_null(recorded.definition)}'
        f',"event_id":{quoted(recorded.event_id)}'
        f',"index":{recorded.index}'
        f',"journal":{quoted(str(recorded.journal))}'
        f',"occurred_at":"{occurred_at}"'
        f',"on_behalf_of":{_or_null(str(on_behalf_of) if on_behalf_of else None)}'
        f',"recorded_at":"{recorded_at}"'
        f',"request":{_or_null(recorded.request)}'
        f',"rule":{quoted(recorded.rule)}'
        f',"unit":{_or_null(recorded.unit)}'
        f',"version":{recorded.version}}}'
    )


def _or_null(text: str | None) -> str:
    return "null" if text is None else quoted(text)
