"""
The Online Retail shop run in process, by the library alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from clientela.domain.company import Company
from clientela.domain.context import Definitions
from clientela.domain.facts import BusinessKey, Line
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import BusinessId, ClientId, Code, WalletId
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.money import Money
from clientela.domain.personal import TokenVault
from clientela.domain.purchase.matching import Wanted
from clientela.domain.purchase.recording import RecordPurchase, RecordReturn
from clientela.domain.standard import PlainForms, definitions_from, standard_rulebook
from tests.acceptance.online_retail import BEGIN, Row, Slip


SHOP = Path(__file__).with_name("online_retail_shop.toml").read_text(encoding="utf-8")
SOURCE = Code("uci")


def online_retail_shop(
    arrivals: Iterable[tuple[Slip, datetime]], spent: Mapping[str, int], end: datetime
) -> Company:
    """
    The shop as it stands at *end*; its clients are on record from the begin.

    Args:
        arrivals: Each slip, and when it becomes known.

        spent: Points that its client spends right after a purchase, by invoice.

        end: Up to when time passes.
    """
    company = made()(definitions())
    arrivals = tuple(arrivals)
    for customer in dict.fromkeys(slip.customer for slip, _ in arrivals):
        company.run(RegisterClient(client_id=ClientId(customer)))
    for slip, now in arrivals:
        company.advance(now)
        company.run(returned(slip) if slip.is_return else bought(slip))
        if slip.invoice in spent:
            wallet_id = WalletId(slip.customer)
            company.run(
                SpendPoints(wallet_id=wallet_id, spend=key(slip), points=spent[slip.invoice])
            )
    company.advance(end)
    return company


def key(slip: Slip) -> BusinessKey:
    """The identity of what an invoice tells."""
    return BusinessKey(SOURCE, BusinessId(slip.invoice))


def bought(slip: Slip) -> RecordPurchase:
    """A purchase, a line for each row."""
    return RecordPurchase(
        client_id=ClientId(slip.customer),
        purchase=key(slip),
        lines=tuple(_line(row) for row in slip.rows),
        local_date=slip.day,
        occurred_at=slip.at,
    )


def _line(row: Row) -> Line:
    return Line(
        line_id=Code(str(row.number)),
        sku=Code(row.code),
        quantity=row.pieces,
        net=Money(row.pence, "GBP"),
    )


def returned(slip: Slip) -> RecordReturn:
    """A return that names no purchase, a line for each row."""
    return RecordReturn(
        client_id=ClientId(slip.customer),
        return_key=key(slip),
        currency="GBP",
        lines=tuple(
            Wanted(quantity=row.pieces, refund=Money(row.pence, "GBP"), sku=Code(row.code))
            for row in slip.rows
        ),
        local_date=slip.day,
        occurred_at=slip.at,
    )


def definitions(text: str = SHOP) -> Definitions:
    """One version of definitions."""
    return definitions_from(text, standard_rulebook())


def made() -> Callable[[Definitions], Company]:
    """Makes empty companies that run under given definitions."""
    rulebook = standard_rulebook()

    def empty(under: Definitions) -> Company:
        return Company(
            rulebook,
            definitions=under,
            vault=TokenVault(b"acceptance"),
            forms=PlainForms(),
            now=BEGIN,
        )

    return empty
