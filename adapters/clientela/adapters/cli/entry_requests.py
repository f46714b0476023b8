"""
Entries of a file as requests.
"""

from __future__ import annotations

from typing import Any

from clientela.adapters.imports.entries import (
    ClientEntry,
    InteractionEntry,
    PurchaseEntry,
    ReturnEntry,
)
from clientela.domain.facts import BusinessKey
from clientela.domain.purchase.matching import Wanted
from clientela.services.translate import messages
from clientela.services.translate.purchase import line
from clientela.v1.client_pb2 import (
    ClientKind,
    Details,
    NewIdentifier,
    RegisterClientRequest,
    Standing,
)
from clientela.v1.interaction_pb2 import Direction, Purpose, RecordInteractionRequest
from clientela.v1.purchase_pb2 import RecordPurchaseRequest, RecordReturnRequest


_DETAILS = ("name", "given_name", "family_name", "market", "language")


def registration(
    entry: ClientEntry, source: BusinessKey | None, client_id: str
) -> RegisterClientRequest:
    """
    The request for a client; `request_id` is still to be set.

    Args:
        entry: The client.

        source: What the source calls the client; None if the file has ids of our own.

        client_id: The client's id here; empty to have it made from the source.

    Raises:
        ValueError: a field has a value that it cannot have.
    """
    told = entry.details
    return RegisterClientRequest(
        client_id=client_id,
        source=messages.business_key_if_any(source),
        kind=_member(ClientKind, "CLIENT_KIND", told.get("client_kind", "unspecified")),
        standing=_member(Standing, "STANDING", told.get("standing", "unspecified")),
        details=Details(**{name: told[name] for name in _DETAILS if name in told}),
        identifiers=[
            NewIdentifier(kind=kind, text=text, shared=shared)
            for kind, text, shared in entry.identifiers
        ],
        occurred_at=messages.timestamp_if_any(entry.when.at if entry.when else None),
    )


def purchase(entry: PurchaseEntry, client_id: str) -> RecordPurchaseRequest:
    """The request for a purchase; `request_id` is still to be set."""
    assert entry.when is not None
    return RecordPurchaseRequest(
        client_id=client_id,
        purchase=messages.business_key(entry.key),
        lines=[line(each) for each in entry.bought],
        local_date=messages.day(entry.when.day),
        unit_id=entry.unit,
        seller_id=entry.seller,
        occurred_at=messages.timestamp(entry.when.at),
    )


def return_(entry: ReturnEntry, client_id: str) -> RecordReturnRequest:
    """The request for a return; `request_id` is still to be set."""
    assert entry.when is not None
    return RecordReturnRequest(
        client_id=client_id,
        return_key=messages.business_key(entry.key),
        currency=entry.currency,
        lines=[_wanted(each) for each in entry.wanted],
        local_date=messages.day(entry.when.day),
        unit_id=entry.unit,
        occurred_at=messages.timestamp(entry.when.at),
    )


def interaction(entry: InteractionEntry, client_id: str) -> RecordInteractionRequest:
    """
    The request for an interaction; `request_id` is still to be set.

    Raises:
        ValueError: a field has a value that it cannot have.
    """
    assert entry.when is not None
    return RecordInteractionRequest(
        client_id=client_id,
        interaction=messages.business_key(entry.key),
        channel=entry.channel,
        direction=_member(Direction, "DIRECTION", entry.direction),
        purpose=_member(Purpose, "PURPOSE", entry.purpose),
        kind=entry.what,
        employee_id=entry.employee,
        note=entry.note,
        occurred_at=messages.timestamp(entry.when.at),
    )


def _wanted(wanted: Wanted) -> RecordReturnRequest.Line:
    return RecordReturnRequest.Line(
        quantity=wanted.quantity,
        refund=messages.money_if_any(wanted.refund),
        sku=wanted.sku or "",
        purchase=messages.business_key_if_any(wanted.purchase),
        line_id=wanted.line_id or "",
    )


def _member(wire: Any, prefix: str, text: str) -> Any:
    return wire.Value(f"{prefix}_{text.upper().replace('-', '_')}")
