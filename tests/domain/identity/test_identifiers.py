"""
By what clients are recognised.
"""

from __future__ import annotations

import contextlib

import pytest

from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.domain.errors import InvalidValueError
from clientela.domain.event import Key
from clientela.domain.identity.identifiers import (
    EMAIL,
    IDENTIFIER_LENGTH_MAX,
    IDENTIFIERS_MAX,
    OTHER_SCOPES,
    PHONE,
    AddIdentifier,
    Identifier,
    IdentifierAdded,
    IdentifierRemoved,
    IdentifierSharingChanged,
    NewIdentifier,
    RemoveIdentifier,
    identifier_key,
)
from clientela.domain.identity.profile import IDENTITY, Profile
from clientela.domain.identity.recognition import keys_of
from clientela.domain.identity.refusals import IdentifierLimitError, IdentifierTakenError
from clientela.domain.identity.registration import ClientRegistered, RegisterClient
from clientela.domain.identity.terms import NAME_SCOPE
from clientela.domain.ids import ClientId, Code, Ref, client_journal
from clientela.domain.loyalty.adjustment import ADJUSTMENT_SCOPE
from clientela.domain.loyalty.cards import CARD_SCOPE
from clientela.domain.loyalty.returns import FORWARDED_SCOPE
from clientela.domain.loyalty.spending import SPEND_SCOPE
from clientela.domain.personal import Personal, Sealed
from tests.domain.spec import Scenario


PETRA = ClientId("petra")
ANTON = ClientId("anton")
NUMBER = "+1 555 0100"
SAME_NUMBER = "+15550100"


@pytest.fixture
def company():
    """Petra and Anton, without identifiers."""
    scenario = Scenario(IDENTITY)
    scenario.when(RegisterClient(client_id=PETRA), RegisterClient(client_id=ANTON))
    return scenario


def new(text: str = NUMBER, kind: Code = PHONE, *, shared: bool = False) -> NewIdentifier:
    """A phone as a caller gives it."""
    return NewIdentifier(kind=kind, text=Personal(text), shared=shared)


def add(
    client_id: ClientId = PETRA, text: str = NUMBER, kind: Code = PHONE, *, shared: bool = False
) -> AddIdentifier:
    """Give Petra, or another, a phone."""
    return AddIdentifier(client_id=client_id, identifier=new(text, kind, shared=shared))


def remove(client_id: ClientId = PETRA, text: str = NUMBER) -> RemoveIdentifier:
    """Take Petra's, or another's, phone."""
    return RemoveIdentifier(client_id=client_id, kind=PHONE, text=Personal(text))


def phone_key(company: Scenario) -> Key:
    """The key of the one phone."""
    return company.context().key(PHONE, SAME_NUMBER)


def holder(company: Scenario) -> object:
    """The event that holds the one phone."""
    found = company.holder(phone_key(company))
    return found and found.ref


def profile(company: Scenario, client_id: ClientId = PETRA) -> Profile:
    """The present state of Petra, or another."""
    return company.record(client_journal(client_id)).of(Profile)


def reserved(company: Scenario, client_id: ClientId = PETRA) -> tuple[Key, ...]:
    """The keys that the state of Petra, or another, says are reserved for her."""
    return keys_of(profile(company, client_id).identifiers.values(), company.context())


def test_identifier_is_exclusive_unless_declared_shared(company):
    """
    REC-8: an added identifier is kept sealed as it was written, and its normal form is reserved.
    """
    (added,) = company.when(add())

    assert isinstance(added, IdentifierAdded)
    assert isinstance(added.text, Sealed)
    assert (
        IdentifierAdded(client_id=PETRA, number=1, kind=PHONE, text=added.text, exclusive=True)
        == added
    )
    assert NUMBER == company.vault.open(added.text)
    assert Ref(client_journal(PETRA), 2) == holder(company)
    assert (phone_key(company),) == reserved(company)
    assert {
        1: Identifier(
            number=1,
            kind=PHONE,
            text=added.text,
            exclusive=True,
            added=Ref(client_journal(PETRA), 2),
        )
    } == profile(company).identifiers


