"""
The events of the standard rule sets as they leave on the bus, read from the code.
"""

from __future__ import annotations

import enum
import inspect
import json
import re
import types

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import attrs

from clientela.domain.event import event_type
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import BusinessId, JournalId, Ref
from clientela.domain.loyalty.lots import LotId
from clientela.domain.personal import Personal, Sealed
from clientela.domain.standard import standard_rulebook
from clientela.services.partitions import SUBJECT


GOLDENS = Path(__file__).parent.parent / "tests" / "services" / "messages"
"""Where an example of every message is kept."""

HASH = {"type": "string", "description": "A keyed hash: 64 hexadecimal digits."}

PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    Decimal: {"type": "string", "description": "A decimal number."},
    JournalId: {"type": "string", "description": "A journal, `kind/id`."},
    Ref: {"type": "string", "description": "An event, `kind/id@version`."},
    BusinessKey: {
        "type": "string",
        "description": "The source system, a colon, and a keyed hash of its id.",
    },
    BusinessId: HASH,
    LotId: HASH,
    Sealed: {
        "type": "object",
        "description": "A personal value is here; it does not leave.",
        "properties": {"sealed": {"const": True}},
        "required": ["sealed"],
    },
}
"""Types as they look on the wire."""


@attrs.frozen(kw_only=True)
class Entry:
    """
    One event of the catalogue.

    Attributes:
        name: Stored name.

        subject: Where it leaves, without the partition.

        origin: How such events come to be.

        visibility: Who may read it through the service.

        meaning: What happened.

        schema: JSON Schema of the payload.

        example: A message: subject, headers, body.
    """

    name: str
    subject: str
    origin: str
    visibility: str
    meaning: str
    schema: dict[str, Any]
    example: dict[str, Any]


class Catalogue:
    """Every event, and the schemas of the values in them by name."""

    def __init__(self) -> None:
        self.schemas: dict[str, dict[str, Any]] = {}
        self.entries = sorted(self._entries(), key=lambda entry: (entry.subject, entry.name))

    def _entries(self) -> Iterator[Entry]:
        for rule_set in standard_rulebook().rule_sets:
            for cls in rule_set.events:
                kind = event_type(cls)
                yield Entry(
                    name=kind.stored_name,
                    subject=f"{SUBJECT}.{rule_set.state.journal_kind.value}",
                    origin=kind.origin.value,
                    visibility=kind.visibility.value,
                    meaning=summary(cls),
                    schema=self._fields(cls),
                    example=example(kind.stored_name),
                )

    def _fields(self, cls: Any) -> dict[str, Any]:
        hints, told = get_type_hints(cls), meanings(cls)
        properties: dict[str, Any] = {}
        for field in attrs.fields(cls):
            schema = self.schema(hints[field.name])
            if field.name in told:
                kept = {"allOf": [schema]} if "$ref" in schema else schema
                schema = {**kept, "description": told[field.name]}
            properties[field.name] = schema
        made: dict[str, Any] = {"type": "object", "properties": properties}
        required = [f.name for f in attrs.fields(cls) if f.default is attrs.NOTHING]
        return {**made, "required": required} if required else made

    def schema(self, hint: Any) -> dict[str, Any]:
        """JSON Schema of a type as it looks on the wire."""
        if hint in PLAIN:
            return dict(PLAIN[hint])
        if isinstance(hint, NewType):
            return self.schema(hint.__supertype__)
        if get_origin(hint) is tuple:
            return {"type": "array", "items": self.schema(get_args(hint)[0])}
        if get_origin(hint) in {Union, types.UnionType}:
            return self._either(get_args(hint))
        if issubclass(hint, enum.Enum):
            return {"type": "string", "enum": [member.value for member in hint]}
        if hint.__name__ not in self.schemas:
            self.schemas[hint.__name__] = {}
            self.schemas[hint.__name__] = {"description": summary(hint), **self._fields(hint)}
        return {"$ref": f"#/components/schemas/{hint.__name__}"}

    def _either(self, hints: tuple[Any, ...]) -> dict[str, Any]:
        if Personal in hints and type(None) not in hints:
            return self.schema(Sealed)
        hints = tuple(hint for hint in hints if hint is not Personal)
        some = self.schema(next(hint for hint in hints if hint is not type(None)))
        return {"anyOf": [some, {"type": "null"}]}


def summary(cls: Any) -> str:
    """What a class says it is: the text before its attributes."""
    text = inspect.getdoc(cls) or ""
    return " ".join(text.partition("\n\nAttributes:")[0].split())


ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", re.MULTILINE)


def meanings(cls: Any) -> dict[str, str]:
    """What a class says of its attributes, by name."""
    text = (inspect.getdoc(cls) or "").partition("Attributes:\n")[2].partition("\nRaises:")[0]
    return {name: " ".join(told.split()) for name, told in ATTRIBUTE.findall(text)}


def example(stored_name: str) -> dict[str, Any]:
    """The golden message of an event."""
    head, _, body = (GOLDENS / f"{stored_name}.txt").read_text("utf-8").partition("\n\n")
    return {**json.loads(head), "body": json.loads(body)}
