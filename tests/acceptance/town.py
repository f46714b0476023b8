"""
A small shop for planted cases: two branches, three sellers and one client, Petra.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from clientela.domain.company import Company
from clientela.domain.facts import (
    BusinessKey,
    Direction,
    EndKind,
    Line,
    Purpose,
    Tender,
    TenderKind,
)
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import BusinessId, ClientId, Code, EmployeeId, UnitId, WalletId
from clientela.domain.interaction.conflict import RecordConflict, ResolveConflict
from clientela.domain.interaction.departure import RecordDeparture
from clientela.domain.interaction.recording import RecordInteraction
from clientela.domain.interaction.signals import RecordSignal
from clientela.domain.lifecycle.stages import SetStage
from clientela.domain.loyalty.card import CardId
from clientela.domain.loyalty.cards import BlockCard, IssueCard
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.money import Money
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.staff import RecordLeaving
from clientela.domain.organisation.units import RegisterUnit, UnitKind
from clientela.domain.ownership.claim import Approach
from clientela.domain.ownership.orphaning import OrphanClient
from clientela.domain.ownership.replacement import ReplaceOwner
from clientela.domain.personal import Personal, TokenVault
from clientela.domain.purchase.matching import Wanted
from clientela.domain.purchase.recording import RecordPurchase, RecordReturn
from clientela.domain.ruleset import Command
from clientela.domain.standard import standard_company


TEXT = Path(__file__).with_name("town.toml").read_text(encoding="utf-8")
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
PETRA = ClientId("petra")
WALLET = WalletId("petra")
CARD = CardId("c1")
SELLERS = {"marta": "north", "ivo": "north", "nora": "south"}


def empty_town() -> Company:
    """The shop before anything happened."""
    return standard_company(TEXT, vault=TokenVault(b"town"), now=BEGIN)


def town(*happened: tuple[int, Command], days: int) -> Company:
    """
    The shop some days later.

    Args:
        happened: Commands and the days after the begin on which they were given, in order.

        days: Up to which day time passes.
    """
    company = empty_town()
    for unit in dict.fromkeys(SELLERS.values()):
        company.run(RegisterUnit(unit_id=UnitId(unit), kind=UnitKind.BRANCH, label=Code(unit)))
    for name, unit in SELLERS.items():
        company.run(
            RegisterEmployee(
                employee_id=EmployeeId(name), unit_id=UnitId(unit), name=Personal(name)
            )
        )
    company.run(RegisterClient(client_id=PETRA))
    for day, command in happened:
        company.advance(BEGIN + timedelta(day))
        company.run(command)
    company.advance(BEGIN + timedelta(days))
    return company


def key(number: str) -> BusinessKey:
    """The identity of a purchase, return or spend."""
    return BusinessKey(Code("till"), BusinessId(number))


def buys(number: str, euros: int, points: int = 0) -> RecordPurchase:
    """Petra buys one thing, partly for points."""
    tenders = (
        Tender(kind=TenderKind.MONEY, amount=Money(euros * 100 - points, "EUR")),
        Tender(kind=TenderKind.POINTS, amount=Money(points, "EUR"), points=points),
    )
    line = Line(line_id=Code("1"), sku=Code(number), quantity=1, net=Money(euros * 100, "EUR"))
    return RecordPurchase(
        client_id=PETRA, purchase=key(number), lines=(line,), tenders=tenders if points else ()
    )


def returns(number: str) -> RecordReturn:
    """The thing of this purchase comes back."""
    wanted = Wanted(quantity=1, sku=Code(number))
    return RecordReturn(
        client_id=PETRA, return_key=key(f"back-{number}"), currency="EUR", lines=(wanted,)
    )


def spends(points: int, number: str, purchase: str | None = None) -> SpendPoints:
    """Petra pays with points."""
    paid_for = None if purchase is None else key(purchase)
    return SpendPoints(wallet_id=WALLET, spend=key(number), points=points, purchase=paid_for)


def approach(seller: str, *, with_offer: bool = True) -> Approach:
    """A seller calls Petra."""
    return Approach(
        client_id=PETRA,
        employee_id=EmployeeId(seller),
        channel=Code("phone"),
        with_offer=with_offer,
    )


def replace(seller: str, reason: str) -> ReplaceOwner:
    """Petra is given to another seller."""
    return ReplaceOwner(client_id=PETRA, employee_id=EmployeeId(seller), reason=Code(reason))


def leaves(seller: str, day: int) -> RecordLeaving:
    """A seller leaves the company."""
    return RecordLeaving(employee_id=EmployeeId(seller), left_at=BEGIN + timedelta(day))


def orphan(seller: str) -> OrphanClient:
    """Petra's owner was found to have left."""
    return OrphanClient(client_id=PETRA, employee_id=EmployeeId(seller))


def calls() -> RecordInteraction:
    """Petra calls the shop."""
    return RecordInteraction(
        client_id=PETRA,
        channel=Code("phone"),
        direction=Direction.INBOUND,
        purpose=Purpose.ENQUIRY,
        kind=Code("call"),
        employee_id=EmployeeId("marta"),
    )


def signal(name: str) -> RecordSignal:
    """Something about Petra became known."""
    return RecordSignal(client_id=PETRA, signal=Code(name))


def departs(cause: str) -> RecordDeparture:
    """Petra leaves."""
    return RecordDeparture(client_id=PETRA, causes=(Code(cause),), ended=EndKind.BY_CLIENT)


def quarrels(seller: str) -> RecordConflict:
    """Petra and a seller fall out."""
    return RecordConflict(client_id=PETRA, employee_id=EmployeeId(seller), cause=Code("error"))


def makes_up() -> ResolveConflict:
    """Petra is content with how it was handled."""
    return ResolveConflict(client_id=PETRA, handled_well=True)


def sets(stage: str) -> SetStage:
    """A person sets Petra's stage of care."""
    return SetStage(client_id=PETRA, model=Code("care"), stage=Code(stage), reason=Code("told-us"))


def issues_card() -> IssueCard:
    """Petra gets a card."""
    return IssueCard(wallet_id=WALLET, card_id=CARD, number=Personal("4000"))


def blocks_card() -> BlockCard:
    """Petra lost the card."""
    return BlockCard(wallet_id=WALLET, card_id=CARD, reason=Code("lost"))
