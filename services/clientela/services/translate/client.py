"""
ClientService: registration, details, identifiers and erasure in, clients out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from clientela.domain.errors import InvalidValueError
from clientela.domain.identity import details as domain
from clientela.domain.identity.details import ClientKind, Details, Standing, UpdateClient
from clientela.domain.identity.identifiers import (
    AddIdentifier,
    Identifier,
    NewIdentifier,
    RemoveIdentifier,
)
from clientela.domain.identity.profile import EraseClient, Profile
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import ClientId, Code, JournalId
from clientela.domain.lifecycle.stages import Lifecycle
from clientela.domain.ownership.holding import Ownership
from clientela.domain.personal import Personal
from clientela.services.translate.fields import (
    business_key,
    code,
    code_if_any,
    member_if_any,
    named,
    personal_if_any,
)
from clientela.services.translate.messages import business_key as business_key_message
from clientela.services.translate.messages import (
    fact_ref,
    journal_versions,
    number_if_any,
    timestamp,
    timestamp_if_any,
)
from clientela.services.translate.mutations import check_mutation, occurred_at
from clientela.services.translate.opening import Opening
from clientela.v1 import client_pb2


WHOLE_MASK = "*"
"""A mask that names every field (AIP-161)."""


class SourceIds(Protocol):
    """Makes the ids of clients that other systems know."""

    def client_id_for(self, source: str, id: str) -> ClientId:  # noqa: A002 (the field's name)
        """Id of the client whom *source* calls *id*, always the same."""
        ...


def register_client(request: client_pb2.RegisterClientRequest, ids: SourceIds) -> RegisterClient:
    """
    The command of a request.

    Args:
        request: Names the client, or the system it comes from.

        ids: Makes the id of a client that is named by its source only.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request, is_new=True)
    kind = member_if_any(ClientKind, client_pb2.ClientKind, request.kind, "kind")
    standing = member_if_any(Standing, client_pb2.Standing, request.standing, "standing")
    source = business_key(request.source, "source") if request.HasField("source") else None
    if not request.client_id and source is not None:
        client_id = ids.client_id_for(source.source, source.id)
    else:
        client_id = named(ClientId, request.client_id, "client_id")
    return RegisterClient(
        client_id=client_id,
        kind=kind or ClientKind.PERSON,
        standing=standing or Standing.CLIENT,
        details=_details(request.details),
        identifiers=tuple(
            _new_identifier(each, f"identifiers[{i}]") for i, each in enumerate(request.identifiers)
        ),
        source=source,
        references=tuple(
            business_key(each, f"references[{i}]") for i, each in enumerate(request.references)
        ),
        occurred_at=occurred_at(request),
    )


def update_client(request: client_pb2.UpdateClientRequest) -> UpdateClient:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed, or the mask names no field or one twice.
    """
    check_mutation(request)
    return UpdateClient(
        client_id=named(ClientId, request.client_id, "client_id"),
        details=_details(request.details),
        fields=_masked(tuple(request.update_mask.paths)),
        occurred_at=occurred_at(request),
    )


def add_identifier(request: client_pb2.AddIdentifierRequest) -> AddIdentifier:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return AddIdentifier(
        client_id=named(ClientId, request.client_id, "client_id"),
        identifier=_new_identifier(request.identifier, "identifier"),
        occurred_at=occurred_at(request),
    )


def remove_identifier(request: client_pb2.RemoveIdentifierRequest) -> RemoveIdentifier:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return RemoveIdentifier(
        client_id=named(ClientId, request.client_id, "client_id"),
        kind=code(request.kind, "kind"),
        text=Personal(request.text),
        occurred_at=occurred_at(request),
    )


def erase_client(request: client_pb2.EraseClientRequest) -> EraseClient:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return EraseClient(
        client_id=named(ClientId, request.client_id, "client_id"),
        act=code(request.act, "act"),
        occurred_at=occurred_at(request),
    )


def _details(wire: client_pb2.Details) -> Details:
    return Details(
        name=personal_if_any(wire.name),
        given_name=personal_if_any(wire.given_name),
        family_name=personal_if_any(wire.family_name),
        market=code_if_any(wire.market, "details.market"),
        language=code_if_any(wire.language, "details.language"),
    )


def _masked(paths: tuple[str, ...]) -> tuple[Code, ...]:
    if paths == (WHOLE_MASK,):
        return domain.FIELDS
    if not paths or len(set(paths)) < len(paths) or not set(paths) <= set(domain.FIELDS):
        expected = f"* or some of {', '.join(domain.FIELDS)}, each once"
        raise InvalidValueError("update_mask", expected)
    return tuple(map(Code, paths))


def _new_identifier(wire: client_pb2.NewIdentifier, path: str) -> NewIdentifier:
    return NewIdentifier(
        kind=code(wire.kind, f"{path}.kind"), text=Personal(wire.text), shared=wire.shared
    )


def client(
    state: Profile,
    opening: Opening,
    *,
    etag: str = "",
    versions: Mapping[JournalId, int],
) -> client_pb2.Client:
    """
    A registered client.

    Args:
        state: Who it is.

        opening: What of personal values may be shown.

        etag: Of the identity; empty for the past.

        versions: Of the journals it was read from.
    """
    names = (state.details.name, state.details.given_name, state.details.family_name)
    texts = (each.text for each in state.identifiers.values())
    return client_pb2.Client(
        client_id=state.client_id or "",
        kind=number_if_any(client_pb2.ClientKind, state.kind),
        standing=number_if_any(client_pb2.Standing, state.standing),
        details=None if state.erased is not None else details(state.details, opening),
        identifiers=(identifier(each, opening) for each in state.identifiers.values()),
        sources=map(business_key_message, state.sources),
        registered_at=timestamp_if_any(state.registered_at),
        erased_at=timestamp_if_any(state.erased_at),
        personal_withheld=opening.withholds(*names, *texts),
        etag=etag,
        versions=journal_versions(versions),
    )


def details(value: Details, opening: Opening) -> client_pb2.Details:
    """What is known of a client."""
    return client_pb2.Details(
        name=opening.text(value.name),
        given_name=opening.text(value.given_name),
        family_name=opening.text(value.family_name),
        market=value.market or "",
        language=value.language or "",
    )


def identifier(value: Identifier, opening: Opening) -> client_pb2.Identifier:
    """By what a client is recognised."""
    return client_pb2.Identifier(
        kind=value.kind,
        text=opening.text(value.text),
        shared=not value.exclusive,
        added=fact_ref(value.added),
    )


def summary(
    profile: Profile, ownership: Ownership, lifecycle: Lifecycle, opening: Opening
) -> client_pb2.ClientSummary:
    """A client in a list: who it is, who looks after it, where it stands."""
    return client_pb2.ClientSummary(
        client_id=profile.client_id or "",
        kind=number_if_any(client_pb2.ClientKind, profile.kind),
        standing=number_if_any(client_pb2.Standing, profile.standing),
        name=opening.text(profile.details.name),
        owner_id=ownership.owner_id or "",
        orphaned=ownership.orphaned is not None,
        stages=stage_marks(lifecycle),
        erased=profile.erased is not None,
        personal_withheld=opening.withholds(profile.details.name),
    )


def stage_marks(lifecycle: Lifecycle) -> tuple[client_pb2.StageMark, ...]:
    """The present stage in each model, in order of models."""
    return tuple(
        client_pb2.StageMark(
            model=model,
            stage=stay.move.stage,
            since=timestamp(stay.move.at),
        )
        for model, stay in sorted(lifecycle.stays.items())
    )
