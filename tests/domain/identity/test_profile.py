"""
Who a client is: registration, prospects, details, erasure.
"""

from __future__ import annotations

from datetime import date, timedelta

import attrs
import pytest

from clientela.domain.codec import Codec
from clientela.domain.draft import State, state
from clientela.domain.errors import InvalidCommandError, InvalidValueError, UnknownError
from clientela.domain.event import Key, PendingEvent
from clientela.domain.facts import BusinessKey, ClientErased, PurchaseRecorded
from clientela.domain.fingerprint import NOTHING, MismatchError
from clientela.domain.identity.details import (
    NAME_LENGTH_MAX,
    ClientKind,
    ClientUpdated,
    Details,
    Standing,
    UpdateClient,
    tokens,
)
from clientela.domain.identity.identifiers import (
    PHONE,
    AddIdentifier,
    IdentifierAdded,
    NewIdentifier,
    RemoveIdentifier,
)
from clientela.domain.identity.market import CONSUMER, INDUSTRIAL
from clientela.domain.identity.profile import (
    IDENTITY,
    ClientStandingChanged,
    EraseClient,
    Profile,
)
from clientela.domain.identity.recognition import keys_of
from clientela.domain.identity.refusals import (
    AlreadyRegisteredError,
    ErasedClientError,
    SourceTakenError,
)
from clientela.domain.identity.registration import (
    REFERENCES_MAX,
    ClientRegistered,
    RegisterClient,
)
from clientela.domain.identity.terms import search_tokens
from clientela.domain.ids import (
    Blind,
    BusinessId,
    ClientId,
    Code,
    JournalKind,
    Ref,
    WalletId,
    client_journal,
    wallet_journal,
)
from clientela.domain.money import Money
from clientela.domain.personal import Personal, Sealed
from clientela.domain.ruleset import RuleSet
from tests.domain.spec import AT, Scenario


PETRA = ClientId("petra")
ANTON = ClientId("anton")
SHOP = BusinessKey(Code("shop"), BusinessId("4711"))
TILL = BusinessKey(Code("till"), BusinessId("A-1"))
ACT = Code("act-7")
LATER = AT + timedelta(days=1)

NAME = Code("name")
MARKET = Code("market")


@state(JournalKind.CLIENT)
class Nothing(State):
    pass


@attrs.frozen(kw_only=True)
class Buy:
    """A command that records a purchase."""

    client_id: ClientId
    occurred_at = None

    def journals(self):
        return (client_journal(self.client_id),)


def _bought(_record, command, _context):
    bought = PurchaseRecorded(
        purchase=TILL,
        client_id=command.client_id,
        wallet_id=WalletId(command.client_id),
        lines=(),
        tenders=(),
        total=Money(500, "EUR"),
        local_date=date(2026, 3, 2),
    )
    return (PendingEvent(bought, rule="REC-3"),)


TILLS = RuleSet(
    name="tills",
    state=Nothing,
    commands=(Buy,),
    events=(PurchaseRecorded,),
    decide=_bought,
    evolve=lambda _draft, _recorded: None,
)


@pytest.fixture
def company():
    """A company without clients, with tills."""
    return Scenario(IDENTITY, TILLS)


def register(client_id: ClientId = PETRA, **changes: object) -> RegisterClient:
    """Register Petra, or another."""
    return RegisterClient(client_id=client_id, **changes)  # type: ignore[arg-type]


def details(**fields: str) -> Details:
    """Details whose names are open."""
    values = {n: Personal(t) if n.endswith("name") else t for n, t in fields.items()}
    return Details(**values)  # type: ignore[arg-type]


def update(*fields: Code, **values: str) -> UpdateClient:
    """Change these fields of Petra."""
    return UpdateClient(client_id=PETRA, details=details(**values), fields=fields)


def profile(company: Scenario, client_id: ClientId = PETRA) -> Profile:
    """The present state of Petra, or another."""
    return company.record(client_journal(client_id)).of(Profile)


def opened(company: Scenario, value: object) -> str | None:
    """What a sealed value says."""
    assert isinstance(value, Sealed)
    return company.vault.open(value)


