"""
Events as messages: what leaves on the bus of each, the same bytes for the same event for ever.

    subject   clientela.v1.<journal kind>.<partition>
    headers   which event of which journal at which version; CloudEvents attributes
    body      {"envelope": ..., "name": ..., "payload": ...} as canonical JSON, as it was stored,
              without sealed values and with keyed hashes for ids of other systems

Per journal the versions follow on each other without a gap: the version before an event is always
its own less one. Whoever reads applies the next version, drops what is not above the last one, and
fetches what lies between by EventService.
"""

from __future__ import annotations

import json
import re

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from clientela.domain.codec import Codec, canonical
from clientela.domain.event import event_type
from clientela.services.disclosure import Disclose, Hashed, disclosure_of
from clientela.services.partitions import subject_of
from clientela.services.rows import StoredEvent


MESSAGE_ID: Final = "Nats-Msg-Id"
"""Header: the event's id, by which a broker knows a repetition."""

JOURNAL: Final = "Clientela-Journal"
"""Header: the journal as `kind/id`."""

EVENT: Final = "Clientela-Event"
"""Header: the stored name of the event, for instance `points-issued.v1`."""

VERSION: Final = "Clientela-Version"
"""Header: the event's version in its journal, from 1, gapless."""

POSITION: Final = "Clientela-Position"
"""Header: the event's place in the order of commits; grows along the whole stream."""

APPEND: Final = "Clientela-Append"
"""Header: shared by all events of one append."""

INDEX: Final = "Clientela-Index"
"""Header: place within the append, from 0."""

COUNT: Final = "Clientela-Count"
"""Header: number of events in the append, over all its journals."""

EPOCH: Final = "Clientela-Epoch"
"""Header: which life of the store this is; another one after a restore. Left out if it has none."""

OMITTED: Final = "Clientela-Omitted"
"""Header: `payload` when the event is too long for the bus; EventService has it."""

SOURCE: Final = "/clientela"
"""CloudEvents source."""

TYPE: Final = "clientela"
"""What a CloudEvents type begins with, before the stored name."""

BODY_BYTES_MAX = 768 * 1024
"""Bytes of a body: below what any broker takes by default, with room for headers."""

# Canonical JSON: the envelope is first, its names are sorted, and no text holds a bare quote.
_PLACE = re.compile(rb'\{"envelope":\{.*?"count":(\d+),.*?"index":(\d+),', re.DOTALL)
# And the payload is last, and the first of this name.
_PAYLOAD = b',"payload":'


@attrs.frozen(kw_only=True)
class Message:
    """
    An event as it leaves.

    Attributes:
        subject: Where to.

        headers: What a reader decides by without opening the body.

        body: JSON, at most `BODY_BYTES_MAX` bytes.

        position: The event's place in the order of commits.
    """

    subject: str
    headers: Mapping[str, str]
    body: bytes
    position: int


class EventMessages:
    """
    Makes messages of stored events.

    Args:
        event_classes: Every event class that a journal may hold.

        codec: Lifts events of old versions.

        hashed: Makes keyed hashes, the same for ever.
    """

    def __init__(self, event_classes: Iterable[type], codec: Codec, hashed: Hashed) -> None:
        self._codec = codec
        self._disclosures: dict[str, Disclose | None] = {
            event_type(cls).stored_name: disclosure_of(cls, hashed) for cls in event_classes
        }

    def of(self, row: StoredEvent, epoch: str = "") -> Message:
        """
        The message of an event.

        Args:
            row: As it is stored.

            epoch: Which life of the store this is.

        Raises:
            UnknownEventError: this composition does not know the event.
        """
        if row.name not in self._disclosures:
            row = self._lifted(row)
        disclose, body = self._disclosures[row.name], row.body
        if disclose is not None:
            begin = body.index(_PAYLOAD) + len(_PAYLOAD)
            payload: dict[str, Any] = json.loads(body[begin:-1].decode())
            body = b"%b%b}" % (body[:begin], canonical(disclose(payload)))
        headers = _headers(row, epoch)
        if len(body) > BODY_BYTES_MAX:
            envelope: dict[str, Any] = json.loads(body)["envelope"]
            body = canonical({"envelope": {**envelope, "because": []}, "name": row.name})
            headers[OMITTED] = "payload"
        return Message(
            subject=subject_of(row.journal), headers=headers, body=body, position=row.position
        )

    def _lifted(self, row: StoredEvent) -> StoredEvent:
        """An event of an old version in its newest shape."""
        plain: dict[str, Any] = json.loads(row.body)
        name, payload = self._codec.encode(self._codec.decode(row.name, plain["payload"]))
        body = canonical({**plain, "name": name, "payload": payload})
        return attrs.evolve(row, name=name, body=body)


def _place(body: bytes) -> tuple[str, str]:
    """Index and count of an event in its append; parsing all of the body for them is dear."""
    found = _PLACE.match(body)
    if found is not None:
        return found[2].decode(), found[1].decode()
    envelope: dict[str, Any] = json.loads(body)["envelope"]
    return str(envelope["index"]), str(envelope["count"])


def _headers(row: StoredEvent, epoch: str) -> dict[str, str]:
    journal = str(row.journal)
    index, count = _place(row.body)
    headers = {
        MESSAGE_ID: row.event_id,
        JOURNAL: journal,
        EVENT: row.name,
        VERSION: str(row.version),
        POSITION: str(row.position),
        APPEND: row.append_id,
        INDEX: index,
        COUNT: count,
        "ce-specversion": "1.0",
        "ce-id": row.event_id,
        "ce-source": SOURCE,
        "ce-type": f"{TYPE}.{row.name}",
        "ce-subject": journal,
        "ce-time": row.occurred_at.isoformat(),
        "content-type": "application/json",
    }
    if epoch:
        headers[EPOCH] = epoch
    return headers
