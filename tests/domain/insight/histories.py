"""
Histories of three clients of one shop, told by commands that any company can run.
"""

from __future__ import annotations

import contextlib

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from clientela.domain.company import Company
from clientela.domain.errors import DomainError
from clientela.domain.facts import (
    BusinessKey,
    Direction,
    EndKind,
    Line,
    Purpose,
    Tender,
    TenderKind,
)
from clientela.domain.identity.details import Details, Standing, UpdateClient
from clientela.domain.identity.identifiers import (
    PHONE,
    AddIdentifier,
    NewIdentifier,
    RemoveIdentifier,
)
from clientela.domain.identity.profile import EraseClient
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import BusinessId, ClientId, Code, EmployeeId, UnitId, WalletId
from clientela.domain.interaction.departure import RecordDeparture
from clientela.domain.interaction.recording import RecordInteraction
from clientela.domain.loyalty.adjustment import AdjustPoints
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


AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PETRA = ClientId("petra")
ANTON = ClientId("anton")
OLGA = ClientId("olga")
CLIENTS = (PETRA, ANTON, OLGA)
MARTA = EmployeeId("marta")
IVO = EmployeeId("ivo")
NORTH = UnitId("north")
TILL = Code("till")
TEA = Code("tea")
NAME = Code("name")
NAMES = ("Petra Novák", "Anton Weiß", "Olga Майская")
EUR = "EUR"

TEXT = """
[ownership]
special_cases = ["holiday"]
lapses_after_days = 100

[lifecycle]
presets = ["clm", "efremova"]

[[lifecycle.models]]
id = "shop"
entry = "guest"
labels = { en = "Shop" }
stages = [
  { id = "guest", labels = { en = "Guest" }, exits = [
    { to = "regular", when = { in_stage = { purchases = { at_least = 2 } } } },
    { to = "cold", when = { in_stage_for = { days = 60 } } },
  ] },
  { id = "cold", labels = { en = "Cold" }, exits = [
    { to = "regular", when = { in_stage = { spent = { at_least = "20.00 EUR" } } } },
  ] },
  { id = "regular", labels = { en = "Regular" }, exits = [
    { to = "gone", when = { idle_for = { days = 50 } }, cause = "silence" },
  ] },
  { id = "gone", labels = { en = "Gone" }, end = true, exits = [
    { to = "guest", when = { in_stage = { purchases = { at_least = 1 } } } },
  ] },
]

[loyalty]
currency = "EUR"
zone = "Europe/Berlin"
enrol = "on-first-purchase"
expires_after_months = 3
shortfall = "debt"
spending = { points = 10, worth_minor = 100 }

[[loyalty.awards]]
points = 1
per_minor = 100
rounding = "line"
"""

BEGIN: tuple[Command, ...] = (
    RegisterUnit(unit_id=NORTH, kind=UnitKind.BRANCH, label=Code("North")),
    RegisterEmployee(employee_id=MARTA, unit_id=NORTH, name=Personal("Marta")),
    RegisterEmployee(employee_id=IVO, unit_id=NORTH, name=Personal("Ivo")),
)
"""The shop and its two sellers."""


def company() -> Company:
    """The shop without clients."""
    shop = standard_company(TEXT, vault=TokenVault(b"shop"), now=AT)
    for command in BEGIN:
        shop.run(command)
    return shop


def key(number: object) -> BusinessKey:
    """An identity at the till."""
    return BusinessKey(TILL, BusinessId(str(number)))


def register(
    client_id: ClientId = PETRA, name: str = NAMES[0], *, standing: Standing = Standing.PROSPECT
) -> RegisterClient:
    """Petra, or another, with a phone of her own and the one of the house."""
    own = NewIdentifier(kind=PHONE, text=Personal(f"+1 {client_id}"))
    house = NewIdentifier(kind=PHONE, text=Personal("+1 house"), shared=True)
    return RegisterClient(
        client_id=client_id,
        standing=standing,
        details=Details(name=Personal(name), language=Code("en")),
        identifiers=(own, house),
    )


def buy(
    client_id: ClientId,
    number: object,
    minor: int,
    at: datetime,
    *,
    quantity: int = 1,
    currency: str = EUR,
    points: int = 0,
) -> RecordPurchase:
    """Tea on the day of *at*, partly paid in points."""
    lines = (
        Line(
            line_id=Code("1"),
            sku=TEA,
            quantity=quantity,
            net=Money(minor, currency),
        ),
    )
    worth = Money(points * 10, currency)
    tenders = (
        Tender(kind=TenderKind.POINTS, amount=worth, points=points),
        Tender(kind=TenderKind.MONEY, amount=Money(minor, currency) - worth),
    )
    return RecordPurchase(
        client_id=client_id,
        purchase=key(number),
        lines=lines,
        tenders=tenders if points else (),
        local_date=at.date(),
        occurred_at=at,
    )


