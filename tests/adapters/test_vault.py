"""
Personal values sealed under one key a person.
"""

from __future__ import annotations

import pickle

from pathlib import Path

import attrs
import pytest

from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.adapters.keys.cache import AGE_SECONDS_MAX, KeyCache
from clientela.adapters.keys.failures import (
    KekUnknownError,
    KeyRowBrokenError,
    SealBrokenError,
)
from clientela.adapters.vault import KeyVault, VaultSession
from clientela.domain.codec import Codec
from clientela.domain.errors import InvalidValueError
from clientela.domain.event import Origin, event
from clientela.domain.ids import (
    Code,
    EventId,
)
from clientela.domain.personal import (
    TEXT_LENGTH_MAX,
    Personal,
    PersonalText,
    Sealed,
    Vault,
    seal_event,
)
from tests.adapters.keys.company import (
    EVENT,
    IVO,
    NAME,
    OLGA,
    PETRA,
    TEXT,
    Company,
    Memory,
)
from tests.leak.scanner import Scanner


@pytest.fixture
def company():
    """
    A company without any keys of persons.
    """
    return Company()


def as_vault(vault: Vault) -> Vault:
    """
    The protocol is met: the type checker sees it here.
    """
    return vault


def test_sealed_value_opens_again(company):
    """
    S7: what a session seals opens in it, in another, and in the vault of another process.
    """
    session = as_vault(company.vault.session())
    sealed = session.seal(Personal(TEXT), PETRA, EVENT, NAME)
    assert isinstance(session, VaultSession)
    assert TEXT == session.open(sealed)
    company.table.apply(session.changes)

    assert (PETRA, EVENT, NAME) == (sealed.person, sealed.source, sealed.field)
    assert TEXT == company.vault.session().open(sealed)
    assert TEXT == as_vault(company.another_process()).open(sealed)


SHARED = Company()


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=60) | st.text(max_size=400))
def test_any_text_comes_back_as_it_was(text):
    """
    S7: every text comes back unchanged, lone surrogates, NUL and the empty one included.
    """
    assert text == SHARED.vault.open(sealed_once(text))


def sealed_once(text: str) -> Sealed:
    """
    A value of one person, whose key is made at the first.
    """
    return SHARED.seal(text=text)


@pytest.mark.parametrize("letter", ["a", "ж", "\U0001f600", "\ud800", "\0"])
def test_longest_text_fits_and_a_longer_one_is_refused(company, letter):
    """
    S11: a value of `TEXT_LENGTH_MAX` characters is sealed, one more is refused and not repeated.
    """
    assert letter * TEXT_LENGTH_MAX == company.vault.open(
        company.seal(text=letter * TEXT_LENGTH_MAX)
    )

    with pytest.raises(InvalidValueError) as refused:
        company.seal(text=letter * (TEXT_LENGTH_MAX + 1))
    assert "name: expected at most 4096 characters" == str(refused.value)


@pytest.mark.parametrize(
    "move", [{"person": OLGA}, {"source": EventId("0195-4712")}, {"field": Code("note")}]
)
def test_value_moved_elsewhere_is_broken(company, move):
    """
    S7: a value opens for its person, its event and its field, and nowhere else.
    """
    company.seal(OLGA)
    sealed = company.seal()

    for opening in (company.vault, company.vault.session()):
        with pytest.raises(SealBrokenError):
            opening.open(attrs.evolve(sealed, **move))


def test_swapped_boxes_are_broken(company):
    """
    S7: two values of one event cannot change places.
    """
    name, phone = company.seal(), company.seal(text="+49 30 901820", field=Code("phone"))

    for sealed, other in ((name, phone), (phone, name)):
        with pytest.raises(SealBrokenError):
            company.vault.open(attrs.evolve(sealed, box=other.box))


def test_changed_box_is_broken(company):
    """
    S7: a box with any letter changed, cut, padded or foreign to the alphabet does not open.
    """
    sealed = company.seal()
    box = sealed.box
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    boxes = [box[:n] + ("A" if box[n] != "A" else "B") + box[n + 1 :] for n in range(len(box))]
    boxes += [box[:n] for n in range(len(box))]
    boxes += [box[:-1] + letter for letter in last if letter != box[-1]]
    boxes += [box + "=", box + "\n", box + "AAAA", f" {box}", f"{box[:9]}!{box[9:]}", "ж", ""]

    for changed in boxes:
        with pytest.raises(SealBrokenError):
            company.vault.open(attrs.evolve(sealed, box=changed))


