"""
DefinitionService: documents in, versions, changes, presets and differences out.
"""

from __future__ import annotations

import json

from datetime import datetime
from typing import Any

import attrs

from clientela.domain.backtest import Difference
from clientela.domain.codec import canonical
from clientela.domain.definitions.documents import (
    Change,
    ChangeKind,
    Document,
    digest,
    document,
    parse,
)
from clientela.domain.definitions.preset import (
    LifecyclePreset,
    lifecycle_preset,
    preset_text,
)
from clientela.domain.definitions.versions import ApplyDefinitions, DefinitionsApplied
from clientela.domain.errors import InvalidValueError
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import ClientId
from clientela.services.translate.event import without_boxes
from clientela.services.translate.fields import moment_if_any, named, version
from clientela.services.translate.messages import (
    actor,
    fact_ref,
    journal_id,
    number,
    timestamp,
)
from clientela.services.translate.mutations import check_mutation, occurred_at
from clientela.services.translate.reads import check_read
from clientela.v1 import definition_pb2


PRESET_SECTION = "lifecycle"
"""The section that the presets belong to."""


def apply_definitions(request: definition_pb2.ApplyDefinitionsRequest) -> ApplyDefinitions:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.

        DefinitionsError: the document is no TOML.
    """
    check_mutation(request)
    return ApplyDefinitions(
        document=document(parse(request.toml)),
        effective_from=moment_if_any(request, "effective_from"),
        occurred_at=occurred_at(request),
    )


@attrs.frozen(kw_only=True)
class Trial:
    """
    What a backtest is to try.

    Attributes:
        document: The definitions; None for those of *version*.

        version: Number of a version; None for *document*.

        client_ids: Whose history; everybody's when empty.

        until: How far time goes; None for the last recording.
    """

    document: Document | None = None
    version: int | None = None
    client_ids: frozenset[ClientId] = frozenset()
    until: datetime | None = None


def trial(request: definition_pb2.BacktestRequest) -> Trial:
    """
    What a request asks for.

    Raises:
        InvalidValueError: there is nothing to try, or a field is malformed.

        DefinitionsError: the document is no TOML.
    """
    check_read(request)
    client_ids = (
        named(ClientId, text, f"client_ids[{i}]") for i, text in enumerate(request.client_ids)
    )
    candidate = request.WhichOneof("candidate")
    if candidate is None or (candidate == "version" and request.version < 1):
        raise InvalidValueError("candidate", "a toml document, or a version of 1 or more")
    return Trial(
        document=document(parse(request.toml)) if candidate == "toml" else None,
        version=request.version if candidate == "version" else None,
        client_ids=frozenset(client_ids),
        until=moment_if_any(request, "until"),
    )


def wanted_version(request: definition_pb2.GetDefinitionsRequest) -> int | None:
    """
    The version that a request asks for; None for the one in force now.

    Raises:
        InvalidValueError: it is below 0.
    """
    return version(request.version, "version") or None


def definitions(
    recorded: RecordedEvent, *, with_document: bool = True, etag: str = ""
) -> definition_pb2.Definitions:
    """
    One version of definitions.

    Args:
        recorded: The event that applied it.

        with_document: Whether the document comes with it.

        etag: Of the definitions; empty for any version but the latest.
    """
    applied = recorded.event
    assert isinstance(applied, DefinitionsApplied)
    return definition_pb2.Definitions(
        version=applied.number,
        effective_from=timestamp(applied.effective_from),
        document=applied.document if with_document else "",
        digest=applied.digest,
        applied_by=actor(recorded.actor),
        applied_at=timestamp(recorded.recorded_at),
        applied=fact_ref(recorded.ref),
        etag=etag,
    )


def defaults() -> definition_pb2.Definitions:
    """What is in force before anything was applied: a document that says nothing."""
    text = document({})
    return definition_pb2.Definitions(document=text, digest=digest(text))


def change(value: Change) -> definition_pb2.DefinitionChange:
    """One value that differs between two documents."""
    return definition_pb2.DefinitionChange(
        path=value.path,
        kind=number(definition_pb2.ChangeKind, value.kind),
        old="" if value.kind is ChangeKind.ADDED else _json(value.old),
        new="" if value.kind is ChangeKind.REMOVED else _json(value.new),
    )


def _json(plain: Any) -> str:
    return canonical(plain).decode()


def preset(value: LifecyclePreset) -> definition_pb2.Preset:
    """A document that ships with the service."""
    return definition_pb2.Preset(
        name=value.value,
        section=PRESET_SECTION,
        labels=lifecycle_preset(value)["labels"],
        toml=preset_text(value),
    )


def difference(value: Difference) -> definition_pb2.Difference:
    """One event in which the real and the tried history differ."""
    name, _, schema_version = value.name.rpartition(".v")
    return definition_pb2.Difference(
        kind=number(definition_pb2.DifferenceKind, value.kind),
        journal=journal_id(value.journal),
        occurred_at=timestamp(value.occurred_at),
        name=name,
        schema_version=int(schema_version),
        payload=canonical(without_boxes(json.loads(value.payload))),
        reason=value.reason,
    )
