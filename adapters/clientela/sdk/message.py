"""
Messages of the stream: where they come from, and the events in them.

    subject   clientela.v1.<journal kind>.<partition>
    headers   Clientela-Journal, Clientela-Version, Clientela-Event, Clientela-Position ...
    body      {"envelope": ..., "payload": ...} as JSON
"""

from __future__ import annotations

import json

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import attrs

from clientela.sdk.event import Event


SUBJECT: Final = "clientela.v1"
"""What the subject of every event begins with."""

MESSAGE_ID: Final = "Nats-Msg-Id"
"""Header: the event's id."""

JOURNAL: Final = "Clientela-Journal"
"""Header: the journal as `kind/id`."""

EVENT: Final = "Clientela-Event"
"""Header: name and schema version of the event, for instance `points-issued.v1`."""

VERSION: Final = "Clientela-Version"
"""Header: the event's version in its journal."""

POSITION: Final = "Clientela-Position"
"""Header: the event's position in the order of commits."""

EPOCH: Final = "Clientela-Epoch"
"""Header: which life of the store this is; another one after a restore."""

OMITTED: Final = "Clientela-Omitted"
"""Header: there when the event was too long for the bus; the service has it."""


class MalformedMessageError(Exception):
    """A message is none of this stream: somebody else publishes on its subjects."""


@attrs.frozen
class Announced:
    """
    An event that was too long for the bus: that there is one is all a message tells.

    Attributes:
        journal: Of which journal.

        version: At which version.

        epoch: Which life of the store told of it; empty where that is not told.
    """

    journal: str
    version: int
    epoch: str = attrs.field(default="", eq=False)


def event_in(headers: Mapping[str, str] | None, body: bytes) -> Event | Announced:
    """
    The event of a message.

    Raises:
        MalformedMessageError: there is none.
    """
    try:
        return _event_in(headers or {}, body)
    except (KeyError, TypeError, ValueError, RecursionError):
        raise MalformedMessageError from None


def subjects_of(kinds: tuple[str, ...]) -> list[str]:
    """Subjects of the journals of these kinds; of all for none."""
    return [f"{SUBJECT}.{kind}.*" for kind in kinds] or [f"{SUBJECT}.>"]


def _event_in(headers: Mapping[str, str], body: bytes) -> Event | Announced:
    journal, version = headers[JOURNAL], int(headers[VERSION])
    if OMITTED in headers:
        return Announced(journal, version, headers.get(EPOCH, ""))
    name, _, schema = headers[EVENT].rpartition(".v")
    plain = json.loads(body)
    return Event(
        journal=journal,
        version=version,
        name=name,
        event_id=headers[MESSAGE_ID],
        schema_version=int(schema),
        position=int(headers[POSITION]),
        occurred_at=datetime.fromisoformat(plain["envelope"]["occurred_at"]),
        epoch=headers.get(EPOCH, ""),
        data=plain["payload"],
    )
