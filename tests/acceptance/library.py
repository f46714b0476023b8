"""
Shops run in process, by the library alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from clientela.domain.company import Company
from clientela.domain.context import Definitions
from clientela.domain.facts import BusinessKey, Line
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import BusinessId, ClientId, Code
from clientela.domain.money import Money
from clientela.domain.personal import TokenVault
from clientela.domain.purchase.recording import RecordPurchase
from clientela.domain.standard import PlainForms, standard_company, standard_rulebook
from tests.acceptance.cdnow import Sale


SHOP = Path(__file__).with_name("shop.toml").read_text(encoding="utf-8")


def noon(day: date) -> datetime:
    """Noon of *day*, UTC."""
    return datetime.combine(day, time(12), UTC)


def cdnow_shop(found: list[Sale], end: date, definitions: str = SHOP) -> Company:
    """The CD shop as it stands at the end of the day *end*."""
    company = standard_company(
        definitions, vault=TokenVault(b"acceptance"), now=datetime(1997, 1, 1, tzinfo=UTC)
    )
    known: set[str] = set()
    for sale in sorted(found, key=lambda sale: (sale.day, sale.row)):
        company.advance(noon(sale.day))
        client_id = ClientId(sale.customer)
        if sale.customer not in known:
            known.add(sale.customer)
            company.run(RegisterClient(client_id=client_id))
        line = Line(
            line_id=Code("1"), sku=Code("cd"), quantity=sale.pieces, net=Money(sale.cents, "USD")
        )
        company.run(
            RecordPurchase(
                client_id=client_id,
                purchase=BusinessKey(Code("cdnow"), BusinessId(str(sale.row))),
                lines=(line,),
                local_date=sale.day,
            )
        )
    company.advance(datetime.combine(end + timedelta(1), time(), UTC))
    return company


def empty_company() -> Callable[[Definitions], Company]:
    """Makes empty companies that run under given definitions."""
    rulebook = standard_rulebook()

    def made(definitions: Definitions) -> Company:
        return Company(
            rulebook,
            definitions=definitions,
            vault=TokenVault(b"acceptance"),
            forms=PlainForms(),
            now=datetime(1997, 1, 1, tzinfo=UTC),
        )

    return made
