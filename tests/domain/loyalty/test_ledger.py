"""
The rule set as a whole: what it keeps, what it asks again, what it hears.
"""

from __future__ import annotations

import json

from collections.abc import Callable
from datetime import timedelta

import attrs

from clientela.domain.backtest import Kind, backtest
from clientela.domain.codec import Codec
from clientela.domain.company import Company
from clientela.domain.context import Definitions
from clientela.domain.draft import seal, thaw
from clientela.domain.event import RecordedEvent
from clientela.domain.facts import ClientErased, Line
from clientela.domain.ids import ClientId, Code, WalletId, wallet_journal
from clientela.domain.loyalty.adjustment import AdjustPoints
from clientela.domain.loyalty.card import CardId
from clientela.domain.loyalty.cards import BlockCard, IssueCard, ReplaceCard, UnblockCard
from clientela.domain.loyalty.ledger import LOYALTY, asks
from clientela.domain.loyalty.membership import OpenWallet, WalletOpened
from clientela.domain.loyalty.programme import Award, Enrol, Programme, Rounding
from clientela.domain.loyalty.returns import ReceiveReturn
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.personal import Personal
from clientela.domain.purchase.matching import Wanted
from clientela.domain.purchase.recording import PURCHASE, RecordPurchase, RecordReturn
from tests.domain.loyalty.shop import (
    PETRA,
    REGISTRAR,
    WALLET,
    Registered,
    Write,
    bought,
    follow_up,
    key,
    line,
    programme,
)
from tests.domain.spec import AT, Scenario, definitions


JOURNAL = wallet_journal(WALLET)
BLUE, GOLD = CardId("blue"), CardId("gold")
SETTINGS = programme(enrol=Enrol.ON_REQUEST, expires_after_months=1)


class Life(Scenario):
    """
    Petra's wallet, the real rules of purchases beside it.

    Args:
        settings: The programme.
    """

    def __init__(self, settings: Programme = SETTINGS) -> None:
        super().__init__(REGISTRAR, PURCHASE, LOYALTY, sections=[settings])

    @property
    def wallet(self) -> Wallet:
        """Petra's wallet now."""
        return self.record(JOURNAL).of(Wallet)

    @property
    def journal(self) -> tuple[RecordedEvent, ...]:
        """Its events."""
        return self.history(JOURNAL)


def buy(number: object, *lines: Line, points: int = 0) -> RecordPurchase:
    """Petra buys, a part of it for points."""
    paid = bought(number, *lines, points=points, points_minor=points * 10)
    return RecordPurchase(client_id=PETRA, purchase=key(number), lines=lines, tenders=paid.tenders)


def bring_back(
    number: object,
    purchase: object,
    line_id: str,
    quantity: int,
    wallet_id: WalletId | None = None,
) -> RecordReturn:
    """Petra brings something back."""
    wanted = Wanted(
        quantity=quantity, sku=Code("tea"), purchase=key(purchase), line_id=Code(line_id)
    )
    return RecordReturn(
        client_id=PETRA,
        return_key=key(number),
        currency="EUR",
        lines=(wanted,),
        wallet_id=wallet_id,
    )


