"""
What a card shows.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

import attrs
import pytest

from hypothesis import given, settings

from clientela.domain.codec import Codec
from clientela.domain.company import Company
from clientela.domain.event import RecordedEvent
from clientela.domain.facts import PurchaseRecorded, ReturnRecorded
from clientela.domain.identity.details import ClientKind, Details, Standing
from clientela.domain.identity.profile import Profile
from clientela.domain.ids import (
    ClientId,
    Code,
    JournalId,
    JournalKind,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.insight.card import Card, evolve, key_of
from clientela.domain.insight.days import Days
from clientela.domain.insight.points import Points
from clientela.domain.insight.stays import Stay
from clientela.domain.insight.trade import Trade
from clientela.domain.lifecycle.stages import Lifecycle
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.organisation.staff import RecordLeaving
from clientela.domain.ownership.holding import Ownership
from clientela.domain.ownership.orphaning import OrphanClient
from clientela.domain.personal import Sealed
from tests.domain.insight.histories import (
    AT,
    CLIENTS,
    IVO,
    MARTA,
    NORTH,
    PETRA,
    approach,
    bring_back,
    buy,
    company,
    erase,
    key,
    leave,
    lived,
    meet,
    plans,
    register,
)


MARCH_2 = date(2026, 3, 2)
CLM = Code("clm")
EFREMOVA = Code("efremova")
SHOP = Code("shop")


@pytest.fixture
def shop():
    """The shop with Petra, a prospect."""
    made = company()
    made.run(register())
    return made


def day(number: int) -> datetime:
    """A morning, so many days after the first."""
    return AT + timedelta(days=number)


def card_of(shop: Company, client_id: ClientId = PETRA) -> Card:
    """The card folded from everything that happened in the shop."""
    card = None
    for recorded in shop.events:
        if key_of(recorded) == client_id:
            card = evolve(card, recorded)
    assert card is not None
    return card


def test_card_of_a_new_prospect_shows_who_it_is(shop):
    """
    REC-1: a card says who the client is, names sealed, and that nothing has happened yet.
    """
    card = card_of(shop)

    assert isinstance(card.name, Sealed)
    assert "Petra Novák" == shop.vault.open(card.name)
    assert [True, False] == [each.exclusive for each in card.identifiers.values()]
    assert (
        Card(
            client_id=PETRA,
            kind=ClientKind.PERSON,
            standing=Standing.PROSPECT,
            registered_at=AT,
            details=card.details,
            identifiers=card.identifiers,
            stays=card.stays,
        )
        == card
    )
    assert {
        CLM: Stay(Code("attraction"), AT),
        EFREMOVA: Stay(Code("potential"), AT),
        SHOP: Stay(Code("guest"), AT),
    } == card.stages


def test_card_sums_what_happened(shop):
    """
    REC-3, LOY-10: purchases, days, returns and points of a told history equal the sums done by
    hand.
    """
    shop.run(buy(PETRA, 1, 2050, day(0), quantity=2))
    shop.run(buy(PETRA, 2, 1000, day(0) + timedelta(hours=1)))
    shop.advance(day(3))
    shop.run(buy(PETRA, 3, 500, day(3), currency="USD"))
    shop.run(SpendPoints(wallet_id=WalletId(PETRA), spend=key("s"), points=25))
    shop.run(bring_back(PETRA, 1, 1, day(3), refund_minor=1025))
    shop.run(bring_back(PETRA, 2, 4, day(3), refund_minor=4000))

    card = card_of(shop)

    assert Standing.CLIENT == card.standing
    assert (
        Trade(
            purchases=3,
            pieces=4,
            revenue={"EUR": 3050, "USD": 500},
            returns=2,
            lines_matched=3,
            lines_unmatched=1,
            pieces_matched=3,
            pieces_unmatched=2,
            refunds={"EUR": 5025},
            refunds_unmatched={"EUR": 2000},
            waiting=1,
        )
        == card.trade
    )
    assert Days(count=2, first=MARCH_2, recent=(MARCH_2, date(2026, 3, 5))) == card.days
    assert date(2026, 3, 5) == card.days.last
    assert day(3) == card.last_purchase_at
    assert Points(issued=30, spent=25, revoked=30, outstanding=0, debt=25) == card.points


def test_points_that_had_paid_come_back_with_the_pieces(shop):
    """
    LOY-10: points spent on pieces that come back are restored; what was spent stays said.
    """
    shop.run(buy(PETRA, 1, 2000, day(0)))
    shop.run(SpendPoints(wallet_id=WalletId(PETRA), spend=key("s"), points=20, purchase=key(2)))
    shop.run(buy(PETRA, 2, 200, day(0), points=20, quantity=2))
    spent = card_of(shop).points

    shop.run(bring_back(PETRA, 1, 2, day(0), refund_minor=2100))

    assert Points(issued=20, spent=20) == spent
    assert Points(issued=20, spent=20, restored=10, revoked=20, debt=10) == card_of(shop).points


def test_points_of_a_card_expire_when_their_time_has_passed(shop):
    """
    LOY-10: points count as outstanding until they have expired, then as expired.
    """
    shop.run(buy(PETRA, 1, 2000, day(0)))

    assert Points(issued=20, outstanding=20) == card_of(shop).points
    shop.advance(day(100))
    assert Points(issued=20, expired=20) == card_of(shop).points


def test_matched_return_waits_no_longer(shop):
    """
    DEV-5: a return whose purchase becomes known later counts as unmatched until then; its refund
    is counted once.
    """
    shop.advance(day(3))
    shop.run(bring_back(PETRA, 1, 2, day(2), refund_minor=900))
    waiting = card_of(shop).trade

    shop.run(buy(PETRA, 1, 450, day(1)))
    half = card_of(shop).trade
    shop.run(buy(PETRA, 2, 450, day(1)))

    assert (1, 0, 2, {"EUR": 900}) == (
        waiting.waiting,
        waiting.pieces_matched,
        waiting.pieces_unmatched,
        waiting.refunds_unmatched,
    )
    assert (1, 1, 1, {"EUR": 450}) == (
        half.waiting,
        half.pieces_matched,
        half.pieces_unmatched,
        half.refunds_unmatched,
    )
    assert (
        Trade(
            purchases=2,
            pieces=2,
            revenue={"EUR": 900},
            returns=1,
            lines_unmatched=1,
            pieces_matched=2,
            refunds={"EUR": 900},
            refunds_unmatched={"EUR": 0},
        )
        == card_of(shop).trade
    )


def test_card_follows_the_owner(shop):
    """
    OWN-1, OWN-3: a card shows the owner and the unit, the one who left while the client is
    orphaned, the next one after that, and nobody when ownership has lapsed.
    """
    shop.run(approach(PETRA, MARTA))
    assert (MARTA, NORTH, False) == _owner(shop)

    shop.run(RecordLeaving(employee_id=MARTA, left_at=AT))
    shop.run(OrphanClient(client_id=PETRA, employee_id=MARTA))
    assert (MARTA, NORTH, True) == _owner(shop)

    shop.run(approach(PETRA, IVO))
    assert (IVO, NORTH, False) == _owner(shop)

    shop.advance(day(101))
    assert (None, None, False) == _owner(shop)


def _owner(shop: Company) -> tuple[object, object, bool]:
    card = card_of(shop)
    return card.owner_id, card.unit_id, card.is_orphaned


def test_last_contact_is_the_latest_by_its_own_time(shop):
    """
    REC-2: an approach or an interaction told late does not move the last contact back; a purchase
    is no contact.
    """
    shop.advance(day(9))
    shop.run(meet(PETRA, day(5)))
    shop.run(approach(PETRA, MARTA, day(3)))
    shop.run(buy(PETRA, 1, 100, day(8)))

    assert day(5) == card_of(shop).last_contact_at


def test_who_buys_again_has_not_left(shop):
    """
    LIFE-23, LIFE-27: a departure holds until the client buys again, in whatever order it is told.
    """
    shop.advance(day(9))
    shop.run(buy(PETRA, 1, 100, day(1)))
    shop.run(leave(PETRA, day(5)))
    assert card_of(shop).has_left

    shop.run(buy(PETRA, 2, 100, day(5)))
    assert card_of(shop).has_left

    shop.run(buy(PETRA, 3, 100, day(6)))
    assert not card_of(shop).has_left
    assert day(5) == card_of(shop).left_at


def test_corrected_stage_goes_back_to_an_earlier_stay(shop):
    """
    LIFE-1: a purchase told late shows that the client never grew cold; the card shows the stage it
    turned out to be in, since when it turned out to be so.
    """
    shop.advance(day(70))
    assert Stay(Code("cold"), day(60)) == card_of(shop).stages[SHOP]

    shop.run(buy(PETRA, 1, 100, day(50)))
    shop.run(buy(PETRA, 2, 100, day(55)))

    assert Stay(Code("regular"), day(55)) == card_of(shop).stages[SHOP]


def test_erased_card_keeps_ids_codes_and_sums(shop):
    """
    After erasure a card holds no sealed value, and everything else as it was.
    """
    shop.run(buy(PETRA, 1, 2000, day(0)))
    shop.run(approach(PETRA, MARTA))
    before = card_of(shop)

    shop.run(erase(PETRA))

    card = card_of(shop)
    assert attrs.evolve(before, details=Details(), identifiers={}, erased_at=AT) == card
    assert "Sealed" not in repr(card)
    assert None is card.name


def test_wallet_without_a_client_has_no_standing():
    """
    LOY-6: points of a wallet nobody registered a client for are summed and belong to no client.
    """
    assert None is Card(client_id=ClientId("bearer")).registered_at
    assert not Card(client_id=ClientId("bearer")).has_left


def test_only_clients_and_wallets_have_cards(shop):
    """
    An event of staff, units or definitions belongs to no card.
    """
    kinds = {recorded.journal.kind: key_of(recorded) for recorded in shop.events}

    assert {
        JournalKind.UNIT: None,
        JournalKind.EMPLOYEE: None,
        JournalKind.CLIENT: PETRA,
    } == kinds


def test_card_survives_storage(shop):
    """
    A card is the same after storing it as plain data.
    """
    shop.run(buy(PETRA, 1, 2000, day(0)))
    shop.run(bring_back(PETRA, 1, 3, day(0), refund_minor=3000))
    codec = Codec(shop.rulebook.event_classes)
    card = card_of(shop)

    assert card == codec.value(codec.plain(card), Card)


@settings(max_examples=60, deadline=None)
@given(plans)
def test_card_says_what_the_rule_sets_say(plan):
    """
    REC-1: whatever happens in whatever order it is told, a card shows the identity, owner, stages
    and points that the rule sets' own states show, and the trade that plain counting shows.
    """
    shop = lived(plan)
    for client_id in CLIENTS:
        card = card_of(shop, client_id)
        record = shop.record(client_journal(client_id), wallet_journal(WalletId(client_id)))
        profile, ownership = record.of(Profile), record.of(Ownership)
        assert (
            profile.kind,
            profile.standing,
            profile.details,
            dict(profile.identifiers),
            profile.erased is not None,
        ) == (
            card.kind,
            card.standing,
            card.details,
            card.identifiers,
            card.erased_at is not None,
        )
        assert (ownership.owner_id, ownership.unit_id, ownership.orphaned is not None) == (
            card.owner_id,
            card.unit_id,
            card.is_orphaned,
        )
        assert {
            model: Stay(stay.move.stage, stay.move.at)
            for model, stay in record.of(Lifecycle).stays.items()
        } == card.stages
        assert _points_of(record.of(Wallet)) == card.points
        assert _trade_in(shop.history(client_journal(client_id))) == _trade_of(card)


def _points_of(wallet: Wallet) -> Points:
    return Points(
        issued=wallet.issued,
        granted=wallet.granted,
        withdrawn=wallet.withdrawn,
        spent=wallet.captured,
        restored=wallet.restored,
        expired=wallet.expired,
        revoked=wallet.revoked + wallet.forgiven + wallet.deducted + wallet.debt_created,
        forgiven=wallet.forgiven,
        deducted=wallet.deducted,
        outstanding=sum(lot.remaining for lot in wallet.lots.values()),
        debt=wallet.debt,
    )


def _trade_in(history: tuple[RecordedEvent, ...]) -> tuple[object, ...]:
    """Purchases, pieces, days, revenue, returns, pieces back and refunds, counted plainly."""
    bought = [e.event for e in history if isinstance(e.event, PurchaseRecorded)]
    back = [e.event for e in history if isinstance(e.event, ReturnRecorded)]
    revenue: Counter[str] = Counter()
    refunds: Counter[str] = Counter()
    for purchase in bought:
        revenue[purchase.total.currency] += purchase.total.minor
    for returned in back:
        refunds[returned.refund.currency] += returned.refund.minor
    return (
        len(bought),
        sum(line.quantity for purchase in bought for line in purchase.lines),
        len({purchase.local_date for purchase in bought}),
        revenue,
        len(back),
        sum(line.quantity for each in back for line in each.matched)
        + sum(line.quantity for each in back for line in each.unmatched),
        refunds,
    )


def _trade_of(card: Card) -> tuple[object, ...]:
    trade = card.trade
    return (
        trade.purchases,
        trade.pieces,
        card.days.count,
        trade.revenue,
        trade.returns,
        trade.pieces_matched + trade.pieces_unmatched,
        trade.refunds,
    )


def test_journal_of_another_kind_with_the_same_id_has_no_card():
    """
    A unit that bears a client's id shares no card with it.
    """
    shop = company()
    recorded = shop.events[0]
    other = attrs.evolve(recorded, journal=JournalId(JournalKind.QUOTA, PETRA))

    assert None is key_of(other)
