"""
The golden files: read, and written where there is none.
"""

from __future__ import annotations

import hashlib
import json

from pathlib import Path
from typing import Any

from clientela.domain.codec import Codec
from clientela.domain.event import EventType, event_type
from tests.domain.discovery import event_classes
from tests.domain.events.examples import example


FOLDER = Path(__file__).parent
SUMS = "SHA256SUMS"


def codec() -> Codec:
    """Knows every event of the domain, and how to lift old versions."""
    return Codec(event_classes())


def path_of(stored_name: str, folder: Path = FOLDER) -> Path:
    """Where the golden payload of *stored_name* is."""
    return folder / f"{stored_name}.json"


def read(stored_name: str) -> dict[str, Any]:
    """What the golden file says: origin, visibility and payload."""
    golden: dict[str, Any] = json.loads(path_of(stored_name).read_bytes())
    return golden


def stored_names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Every stored name that has a golden file."""
    return tuple(sorted(path.name.removesuffix(".json") for path in folder.glob("*.json")))


def sums(folder: Path = FOLDER) -> dict[str, str]:
    """SHA-256 of each file by its name, as noted when it was written."""
    noted = folder / SUMS
    lines = noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def digest_of(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def write_new(classes: tuple[type, ...] | None = None, folder: Path = FOLDER) -> tuple[str, ...]:
    """
    Write a golden file for each event that has none and never had one.

    Returns:
        Stored names of what was written.
    """
    noted = sums(folder)
    written: list[str] = []
    for cls in event_classes() if classes is None else classes:
        path = path_of(event_type(cls).stored_name, folder)
        if path.exists() or path.name in noted:
            continue
        content = golden(cls)
        path.write_bytes(content)
        noted[path.name] = digest_of(content)
        written.append(event_type(cls).stored_name)
    lines = (f"{digest}  {name}\n" for name, digest in sorted(noted.items()))
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")
    return tuple(written)


def golden(cls: type) -> bytes:
    """The content of a golden file."""
    _, payload = Codec([cls]).encode(example(cls))
    said = {**fixed(event_type(cls)), "payload": payload}
    return f"{json.dumps(said, indent=2, ensure_ascii=False)}\n".encode()


def fixed(kind: EventType) -> dict[str, str]:
    """What is fixed for an event class besides its name and version."""
    return {"origin": kind.origin.value, "visibility": kind.visibility.value}