def test_equal_values_are_sealed_differently(company):
    """
    S7: nobody sees from boxes that two values are equal.
    """
    assert company.seal().box != company.seal().box


def test_unused_keys_leave_memory(company):
    """
    S8: a timer drops keys that nobody asks for any more.
    """
    company.vault.open(company.seal())
    company.seconds += AGE_SECONDS_MAX + 0.1
    company.vault.open(company.seal(OLGA))
    company.vault.sweep()

    assert 1 == len(company.vault._cache)


def test_cache_keeps_a_bounded_number_the_most_recently_used(company):
    """
    A cache holds so many keys and no more; the one unused for longest goes first.
    """
    cache = KeyCache(lambda: 0.0, persons_max=2)
    made = company.vault.session()
    made.seal(Personal(TEXT), PETRA, EVENT, NAME)
    cipher = company.vault.cipher_in(made.changes.made[0])
    assert cipher
    cache.put(PETRA, cipher)
    cache.put(OLGA, cipher)
    cache.get(PETRA)
    cache.put(IVO, cipher)

    assert [cipher, None, cipher] == [cache.get(person) for person in (PETRA, OLGA, IVO)]


def test_rows_of_another_company_are_refused(company):
    """
    With a key file that is not the database's nothing opens, and the error says what to do.
    """
    sealed = company.seal()
    stranger = KeyVault(Memory(), company.table)

    with pytest.raises(KekUnknownError, match="put back the one that belongs to this database"):
        stranger.open(sealed)


def test_row_moved_to_another_person_is_refused(company):
    """
    S7: who can write rows cannot give one person the key of another.
    """
    company.seal()
    sealed = company.seal(OLGA)
    row = company.table.find(PETRA)
    company.table._rows[OLGA] = attrs.evolve(row, person=OLGA)

    with pytest.raises(KeyRowBrokenError):
        company.another_process().open(sealed)


def test_hashes_and_ids_are_the_same_everywhere(company):
    """
    S7: sessions and processes with the same keys make the same look-up hashes and client ids.
    """
    session, elsewhere = company.vault.session(), company.another_process()

    assert session.blind("phone", "+4930901820") == elsewhere.blind("phone", "+4930901820")
    assert company.vault.client_id_for("till", "7") == elsewhere.client_id_for("till", "7")
    assert company.vault.client_id_for("till", "7") != company.vault.client_id_for("till", "8")


@event("test-person-named", origin=Origin.RECORDED)
class PersonNamed:
    name: PersonalText
    note: PersonalText


def test_no_plain_text_is_in_what_is_kept_or_printed(company):
    """
    G27, G29: payloads, rows, printed vaults, sessions, boxes and errors hold no value and no key.
    """
    session = company.vault.session()
    opened = PersonNamed(name=Personal(TEXT), note=Personal("met Ivo Brandt", person=IVO))
    stored = seal_event(opened, PETRA, EVENT, session)
    company.table.apply(session.changes)
    payload = Codec([PersonNamed]).encode(stored)
    assert isinstance(stored, PersonNamed)
    assert isinstance(stored.note, Sealed)
    assert "met Ivo Brandt" == company.vault.open(stored.note)
    with pytest.raises(SealBrokenError) as broken:
        company.vault.open(attrs.evolve(stored.note, field=NAME))
    ring = company.secrets.ring
    keys = {row.person.id: ring.unwrap(row).reveal() for row in session.changes.made}
    kept = [payload, stored, company.vault, session, session.changes, broken.value, opened]

    shown = "\n".join(f(x) for x in kept for f in (repr, str)).encode()
    rows = b"".join(row.wrapped for row in session.changes.made)
    scanner = Scanner({"name": TEXT, "note": "met Ivo Brandt"}, keys)

    assert IVO == stored.note.person
    assert () == scanner.in_bytes(shown + rows + pickle.dumps((payload, stored)), "kept")
    for unkept in (company.vault, session):
        with pytest.raises(TypeError, match=r"pickle|not pickled"):
            pickle.dumps(unkept)
    assert () == scanner.in_bytes(Path(__file__).name.encode(), "name")
