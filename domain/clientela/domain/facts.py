"""
Facts that several rule sets react to: what happened between a client and the company.

A rule set may import this module and no other rule set.
"""

from __future__ import annotations

import enum

from datetime import date, datetime

import attrs

from clientela.domain.errors import InvalidValueError
from clientela.domain.event import Origin, Visibility, event
from clientela.domain.ids import (
    CODE_LENGTH_MAX,
    BusinessId,
    ClientId,
    Code,
    EmployeeId,
    UnitId,
    WalletId,
)
from clientela.domain.money import Money
from clientela.domain.personal import PersonalText


LINES_MAX = 500
"""Lines of one purchase or return."""

LINE_QUANTITY_MAX = 10**9


@attrs.frozen(order=True)
class BusinessKey:
    """
    Names for ever something that happened: the system it happened in and that system's id.

    Attributes:
        source: The system (till, shop, import) as a code without a colon.

        id: Its receipt number, call id or the like, 1 to 128 characters.

    Raises:
        InvalidValueError: one of them is empty, too long or malformed.
    """

    source: Code
    id: BusinessId

    def __attrs_post_init__(self) -> None:
        if not 1 <= len(self.source) <= CODE_LENGTH_MAX or ":" in self.source:
            raise InvalidValueError("source", f"1 to {CODE_LENGTH_MAX} characters, no colon")
        if not 1 <= len(self.id) <= CODE_LENGTH_MAX:
            raise InvalidValueError("id", f"1 to {CODE_LENGTH_MAX} characters")

    def __str__(self) -> str:
        return f"{self.source}:{self.id}"


@attrs.frozen(kw_only=True)
class Line:
    """
    One line of a purchase.

    Attributes:
        line_id: Unique within the purchase.

        sku: What was bought, in the catalogue of the company.

        quantity: Pieces, 1 or more.

        net: What the line cost after discounts, tax included, 0 or more.

        tax: Tax contained in *net*.

        category: Group of goods, for rules that differ by it.
    """

    line_id: Code
    sku: Code
    quantity: int
    net: Money
    tax: Money | None = None
    category: Code | None = None


class TenderKind(enum.Enum):
    """How a part of a purchase was paid."""

    MONEY = "money"
    POINTS = "points"
    STORED_VALUE = "stored-value"


@attrs.frozen(kw_only=True)
class Tender:
    """
    A part of the payment.

    Attributes:
        kind: What it was paid with.

        amount: Its worth in money; all tenders sum to the purchase's total.

        points: Points taken, for `POINTS` only.
    """

    kind: TenderKind
    amount: Money
    points: int = 0


@event("purchase-recorded", origin=Origin.RECORDED)
class PurchaseRecorded:
    """
    A client bought something (REC-3).

    Attributes:
        purchase: Its identity, once for ever.

        client_id: Who is credited.

        wallet_id: The wallet presented or the client's own.

        lines: What was bought, 1 to `LINES_MAX`.

        tenders: How it was paid.

        total: Sum of the lines.

        local_date: The branch's calendar day.

        unit_id: Where.

        seller_id: By whom.

        returnable_until: Last calendar day on which lines may come back; None without limit.
    """

    purchase: BusinessKey
    client_id: ClientId
    wallet_id: WalletId
    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...]
    total: Money
    local_date: date
    unit_id: UnitId | None = None
    seller_id: EmployeeId | None = None
    returnable_until: date | None = None


@attrs.frozen(kw_only=True)
class ReturnedLine:
    """
    Pieces that came back and the purchase line they came from.

    Attributes:
        purchase: The purchase they were bought in.

        line_id: The line of it.

        sku: What it is.

        quantity: Pieces, 1 to what is left of the line.

        refund: What was paid back for them.
    """

    purchase: BusinessKey
    line_id: Code
    sku: Code
    quantity: int
    refund: Money


@attrs.frozen(kw_only=True)
class UnmatchedLine:
    """
    Pieces that came back and for which no purchase is known.

    Attributes:
        sku: What it is.

        quantity: Pieces, 1 or more.

        refund: What was paid back for them; 0 if the caller did not tell.

        purchase: The purchase the caller named, if any.

        line_id: The line the caller named, if any.
    """

    sku: Code
    quantity: int
    refund: Money
    purchase: BusinessKey | None = None
    line_id: Code | None = None


@event("return-recorded", origin=Origin.RECORDED)
class ReturnRecorded:
    """
    A client brought something back.

    Attributes:
        return_key: Its identity, once for ever.

        client_id: Who is credited.

        wallet_id: The wallet named or the client's own; purchases credited to another
            one are forwarded to it.

        matched: Pieces whose purchase line is known.

        unmatched: Pieces whose purchase is not known (yet).

        refund: All that was paid back.

        local_date: The branch's calendar day.

        unit_id: Where.
    """

    return_key: BusinessKey
    client_id: ClientId
    wallet_id: WalletId
    matched: tuple[ReturnedLine, ...]
    unmatched: tuple[UnmatchedLine, ...]
    refund: Money
    local_date: date
    unit_id: UnitId | None = None


