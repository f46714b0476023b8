"""
LifecycleService: stages set by hand in, stages, visits and verdicts out.
"""

from __future__ import annotations

import enum

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from clientela.domain.codec import canonical
from clientela.domain.definitions.conditions import CONDITIONS, OPERANDS, SCALARS
from clientela.domain.definitions.verdicts import Verdict
from clientela.domain.ids import ClientId, Code, JournalId
from clientela.domain.lifecycle.explanation import Explanation, WayOut
from clientela.domain.lifecycle.stages import SetStage
from clientela.domain.lifecycle.visits import Visit
from clientela.domain.money import Money
from clientela.services.translate.fields import code, named
from clientela.services.translate.messages import (
    explanation,
    fact_ref,
    fact_ref_if_any,
    journal_versions,
    number,
    timestamp,
    timestamp_if_any,
)
from clientela.services.translate.mutations import check_mutation, occurred_at
from clientela.v1 import lifecycle_pb2


def set_stage(request: lifecycle_pb2.SetStageRequest) -> SetStage:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return SetStage(
        client_id=named(ClientId, request.client_id, "client_id"),
        model=code(request.model, "model"),
        stage=code(request.stage, "stage"),
        reason=code(request.reason, "reason"),
        occurred_at=occurred_at(request),
    )


def client_stage(
    client_id: ClientId,
    value: Explanation,
    *,
    until: datetime | None = None,
    etag: str = "",
    versions: Mapping[JournalId, int],
) -> lifecycle_pb2.ClientStage:
    """
    The stage of a client.

    Args:
        client_id: The client.

        value: Why it stands there.

        until: When time alone leads out of it.

        etag: Of the lifecycle; empty for the past.

        versions: Of the journals it was read from.
    """
    return lifecycle_pb2.ClientStage(
        client_id=client_id,
        model=value.model,
        stage=value.stage,
        parent=_parent(value.stage, value.top),
        since=timestamp(value.since),
        means=number(lifecycle_pb2.Means, value.means),
        causes=value.causes,
        cycle=value.cycle,
        explanation=explanation(value.rule, value.facts, value.definition, until),
        entered=fact_ref_if_any(value.recorded),
        etag=etag,
        versions=journal_versions(versions),
    )


def past_stage(
    client_id: ClientId, value: Visit, top: Code, versions: Mapping[JournalId, int]
) -> lifecycle_pb2.ClientStage:
    """
    The stage of a client at a past moment, which *value* covers.

    Args:
        client_id: The client.

        value: The stay.

        top: The stage it is counted under.

        versions: Of the journals it was read from.
    """
    return lifecycle_pb2.ClientStage(
        client_id=client_id,
        model=value.model,
        stage=value.stage,
        parent=_parent(value.stage, top),
        since=timestamp(value.began_at),
        means=number(lifecycle_pb2.Means, value.means),
        causes=value.causes,
        cycle=value.cycle,
        explanation=explanation(value.rule, value.because, value.definition),
        entered=fact_ref_if_any(value.ref),
        versions=journal_versions(versions),
    )


def visit(value: Visit, top: Code) -> lifecycle_pb2.StageVisit:
    """One stay in a stage that is counted under *top*."""
    return lifecycle_pb2.StageVisit(
        model=value.model,
        stage=value.stage,
        parent=_parent(value.stage, top),
        previous=value.previous or "",
        began_at=timestamp(value.began_at),
        ended_at=timestamp_if_any(value.ended_at),
        means=number(lifecycle_pb2.Means, value.means),
        causes=value.causes,
        cycle=value.cycle,
        explanation=explanation(value.rule, value.because, value.definition),
        entered=fact_ref_if_any(value.ref),
    )


def _parent(stage: Code, top: Code) -> str:
    return "" if top == stage else top


def way_out(value: WayOut) -> lifecycle_pb2.WayOut:
    """A way out of a stage."""
    return lifecycle_pb2.WayOut(to=value.to, rule=value.rule, verdict=verdict(value.verdict))


def verdict(value: Verdict) -> lifecycle_pb2.Verdict:
    """What a condition says, operand by operand."""
    return lifecycle_pb2.Verdict(
        condition=canonical(plain_condition(value.condition)).decode(),
        holds=value.holds,
        facts=map(fact_ref, sorted(value.facts)),
        measured=value.measured,
        operands=map(verdict, value.operands),
        changes_at=timestamp_if_any(value.changes_at),
    )


def plain_condition(condition: Any) -> dict[str, Any]:
    """A condition as it is written in definitions: a table with one key, its tag."""
    cls: Any = condition.__class__
    tag = _TAGS[cls]
    bare = OPERANDS.get(tag) or SCALARS.get(tag)
    if bare is not None:
        return {tag: _plain(getattr(condition, bare))}
    said = {
        field.name: _plain(value)
        for field in attrs.fields(cls)
        if (value := getattr(condition, field.name)) != field.default
    }
    return {tag: said}


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Money):
        return str(value)
    if value.__class__ is tuple:
        return [_plain(item) for item in value]
    return plain_condition(value) if value.__class__ in _TAGS else value


_TAGS = {cls: tag for tag, cls in CONDITIONS.items()}