def full_life() -> Life:
    """Everything that can happen to a wallet happens once."""
    life = Life()
    life.when(
        Write((Registered(client_id=PETRA),)),
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
    life.advance(AT + timedelta(days=1))
    life.when(
        SpendPoints(wallet_id=WALLET, spend=key("s1"), points=30, purchase=key(1), card_id=GOLD),
        buy(1, line("a", 900, 3), line("b", 1500), points=30),
        SpendPoints(wallet_id=WALLET, spend=key("s2"), points=25),
        buy(2, line("a", 10)),
        bring_back("r1", 1, "a", 3),
        SpendPoints(wallet_id=WALLET, spend=key("s3"), points=4),
        bring_back("r2", 1, "b", 1),
        SpendPoints(wallet_id=WALLET, spend=key("s4"), points=6),
        bring_back("r3", 3, "a", 1),
        buy(3, line("a", 2000, 2)),
        SpendPoints(wallet_id=WALLET, spend=key("s5"), points=10),
        bring_back("r4", 3, "a", 1),
        buy(4, line("a", 5000, 5)),
        bring_back("r5", 4, "a", 1, WalletId("another")),
    )
    follow_up(life)
    life.advance(AT + timedelta(days=60))
    life.when(Write((ClientErased(client_id=PETRA, act=Code("7")),)))
    return life


def test_a_full_life_uses_every_event():
    """
    LOY-10: the history that these tests run through holds every event but one.
    """
    used = {type(recorded.event).__name__ for recorded in full_life().journal}

    assert {cls.__name__ for cls in LOYALTY.events} - {"MemberEnrolled"} == used


def test_state_survives_a_snapshot():
    """
    LOY-10: a wallet written as plain data and read again is the same, and folds on.
    """
    life = full_life()
    codec = Codec(life.rulebook.event_classes)

    plain = json.loads(json.dumps(codec.plain(life.wallet)))
    read = seal(codec.value(plain, Wallet))

    assert life.wallet == read
    assert thaw(read) == thaw(life.wallet)


def test_events_survive_being_written():
    """
    LOY-10: every event of the ledger written as plain data and read again is the same.
    """
    life = full_life()
    codec = Codec(life.rulebook.event_classes)

    for recorded in life.events:
        name, payload = codec.encode(recorded.event)
        assert recorded.event == codec.decode(name, json.loads(json.dumps(payload)))


def test_folding_never_fails():
    """
    LOY-10: a recorded event is a fact; out of place it folds all the same, even into nothing.
    """
    life = full_life()

    for recorded in life.journal:
        alone = life.rulebook.fold(life.rulebook.empty(JOURNAL), (recorded,))
        assert recorded.version == alone.version


def test_every_decided_event_knows_its_command():
    """
    LOY-10: a backtest can ask again for everything that somebody asked for; a return that was
    forwarded is a fact and kept.
    """
    life = full_life()
    asked = {type(command).__name__ for e in life.journal if (command := asks(e)) is not None}

    assert {cls.__name__ for cls in LOYALTY.commands} - {ReceiveReturn.__name__} == asked
    of_nobody = WalletOpened(wallet_id=WALLET, client_id=None)
    assert None is asks(attrs.evolve(life.journal[0], event=of_nobody))


def company_of(life: Life) -> Callable[[Definitions], Company]:
    """Makes companies like that of *life*, with the same vault."""

    def make(found: Definitions) -> Company:
        made = Life()
        made.definitions, made.vault = found, life.vault
        return made

    return make


def test_backtest_with_the_same_programme_is_empty():
    """
    LOY-10: run again under the programme that was in force, the ledger comes to the same events.
    """
    life = full_life()

    assert () == backtest(
        life.events, company_of(life), life.definitions, life.definitions, until=life.now
    )


def test_backtest_with_another_rate_shows_what_would_differ():
    """
    LOY-10: with two points a euro the points issued differ, and no payment is refused.
    """
    life = full_life()
    richer = programme(
        enrol=Enrol.ON_REQUEST,
        expires_after_months=1,
        awards=(Award(points=2, per_minor=100, rounding=Rounding.LINE),),
    )

    found = backtest(
        life.events, company_of(life), life.definitions, definitions(richer), until=life.now
    )

    names = {difference.name for difference in found}
    assert "points-issued.v1" in names
    assert "wallet-opened.v1" not in names
    assert Kind.REFUSED not in {difference.kind for difference in found}


def test_backtest_with_points_worth_nothing_refuses_the_payments():
    """
    LOY-10: where points could not have been spent, every payment shows as refused, with its reason.
    """
    life = full_life()
    stingy = programme(enrol=Enrol.ON_REQUEST, expires_after_months=1, spending=None)

    found = backtest(
        life.events, company_of(life), life.definitions, definitions(stingy), until=life.now
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
