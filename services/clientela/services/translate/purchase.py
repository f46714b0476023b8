"""
PurchaseService: purchases and returns in, what was bought and what came back out.
"""

from __future__ import annotations

from collections.abc import Iterable

from clientela.domain.event import RecordedEvent
from clientela.domain.facts import (
    BusinessKey,
    Line,
    PurchaseRecorded,
    ReturnedLine,
    ReturnMatched,
    ReturnRecorded,
    Tender,
    TenderKind,
    UnmatchedLine,
)
from clientela.domain.ids import ClientId, Code, EmployeeId, UnitId, WalletId
from clientela.domain.loyalty.earning import PointsIssued
from clientela.domain.loyalty.restoration import PointsRestored
from clientela.domain.loyalty.revocation import PointsRevoked
from clientela.domain.money import Money
from clientela.domain.purchase.matching import Wanted
from clientela.domain.purchase.purchases import WaitingReturn
from clientela.domain.purchase.recording import RecordPurchase, RecordReturn
from clientela.services.translate import messages
from clientela.services.translate.fields import (
    business_key,
    code,
    code_if_any,
    currency_code,
    day_if_any,
    member,
    money,
    named,
    named_if_any,
)
from clientela.services.translate.mutations import check_mutation, occurred_at
from clientela.v1 import common_pb2, purchase_pb2


def record_purchase(request: purchase_pb2.RecordPurchaseRequest) -> RecordPurchase:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return RecordPurchase(
        client_id=named(ClientId, request.client_id, "client_id"),
        purchase=business_key(request.purchase, "purchase"),
        lines=tuple(_line(line, f"lines[{i}]") for i, line in enumerate(request.lines)),
        tenders=tuple(_tender(each, f"tenders[{i}]") for i, each in enumerate(request.tenders)),
        local_date=day_if_any(request, "local_date"),
        wallet_id=named_if_any(WalletId, request.wallet_id, "wallet_id"),
        unit_id=named_if_any(UnitId, request.unit_id, "unit_id"),
        seller_id=named_if_any(EmployeeId, request.seller_id, "seller_id"),
        occurred_at=occurred_at(request),
    )


def record_return(request: purchase_pb2.RecordReturnRequest) -> RecordReturn:
    """
    The command of a request.

    Raises:
        RequestIdRequiredError: it names no attempt.

        InvalidValueError: a field is malformed.
    """
    check_mutation(request)
    return RecordReturn(
        client_id=named(ClientId, request.client_id, "client_id"),
        return_key=business_key(request.return_key, "return_key"),
        currency=currency_code(request.currency, "currency"),
        lines=tuple(_wanted(line, f"lines[{i}]") for i, line in enumerate(request.lines)),
        local_date=day_if_any(request, "local_date"),
        wallet_id=named_if_any(WalletId, request.wallet_id, "wallet_id"),
        unit_id=named_if_any(UnitId, request.unit_id, "unit_id"),
        occurred_at=occurred_at(request),
    )


def _line(wire: purchase_pb2.Line, path: str) -> Line:
    return Line(
        line_id=code(wire.line_id, f"{path}.line_id"),
        sku=code(wire.sku, f"{path}.sku"),
        quantity=wire.quantity,
        net=money(wire.net, f"{path}.net"),
        tax=money(wire.tax, f"{path}.tax") if wire.HasField("tax") else None,
        category=code_if_any(wire.category, f"{path}.category"),
    )


def _tender(wire: purchase_pb2.Tender, path: str) -> Tender:
    return Tender(
        kind=member(TenderKind, purchase_pb2.TenderKind, wire.kind, f"{path}.kind"),
        amount=money(wire.amount, f"{path}.amount"),
        points=wire.points,
    )


def _wanted(wire: purchase_pb2.RecordReturnRequest.Line, path: str) -> Wanted:
    purchased = None
    if wire.HasField("purchase"):
        purchased = business_key(wire.purchase, f"{path}.purchase")
    return Wanted(
        quantity=wire.quantity,
        refund=money(wire.refund, f"{path}.refund") if wire.HasField("refund") else None,
        sku=code_if_any(wire.sku, f"{path}.sku"),
        purchase=purchased,
        line_id=code_if_any(wire.line_id, f"{path}.line_id"),
    )


def purchase(recorded: RecordedEvent, events: Iterable[RecordedEvent]) -> purchase_pb2.Purchase:
    """
    A purchase and what came back of it.

    Args:
        recorded: The event that recorded it.

        events: The client's journal, or as much of it as tells of returns.
    """
    made = recorded.event
    assert isinstance(made, PurchaseRecorded)
    return purchase_pb2.Purchase(
        purchase=messages.business_key(made.purchase),
        client_id=made.client_id,
        wallet_id=made.wallet_id,
        lines=map(line, made.lines),
        tenders=map(tender, made.tenders),
        total=messages.money(made.total),
        local_date=messages.day(made.local_date),
        unit_id=made.unit_id or "",
        seller_id=made.seller_id or "",
        returnable_until=messages.day_if_any(made.returnable_until),
        occurred_at=messages.timestamp(recorded.occurred_at),
        recorded=messages.fact_ref(recorded.ref),
        back=_back(made, events),
    )


