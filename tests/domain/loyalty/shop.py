"""
A shop for tests of the loyalty rules: purchases and returns are simply written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import attrs

from clientela.domain.draft import State, state
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.facts import (
    BusinessKey,
    ClientErased,
    Line,
    PurchaseRecorded,
    ReturnedLine,
    ReturnMatched,
    ReturnRecorded,
    Tender,
    TenderKind,
)
from clientela.domain.ids import (
    BusinessId,
    ClientId,
    Code,
    EmployeeId,
    JournalKind,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.loyalty.ledger import LOYALTY
from clientela.domain.loyalty.programme import (
    Award,
    Enrol,
    Programme,
    Rounding,
    Shortfall,
    Spending,
)
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.money import Money
from clientela.domain.ruleset import RuleSet
from tests.domain.spec import Scenario


PETRA = ClientId("petra")
WALLET = WalletId("petra")
TILL = Code("till")
EUR = "EUR"


@event("test-client-registered", origin=Origin.RECORDED)
class Registered:
    client_id: ClientId


@state(JournalKind.CLIENT)
class Nothing(State):
    pass


@attrs.frozen
class Write:
    """A command that records facts as they are, for Petra and a wallet, mostly her own."""

    facts: tuple[object, ...]
    occurred_at: datetime | None = None
    wallet_id: WalletId = WALLET

    def journals(self):
        return (client_journal(PETRA), wallet_journal(self.wallet_id))


WRITER = RuleSet(
    name="writer",
    state=Nothing,
    commands=(Write,),
    events=(Registered, ClientErased, PurchaseRecorded, ReturnRecorded, ReturnMatched),
    decide=lambda _record, command, _context: tuple(
        PendingEvent(fact, rule="REC-3") for fact in command.facts
    ),
    evolve=lambda _draft, _recorded: None,
)


REGISTRAR = attrs.evolve(WRITER, name="registrar", events=(Registered, ClientErased))
"""Registers Petra beside the real rule set of purchases."""


class Nobody:
    """A directory of a company without owners."""

    def owned_by(self, employee_id: EmployeeId) -> Iterator[ClientId]:
        return iter(())


def follow_up(company: Scenario) -> int:
    """
    Carry out what all events so far ask of other journals, as if nothing of it had been yet.

    Returns:
        How many events that made.
    """
    before = len(company.events)
    for recorded in company.events[:before]:
        company.when(*company.rulebook.follow_ups(recorded, Nobody()))
    return len(company.events) - before


def programme(**changes: object) -> Programme:
    """One point for each euro, 12 months, debt; 10 points pay one euro."""
    settings: dict[str, object] = {
        "currency": Code(EUR),
        "zone": Code("Europe/Berlin"),
        "enrol": Enrol.ON_FIRST_PURCHASE,
        "awards": (Award(points=1, per_minor=100, rounding=Rounding.LINE),),
        "expires_after_months": 12,
        "shortfall": Shortfall.DEBT,
        "spending": Spending(points=10, worth_minor=100),
    }
    return Programme(**{**settings, **changes})  # type: ignore[arg-type]


def key(number: object) -> BusinessKey:
    """Identity of whatever the till calls *number*."""
    return BusinessKey(TILL, BusinessId(str(number)))


def line(
    line_id: str, minor: int, quantity: int = 1, *, sku: str = "tea", category: str | None = None
) -> Line:
    """A line that costs *minor* cents."""
    return Line(
        line_id=Code(line_id),
        sku=Code(sku),
        quantity=quantity,
        net=Money(minor, EUR),
        category=None if category is None else Code(category),
    )


def bought(
    number: object, *lines: Line, points: int = 0, points_minor: int = 0, voucher_minor: int = 0
) -> PurchaseRecorded:
    """A purchase of Petra, paid in money but for the parts named."""
    total = Money(sum(item.net.minor for item in lines), lines[0].net.currency)
    money = total.minor - points_minor - voucher_minor
    tenders = [Tender(kind=TenderKind.MONEY, amount=Money(money, total.currency))]
    if points:
        amount = Money(points_minor, total.currency)
        tenders.append(Tender(kind=TenderKind.POINTS, amount=amount, points=points))
    if voucher_minor:
        amount = Money(voucher_minor, total.currency)
        tenders.append(Tender(kind=TenderKind.STORED_VALUE, amount=amount))
    return PurchaseRecorded(
        purchase=key(number),
        client_id=PETRA,
        wallet_id=WALLET,
        lines=lines,
        tenders=tuple(tenders),
        total=total,
        local_date=datetime(2026, 3, 2).date(),  # noqa: DTZ001 (only the day is wanted)
    )


Piece = tuple[object, str, int]
"""Number of the purchase, line, pieces."""


def pieces(wanted: Iterable[Piece]) -> tuple[ReturnedLine, ...]:
    """Pieces whose purchase is known."""
    return tuple(
        ReturnedLine(
            purchase=key(number),
            line_id=Code(line_id),
            sku=Code("tea"),
            quantity=quantity,
            refund=Money(0, EUR),
        )
        for number, line_id, quantity in wanted
    )


def returned(number: object, *wanted: Piece) -> ReturnRecorded:
    """A return of Petra whose purchases are known."""
    return ReturnRecorded(
        return_key=key(number),
        client_id=PETRA,
        wallet_id=WALLET,
        matched=pieces(wanted),
        unmatched=(),
        refund=Money(0, EUR),
        local_date=datetime(2026, 3, 2).date(),  # noqa: DTZ001 (only the day is wanted)
    )


def matched(number: object, *wanted: Piece) -> ReturnMatched:
    """A return of Petra whose purchase has become known."""
    return ReturnMatched(return_key=key(number), matched=pieces(wanted))


class Shop(Scenario):
    """
    A company with the loyalty rules and a client Petra.

    Args:
        settings: Its programme.
    """

    def __init__(self, settings: Programme | None = None) -> None:
        super().__init__(WRITER, LOYALTY, sections=[settings or programme()])
        self.when(Write((Registered(client_id=PETRA),)))

    def write(self, *facts: object, at: datetime | None = None) -> tuple[object, ...]:
        """Record facts; the events of the wallet that follow from them."""
        events = self.when(Write(facts, at))
        return tuple(e for e in events if not isinstance(e, _FACTS))

    @property
    def wallet(self) -> Wallet:
        """Petra's wallet now."""
        return self.record(wallet_journal(WALLET)).of(Wallet)

    @property
    def journal(self) -> Sequence[object]:
        """Events of Petra's wallet, with their envelopes."""
        return self.history(wallet_journal(WALLET))


_FACTS = (Registered, ClientErased, PurchaseRecorded, ReturnRecorded, ReturnMatched)
