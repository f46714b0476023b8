"""
The standard composition, where rule sets meet.
"""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from clientela.domain.definitions.problems import DefinitionsError
from clientela.domain.draft import State, state
from clientela.domain.errors import UnknownError
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.facts import PurchaseRecorded
from clientela.domain.identity.registration import RegisterClient
from clientela.domain.ids import Code, JournalKind, Ref, WalletId, client_journal, wallet_journal
from clientela.domain.lifecycle.explanation import explain
from clientela.domain.lifecycle.model import LifecycleDefinition
from clientela.domain.loyalty.balance import Balance, balance
from clientela.domain.loyalty.ledger import LOYALTY
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.personal import TokenVault
from clientela.domain.ruleset import RuleSet
from clientela.domain.run import RulebookError
from clientela.domain.standard import standard_company
from tests.domain.purchase.till import PETRA, TEA, back, bought, line, wanted
from tests.domain.spec import AT


EFREMOVA = Code("efremova")
RULES = """
[loyalty]
currency = "EUR"
enrol = "on-first-purchase"
never_expires = true
shortfall = "debt"
awards = [{ points = 1, per_minor = 100, rounding = "line" }]

[lifecycle]
presets = ["efremova"]
"""


@pytest.fixture
def company():
    """A company with one client, a day after the beginning."""
    made = standard_company(RULES, vault=TokenVault(b"standard"), now=AT)
    made.run(RegisterClient(client_id=PETRA))
    made.advance(AT + timedelta(days=1))
    return made


def test_a_first_purchase_known_after_its_return_keeps_no_points(company):
    """
    LOY-10, DEV-5: the purchase opens the wallet, and the return that waited for it takes back what
    it earned, although there was no wallet when the return came.
    """
    company.run(back("r1", wanted(1, TEA)))
    company.run(bought(1, line("a", TEA, 2, 1000)))

    wallet = company.record(wallet_journal(WalletId(PETRA))).of(Wallet)
    assert Balance(available=5, held=0, debt=0) == balance(wallet, company.now)
    assert (10, 5) == (wallet.issued, wallet.revoked)


def test_of_two_purchases_of_one_moment_neither_explains_a_stage_alone(company):
    """
    LIFE-12: a stage that either of two purchases would have led to needs neither of them.
    """
    company.run(bought(1, line("a", TEA, 1, 1000)))
    once = explain(company.record(client_journal(PETRA)), EFREMOVA, company.definitions, AT)
    company.run(bought(2, line("a", TEA, 1, 1000)))
    twice = explain(company.record(client_journal(PETRA)), EFREMOVA, company.definitions, AT)

    assert ("buyer", "buyer") == (once.stage, twice.stage)
    assert (1, 0) == (len(once.facts), len(twice.facts))


def test_a_company_takes_definitions_that_are_loaded(company):
    """
    A company can be made under the definitions of another one.
    """
    other = standard_company(company.definitions, vault=TokenVault(b"other"), now=AT)

    version = other.definitions.at(AT)
    assert ["efremova"] == [model.id for model in version.of(LifecycleDefinition).models]


def test_a_company_finds_the_event_of_a_reference(company):
    """
    A reference resolves to its event; one that points at nothing is refused.
    """
    journal = client_journal(PETRA)

    assert "client-registered" == company.recorded(Ref(journal, 1)).type.name
    for version in (0, 100):
        with pytest.raises(UnknownError):
            company.recorded(Ref(journal, version))


def bells(count):
    """A rule set of one's own that counts purchases, and is set how often to ring."""

    @attrs.frozen(kw_only=True)
    class Bell:
        rings: int = attrs.field(default=1, validator=attrs.validators.ge(1))

    @event("test-bell-rung", origin=Origin.DERIVED)
    class Rung:
        rings: int

    @state(JournalKind.CLIENT)
    class Heard(State):
        count: int = 0

    def evolve(draft, recorded):
        draft.count += isinstance(recorded.event, Rung)

    def react(_record, recorded, context):
        if isinstance(recorded.event, PurchaseRecorded):
            rings = context.definitions.at(recorded.occurred_at).of(Bell).rings
            yield PendingEvent(Rung(rings=rings), rule="BELL-1", because=(recorded.ref,))

    return RuleSet(
        name=f"bell{count}",
        state=Heard,
        events=(Rung,),
        hears=(PurchaseRecorded,),
        evolve=evolve,
        react=react,
        definition=Bell,
    )


def test_a_company_runs_rule_sets_of_its_own():
    """
    A rule set handed over reacts after the others, and its section is one of the definitions.
    """
    company = standard_company(
        "[bell1]\nrings = 3", vault=TokenVault(b"own"), now=AT, more=[bells(1)]
    )
    company.run(RegisterClient(client_id=PETRA))
    decided = company.run(bought(1, line("a", TEA, 1, 1000)))

    rung = decided.events[-1]
    assert ("test-bell-rung", 3, "BELL-1") == (rung.type.name, rung.event.rings, rung.rule)
    assert (decided.events[0].ref,) == rung.because


def test_sections_of_other_companies_are_unknown():
    """
    Without the rule set its section is refused like any other that nobody knows.
    """
    with pytest.raises(DefinitionsError, match="bell1: unknown section"):
        standard_company("[bell1]\nrings = 3", vault=TokenVault(b"own"), now=AT)


def test_rule_sets_of_one_name_do_not_go_together():
    """
    A rule set cannot stand in for another, nor come twice.
    """
    for more in ([bells(1), bells(1)], [LOYALTY]):
        with pytest.raises(RulebookError):
            standard_company("", vault=TokenVault(b"own"), now=AT, more=more)