def bring_back(
    client_id: ClientId, number: object, quantity: int, at: datetime, *, refund_minor: int
) -> RecordReturn:
    """Tea brought back on the day of *at*, from whatever purchase."""
    wanted = Wanted(quantity=quantity, sku=TEA, refund=Money(refund_minor, EUR))
    return RecordReturn(
        client_id=client_id,
        return_key=key(f"r{number}"),
        currency=EUR,
        lines=(wanted,),
        local_date=at.date(),
        occurred_at=at,
    )


def approach(client_id: ClientId, seller: EmployeeId, at: datetime | None = None) -> Approach:
    """An approach with an offer."""
    return Approach(client_id=client_id, employee_id=seller, channel=Code("phone"), occurred_at=at)


def meet(client_id: ClientId, at: datetime | None = None) -> RecordInteraction:
    """The client calls."""
    return RecordInteraction(
        client_id=client_id,
        channel=Code("phone"),
        direction=Direction.INBOUND,
        purpose=Purpose.ENQUIRY,
        kind=Code("call"),
        employee_id=IVO,
        occurred_at=at,
    )


def leave(client_id: ClientId, at: datetime | None = None) -> RecordDeparture:
    """The client leaves."""
    return RecordDeparture(
        client_id=client_id, causes=(Code("other"),), ended=EndKind.BY_CLIENT, occurred_at=at
    )


def erase(client_id: ClientId) -> EraseClient:
    """The client wants to be forgotten."""
    return EraseClient(client_id=client_id, act=Code("act-7"))


ACTIONS = (
    "buy",
    "buy",
    "buy",
    "return",
    "spend",
    "adjust",
    "approach",
    "replace",
    "leaver",
    "meet",
    "left",
    "rename",
    "phone",
    "unphone",
    "erase",
)

plans = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        st.sampled_from(range(len(CLIENTS))),
        st.integers(0, 3),
        st.sampled_from((0, 0, 0, 1, 7, 60)),
        st.sampled_from((0, 0, 1, 20, 70, 200)),
    ),
    min_size=8,
    max_size=30,
)
"""What happens: action, client, a number, days by which it is told late, days that pass before."""


def told(plan: Iterable[tuple[str, int, int, int, int]]) -> Iterator[tuple[datetime, Command]]:
    """The commands of a plan, each with the moment at which it is asked for."""
    now = AT
    for client_id, name in zip(CLIENTS, NAMES, strict=True):
        yield now, register(client_id, name)
    for step, (action, client, number, late, passing) in enumerate(plan):
        now += timedelta(days=passing, minutes=1)
        at = now - timedelta(days=late)
        for command in _commands(action, CLIENTS[client], step, number, now, at):
            yield now, command


def _commands(
    action: str, client_id: ClientId, step: int, number: int, now: datetime, at: datetime
) -> Iterator[Command]:
    wallet_id = WalletId(client_id)
    phone = Personal(f"+1 {number}")
    match action:
        case "buy":
            currency = "USD" if number == 3 else EUR
            yield buy(
                client_id, step, 300 + 1250 * number, at, quantity=number + 1, currency=currency
            )
        case "return":
            yield bring_back(client_id, step, number + 1, at, refund_minor=700 * number)
        case "spend":
            yield SpendPoints(wallet_id=wallet_id, spend=key(f"s{step}"), points=1 + 2 * number)
        case "adjust":
            yield AdjustPoints(
                wallet_id=wallet_id,
                adjustment=key(f"a{step}"),
                points=(30, -10, 7, -3)[number],
                reason=Code("goodwill"),
            )
        case "approach":
            yield approach(client_id, IVO if number else MARTA, at)
        case "replace":
            yield ReplaceOwner(client_id=client_id, employee_id=IVO, reason=Code("holiday"))
        case "leaver" if number == 0:
            yield RecordLeaving(employee_id=MARTA, left_at=now)
            for each in CLIENTS:
                yield OrphanClient(client_id=each, employee_id=MARTA)
        case "meet":
            yield meet(client_id, at)
        case "left":
            yield leave(client_id, at)
        case "rename":
            details = Details(name=Personal(NAMES[number % 3])) if number else Details()
            yield UpdateClient(client_id=client_id, details=details, fields=(NAME,))
        case "phone":
            wanted = NewIdentifier(kind=PHONE, text=phone, shared=number % 2 == 0)
            yield AddIdentifier(client_id=client_id, identifier=wanted)
        case "unphone":
            yield RemoveIdentifier(client_id=client_id, kind=PHONE, text=phone)
        case "erase" if number == 0:
            yield erase(client_id)
        case _:
            pass


def lived(plan: Iterable[tuple[str, int, int, int, int]]) -> Company:
    """The shop after a plan; what it refuses does not happen."""
    shop = company()
    for now, command in told(plan):
        shop.advance(now)
        with contextlib.suppress(DomainError):
            shop.run(command)
    shop.advance(shop.now)
    return shop
