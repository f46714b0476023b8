"""
The rule set as a whole: what it keeps, what it asks again, what it hears.
"""

from __future__ import annotations

import json

from datetime import timedelta

from clientela.domain.backtest import Kind, backtest
from clientela.domain.codec import Codec
from clientela.domain.company import Company
from clientela.domain.context import Definitions
from clientela.domain.draft import seal, thaw
from clientela.domain.ids import ClientId, Code, wallet_journal
from clientela.domain.loyalty.adjustment import AdjustPoints
from clientela.domain.loyalty.card_rules import BlockCard, IssueCard, ReplaceCard, UnblockCard
from clientela.domain.loyalty.cards import CardId
from clientela.domain.loyalty.ledger import LOYALTY, asks
from clientela.domain.loyalty.membership import OpenWallet, WalletOpened
from clientela.domain.loyalty.programme import Award, Enrol, Programme, Rounding
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.personal import Personal
from tests.domain.loyalty.shop import (
    PETRA,
    WALLET,
    Shop,
    bought,
    key,
    line,
    matched,
    programme,
    returned,
)
from tests.domain.spec import AT, definitions


BLUE, GOLD = CardId("blue"), CardId("gold")
SETTINGS = programme(enrol=Enrol.ON_REQUEST, expires_after_months=1)


def full_life() -> Shop:
    """Everything that can happen to a wallet happens once."""
    shop = Shop(SETTINGS)
    shop.when(
        OpenWallet(client_id=PETRA),
        IssueCard(wallet_id=WALLET, card_id=BLUE, number=Personal("1111")),
        BlockCard(wallet_id=WALLET, card_id=BLUE, reason=Code("lost")),
        UnblockCard(wallet_id=WALLET, card_id=BLUE),
        ReplaceCard(
            wallet_id=WALLET,
            card_id=BLUE,
            new_card_id=GOLD,
            number=Personal("2222"),
            reason=Code("worn"),
        ),
        AdjustPoints(
            wallet_id=WALLET,
            adjustment=key("g1"),
            points=40,
            reason=Code("opening-balance"),
            priority=1,
            expires_on=AT.date() + timedelta(days=300),
        ),
        AdjustPoints(wallet_id=WALLET, adjustment=key("g2"), points=-5, reason=Code("correction")),
    )
    shop.advance(AT + timedelta(days=1))
    shop.when(
        SpendPoints(wallet_id=WALLET, spend=key("s1"), points=30, purchase=key(1), card_id=GOLD)
    )
    shop.write(bought(1, line("a", 900, 3), line("b", 1500), points=30, points_minor=300))
    shop.when(SpendPoints(wallet_id=WALLET, spend=key("s2"), points=25))
    shop.write(bought(2, line("a", 10)))
    shop.write(returned("r1", (1, "b", 1)))
    shop.write(matched("r2", (3, "a", 1)))
    shop.write(bought(3, line("a", 2000, 2)))
    shop.advance(AT + timedelta(days=60))
    return shop


def test_a_full_life_uses_every_event():
    """
    LOY-10: the history that the tests below run through holds every event but the derived enrolment.
    """
    used = {type(recorded.event).__name__ for recorded in full_life().journal}  # type: ignore[attr-defined]

    assert {cls.__name__ for cls in LOYALTY.events} - {"MemberEnrolled"} == used


def test_state_survives_a_snapshot():
    """
    LOY-10: a wallet written as plain data and read again is the same, and folds on.
    """
    shop = full_life()
    codec = Codec(shop.rulebook.event_classes)

    plain = json.loads(json.dumps(codec.plain(shop.wallet)))
    read = seal(codec.value(plain, Wallet))

    assert shop.wallet == read
    assert thaw(read) == thaw(shop.wallet)


def test_events_survive_being_written():
    """
    LOY-10: every event of the ledger written as plain data and read again is the same.
    """
    shop = full_life()
    codec = Codec(shop.rulebook.event_classes)

    for recorded in shop.events:
        name, payload = codec.encode(recorded.event)
        assert recorded.event == codec.decode(name, json.loads(json.dumps(payload)))


def test_every_decided_event_knows_its_command():
    """
    LOY-10: a backtest can ask again for everything that somebody asked for.
    """
    asked = [type(asks(e)).__name__ for e in full_life().journal if asks(e)]  # type: ignore[arg-type]

    assert {cls.__name__ for cls in LOYALTY.commands} == set(asked)
    walk_in = WalletOpened(wallet_id=WALLET, client_id=None)
    shop = full_life()
    recorded = type(shop.events[0])(
        **{
            **{name: getattr(shop.events[1], name) for name in _FIELDS},
            "event": walk_in,
        }
    )
    assert None is asks(recorded)


_FIELDS = (
    "event_id",
    "journal",
    "version",
    "occurred_at",
    "recorded_at",
    "actor",
    "on_behalf_of",
    "unit",
    "request",
    "append_id",
    "index",
    "count",
    "correlation_id",
    "causation_id",
    "rule",
    "definition",
    "because",
)


def _company(vault: object):
    def make(found: Definitions) -> Company:
        shop = Shop(SETTINGS)
        made = Company(
            shop.rulebook,
            definitions=found,
            staff=shop.roster,
            vault=vault,  # type: ignore[arg-type]
            forms=shop.forms,
            now=AT,
        )
        return made

    return make


def test_backtest_with_the_same_programme_is_empty():
    """
    LOY-10: run again under the programme that was in force, the ledger comes to the same events.
    """
    shop = full_life()

    assert () == backtest(
        shop.events, _company(shop.vault), shop.definitions, shop.definitions, until=shop.now
    )


def test_backtest_with_another_rate_shows_what_would_differ():
    """
    LOY-10: with two points a euro the points issued differ, and no payment is refused.
    """
    shop = full_life()
    richer = programme(
        enrol=Enrol.ON_REQUEST,
        expires_after_months=1,
        awards=(Award(points=2, per_minor=100, rounding=Rounding.LINE),),
    )

    found = backtest(
        shop.events, _company(shop.vault), shop.definitions, definitions(richer), until=shop.now
    )

    names = {difference.name for difference in found}
    assert "points-issued.v1" in names
    assert "wallet-opened.v1" not in names
    assert Kind.REFUSED not in {difference.kind for difference in found}


def test_backtest_with_points_worth_nothing_refuses_the_payments():
    """
    LOY-10: where points could not have been spent, every payment shows as refused, with its reason.
    """
    shop = full_life()
    stingy = programme(enrol=Enrol.ON_REQUEST, expires_after_months=1, spending=None)

    found = backtest(
        shop.events, _company(shop.vault), shop.definitions, definitions(stingy), until=shop.now
    )

    refused = {(d.name, d.reason) for d in found if d.kind is Kind.REFUSED}
    assert {("points-captured.v1", "PROGRAMME_INACTIVE")} == refused


def test_the_rule_set_says_what_it_is():
    """
    LOY-10: the ledger goes by version, keeps its section of the definitions, and is one rule set.
    """
    assert ("loyalty", Programme, Wallet) == (LOYALTY.name, LOYALTY.definition, LOYALTY.state)
    assert wallet_journal(WALLET).kind is Wallet.journal_kind
    assert ClientId("petra") == PETRA