def found_by(company: Scenario) -> tuple[Blind, ...]:
    """The tokens that Petra's present name makes."""
    return tokens(profile(company).details, company.context())


def key_of(company: Scenario, source: BusinessKey) -> Key:
    """The key of a source id."""
    return company.context().business_key("client", source.source, source.id)


def test_client_is_registered_once_for_the_whole_company(company):
    """
    REC-1: a client is registered under an id for ever; names are sealed, a market is a code.
    """
    known = details(name="Petra Novák", market=CONSUMER)

    (registered,) = company.when(register(details=known, source=SHOP))

    assert isinstance(registered, ClientRegistered)
    assert (PETRA, ClientKind.PERSON, Standing.CLIENT, (SHOP,), CONSUMER) == (
        registered.client_id,
        registered.kind,
        registered.standing,
        registered.sources,
        registered.details.market,
    )
    assert "Petra Novák" == opened(company, registered.details.name)
    assert "REC-1" == company.events[-1].rule
    assert Ref(client_journal(PETRA), 1) == profile(company).registered
    assert registered.details == profile(company).details


def test_nothing_need_be_known_of_a_client(company):
    """
    REC-7: a record without name, identifier, source or contact is allowed.
    """
    expected = ClientRegistered(
        client_id=PETRA, kind=ClientKind.ORGANISATION, standing=Standing.PROSPECT
    )

    assert (expected,) == company.when(
        register(kind=ClientKind.ORGANISATION, standing=Standing.PROSPECT)
    )
    assert "REC-7" == company.events[-1].rule


def test_same_source_registers_once(company):
    """
    REC-8: the same client from the same source once more changes nothing, with other values it is
    refused by naming them.
    """
    company.when(register(source=SHOP, details=details(name="Petra")))

    assert () == company.when(register(source=SHOP, details=details(name="Petra")))
    with pytest.raises(MismatchError) as mismatch:
        company.when(register(source=SHOP, details=details(name="Petra Novák")))
    assert ("details",) == mismatch.value.fields


@pytest.mark.parametrize("source", [None, SHOP, TILL])
def test_id_in_use_is_refused(company, source):
    """
    REC-1: an id is given once; without the source that gave it, the same id means somebody else.
    """
    company.when(register())

    with pytest.raises(AlreadyRegisteredError) as refused:
        company.when(register(source=source))

    assert {"client_id": PETRA} == refused.value.details()


@pytest.mark.parametrize("held", [register(source=SHOP), register(references=(SHOP,))])
def test_source_id_of_another_client_is_refused_and_the_client_told(company, held):
    """
    REC-8: a source id means one client for ever, whichever it was registered as; who asks with
    another id learns inside which client that is, outside only that it is taken.
    """
    company.when(held)

    with pytest.raises(SourceTakenError) as refused:
        company.when(register(ANTON, source=SHOP))

    assert PETRA == refused.value.client_id
    assert "petra" not in str(refused.value) + str(refused.value.details())


def test_all_source_ids_resolve_to_the_client(company):
    """
    REC-8: the source id and every further reference lead to the client's journal.
    """
    company.when(register(source=SHOP, references=(TILL, SHOP)))

    assert (SHOP, TILL) == profile(company).sources
    for source in (SHOP, TILL):
        holder = company.holder(key_of(company, source))
        assert holder is not None
        assert client_journal(PETRA) == holder.ref.journal


@pytest.mark.parametrize("client_id", ["", "a b", "п", "x" * 65, "petra\n"])
def test_id_is_of_plain_characters(company, client_id):
    """
    REC-17: an id has 1 to 64 letters, digits, hyphens and underscores.
    """
    with pytest.raises(InvalidValueError, match="client_id"):
        company.when(register(ClientId(client_id)))


@pytest.mark.parametrize(
    ("field", "known"),
    [
        ("name", {"name": "  "}),
        ("family_name", {"family_name": "N" * (NAME_LENGTH_MAX + 1)}),
        ("market", {"market": Code("moon")}),
        ("language", {"language": Code("по-русски")}),
    ],
)
def test_malformed_detail_is_named_and_not_repeated(company, field, known):
    """
    REC-17, REC-12: a malformed detail is refused by its name, at registration and at a change; the
    value is not repeated.
    """
    with pytest.raises(InvalidValueError) as refused:
        company.when(register(details=details(**known)))
    assert field == refused.value.field
    assert next(iter(known.values())) not in str(refused.value)

    company.when(register())
    with pytest.raises(InvalidValueError, match=field):
        company.when(update(Code(field), **known))


