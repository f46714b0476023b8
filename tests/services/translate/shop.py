"""
A shop in memory with a short history, for what goes out over the wire.
"""

from datetime import UTC, date, datetime, timedelta

from clientela.domain.codec import Codec, canonical
from clientela.domain.company import Company
from clientela.domain.event import Actor, ActorKind, RecordedEvent
from clientela.domain.facts import BusinessKey, Line
from clientela.domain.identity.details import Details
from clientela.domain.identity.identifiers import NewIdentifier
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import (
    BusinessId,
    ClientId,
    Code,
    EmployeeId,
    PrincipalId,
    UnitId,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.loyalty.card import CardId
from clientela.domain.loyalty.cards import IssueCard
from clientela.domain.money import Money
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.units import RegisterUnit, UnitKind
from clientela.domain.ownership.claim import Approach
from clientela.domain.personal import Personal, TokenVault
from clientela.domain.purchase.matching import Wanted
from clientela.domain.purchase.recording import RecordPurchase, RecordReturn
from clientela.domain.standard import standard_company
from clientela.services.rows import StoredEvent
from clientela.services.translate.opening import Opening


AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OLGA = ClientId("olga")
MARTA = EmployeeId("marta")
NORTH = UnitId("north")
CLIENT = client_journal(OLGA)
WALLET = wallet_journal(WalletId(OLGA))
CLERK = Actor(ActorKind.EMPLOYEE, PrincipalId("clerk"))
CARD = CardId("first")
RECEIPT = BusinessKey(Code("till-7"), BusinessId("r-100"))
RETURN = BusinessKey(Code("till-7"), BusinessId("b-1"))
EARLY_RETURN = BusinessKey(Code("till-7"), BusinessId("b-0"))

DEFINITIONS = """
[purchase]
returnable_days = 30

[loyalty]
currency = "EUR"
zone = "Europe/Berlin"
enrol = "on-first-purchase"
awards = [{ points = 1, per_minor = 10, rounding = "line" }]
expires_after_months = 12
shortfall = "debt"
spending = { points = 1, worth_minor = 1 }
"""


def shop() -> Company:
    """
    Marta of the north claims Olga, who buys two teas and a pot, and brings one tea back.

    A cup that nobody knows of came back before.
    """
    company = standard_company(DEFINITIONS, vault=TokenVault(b"wire"), now=AT)
    company.run(RegisterUnit(unit_id=NORTH, kind=UnitKind.BRANCH, label=Code("north")), CLERK)
    company.run(
        RegisterEmployee(
            employee_id=MARTA,
            unit_id=NORTH,
            name=Personal("Marta Vogel"),
            roles=(Code("salesperson"), Code("analyst")),
        ),
        CLERK,
    )
    company.run(
        RegisterClient(
            client_id=OLGA,
            details=Details(name=Personal("Olga Petrova"), language=Code("ru")),
            identifiers=(NewIdentifier(kind=Code("phone"), text=Personal("+49 30 1234567")),),
            source=BusinessKey(Code("old-crm"), BusinessId("77")),
        ),
        CLERK,
    )
    company.advance(AT + timedelta(hours=1))
    company.run(
        Approach(
            client_id=OLGA,
            employee_id=MARTA,
            channel=Code("visit"),
            note=Personal("likes green tea"),
        ),
        CLERK,
    )
    _bring_back_a_cup(company)
    _buy(company)
    company.run(IssueCard(wallet_id=WalletId(OLGA), card_id=CARD, number=Personal("4711")), CLERK)
    company.advance(AT + timedelta(days=2))
    company.run(
        RecordReturn(
            client_id=OLGA,
            return_key=RETURN,
            currency="EUR",
            lines=(Wanted(quantity=1, sku=Code("tea")),),
        ),
        CLERK,
    )
    return company


def _bring_back_a_cup(company: Company) -> None:
    company.run(
        RecordReturn(
            client_id=OLGA,
            return_key=EARLY_RETURN,
            currency="EUR",
            lines=(Wanted(quantity=1, sku=Code("cup"), refund=Money(300, "EUR")),),
            local_date=date(2026, 3, 2),
        ),
        CLERK,
    )


def _buy(company: Company) -> None:
    company.advance(AT + timedelta(days=1))
    company.run(
        RecordPurchase(
            client_id=OLGA,
            purchase=RECEIPT,
            lines=(
                Line(
                    line_id=Code("1"),
                    sku=Code("tea"),
                    quantity=2,
                    net=Money(1200, "EUR"),
                    tax=Money(79, "EUR"),
                ),
                Line(line_id=Code("2"), sku=Code("pot"), quantity=1, net=Money(3000, "EUR")),
            ),
            local_date=date(2026, 3, 3),
            unit_id=NORTH,
            seller_id=MARTA,
        ),
        CLERK,
    )


def shown(company: Company) -> Opening:
    """For callers who may see personal values."""
    return Opening(vault=company.vault, shows=True)


def hidden(company: Company) -> Opening:
    """For callers who may not."""
    return Opening(vault=company.vault, shows=False)


def codec(company: Company) -> Codec:
    """Encodes what the shop recorded."""
    return Codec(company.rulebook.event_classes)


def stored(recorded: RecordedEvent, encoder: Codec) -> StoredEvent:
    """A row of an event, at position 7."""
    name, payload = encoder.encode(recorded.event)
    return StoredEvent(
        journal=recorded.journal,
        version=recorded.version,
        event_id=recorded.event_id,
        append_id=recorded.append_id,
        name=name,
        occurred_at=recorded.occurred_at,
        recorded_at=recorded.recorded_at,
        body=canonical({"envelope": encoder.envelope(recorded), "payload": payload}),
        hash="5e".zfill(64),
        position=7,
    )
