"""
The whole standard composition, run through itself: nothing differs.
"""

from __future__ import annotations

import contextlib

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import attrs

from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.domain.backtest import backtest
from clientela.domain.company import Company
from clientela.domain.context import Definitions
from clientela.domain.errors import DomainError
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import Code, WalletId
from clientela.domain.loyalty.adjustment import AdjustPoints
from clientela.domain.loyalty.card import CardId
from clientela.domain.loyalty.cards import BlockCard, IssueCard
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.organisation.hiring import RegisterEmployee
from clientela.domain.organisation.staff import RecordLeaving
from clientela.domain.organisation.units import RegisterUnit, UnitKind
from clientela.domain.personal import Personal, TokenVault
from clientela.domain.ruleset import Command
from clientela.domain.standard import PlainForms, definitions_from, standard_rulebook
from tests.domain.purchase.till import key
from tests.domain.spec import AT, CLERK, IVO, MARTA, NORA, NORTH, SOUTH
from tests.domain.test_backtest import CLIENTS, DAY, HOUR, clients, numbers
from tests.domain.test_backtest import commands as usual


BOOK = standard_rulebook()
SHOP = """
[ownership]
special_cases = ["moved"]
lapses_after_days = 25

[purchase]
returnable_days = 30

[loyalty]
currency = "EUR"
zone = "Europe/Berlin"
enrol = "on-first-purchase"
expires_after_months = 1
shortfall = "debt"

[[loyalty.awards]]
points = 1
per_minor = 50
rounding = "line"

[lifecycle]
presets = ["clm", "efremova"]

[[lifecycle.models]]
id = "ladder"
labels = { en = "Ladder" }
entry = "potential"

[[lifecycle.models.stages]]
id = "potential"
labels = { en = "Potential" }
exits = [{ to = "buyer", when = { purchases = { at_least = 1 } } }]

[[lifecycle.models.stages]]
id = "buyer"
labels = { en = "Buyer" }
exits = [
  { to = "regular", when = { in_stage = { purchases = { at_least = 2 } } } },
  { to = "former", when = { idle_for = { days = 9 } }, cause = "silence" },
]

[[lifecycle.models.stages]]
id = "regular"
labels = { en = "Regular" }
exits = [{ to = "former", when = { idle_for = { days = 12 } }, cause = "silence" }]

[[lifecycle.models.stages]]
id = "former"
labels = { en = "Former" }
end = true
exits = [{ to = "buyer", when = { in_stage = { purchases = { at_least = 1 } } } }]
"""
DEFINITIONS = definitions_from(SHOP, BOOK)


def firm(definitions: Definitions) -> Company:
    """An empty company."""
    return Company(
        BOOK, definitions=definitions, vault=TokenVault(b"firm"), forms=PlainForms(), now=AT
    )


BEGINNING: tuple[Command, ...] = (
    *(
        RegisterUnit(unit_id=unit, kind=UnitKind.BRANCH, label=Code(unit))
        for unit in (NORTH, SOUTH)
    ),
    *(
        RegisterEmployee(employee_id=seller, unit_id=unit, name=Personal(seller))
        for seller, unit in ((MARTA, NORTH), (IVO, NORTH), (NORA, SOUTH))
    ),
    *(RegisterClient(client_id=client) for client in CLIENTS),
)

wallets = st.builds(
    lambda client, number, points, which: (
        SpendPoints(wallet_id=WalletId(client), spend=key(f"s{client}{number}"), points=points + 1),
        AdjustPoints(
            wallet_id=WalletId(client),
            adjustment=key(f"a{client}{number}"),
            points=points - 4,
            reason=Code("goodwill"),
        ),
        IssueCard(
            wallet_id=WalletId(client),
            card_id=CardId(f"card-{number}"),
            number=Personal(f"4000 {client} {number}"),
        ),
        BlockCard(
            wallet_id=WalletId(client), card_id=CardId(f"card-{number}"), reason=Code("lost")
        ),
    )[which],
    clients,
    numbers,
    st.integers(0, 9),
    st.integers(0, 3),
)
leavings = st.sampled_from([MARTA, IVO, NORA]).map(
    lambda seller: RecordLeaving(employee_id=seller, left_at=AT + 30 * DAY)
)
steps = st.tuples(st.integers(0, 12), st.integers(0, 4), usual | wallets | leavings)


def lived(history: Sequence[tuple[int, int, Command]]) -> Company:
    """A company after some commands, each so many days after the last and known so many late."""
    company = firm(DEFINITIONS)
    for command in BEGINNING:
        company.run(command, CLERK)
    for wait, late, command in history:
        company.now += wait * DAY + HOUR
        made: Any = command
        with contextlib.suppress(DomainError):
            company.run(attrs.evolve(made, occurred_at=company.now - late * DAY), CLERK)
    return company


@given(st.lists(steps, max_size=20), st.integers(0, 99))
@settings(max_examples=60)
def test_unchanged_definitions_give_the_empty_difference(history, rest):
    """
    Clients, staff, owners, purchases, stages, points and cards of random histories, facts that
    become known late among them, come out the same when run once more.
    """
    company = lived(history)

    assert () == backtest(
        company.events, firm, DEFINITIONS, DEFINITIONS, until=company.now + rest * DAY
    )


@given(st.lists(steps, max_size=20))
@settings(max_examples=30)
def test_one_late_run_equals_many_punctual_ones(history):
    """
    Whether the clock of a year is moved at once or day by day, the same comes of it.
    """
    late, punctual = lived(history), lived(history)
    year = late.now + timedelta(days=365)

    late.advance(year)
    while punctual.now < year:
        punctual.advance(min(punctual.now + 3 * DAY, year))

    assert [(r.ref, r.event, r.occurred_at) for r in late.events] == [
        (r.ref, r.event, r.occurred_at) for r in punctual.events
    ]
