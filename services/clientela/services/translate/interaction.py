"""
InteractionService: what passed between client and company, as commands.
"""

from __future__ import annotations

from clientela.domain.facts import Direction, EndKind, Purpose
from clientela.domain.ids import ClientId, EmployeeId
from clientela.domain.interaction.conflict import RecordConflict, ResolveConflict
from clientela.domain.interaction.departure import RecordDeparture
from clientela.domain.interaction.recording import RecordInteraction
from clientela.domain.interaction.signals import RecordSignal
from clientela.services.translate.fields import (
    business_key,
    code,
    member,
    named,
    named_if_any,
    personal_if_any,
)
from clientela.services.translate.mutations import check_mutation, occurred_at
from clientela.v1 import interaction_pb2


def record_interaction(
    request: interaction_pb2.RecordInteractionRequest,
) -> RecordInteraction:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    identity = None
    if request.HasField("interaction"):
        identity = business_key(request.interaction, "interaction")
    return RecordInteraction(
        client_id=named(ClientId, request.client_id, "client_id"),
        channel=code(request.channel, "channel"),
        direction=member(Direction, interaction_pb2.Direction, request.direction, "direction"),
        purpose=member(Purpose, interaction_pb2.Purpose, request.purpose, "purpose"),
        kind=code(request.kind, "kind"),
        employee_id=named_if_any(EmployeeId, request.employee_id, "employee_id"),
        note=personal_if_any(request.note),
        interaction=identity,
        occurred_at=occurred_at(request),
    )


def record_conflict(request: interaction_pb2.RecordConflictRequest) -> RecordConflict:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return RecordConflict(
        client_id=named(ClientId, request.client_id, "client_id"),
        employee_id=named(EmployeeId, request.employee_id, "employee_id"),
        cause=code(request.cause, "cause"),
        note=personal_if_any(request.note),
        occurred_at=occurred_at(request),
    )


def resolve_conflict(request: interaction_pb2.ResolveConflictRequest) -> ResolveConflict:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return ResolveConflict(
        client_id=named(ClientId, request.client_id, "client_id"),
        handled_well=request.handled_well,
        occurred_at=occurred_at(request),
    )


def record_departure(request: interaction_pb2.RecordDepartureRequest) -> RecordDeparture:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return RecordDeparture(
        client_id=named(ClientId, request.client_id, "client_id"),
        causes=tuple(code(cause, f"causes[{i}]") for i, cause in enumerate(request.causes)),
        ended=member(EndKind, interaction_pb2.EndKind, request.ended, "ended"),
        occurred_at=occurred_at(request),
    )


def record_signal(request: interaction_pb2.RecordSignalRequest) -> RecordSignal:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return RecordSignal(
        client_id=named(ClientId, request.client_id, "client_id"),
        signal=code(request.signal, "signal"),
        holds=request.holds if request.HasField("holds") else True,
        occurred_at=occurred_at(request),
    )
