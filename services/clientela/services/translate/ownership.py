"""
OwnershipService: approaches and replacements in, owners, spells and orphans out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from clientela.domain.event import RecordedEvent
from clientela.domain.ids import ClientId, EmployeeId, JournalId, UnitId
from clientela.domain.ownership.claim import Approach
from clientela.domain.ownership.holding import Ownership as OwnershipState
from clientela.domain.ownership.replacement import ReplaceOwner
from clientela.domain.ownership.spells import Spell
from clientela.services.translate.fields import (
    code,
    code_if_any,
    named,
    named_if_any,
    personal_if_any,
)
from clientela.services.translate.messages import (
    actor,
    explained,
    fact_ref,
    fact_ref_if_any,
    journal_versions,
    timestamp,
    timestamp_if_any,
)
from clientela.services.translate.mutations import check_mutation, occurred_at
from clientela.services.translate.reads import check_read
from clientela.v1 import ownership_pb2


def approach(request: ownership_pb2.ApproachRequest) -> Approach:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return Approach(
        client_id=named(ClientId, request.client_id, "client_id"),
        employee_id=named(EmployeeId, request.employee_id, "employee_id"),
        channel=code(request.channel, "channel"),
        with_offer=request.with_offer if request.HasField("with_offer") else True,
        offer=code_if_any(request.offer, "offer"),
        note=personal_if_any(request.note),
        occurred_at=occurred_at(request),
    )


def replace_owner(request: ownership_pb2.ReplaceOwnerRequest) -> ReplaceOwner:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return ReplaceOwner(
        client_id=named(ClientId, request.client_id, "client_id"),
        employee_id=named(EmployeeId, request.employee_id, "employee_id"),
        reason=code(request.reason, "reason"),
        occurred_at=occurred_at(request),
    )


@attrs.frozen(kw_only=True)
class OrphanFilter:
    """
    Which orphaned clients are wanted.

    Attributes:
        unit_id: Those of this unit and the units below it; None for all.

        owner_id: Those of this former owner; None for all.
    """

    unit_id: UnitId | None = None
    owner_id: EmployeeId | None = None


def orphan_filter(request: ownership_pb2.ListOrphansRequest) -> OrphanFilter:
    """
    What a request asks for.

    Raises:
        InvalidValueError: a field is malformed.
    """
    check_read(request)
    return OrphanFilter(
        unit_id=named_if_any(UnitId, request.unit_id, "unit_id"),
        owner_id=named_if_any(EmployeeId, request.owner_id, "owner_id"),
    )


def ownership(
    client_id: ClientId,
    state: OwnershipState,
    *,
    claim: RecordedEvent | None,
    lapses_at: datetime | None = None,
    etag: str = "",
    versions: Mapping[JournalId, int],
) -> ownership_pb2.Ownership:
    """
    Who looks after a client.

    Args:
        client_id: The client.

        state: Who does.

        claim: The event that made the owner; None while there is none.

        lapses_at: When ownership ends by itself.

        etag: Of the ownership; empty for the past.

        versions: Of the journals it was read from.
    """
    return ownership_pb2.Ownership(
        client_id=client_id,
        owner_id=state.owner_id or "",
        unit_id=state.unit_id or "",
        since=timestamp_if_any(state.since),
        lapses_at=timestamp_if_any(lapses_at),
        orphaned=state.orphaned is not None,
        conflict=fact_ref_if_any(state.conflict),
        claim=fact_ref_if_any(state.claim),
        explanation=None if claim is None else explained(claim, lapses_at),
        etag=etag,
        versions=journal_versions(versions),
    )


def past_ownership(
    client_id: ClientId,
    value: Spell | None,
    *,
    claim: RecordedEvent | None,
    versions: Mapping[JournalId, int],
) -> ownership_pb2.Ownership:
    """
    Who looked after a client in the past.

    Args:
        client_id: The client.

        value: The owner's time; None where there was no owner.

        claim: The event that made the owner.

        versions: Of the journals it was read from.
    """
    if value is None or claim is None:
        return ownership_pb2.Ownership(client_id=client_id, versions=journal_versions(versions))
    return ownership_pb2.Ownership(
        client_id=client_id,
        owner_id=value.owner_id,
        unit_id=value.unit_id,
        since=timestamp(value.began_at),
        claim=fact_ref(value.claim),
        explanation=explained(claim, value.ended_at),
        versions=journal_versions(versions),
    )


def spell(value: Spell) -> ownership_pb2.OwnershipSpell:
    """One owner's time with a client."""
    return ownership_pb2.OwnershipSpell(
        owner_id=value.owner_id,
        unit_id=value.unit_id,
        began_at=timestamp(value.began_at),
        ended_at=timestamp_if_any(value.ended_at),
        reason=value.reason,
        by=actor(value.by),
        claim=fact_ref(value.claim),
    )


def orphan(client_id: ClientId, state: OwnershipState, at: datetime) -> ownership_pb2.Orphan:
    """A client who waits for a new owner since *at*."""
    return ownership_pb2.Orphan(
        client_id=client_id,
        owner_id=state.owner_id or "",
        unit_id=state.unit_id or "",
        orphaned_at=timestamp(at),
        orphaned=fact_ref_if_any(state.orphaned),
    )
