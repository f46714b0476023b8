"""
Generate the catalogue of events from the code.

    python docs/generate.py           write docs/events.md and docs/asyncapi.yaml
    python docs/generate.py --check   write nothing; exit 1 and name what drifted

Examples are the golden messages of tests/services/messages.
"""

from __future__ import annotations

import argparse
import json
import sys

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from catalogue import Catalogue, Entry

from clientela.adapters.jetstream.stream import STREAM
from clientela.domain.ids import JournalKind
from clientela.services.partitions import PARTITIONS, SUBJECT


FOLDER = Path(__file__).parent

HEAD = FOLDER / "events_head.txt"
"""What stands above the catalogue, written by hand."""


def main() -> int:
    """Generate or check, as the command line asks."""
    parser = argparse.ArgumentParser(description="Generate the catalogue of events.")
    parser.add_argument("--check", action="store_true", help="report drift, write nothing")
    is_check = parser.parse_args().check
    catalogue = Catalogue()
    made = {
        FOLDER / "events.md": HEAD.read_text("utf-8") + "\n".join(pages(catalogue)) + "\n",
        FOLDER / "asyncapi.yaml": "\n".join(yaml(asyncapi(catalogue))) + "\n",
    }
    drifted = [
        path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text
    ]
    for path in drifted:
        if not is_check:
            path.write_text(made[path], encoding="utf-8")
        print(f"{'drifted' if is_check else 'updated'}: docs/{path.name}")
    return 1 if is_check and drifted else 0


def pages(catalogue: Catalogue) -> Iterator[str]:
    """The catalogue as Markdown."""
    yield "| event | leaves on | origin |"
    yield "|---|---|---|"
    for entry in catalogue.entries:
        anchor = entry.name.replace(".", "")
        yield f"| [{entry.name}](#{anchor}) | `{entry.subject}.*` | {entry.origin} |"
    for entry in catalogue.entries:
        yield from page(entry)
    yield ""
    yield "## Values in them"
    for name, schema in sorted(catalogue.schemas.items()):
        yield ""
        yield f"### {name}"
        yield ""
        yield schema["description"]
        yield ""
        yield from table(schema)


def page(entry: Entry) -> Iterator[str]:
    """One event."""
    yield ""
    yield f"### {entry.name}"
    yield ""
    yield entry.meaning
    yield ""
    yield f"Leaves on `{entry.subject}.<partition>`; {entry.origin}; read by: {entry.visibility}."
    yield ""
    yield from table(entry.schema)
    yield ""
    yield "```json"
    yield json.dumps(entry.example["body"]["payload"], indent=2, ensure_ascii=False)
    yield "```"


def table(schema: dict[str, Any]) -> Iterator[str]:
    """Fields of an object."""
    required = schema.get("required", [])
    yield "| field | type | meaning |"
    yield "|---|---|---|"
    for name, field in schema["properties"].items():
        text = field.get("description", "")
        mark = "" if name in required else ", may be left out"
        yield f"| `{name}` | {typed(field)}{mark} | {text} |"


def typed(schema: dict[str, Any]) -> str:
    """A type in short."""
    if "allOf" in schema:
        return typed(schema["allOf"][0])
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return f"{typed(schema['anyOf'][0])} or null"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        return f"list of {typed(schema['items'])}"
    if "sealed" in schema.get("properties", {}):
        return "sealed"
    return str(schema.get("format", schema["type"]))


def asyncapi(catalogue: Catalogue) -> dict[str, Any]:
    """The catalogue as an AsyncAPI 3 document."""
    kinds = [k.value for k in JournalKind if _held(catalogue, k)]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Clientela events",
            "version": version("clientela"),
            "description": "Every change of a client record, in the order of commits.",
        },
        "defaultContentType": "application/json",
        "channels": {kind: channel(catalogue, kind) for kind in kinds},
        "operations": {
            f"send-{kind}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{kind}"},
                "summary": f"What happened in journals of the kind {kind}.",
            }
            for kind in kinds
        },
        "components": {
            "messageTraits": {"event": {"headers": headers(catalogue)}},
            "messages": {_key(entry): message(entry) for entry in catalogue.entries},
            "schemas": dict(sorted(catalogue.schemas.items())),
        },
    }


def channel(catalogue: Catalogue, kind: str) -> dict[str, Any]:
    """The subjects of one kind of journal."""
    return {
        "address": f"{SUBJECT}.{kind}.{{partition}}",
        "description": f"JetStream stream `{STREAM}`.",
        "parameters": {
            "partition": {"description": f"0 to {PARTITIONS - 1}, a hash of the journal's name."}
        },
        "messages": {
            _key(entry): {"$ref": f"#/components/messages/{_key(entry)}"}
            for entry in _held(catalogue, JournalKind(kind))
        },
    }


def message(entry: Entry) -> dict[str, Any]:
    """One event."""
    return {
        "name": entry.name,
        "summary": entry.meaning,
        "traits": [{"$ref": "#/components/messageTraits/event"}],
        "payload": {
            "type": "object",
            "properties": {
                "envelope": {"type": "object"},
                "name": {"const": entry.name},
                "payload": entry.schema,
            },
            "required": ["envelope", "name"],
        },
        "examples": [{"payload": entry.example["body"]}],
    }


def headers(catalogue: Catalogue) -> dict[str, Any]:
    """What every message bears."""
    names = catalogue.entries[0].example["headers"]
    return {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        # Left out: ids that the broker remembers, and the life of a store that was never restored.
        "required": [name for name in names if name not in {"Nats-Msg-Id", "Clientela-Epoch"}],
    }


def yaml(value: Any, depth: int = 0) -> Iterator[str]:
    """Plain data as YAML, texts quoted as in JSON."""
    pad = "  " * depth
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            key = json.dumps(name) if not str(name).isidentifier() else name
            yield from _entry(f"{pad}{key}:", inner, depth)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _entry(f"{pad}-", inner, depth)
    else:
        yield f"{pad}{json.dumps(value, ensure_ascii=False)}"


def _entry(begin: str, inner: Any, depth: int) -> Iterator[str]:
    if isinstance(inner, dict | list) and inner:
        yield begin
        yield from yaml(inner, depth + 1)
    else:
        yield f"{begin} {json.dumps(inner, ensure_ascii=False)}"


def _key(entry: Entry) -> str:
    return entry.name.replace(".", "-")


def _held(catalogue: Catalogue, kind: JournalKind) -> list[Entry]:
    return [e for e in catalogue.entries if e.subject == f"{SUBJECT}.{kind.value}"]


if __name__ == "__main__":
    sys.exit(main())