def test_exclusive_identifier_of_another_client_is_refused_in_any_spelling(company):
    """
    REC-8: one phone, however it is written, is one client's; the other is told inside, not outside.
    """
    company.when(add())

    with pytest.raises(IdentifierTakenError) as refused:
        company.when(add(ANTON, SAME_NUMBER))

    assert (PETRA, phone_key(company)) == (refused.value.client_id, refused.value.key)
    assert {"scope": "phone"} == refused.value.details()
    assert not {"petra", NUMBER, SAME_NUMBER} & set(str(refused.value).split())
    assert {} == profile(company, ANTON).identifiers


def test_many_registrations_with_one_phone_make_one_client():
    """
    REC-8: of a hundred registrations with one phone one succeeds, the rest are told whose it is.
    """
    company = Scenario(IDENTITY)
    told = []
    for number in range(100):
        try:
            company.when(RegisterClient(client_id=ClientId(f"c{number}"), identifiers=(new(),)))
        except IdentifierTakenError as refused:
            told.append(refused.client_id)

    assert [ClientId("c0")] * 99 == told
    assert 2 == len(company.events)


def test_shared_identifier_blocks_nobody(company):
    """
    REC-8: a phone declared shared can be several clients', and exclusively one of them's.
    """
    company.when(add(shared=True), add(ANTON, shared=True))
    assert None is holder(company)

    company.when(RegisterClient(client_id=ClientId("olga"), identifiers=(new(),)))

    held = profile(company).identifiers.values()
    assert () == reserved(company)
    assert (phone_key(company),) == keys_of(held, company.context(), shared=True)
    assert Ref(client_journal(ClientId("olga")), 2) == holder(company)


def test_removing_a_shared_identifier_frees_nobody_elses_key(company):
    """
    REC-8: who only shares an identifier gives back no reservation of another client.
    """
    company.when(add(ANTON), add(shared=True))

    (removed,) = company.when(remove())

    assert isinstance(removed, IdentifierRemoved)
    assert not removed.exclusive
    assert Ref(client_journal(ANTON), 2) == holder(company)


def test_removed_identifier_is_free(company):
    """
    REC-8: removal in any spelling gives the key back and tells what was removed, sealed as it was.
    """
    company.when(add())
    text = profile(company).identifiers[1].text

    events = company.when(remove(text=SAME_NUMBER))

    assert (
        IdentifierRemoved(client_id=PETRA, number=1, kind=PHONE, text=text, exclusive=True),
    ) == events
    assert (Ref(client_journal(PETRA), 2),) == company.events[-1].because
    assert None is holder(company)
    assert company.when(add(ANTON))


def test_adding_and_removing_twice_is_silent(company):
    """
    What the client has already, and what it has not, changes nothing.
    """
    company.when(add())

    assert () == company.when(add(text=SAME_NUMBER))
    company.when(remove())
    assert () == company.when(remove())


def test_declaring_an_identifier_shared_frees_it(company):
    """
    REC-8: an exclusive identifier given again as shared is declared anew and its key given back.
    """
    company.when(add())

    events = company.when(add(text=SAME_NUMBER, shared=True))

    assert (IdentifierSharingChanged(client_id=PETRA, number=1, exclusive=False),) == events
    assert (Ref(client_journal(PETRA), 2),) == company.events[-1].because
    assert None is holder(company)
    assert () == reserved(company)


def test_declaring_an_identifier_exclusive_needs_it_free(company):
    """
    REC-8: a shared identifier becomes exclusive only while no other client has it exclusively.
    """
    company.when(add(shared=True), add(ANTON))
    with pytest.raises(IdentifierTakenError):
        company.when(add())

    company.when(remove(ANTON))

    assert (IdentifierSharingChanged(client_id=PETRA, number=1, exclusive=True),) == company.when(
        add()
    )
    assert Ref(client_journal(PETRA), 3) == holder(company)


def test_client_is_registered_with_its_identifiers(company):
    """
    REC-8: identifiers come with the registration; of two spellings of one the first counts.
    """
    olga = ClientId("olga")

    events = company.when(
        RegisterClient(
            client_id=olga,
            identifiers=(new(), new(SAME_NUMBER), new("olga@shop.example", EMAIL, shared=True)),
        )
    )

    assert [ClientRegistered, IdentifierAdded, IdentifierAdded] == [type(e) for e in events]
    text = profile(company, olga).identifiers[1].text
    assert isinstance(text, Sealed)
    assert NUMBER == company.vault.open(text)
    assert [(1, 1, PHONE, True), (2, 2, EMAIL, False)] == [
        (number, identifier.number, identifier.kind, identifier.exclusive)
        for number, identifier in profile(company, olga).identifiers.items()
    ]


