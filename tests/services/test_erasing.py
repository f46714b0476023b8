"""
Erasing a client, through the command path: what ends, what stays, what is left of it.
"""

from __future__ import annotations

import pytest

from clientela.domain.event import Key
from clientela.domain.facts import ClientErased
from clientela.domain.fingerprint import NOTHING, MismatchError
from clientela.domain.identity.identifiers import PHONE
from clientela.domain.identity.profile import Profile
from clientela.domain.ids import Code, WalletId, client_journal, wallet_journal
from clientela.domain.loyalty.balance import balance
from clientela.domain.loyalty.card import CardId, CardsClosed
from clientela.domain.loyalty.cards import CARD_SCOPE, IssueCard
from clientela.domain.loyalty.refusals import CardClosedError
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.personal import Personal
from clientela.services.calls import Call
from clientela.services.cards import CARDS, TOTALS
from clientela.services.rows import Wanted
from tests.domain.insight.histories import ANTON, AT, PETRA, buy, erase, key, register
from tests.services.office import Office


WALLET = WalletId(PETRA)
BLUE = CardId("blue")
NUMBER = "2900 0000 1234"
JOURNALS = (client_journal(PETRA), wallet_journal(WALLET))


@pytest.fixture
async def office():
    """Petra has bought, has points and a card."""
    office = await Office().open()
    issue = IssueCard(wallet_id=WALLET, card_id=BLUE, number=Personal(NUMBER))
    await office.path.execute(register(PETRA), Call(request_id="registration"))
    await office.run(register(ANTON), buy(PETRA, 1, 20_00, AT), issue)
    return office


def card_key(office: Office) -> Key:
    """Key of the number of Petra's card."""
    return office.naming.key(CARD_SCOPE, office.forms.normal(CARD_SCOPE, NUMBER))


def phone_key(office: Office, client_id: str) -> Key:
    """Key of the phone of Petra or Anton."""
    return office.naming.key(PHONE, office.forms.normal(PHONE, f"+1 {client_id}"))


def pay(card_id: CardId | None) -> SpendPoints:
    """Somebody pays with Petra's points."""
    return SpendPoints(wallet_id=WALLET, spend=key("s"), points=10, card_id=card_id)


async def test_cards_end_with_their_client(office):
    """
    LOY-5: erasing a client closes the cards of the client's own wallet in the same append and gives
    their numbers back.
    """
    assert None is not await office.store.holder(card_key(office))

    done = await office.run(erase(PETRA))

    assert [ClientErased, CardsClosed] == [recorded.event_class for recorded in done.events]
    assert CardsClosed(card_ids=(BLUE,)) == done.events[1].event
    assert None is await office.store.holder(card_key(office))
    with pytest.raises(CardClosedError):
        await office.run(pay(BLUE))


async def test_wallet_and_points_stay_and_sum(office):
    """
    LOY-10: the erased client's wallet has the points it had, and the sums of the company stay.
    """
    totals = (await office.reads.get(TOTALS, "company"), await office.reads.count(CARDS, "owner"))

    await office.run(erase(PETRA))

    view = await office.path.read(*JOURNALS)
    wallet = view.record.of(Wallet)
    assert 20 == balance(wallet, AT).points == wallet.issued
    assert totals == (
        await office.reads.get(TOTALS, "company"),
        await office.reads.count(CARDS, "owner"),
    )
    assert None is not view.record.of(Profile).erased


async def test_client_without_a_wallet_can_be_erased(office):
    """
    A client who has no wallet is erased all the same, and gets none by it.
    """
    done = await office.run(erase(ANTON))

    assert [ClientErased] == [recorded.event_class for recorded in done.events]
    assert 0 == done.versions[wallet_journal(WalletId(ANTON))]


async def test_keys_go_though_normal_forms_have_changed(office):
    """
    REC-8, LOY-5: phone and card of the erased client are free, even if another release would make
    other keys of them; the purchase stays reserved for ever, and other clients keep theirs.
    """
    keys = (card_key(office), phone_key(office, PETRA), phone_key(office, ANTON))
    purchase = office.naming.business_key("purchase", key(1).source, key(1).id)
    office.path._decisions._forms = ShoutedForms()

    await office.run(erase(PETRA))

    found = [await office.store.holder(each) for each in keys]
    assert [True, True, False] == [holder is None for holder in found]
    held = await office.store.holder(purchase)
    assert (JOURNALS[0], NOTHING) == (held.ref.journal, held.fingerprint)


class ShoutedForms:
    """Normal forms of another release."""

    def normal(self, kind: Code, text: str) -> str:
        return f"{kind} {text}".upper()


async def test_answers_keep_nothing_of_what_was_asked(office):
    """
    The answer to the registration of an erased client is still given, and holds no hash of it.
    """
    request = office.vault.blind("request", "registration")
    wanted = Wanted(journals=(), request=request)
    before = (await office.store.load(wanted)).answer
    assert "details=" in before.fingerprint

    await office.run(erase(PETRA))

    after = (await office.store.load(wanted)).answer
    assert (NOTHING, before.versions) == (after.fingerprint, after.versions)
    again = await office.path.execute(register(PETRA), Call(request_id="registration"))
    assert again.replayed


async def test_request_about_an_erased_client_is_not_answered_to_another_ones(office):
    """
    Invariant 12: what the request asked is forgotten with the client, but not whom it was about: a
    request of that id about another client is refused, be it an erasure, and changes nothing.
    """
    await office.path.execute(erase(PETRA), Call(request_id="erasure"))

    for command in (erase(ANTON), pay(BLUE)):
        with pytest.raises(MismatchError) as refused:
            await office.path.execute(command, Call(request_id="erasure"))
        assert ("command",) == refused.value.fields

    assert (await office.path.execute(erase(PETRA), Call(request_id="erasure"))).replayed
    view = await office.path.read(client_journal(ANTON))
    assert None is view.record.of(Profile).erased


async def test_read_models_lose_the_terms(office):
    """
    The erased client's row has no token and no identifier any more; another client's row has.
    """
    await office.reads.catch_up_all()
    assert {"identifier:phone", "token"} <= fields_of(office, PETRA)

    await office.run(erase(PETRA))
    await office.reads.catch_up_all()

    assert {"identifier:phone", "token"}.isdisjoint(fields_of(office, PETRA))
    assert {"identifier:phone", "token"} <= fields_of(office, ANTON)


def fields_of(office: Office, client_id: str) -> set[str]:
    """Names of the terms by which a client is found."""
    return {field for field, _ in office.kept.kept[CARDS.name][client_id].terms}
