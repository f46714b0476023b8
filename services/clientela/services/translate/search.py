"""
What lists of clients and timelines are asked for.
"""

from __future__ import annotations

import enum

import attrs

from clientela.domain.errors import InvalidValueError
from clientela.domain.facts import BusinessKey
from clientela.domain.identity.details import NAME_LENGTH_MAX, Standing
from clientela.domain.identity.identifiers import IDENTIFIER_LENGTH_MAX
from clientela.domain.ids import ClientId, Code, EmployeeId
from clientela.domain.personal import Personal
from clientela.services.translate.fields import (
    business_key,
    code,
    member_if_any,
    named,
    named_if_any,
)
from clientela.services.translate.reads import AsOf, as_of, check_read
from clientela.v1 import client_pb2


NAMES_MAX = 50
"""Event names that one reading of a timeline may be bounded to."""


@attrs.frozen(kw_only=True)
class ClientFilter:
    """
    Which clients are wanted; all conditions hold together.

    Attributes:
        owner_id: Those of this owner; None for any.

        orphaned: Orphaned ones, or others; None for both.

        model: Lifecycle model of *stage*; None for any stage.

        stage: Those in this stage or in one of its parts.

        standing: Those of this standing; None for any.
    """

    owner_id: EmployeeId | None = None
    orphaned: bool | None = None
    model: Code | None = None
    stage: Code | None = None
    standing: Standing | None = None


def client_filter(request: client_pb2.ListClientsRequest) -> ClientFilter:
    """
    Which clients a request asks for.

    Raises:
        InvalidValueError: a field is malformed.
    """
    check_read(request)
    stage = request.in_stage if request.HasField("in_stage") else None
    return ClientFilter(
        owner_id=named_if_any(EmployeeId, request.owner_id, "owner_id"),
        orphaned=request.orphaned if request.HasField("orphaned") else None,
        model=None if stage is None else code(stage.model, "in_stage.model"),
        stage=None if stage is None else code(stage.stage, "in_stage.stage"),
        standing=member_if_any(Standing, client_pb2.Standing, request.standing, "standing"),
    )


@attrs.frozen
class ByIdentifier:
    """
    Clients that have an identifier.

    Attributes:
        kind: Its kind.

        text: The identifier in any spelling.
    """

    kind: Code
    text: Personal


@attrs.frozen
class ByName:
    """
    Clients whose name has all these words or beginnings.

    Attributes:
        words: As typed.
    """

    words: Personal


@attrs.frozen
class ByCard:
    """
    The client behind the wallet of a card.

    Attributes:
        number: As typed.
    """

    number: Personal


Sought = ByIdentifier | ByName | ByCard | BusinessKey


def sought(request: client_pb2.FindClientsRequest) -> Sought:
    """
    What a request searches for.

    Raises:
        InvalidValueError: nothing is searched for, or a field is malformed.
    """
    check_read(request)
    match request.WhichOneof("by"):
        case "identifier":
            kind = code(request.identifier.kind, "identifier.kind")
            text = _typed(request.identifier.text, "identifier.text", IDENTIFIER_LENGTH_MAX)
            return ByIdentifier(kind, text)
        case "name":
            return ByName(_typed(request.name, "name", NAME_LENGTH_MAX))
        case "card_number":
            return ByCard(_typed(request.card_number, "card_number", IDENTIFIER_LENGTH_MAX))
        case "source":
            return business_key(request.source, "source")
        case None:
            raise InvalidValueError("by", "an identifier, name, card_number or source")


def _typed(text: str, path: str, length_max: int) -> Personal:
    if not text.strip() or len(text) > length_max:
        raise InvalidValueError(path, f"1 to {length_max} characters")
    return Personal(text)


class Clock(enum.Enum):
    """Which of an event's two times orders a timeline."""

    RECORDED = "recorded"
    OCCURRED = "occurred"


@attrs.frozen(kw_only=True)
class TimelineQuery:
    """
    Which part of a timeline is wanted.

    Attributes:
        client_id: The client.

        clock: What orders entries.

        newest_first: Whether the newest comes first.

        names: Names of events; all when empty.

        with_wallet: Whether the client's own wallet is among them.

        as_of: The moment asked about.
    """

    client_id: ClientId
    clock: Clock = Clock.RECORDED
    newest_first: bool = False
    names: frozenset[Code] = frozenset()
    with_wallet: bool = False
    as_of: AsOf = attrs.field(factory=AsOf)


def timeline_query(request: client_pb2.GetTimelineRequest) -> TimelineQuery:
    """
    What a request asks for.

    Raises:
        InvalidValueError: a field is malformed.
    """
    check_read(request)
    if len(request.names) > NAMES_MAX:
        raise InvalidValueError("names", f"at most {NAMES_MAX}")
    order = client_pb2.GetTimelineRequest.Order
    return TimelineQuery(
        client_id=named(ClientId, request.client_id, "client_id"),
        clock=member_if_any(Clock, order, request.order, "order") or Clock.RECORDED,
        newest_first=request.newest_first,
        names=frozenset(code(name, f"names[{i}]") for i, name in enumerate(request.names)),
        with_wallet=request.with_wallet,
        as_of=as_of(request, by_effect=True),
    )