def test_number_of_an_identifier_is_never_used_again(company):
    """
    What is added after a removal gets the next number, so that a number names one identifier in
    the whole journal.
    """
    company.when(add(text="1"), add(text="2"), remove(text="2"))

    (added,) = company.when(add(text="2"))

    assert isinstance(added, IdentifierAdded)
    assert 3 == added.number
    assert [1, 3] == list(profile(company).identifiers)


def test_one_text_of_two_kinds_is_two_identifiers(company):
    """
    REC-8: a known identifier is known by kind and normal form, not by the form alone.
    """
    company.when(add(text="4711"))

    (added,) = company.when(add(text="4711", kind=Code("member")))

    assert isinstance(added, IdentifierAdded)
    assert (2, Code("member")) == (added.number, added.kind)
    assert () == company.when(remove(text="4712"))
    assert 2 == len(profile(company).identifiers)


def test_identifiers_have_a_bound(company):
    """
    A client has fifty identifiers at most, whether registered with them or given them later.
    """
    many = tuple(new(f"+1 {number}") for number in range(IDENTIFIERS_MAX + 1))

    with pytest.raises(IdentifierLimitError) as refused:
        company.when(RegisterClient(client_id=ClientId("olga"), identifiers=many))
    assert {"limit": "50"} == refused.value.details()

    company.when(RegisterClient(client_id=ClientId("olga"), identifiers=many[1:]))
    with pytest.raises(IdentifierLimitError):
        company.when(add(ClientId("olga"), "+1 0"))


@pytest.mark.parametrize(
    "kind", ["", "Phone", "phone number", "-phone", "p" * 33, *sorted(OTHER_SCOPES)]
)
def test_kind_of_identifier_is_a_word_of_its_own(company, kind):
    """
    REC-17: a kind is a short lower-case word, and none that names other keys: an identifier must
    not pass for a card or a purchase.
    """
    with pytest.raises(InvalidValueError, match="kind"):
        company.when(add(kind=Code(kind)))


@pytest.mark.parametrize(
    "scope", [ADJUSTMENT_SCOPE, CARD_SCOPE, FORWARDED_SCOPE, NAME_SCOPE, SPEND_SCOPE]
)
def test_no_kind_of_identifier_has_the_name_of_a_scope_of_keys(scope):
    """
    REC-8: keys of identifiers are given back with an erasure, by their kind; those that keep a
    business identity from being used twice stay.
    """
    assert scope in OTHER_SCOPES


@pytest.mark.parametrize("text", ["", "  \t", "1" * (IDENTIFIER_LENGTH_MAX + 1)])
def test_text_of_an_identifier_has_bounds(company, text):
    """
    REC-17: an identifier is neither blank nor longer than 320 characters.
    """
    with pytest.raises(InvalidValueError, match="phone"):
        company.when(add(text=text))


def test_key_for_look_ups_is_the_key_reserved(company):
    """
    REC-8: who looks a client up by an identifier computes the key that was reserved.
    """
    company.when(add())

    assert phone_key(company) == identifier_key(PHONE, Personal("+1 5550100"), company.context())


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([PETRA, ANTON]),
            st.sampled_from(["add", "share", "remove"]),
            st.sampled_from(["1", "2"]),
        ),
        max_size=20,
    )
)
def test_no_key_has_two_holders_and_none_is_lost(steps):
    """
    REC-8: whatever two clients add, share and remove, each key in force is held by exactly the one
    client whose state says so.
    """
    company = Scenario(IDENTITY)
    company.when(RegisterClient(client_id=PETRA), RegisterClient(client_id=ANTON))
    for client_id, step, text in steps:
        command = (
            remove(client_id, text)
            if step == "remove"
            else add(client_id, text, shared=step == "share")
        )
        with contextlib.suppress(IdentifierTakenError):
            company.when(command)

    held = {key: client_id for client_id in (PETRA, ANTON) for key in reserved(company, client_id)}
    for text in ("1", "2"):
        key = company.context().key(PHONE, text)
        found = company.holder(key)
        assert held.get(key) == (found and found.ref.journal.id)
    assert len(held) == sum(len(reserved(company, c)) for c in (PETRA, ANTON))