def test_references_have_a_bound(company):
    """
    A client is registered with twenty references at most.
    """
    many = tuple(BusinessKey(SHOP.source, BusinessId(f"{n}")) for n in range(REFERENCES_MAX + 1))

    with pytest.raises(InvalidCommandError, match="20"):
        company.when(register(references=many))
    assert company.when(register(references=many[1:]))


def test_prospect_becomes_a_client_with_the_first_purchase(company):
    """
    REC-7: a prospect that buys is a client from then on, under the same id and with its history;
    the next purchase changes nothing.
    """
    company.when(register(standing=Standing.PROSPECT))

    _, changed = company.when(Buy(client_id=PETRA))

    assert (
        ClientStandingChanged(client_id=PETRA, before=Standing.PROSPECT, after=Standing.CLIENT)
        == changed
    )
    journal = client_journal(PETRA)
    assert (Ref(journal, 2), Ref(journal, 1)) == company.events[-1].because
    assert Standing.CLIENT == profile(company).standing
    assert [PurchaseRecorded] == [type(event) for event in company.when(Buy(client_id=PETRA))]


def test_purchase_of_a_client_changes_no_standing(company):
    """
    REC-7: who was registered as a client stays one.
    """
    company.when(register())

    assert [PurchaseRecorded] == [type(event) for event in company.when(Buy(client_id=PETRA))]


def test_change_tells_before_and_after_of_what_changed(company):
    """
    A change of details takes the named fields that differ, and tells both values of those only.
    """
    company.when(register(details=details(name="Petra", market=CONSUMER)))
    before = profile(company).details.name

    (updated,) = company.when(
        update(NAME, MARKET, Code("language"), name="Petra Novák", market=CONSUMER)
    )

    assert isinstance(updated, ClientUpdated)
    assert (NAME,) == updated.fields
    assert Details(name=before) == updated.before
    assert "Petra Novák" == opened(company, updated.after.name)
    assert Details(name=updated.after.name) == updated.after
    assert Details(name=updated.after.name, market=CONSUMER) == profile(company).details
    assert (Ref(client_journal(PETRA), 1),) == company.events[-1].because


def test_change_to_what_is_so_already_is_silent(company):
    """
    The same values once more, or no field named, change nothing, personal values included.
    """
    company.when(register(details=details(name="Petra", market=CONSUMER)))

    assert () == company.when(update(NAME, MARKET, name="Petra", market=CONSUMER))
    assert () == company.when(update(Code("language")))
    assert () == company.when(update(market=INDUSTRIAL))


def test_named_field_without_a_value_is_cleared(company):
    """
    A field that is named and empty is known no longer; the others stay.
    """
    company.when(register(details=details(name="Petra", market=CONSUMER)))

    (updated,) = company.when(update(NAME))

    assert isinstance(updated, ClientUpdated)
    assert Details() == updated.after
    assert Details(market=CONSUMER) == profile(company).details
    assert () == found_by(company)


def test_unknown_field_is_refused(company):
    """
    REC-17: only fields of the details can be changed.
    """
    company.when(register())

    with pytest.raises(InvalidValueError, match="fields"):
        company.when(update(Code("kind")))


def test_client_is_found_by_its_present_name(company):
    """
    REC-8: tokens follow the name: new words are found, old ones no longer, untouched names stay.
    """
    company.when(register(details=details(name="Petra Novák", given_name="Peťka")))
    context = company.context()
    before = set(found_by(company))

    company.when(update(NAME, name="Petra Dvořák"))

    found = set(found_by(company))
    assert set(search_tokens("petra petka novak", context)) <= before
    assert set(search_tokens("dvorak", context)) <= found - before
    assert set(search_tokens("nov", context)) <= before - found
    assert set(search_tokens("petra petka", context)) <= found


