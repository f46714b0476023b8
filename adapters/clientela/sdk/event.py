"""
One event as a subscriber sees it, whichever way it came: from the stream or from the service.
"""

from __future__ import annotations

import json

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from clientela.v1.common_pb2 import JournalId, JournalKind
from clientela.v1.event_pb2 import EventEnvelope


KIND_PREFIX = "JOURNAL_KIND_"


@attrs.frozen(kw_only=True)
class Event:
    """
    One event of one journal.

    Attributes:
        journal: The journal as `kind/id`, for instance `client/petra`.

        version: Its version there: 1 or more, gapless.

        name: Name in kebab case and past tense, for instance `points-issued`.

        event_id: Unique id.

        schema_version: Version of the shape of *data*: 1 or more.

        position: Its position in the order of commits; 0 where that is not told.

        occurred_at: When it happened; None where that is not told.

        epoch: Which life of the store told of it, another one after a restore; empty where that is
            not told. No part of the event: equal ones may come from two lives.

        data: Its own fields. Personal values are not among them, or stand as `{"sealed": True}`;
            ids of other systems are keyed hashes, the same whichever way the event came.
    """

    journal: str
    version: int
    name: str
    event_id: str
    schema_version: int = 1
    position: int = 0
    occurred_at: datetime | None = None
    epoch: str = attrs.field(default="", eq=False)
    data: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)

    @property
    def kind(self) -> str:
        """The kind of its journal, for instance `wallet`."""
        return self.journal.partition("/")[0]

    @property
    def id(self) -> str:
        """The id of its journal: of the client, wallet, unit or employee."""
        return self.journal.partition("/")[2]


def event_of(envelope: EventEnvelope, epoch: str = "") -> Event:
    """The event that the service answers, in this life of its store."""
    return Event(
        journal=journal_text(envelope.journal),
        version=envelope.version,
        name=envelope.name,
        event_id=envelope.event_id,
        schema_version=envelope.schema_version,
        position=envelope.position,
        occurred_at=envelope.occurred_at.ToDatetime(UTC),
        epoch=epoch,
        data=json.loads(envelope.payload),
    )


def journal_text(journal: JournalId) -> str:
    """A journal as `kind/id`."""
    return f"{JournalKind.Name(journal.kind).removeprefix(KIND_PREFIX).lower()}/{journal.id}"


def journal_of(text: str) -> JournalId:
    """
    The journal that *text* names as `kind/id`.

    Raises:
        ValueError: there is no such kind.
    """
    kind, _, id_ = text.partition("/")
    return JournalId(kind=JournalKind.Value(f"{KIND_PREFIX}{kind.upper()}"), id=id_)
