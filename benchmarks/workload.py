"""
The company that is measured: its rules, its clients' histories and the commands that come in.

A client's history is made once by the library and copied for every other client, with their ids
in the place of its own: thousands of clients take seconds, and each is as the rules made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import attrs

from clientela.domain.company import Company
from clientela.domain.context import Context
from clientela.domain.event import SYSTEM, Actor
from clientela.domain.facts import BusinessKey, Direction, Line, Purpose
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import (
    BusinessId,
    ClientId,
    Code,
    EmployeeId,
    UnitId,
    WalletId,
    client_journal,
)
from clientela.domain.interaction.recording import RecordInteraction
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.money import Money
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.units import RegisterUnit, UnitKind
from clientela.domain.ownership.claim import Approach
from clientela.domain.personal import Personal, TokenVault
from clientela.domain.purchase.recording import RecordPurchase
from clientela.domain.ruleset import Command
from clientela.domain.standard import PlainForms, definitions_from, standard_rulebook


RULES = """
lifecycle.presets = ["clm", "efremova"]

[purchase]
returnable_days = 30

[loyalty]
currency = "EUR"
enrol = "on-first-purchase"
expires_after_months = 12
shortfall = "debt"
spending = { points = 1, worth_minor = 1 }
awards = [{ points = 1, per_minor = 100, rounding = "line" }]
"""
"""Two lifecycle models and a points programme: what a shop of some size has in force."""

UNIT = UnitId("north")
SELLER = EmployeeId("marta")
PACE = timedelta(hours=12)
"""Between two things that happen to one client."""

TEMPLATE = "c-0000000"
"""Id of the client whose history is copied."""

CLIENTS_MAX = 10_000_000
"""Clients that ids of this length can tell apart."""


def client_name(number: int) -> ClientId:
    """Id of one of the clients, all of the same length."""
    assert 0 <= number < CLIENTS_MAX - 1
    return ClientId(f"c-{number + 1:07d}")


def founding() -> Iterator[Command]:
    """What every company of a benchmark begins with."""
    yield RegisterUnit(unit_id=UNIT, kind=UnitKind.BRANCH, label=Code("north"))
    yield RegisterEmployee(employee_id=SELLER, unit_id=UNIT, name=Personal("Marta"))


def purchase(client_id: ClientId, receipt: str, lines: int = 1) -> RecordPurchase:
    """A receipt of some lines."""
    return RecordPurchase(
        client_id=client_id,
        purchase=BusinessKey(Code("till"), BusinessId(receipt)),
        lines=tuple(
            Line(
                line_id=Code(str(number)),
                sku=Code(f"article-{number}"),
                quantity=1,
                net=Money(19_90 + number, "EUR"),
            )
            for number in range(lines)
        ),
    )


def interaction(client_id: ClientId) -> RecordInteraction:
    """The client calls."""
    return RecordInteraction(
        client_id=client_id,
        channel=Code("phone"),
        direction=Direction.INBOUND,
        purpose=Purpose.SERVICE,
        kind=Code("call"),
        employee_id=SELLER,
    )


def approach(client_id: ClientId) -> Approach:
    """The owner calls on the client."""
    return Approach(client_id=client_id, employee_id=SELLER, channel=Code("phone"))


def spending(client_id: ClientId, receipt: str) -> SpendPoints:
    """The client pays with a point."""
    return SpendPoints(
        wallet_id=WalletId(client_id),
        spend=BusinessKey(Code("till"), BusinessId(receipt)),
        points=1,
    )


class Template(Company):
    """
    A company in memory with one client, whose ids are told apart from every copy's.

    Args:
        now: Where its clock stands at first.
    """

    def __init__(self, now: datetime) -> None:
        rulebook = standard_rulebook()
        super().__init__(
            rulebook,
            definitions=definitions_from(RULES, rulebook),
            vault=TokenVault(b"benchmark"),
            forms=PlainForms(),
            now=now,
        )
        self._made = 0

    def context(self, actor: Actor = SYSTEM) -> Context:
        """The context of a command, with ids that bear the template's name."""
        return attrs.evolve(super().context(actor), new_id=self._named)

    def _named(self) -> str:
        self._made += 1
        return f"{TEMPLATE}-{self._made:06d}"


def lived(events: int) -> Template:
    """
    A company whose one client, `TEMPLATE`, has a history that ends now.

    Args:
        events: In the client's own journal; it may have one or two more.
    """
    now = datetime.now(UTC)
    steps = _lived(events, now, events)[1]
    return _lived(events, now - PACE * steps, steps)[0]


def _lived(events: int, begin: datetime, steps_max: int) -> tuple[Template, int]:
    """A company with a history from *begin* on, and the number of steps that were made."""
    company, client_id = Template(begin), ClientId(TEMPLATE)
    for command in (*founding(), RegisterClient(client_id=client_id)):
        company.run(command)
    for step in range(steps_max):
        if len(company.history(client_journal(client_id))) >= events:
            return company, step
        company.advance(company.now + PACE)
        company.run(_turn(client_id, step))
    return company, steps_max


def _turn(client_id: ClientId, step: int) -> Command:
    """What happens next: a purchase, a call, a visit, and again."""
    turns = (
        lambda: purchase(client_id, f"{TEMPLATE}-{step}"),
        lambda: interaction(client_id),
        lambda: approach(client_id),
    )
    return turns[step % len(turns)]()