def test_open_names_make_the_same_tokens_as_sealed_ones(company):
    """
    REC-8: whoever makes tokens, of a command's details or of the state's, makes the same.
    """
    known = details(name="Petra Novák", family_name="Nováková")
    company.when(register(details=known))

    assert () != found_by(company)
    assert tokens(known, company.context()) == found_by(company)


def with_phone(standing: Standing = Standing.CLIENT) -> RegisterClient:
    """Register Petra with a phone of her own, a shared one, a name and a source."""
    phone = NewIdentifier(kind=PHONE, text=Personal("+1 555"))
    desk = NewIdentifier(kind=PHONE, text=Personal("+1 556"), shared=True)
    known = details(name="Petra Novák")
    return register(details=known, identifiers=(phone, desk), source=SHOP, standing=standing)


def test_erasure_empties_the_profile_and_frees_identifiers(company):
    """
    Erasure leaves no detail or identifier in the state, gives back exactly the keys that were held,
    destroys the person's key, and keeps the source id reserved. What an old state still names makes
    no key and no token any more.
    """
    company.when(with_phone())
    before = profile(company)
    held = keys_of(before.identifiers.values(), company.context())
    sealed = before.details.name
    assert (company.context().key(PHONE, "+1555"),) == held

    decision = company.run(EraseClient(client_id=PETRA, act=ACT))

    assert (ClientErased(client_id=PETRA, act=ACT),) == tuple(e.event for e in decision.events)
    assert held == decision.release
    assert (client_journal(PETRA),) == decision.forget
    assert isinstance(sealed, Sealed)
    assert None is company.vault.open(sealed)
    assert Profile(
        client_id=PETRA,
        kind=ClientKind.PERSON,
        standing=Standing.CLIENT,
        sources=(SHOP,),
        numbered=2,
        registered=Ref(client_journal(PETRA), 1),
        registered_at=AT,
        erased=Ref(client_journal(PETRA), 4),
        erased_at=AT,
    ) == profile(company)
    assert None is company.holder(held[0])
    assert None is not company.holder(key_of(company, SHOP))
    assert () == keys_of(before.identifiers.values(), company.context(), shared=True)
    assert () == tokens(before.details, company.context())


def test_erasure_names_the_own_wallet_as_well():
    """
    LOY-5: whoever erases a client works on the client's own wallet too, so that its cards can end.
    """
    assert (client_journal(PETRA), wallet_journal(WalletId(PETRA))) == EraseClient(
        client_id=PETRA, act=ACT
    ).journals()


def test_erasure_gives_back_keys_that_are_no_longer_what_their_value_makes(company):
    """
    REC-8: normal forms may change between releases; a key made by an older one is given back all
    the same, also that of an identifier which was removed meanwhile, and the source stays reserved.
    """
    mail = NewIdentifier(kind=Code("email"), text=Personal("petra@example.org"))
    anton = NewIdentifier(kind=PHONE, text=Personal("+1 999"))
    company.when(with_phone(), AddIdentifier(client_id=PETRA, identifier=mail))
    company.when(register(ANTON, identifiers=(anton,)))
    keys = [
        company.context().key(kind, form)
        for kind, form in ((PHONE, "+1555"), (mail.kind, "petra@example.org"), (PHONE, "+1999"))
    ]
    company.forms = OtherForms()
    company.when(RemoveIdentifier(client_id=PETRA, kind=mail.kind, text=mail.text))
    another = NewIdentifier(kind=PHONE, text=Personal("+1 557"))
    company.when(AddIdentifier(client_id=PETRA, identifier=another))
    assert None not in map(company.holder, keys)

    decision = company.run(EraseClient(client_id=PETRA, act=ACT))

    assert (mail.kind, PHONE) == decision.forget_scopes
    assert [None, None, Ref(client_journal(ANTON), 2)] == [
        holder and holder.ref for holder in map(company.holder, keys)
    ]
    source = company.holder(key_of(company, SHOP))
    assert Ref(client_journal(PETRA), 1) == source.ref
    assert NOTHING == source.fingerprint


class OtherForms:
    """Normal forms of another release."""

    def normal(self, kind: Code, text: str) -> str:
        return f"{kind}:{text}"


