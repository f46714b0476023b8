"""
Purchases and returns of one client, short to write down.
"""

from __future__ import annotations

from datetime import timedelta

from clientela.domain.facts import BusinessKey, Line
from clientela.domain.ids import BusinessId, ClientId, Code, client_journal
from clientela.domain.money import Money
from clientela.domain.purchase.matching import Wanted
from clientela.domain.purchase.policy import PurchasePolicy
from clientela.domain.purchase.purchases import Purchases
from clientela.domain.purchase.recording import PURCHASE, RecordPurchase, RecordReturn
from tests.domain.register import REGISTER, Register
from tests.domain.spec import AT, Scenario


PETRA = ClientId("petra")
OLGA = ClientId("olga")
TEA = Code("tea")
CUP = Code("cup")
DAY = timedelta(days=1)


def key(number: object) -> BusinessKey:
    """Identity of a purchase or return."""
    return BusinessKey(Code("till-1"), BusinessId(str(number)))


def eur(minor: int) -> Money:
    """An amount in euro cents."""
    return Money(minor, "EUR")


def line(line_id: str, sku: Code, quantity: int, net: int) -> Line:
    """A line of a purchase."""
    return Line(line_id=Code(line_id), sku=sku, quantity=quantity, net=eur(net))


def bought(number: object, *lines: Line, day: int = 0, client: ClientId = PETRA) -> RecordPurchase:
    """A purchase made some days after the beginning."""
    return RecordPurchase(
        client_id=client, purchase=key(number), lines=lines, occurred_at=AT + day * DAY
    )


def back(number: object, *lines: Wanted, day: int = 0, client: ClientId = PETRA) -> RecordReturn:
    """A return made some days after the beginning."""
    return RecordReturn(
        client_id=client,
        return_key=key(number),
        currency="EUR",
        lines=lines,
        occurred_at=AT + day * DAY,
    )


def wanted(
    quantity: int,
    sku: Code | None = None,
    refund: int | None = None,
    purchase: object = None,
    line_id: str | None = None,
) -> Wanted:
    """Pieces that come back."""
    return Wanted(
        quantity=quantity,
        refund=None if refund is None else eur(refund),
        sku=sku,
        purchase=None if purchase is None else key(purchase),
        line_id=None if line_id is None else Code(line_id),
    )


def shop(**policy: int | None) -> Scenario:
    """A company with two registered clients, whose clock stands long after every purchase."""
    company = Scenario(REGISTER, PURCHASE, sections=[PurchasePolicy(**policy)])
    company.when(Register(client_id=PETRA), Register(client_id=OLGA))
    return company.at(AT + 1000 * DAY)


def open_of(company: Scenario, client: ClientId = PETRA) -> Purchases:
    """What is open between client and tills."""
    return company.record(client_journal(client)).of(Purchases)


def came_from(event) -> list[tuple[str, str, int, int]]:
    """Purchase, line, pieces and refund of each matched line."""
    return [
        (back.purchase.id, back.line_id, back.quantity, back.refund.minor) for back in event.matched
    ]


def without_purchase(event) -> list[tuple[str, int, int]]:
    """Article, pieces and refund of each line without purchase."""
    return [(rest.sku, rest.quantity, rest.refund.minor) for rest in event.unmatched]
