"""
The timeline of a client, and facts told by what they are.
"""

from __future__ import annotations

import base64
import json

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.output import moment, plain


if TYPE_CHECKING:
    from clientela.adapters.cli.connection import Connection
    from clientela.v1.client_pb2 import TimelineEntry
    from clientela.v1.common_pb2 import FactRef


PAGE_SIZE = 200

PAGES_MAX = 500
"""Pages of a timeline that are read; longer ones are cut off, aloud."""

Facts = Mapping[tuple[int, str, int], "TimelineEntry"]
"""Entries by kind of journal, id and version."""


async def client_id_of(connection: Connection, named: str) -> str:
    """
    The id of a client named by it, or by `source:id` of another system.

    Raises:
        VerbError: the other system's id is not known.
    """
    source, colon, id_ = named.partition(":")
    if not colon:
        return named
    from clientela.v1.client_pb2 import FindClientsRequest
    from clientela.v1.client_pb2_grpc import ClientServiceStub
    from clientela.v1.common_pb2 import BusinessKey

    request = FindClientsRequest(source=BusinessKey(source=source, id=id_))
    stub = ClientServiceStub(connection.channel)
    answer = await connection.call(stub.FindClients, request)
    if not answer.clients:
        raise VerbError(Exit.FAILED, f"{source} has no client of this id", reason="NOT_FOUND")
    found: str = answer.clients[0].client_id
    return found


async def timeline_of(connection: Connection, client_id: str) -> list[TimelineEntry]:
    """Everything that happened with a client, wallet included, in the order of recording."""
    from clientela.v1.client_pb2 import GetTimelineRequest
    from clientela.v1.client_pb2_grpc import ClientServiceStub

    stub = ClientServiceStub(connection.channel)
    request = GetTimelineRequest(client_id=client_id, with_wallet=True, page_size=PAGE_SIZE)
    found: list[TimelineEntry] = []
    for _ in range(PAGES_MAX):
        answer = await connection.call(stub.GetTimeline, request)
        found.extend(answer.entries)
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            break
    return found


def facts_of(entries: Iterable[TimelineEntry]) -> Facts:
    """Entries by what points at them."""
    return {(e.event.journal.kind, e.event.journal.id, e.event.version): e for e in entries}


def fact(ref: FactRef, facts: Facts) -> str:
    """A fact as people name it: what, when, and where it stands."""
    from clientela.v1.common_pb2 import JournalKind

    kind = JournalKind.Name(ref.journal.kind).removeprefix("JOURNAL_KIND_").lower()
    where = f"{kind}/{ref.journal.id}@{ref.version}"
    entry = facts.get((ref.journal.kind, ref.journal.id, ref.version))
    if entry is None:
        return where
    return f"{entry.event.name}, {moment(entry.event.occurred_at)} ({where})"


def entry_plain(entry: TimelineEntry) -> dict[str, Any]:
    """An entry as plain data, its payload too."""
    made: dict[str, Any] = plain(entry)
    made["event"]["payload"] = payload(made["event"]["payload"])
    return made


def payload(encoded: str) -> Any:
    """A payload as plain data."""
    return json.loads(base64.b64decode(encoded) or b"{}")


def fields_of(entry: TimelineEntry) -> dict[str, Any]:
    """The payload of an entry's event, field by field."""
    found: dict[str, Any] = json.loads(entry.event.payload or b"{}")
    return found


def told(entry: TimelineEntry) -> str:
    """What an entry tells, in short."""
    fields = fields_of(entry)
    opened = {value.path: value.text for value in entry.opened}
    shown = {name: value for name, value in fields.items() if name not in _NOT_TOLD}
    parts = [f"{name} {_short(value)}" for name, value in shown.items() if _short(value)]
    return ", ".join([*parts, *(f"{path} {text}" for path, text in opened.items())])


_NOT_TOLD = frozenset({"client_id", "wallet_id", "currency"})

_LISTED_MAX = 3
"""Items of a list that are shown; of a longer one the number."""


def _short(value: Any) -> str:
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, dict):
        return _amount(cast("dict[str, Any]", value))
    if not isinstance(value, list):
        return ""
    items: list[Any] = [*value]
    if len(items) <= _LISTED_MAX and all(isinstance(item, str) for item in items):
        return "/".join(items)
    return str(len(items))


def _amount(fields: dict[str, Any]) -> str:
    """An amount; empty for anything else."""
    if not {"minor", "currency"} <= fields.keys():
        return ""
    from clientela.domain.money import Money

    return str(Money(fields["minor"], fields["currency"]))
