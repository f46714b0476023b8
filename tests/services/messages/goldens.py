"""
The golden messages: read, and written where there is none.
"""

from __future__ import annotations

import json

from pathlib import Path
from typing import Any

from clientela.domain.codec import UnknownEventError
from clientela.domain.ids import JournalKind
from clientela.domain.rulebook import Rulebook
from clientela.domain.standard import standard_rulebook
from clientela.services.envelope import body_of
from clientela.services.event_messages import EventMessages, Message
from clientela.services.rows import StoredEvent
from tests.domain.events import goldens as events
from tests.domain.events.examples import recorded
from tests.services.streams import CODEC, hashed


FOLDER = Path(__file__).parent
EPOCH = "0-example"
POSITION = 42


def kinds(rulebook: Rulebook) -> dict[str, JournalKind]:
    """The kind of journal that holds each event, by stored name."""
    return {
        cls.__event__.stored_name: rule_set.state.journal_kind  # type: ignore[attr-defined]
        for rule_set in rulebook.rule_sets
        for cls in rule_set.events
    }


def stored_names() -> tuple[str, ...]:
    """Stored names of the events of this rulebook that have a golden payload."""
    known = kinds(standard_rulebook())
    return tuple(name for name in events.stored_names() if name in known)


def message(stored_name: str) -> Message:
    """What leaves of the golden payload of an event, made now."""
    rulebook = standard_rulebook()
    kind = kinds(rulebook).get(stored_name)
    if kind is None:
        raise UnknownEventError(stored_name)
    example = recorded(object(), kind)
    envelope = CODEC.envelope(example)
    row = StoredEvent(
        journal=example.journal,
        version=example.version,
        event_id=example.event_id,
        append_id=example.append_id,
        name=stored_name,
        occurred_at=example.occurred_at,
        recorded_at=example.recorded_at,
        body=body_of(envelope, stored_name, events.read(stored_name)["payload"]),
        hash="",
        position=POSITION,
    )
    return EventMessages(rulebook.event_classes, CODEC, hashed).of(row, EPOCH)


def golden(made: Message) -> bytes:
    """The content of a golden file: subject and headers, then the body byte by byte."""
    head: dict[str, Any] = {"subject": made.subject, "headers": dict(made.headers)}
    return f"{json.dumps(head, indent=2, ensure_ascii=False)}\n\n".encode() + made.body + b"\n"


def path_of(stored_name: str, folder: Path = FOLDER) -> Path:
    """Where the golden message of *stored_name* is."""
    return folder / f"{stored_name}.txt"


def sums(folder: Path = FOLDER) -> dict[str, str]:
    """SHA-256 of each file by its name, as noted when it was written."""
    return events.sums(folder)


def write_new(folder: Path = FOLDER) -> tuple[str, ...]:
    """
    Write a golden message for each event that has none and never had one.

    Returns:
        Stored names of what was written.
    """
    noted, written = sums(folder), list[str]()
    for name in stored_names():
        path = path_of(name, folder)
        if path.exists() or path.name in noted:
            continue
        content = golden(message(name))
        path.write_bytes(content)
        noted[path.name] = events.digest_of(content)
        written.append(name)
    lines = (f"{digest}  {name}\n" for name, digest in sorted(noted.items()))
    (folder / events.SUMS).write_text("".join(lines), encoding="utf-8")
    return tuple(written)