@pytest.mark.parametrize(
    "command",
    [
        with_phone(),
        register(),
        update(MARKET, market=CONSUMER),
        AddIdentifier(
            client_id=PETRA, identifier=NewIdentifier(kind=PHONE, text=Personal("+1 557"))
        ),
        RemoveIdentifier(client_id=PETRA, kind=PHONE, text=Personal("+1 555")),
    ],
)
def test_erased_client_takes_no_command(company, command):
    """
    After erasure every command of identity is refused with the act as ground, the same import too.
    """
    company.when(with_phone(), EraseClient(client_id=PETRA, act=ACT))

    with pytest.raises(ErasedClientError) as refused:
        company.when(command)

    assert (Ref(client_journal(PETRA), 4),) == refused.value.because


def test_erased_client_is_not_brought_back_under_another_id(company):
    """
    The source id of an erased client stays taken, so that an import makes no second record of it.
    """
    company.when(with_phone(), EraseClient(client_id=PETRA, act=ACT))

    with pytest.raises(SourceTakenError):
        company.when(register(ANTON, source=SHOP))


def test_freed_identifier_can_be_another_clients(company):
    """
    REC-8: a phone that erasure gave back is free.
    """
    company.when(with_phone(), EraseClient(client_id=PETRA, act=ACT))
    phone = NewIdentifier(kind=PHONE, text=Personal("+1 555"))

    events = company.when(register(ANTON, identifiers=(phone,)))

    assert [ClientRegistered, IdentifierAdded] == [type(event) for event in events]


def test_erasing_twice_is_erasing_once(company):
    """
    A second act of erasure changes nothing.
    """
    company.when(register(), EraseClient(client_id=PETRA, act=ACT))

    assert () == company.when(EraseClient(client_id=PETRA, act=Code("act-8")))


@pytest.mark.parametrize(
    "command",
    [
        update(MARKET, market=CONSUMER),
        AddIdentifier(
            client_id=PETRA, identifier=NewIdentifier(kind=PHONE, text=Personal("+1 557"))
        ),
        RemoveIdentifier(client_id=PETRA, kind=PHONE, text=Personal("+1 555")),
        EraseClient(client_id=PETRA, act=ACT),
    ],
)
def test_unknown_client_is_named(company, command):
    """
    REC-1: only a registered client can be changed or erased.
    """
    with pytest.raises(UnknownError, match="no client petra"):
        company.when(command)


def test_moment_of_the_caller_is_kept(company):
    """
    REC-4: a registration that happened earlier says so.
    """
    company.at(LATER).when(register(occurred_at=AT))

    assert (AT, LATER) == (company.events[-1].occurred_at, company.events[-1].recorded_at)


def test_events_and_state_survive_storage_and_fold_again(company):
    """
    Every event of identity is the same after storing it, holds no open name, and folds from storage
    to the same state; so does the state itself.
    """
    company.when(
        with_phone(Standing.PROSPECT),
        update(NAME, MARKET, name="Petra Dvořák", market=INDUSTRIAL),
        AddIdentifier(
            client_id=PETRA,
            identifier=NewIdentifier(kind=PHONE, text=Personal("+1 556")),
        ),
        RemoveIdentifier(client_id=PETRA, kind=PHONE, text=Personal("+1 555")),
        Buy(client_id=PETRA),
    )
    codec = Codec(company.rulebook.event_classes)

    stored = [codec.encode(recorded.event) for recorded in company.events]
    read = [
        attrs.evolve(recorded, event=codec.decode(*one))
        for recorded, one in zip(company.events, stored, strict=True)
    ]

    assert [recorded.event for recorded in company.events] == [again.event for again in read]
    assert not any(word in str(stored) for word in ("Petra", "Novák", "+1 55"))
    folded = company.rulebook.fold(company.rulebook.empty(client_journal(PETRA)), read)
    assert profile(company) == folded.states[Profile]
    assert profile(company) == codec.value(codec.plain(profile(company)), Profile)


def test_open_and_refused_values_are_not_printed():
    """
    A command prints no personal value.
    """
    assert "Petra" not in repr(register(details=details(name="Petra")))