def _back(
    made: PurchaseRecorded, events: Iterable[RecordedEvent]
) -> Iterable[purchase_pb2.Purchase.Back]:
    quantities: dict[Code, int] = {}
    refunds: dict[Code, int] = {}
    for recorded in events:
        for back in _matched(recorded):
            if back.purchase == made.purchase:
                quantities[back.line_id] = quantities.get(back.line_id, 0) + back.quantity
                refunds[back.line_id] = refunds.get(back.line_id, 0) + back.refund.minor
    for bought in made.lines:
        if bought.line_id in quantities:
            yield purchase_pb2.Purchase.Back(
                line_id=bought.line_id,
                quantity=quantities[bought.line_id],
                refund=messages.money_sum(refunds[bought.line_id], bought.net.currency),
            )


def _matched(recorded: RecordedEvent) -> tuple[ReturnedLine, ...]:
    match recorded.event:
        case ReturnRecorded(matched=matched) | ReturnMatched(matched=matched):
            return matched
        case _:
            return ()


def line(value: Line) -> purchase_pb2.Line:
    """A line of a purchase."""
    return purchase_pb2.Line(
        line_id=value.line_id,
        sku=value.sku,
        quantity=value.quantity,
        net=messages.money(value.net),
        tax=messages.money_if_any(value.tax),
        category=value.category or "",
    )


def tender(value: Tender) -> purchase_pb2.Tender:
    """A part of the payment."""
    return purchase_pb2.Tender(
        kind=messages.number(purchase_pb2.TenderKind, value.kind),
        amount=messages.money(value.amount),
        points=value.points,
    )


def returned_line(value: ReturnedLine) -> purchase_pb2.ReturnedLine:
    """Pieces that came back and where they came from."""
    return purchase_pb2.ReturnedLine(
        purchase=messages.business_key(value.purchase),
        line_id=value.line_id,
        sku=value.sku,
        quantity=value.quantity,
        refund=messages.money(value.refund),
    )


def unmatched_line(value: UnmatchedLine) -> purchase_pb2.UnmatchedLine:
    """Pieces that came back from nobody knows where."""
    return purchase_pb2.UnmatchedLine(
        sku=value.sku,
        quantity=value.quantity,
        refund=messages.money(value.refund),
        purchase=messages.business_key_if_any(value.purchase),
        line_id=value.line_id or "",
    )


def waiting_return(client_id: ClientId, value: WaitingReturn) -> purchase_pb2.WaitingReturn:
    """A return some of whose pieces wait for their purchase."""
    return purchase_pb2.WaitingReturn(
        return_key=messages.business_key(value.return_key),
        client_id=client_id,
        occurred_at=messages.timestamp(value.occurred_at),
        local_date=messages.day(value.local_date),
        lines=map(unmatched_line, value.lines),
        recorded=messages.fact_ref(value.ref),
    )


def points_issued(identity: BusinessKey, events: Iterable[RecordedEvent]) -> int:
    """Points that a purchase earned, by the wallet's events."""
    return sum(
        recorded.event.points
        for recorded in events
        if isinstance(recorded.event, PointsIssued) and recorded.event.purchase == identity
    )


def recorded_return(
    outcome: common_pb2.Outcome,
    identity: BusinessKey,
    events: Iterable[RecordedEvent],
) -> purchase_pb2.RecordReturnResponse:
    """
    What a return came to.

    Args:
        outcome: Of the mutation.

        identity: Of the return.

        events: Those of its append, or the journals of client and wallet for a repeat; what other
            returns did is passed over.
    """
    response = purchase_pb2.RecordReturnResponse(outcome=outcome)
    deducted: Money | None = None
    for recorded in events:
        match recorded.event:
            case ReturnRecorded(return_key=key) as back if key == identity:
                response.matched.extend(map(returned_line, back.matched))
                response.unmatched.extend(map(unmatched_line, back.unmatched))
                response.refund.CopyFrom(messages.money(back.refund))
            case PointsRevoked(return_key=key) as revoked if key == identity:
                response.points_revoked += revoked.charged
                response.points_shortfall += revoked.shortfall
                if revoked.deducted is not None:
                    deducted = revoked.deducted if not deducted else deducted + revoked.deducted
            case PointsRestored(return_key=key) as restored if key == identity:
                response.points_restored += restored.points
            case _:
                pass
    if deducted is not None:
        response.deduction.CopyFrom(messages.money(deducted))
    return response