@event("return-forwarded", origin=Origin.RECORDED)
class ReturnForwarded:
    """
    Pieces came back of purchases that had been credited to another wallet than the return named.

    What that does to points is that wallet's to say, and asked of it by this event.

    Attributes:
        return_key: The return.

        wallet_id: The wallet the purchases were credited to.

        lines: The pieces, 1 or more.
    """

    return_key: BusinessKey
    wallet_id: WalletId
    lines: tuple[ReturnedLine, ...]


@event("return-matched", origin=Origin.DERIVED)
class ReturnMatched:
    """
    The purchase of pieces that had come back earlier became known.

    Attributes:
        return_key: The return that was waiting.

        matched: Pieces whose purchase line is now known.

        unmatched: Pieces of it that wait on.
    """

    return_key: BusinessKey
    matched: tuple[ReturnedLine, ...]
    unmatched: tuple[UnmatchedLine, ...] = ()


class Direction(enum.Enum):
    """Who began it."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Purpose(enum.Enum):
    """What a contact was for; only a sales approach is reserved to the owner (OWN-10)."""

    SALES = "sales"
    ENQUIRY = "enquiry"
    SERVICE = "service"
    BILLING = "billing"
    GREETING = "greeting"
    MARKETING = "marketing"
    FEEDBACK = "feedback"


@event("interaction-recorded", origin=Origin.RECORDED)
class InteractionRecorded:
    """
    A contact that was no sales approach of ours (REC-2, REC-4).

    Attributes:
        client_id: With whom.

        employee_id: By or with whom on our side; None for a system actor.

        channel: Touchpoint code (REC-13): phone, visit, site, e-mail ...

        direction: Who began it.

        purpose: What it was for.

        kind: Code of the company's own list: call, subscription, quote-request ...

        unit_id: The unit it belongs to.

        note: Free text, personal.

        interaction: Identity in the system it came from, if any.
    """

    client_id: ClientId
    channel: Code
    direction: Direction
    purpose: Purpose
    kind: Code
    employee_id: EmployeeId | None = None
    unit_id: UnitId | None = None
    note: PersonalText | None = None
    interaction: BusinessKey | None = None


@event("approach-made", origin=Origin.DECIDED)
class ApproachMade:
    """
    A seller approached the client on our side and was allowed to (OWN-1, OWN-2).

    Attributes:
        client_id: Whom.

        employee_id: The seller.

        unit_id: The seller's unit at that moment.

        channel: Touchpoint code.

        with_offer: Whether an offer was made; only that claims the client.

        offer: Code of what was offered.

        note: Free text, personal.
    """

    client_id: ClientId
    employee_id: EmployeeId
    unit_id: UnitId
    channel: Code
    with_offer: bool
    offer: Code | None = None
    note: PersonalText | None = None


@event("conflict-recorded", origin=Origin.RECORDED)
class ConflictRecorded:
    """
    The client and an employee fell out (OWN-4, LIFE-21).

    Attributes:
        client_id: The client.

        employee_id: The employee.

        cause: Code: habituation, error, alternative-offer, other.

        note: Free text, personal.
    """

    client_id: ClientId
    employee_id: EmployeeId
    cause: Code
    note: PersonalText | None = None


@event("conflict-resolved", origin=Origin.RECORDED)
class ConflictResolved:
    """
    A conflict ended (LIFE-21).

    Attributes:
        client_id: The client.

        handled_well: Whether the client was content with how it was handled.
    """

    client_id: ClientId
    handled_well: bool


class EndKind(enum.Enum):
    """Who ended a relationship (LIFE-24)."""

    BY_CLIENT = "by-client"
    BY_COMPANY = "by-company"
    BILATERAL = "bilateral"


@event("client-erased", origin=Origin.RECORDED, visibility=Visibility.COMPANY)
class ClientErased:
    """
    The client's personal values were destroyed at their request; the journal stays and still sums.

    Attributes:
        client_id: The client.

        act: Number of the act of erasure.
    """

    client_id: ClientId
    act: Code


@event("employee-left", origin=Origin.RECORDED)
class EmployeeLeft:
    """
    A member of staff left the company; their clients wait for a new owner (OWN-3).

    Attributes:
        employee_id: Who.

        unit_id: Where they worked last.

        left_at: First moment at which they no longer work here.
    """

    employee_id: EmployeeId
    unit_id: UnitId
    left_at: datetime


@event("client-left", origin=Origin.RECORDED)
class ClientLeft:
    """
    The relationship ended for a recorded cause (LIFE-23, LIFE-24).

    Attributes:
        client_id: The client.

        causes: One or more codes of the company's list.

        ended: Who ended it.
    """

    client_id: ClientId
    causes: tuple[Code, ...]
    ended: EndKind


@event("signal-recorded", origin=Origin.RECORDED)
class SignalRecorded:
    """
    A named fact about the client that rules may ask for (LIFE-17, LIFE-22, LIFE-28): subscribed,
    recommended-us, buys-only-here, trial-dissatisfied ...

    Attributes:
        client_id: The client.

        signal: Code of the company's list.

        holds: Whether it is so from now on, or no longer.
    """

    client_id: ClientId
    signal: Code
    holds: bool = True
