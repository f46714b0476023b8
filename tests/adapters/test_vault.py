"""
Personal values sealed under one key a person.
"""

from __future__ import annotations

import pickle

from datetime import timedelta

import attrs
import pytest

from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.adapters.keys.box import cipher_of
from clientela.adapters.keys.failures import KekUnknownError, KeyRowBrokenError, SealBrokenError
from clientela.adapters.keys.rotation import rotate
from clientela.adapters.keys.sealing import opened_with, sealed_with
from clientela.adapters.keys.secret import Secret
from clientela.adapters.vault import KeyVault
from clientela.domain.codec import Codec
from clientela.domain.errors import InvalidValueError
from clientela.domain.event import Origin, event
from clientela.domain.ids import Code, EventId
from clientela.domain.personal import (
    TEXT_LENGTH_MAX,
    Personal,
    PersonalText,
    Sealed,
    Vault,
    seal_event,
)
from clientela.services.ports import Sessions, VaultSession
from tests.adapters.keys.company import (
    EVENT,
    IVO,
    LATER,
    NAME,
    OLGA,
    PETRA,
    TEXT,
    Company,
    MemorySecrets,
)
from tests.leak.scanner import Scanner


@pytest.fixture
def company():
    """
    A company without any keys of persons.
    """
    return Company()


def as_sessions(vault: Sessions) -> Sessions:
    """
    What the services ask of a vault; the type checker sees here that it is met.
    """
    return vault


def as_vault(session: VaultSession) -> Vault:
    """
    What rules ask of a session; the type checker sees here that it is met.
    """
    return session


async def test_sealed_value_opens_again(company):
    """
    S7: what a session seals opens in it, in the next one, and in another process.
    """
    session = as_sessions(company.vault).session({PETRA: None})
    sealed = as_vault(session).seal(Personal(TEXT), PETRA, EVENT, NAME)
    assert TEXT == session.open(sealed)
    await company.commit(session.changes)

    assert (PETRA, EVENT, NAME) == (sealed.person, sealed.source, sealed.field)
    assert TEXT == await company.open(sealed)
    assert TEXT == await company.open(sealed, KeyVault(company.secrets))


ONE = KeyVault(MemorySecrets()).session({PETRA: None})


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(exclude_categories=()), max_size=60) | st.text(max_size=TEXT_LENGTH_MAX)
)
def test_any_text_comes_back_as_it_was(text):
    """
    S7: every text comes back unchanged, lone surrogates, NUL and the empty one included.
    """
    assert text == ONE.open(ONE.seal(Personal(text), PETRA, EVENT, NAME))


@pytest.mark.parametrize("letter", ["a", "ж", "\U0001f600", "\ud800", "\0"])
def test_longest_text_fits_and_a_longer_one_is_refused(letter):
    """
    S11: a value of `TEXT_LENGTH_MAX` characters is sealed, one more is refused and not repeated.
    """
    longest = letter * TEXT_LENGTH_MAX

    assert longest == ONE.open(ONE.seal(Personal(longest), PETRA, EVENT, NAME))
    with pytest.raises(InvalidValueError) as refused:
        ONE.seal(Personal(longest + letter), PETRA, EVENT, NAME)
    assert "name: expected at most 4096 characters" == str(refused.value)


@pytest.mark.parametrize(
    "move", [{"person": OLGA}, {"source": EventId("0195-4712")}, {"field": Code("note")}]
)
async def test_value_moved_elsewhere_is_broken(company, move):
    """
    S7: a value opens for its person, its event and its field, and nowhere else.
    """
    await company.seal(OLGA)
    sealed = await company.seal()

    with pytest.raises(SealBrokenError):
        await company.open(attrs.evolve(sealed, **move))


def test_value_is_bound_to_its_person_whatever_the_key():
    """
    S7: the person is part of the binding, not only the key.
    """
    cipher = cipher_of(Secret.fresh())
    sealed = sealed_with(cipher, Personal(TEXT), PETRA, EVENT, NAME)

    assert TEXT == opened_with(cipher, sealed)
    with pytest.raises(SealBrokenError):
        opened_with(cipher, attrs.evolve(sealed, person=OLGA))


async def test_swapped_boxes_are_broken(company):
    """
    S7: two values of one event cannot change places.
    """
    name = await company.seal()
    phone = await company.seal(text="+49 30 901820", field=Code("phone"))

    for sealed, other in ((name, phone), (phone, name)):
        with pytest.raises(SealBrokenError):
            await company.open(attrs.evolve(sealed, box=other.box))


async def test_changed_box_is_broken(company):
    """
    S7: a box with any letter changed, cut, padded or foreign to the alphabet does not open.
    """
    sealed = await company.seal()
    session = await company.session()
    box = sealed.box
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    boxes = [box[:n] + ("A" if box[n] != "A" else "B") + box[n + 1 :] for n in range(len(box))]
    boxes += [box[:n] for n in range(len(box))]
    boxes += [box[:-1] + letter for letter in letters if letter != box[-1]]
    boxes += [box + "=", box + "\n", box + "AAAA", f" {box}", f"{box[:9]}!{box[9:]}", "ж", ""]

    for changed in boxes:
        with pytest.raises(SealBrokenError):
            session.open(attrs.evolve(sealed, box=changed))


async def test_equal_values_are_sealed_differently(company):
    """
    S7: nobody sees from boxes that two values are equal.
    """
    assert (await company.seal()).box != (await company.seal()).box


async def test_rows_of_another_company_are_refused(company):
    """
    With a key file that is not the database's nothing opens, and the error says what to do.
    """
    sealed = await company.seal()

    with pytest.raises(KekUnknownError, match="put back the one that belongs to this database"):
        await company.open(sealed, KeyVault(MemorySecrets()))


async def test_row_moved_to_another_person_is_refused(company):
    """
    S7: who can write rows cannot give one person the key of another.
    """
    await company.seal()
    sealed = await company.seal(OLGA)
    row = await company.store.key_row(PETRA)
    moved = company.vault.session({OLGA: attrs.evolve(row, person=OLGA)})

    with pytest.raises(KeyRowBrokenError):
        moved.open(sealed)


async def test_hashes_and_ids_are_the_same_everywhere(company):
    """
    S7: sessions and processes with the same keys make the same look-up hashes and client ids.
    """
    session, elsewhere = await company.session(), KeyVault(company.secrets)

    assert session.blind("phone", "+4930901820") == elsewhere.blind("phone", "+4930901820")
    assert company.vault.client_id_for("till", "7") == elsewhere.client_id_for("till", "7")
    assert company.vault.client_id_for("till", "7") != company.vault.client_id_for("till", "8")


@event("test-person-named", origin=Origin.RECORDED)
class PersonNamed:
    name: PersonalText
    note: PersonalText


async def test_no_plain_text_is_in_what_is_kept_or_printed(company):
    """
    G27, G29: payloads, rows, printed vaults, sessions, boxes and errors hold no value and no key.
    """
    session = await company.session()
    written = PersonNamed(name=Personal(TEXT), note=Personal("met Ivo Brandt", person=IVO))
    stored = seal_event(written, PETRA, EVENT, session)
    await company.commit(session.changes)
    payload = Codec([PersonNamed]).encode(stored)
    assert isinstance(stored.note, Sealed)
    assert (IVO, "met Ivo Brandt") == (stored.note.person, await company.open(stored.note))
    with pytest.raises(SealBrokenError) as broken:
        await company.open(attrs.evolve(stored.note, field=NAME))

    ring = company.secrets.ring
    keys = {row.person.id: ring.unwrap(row).reveal() for row in session.changes.made}
    kept = [payload, stored, company.vault, session, session.changes, broken.value, written]
    shown = "\n".join(f(x) for x in kept for f in (repr, str)).encode()
    rows = b"".join(row.wrapped for row in session.changes.made)
    scanner = Scanner({"name": TEXT, "note": "met Ivo Brandt"}, keys)

    assert 2 == len(keys)
    assert () == scanner.in_bytes(shown + rows + pickle.dumps((payload, stored)), "kept")
    for unkept in (company.vault, session):
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(unkept)


async def test_row_that_was_read_before_a_rotation_opens_after_it(company):
    """
    What a process holds in memory for a while still opens when the key it is under has gone from
    the key file; after yet another rotation it does not.
    """
    sealed = await company.seal()
    held = company.vault.session({PETRA: await company.store.key_row(PETRA)})
    await rotate(company.secrets, company.store, LATER)
    await company.seal(OLGA)

    assert TEXT == held.open(sealed)
    assert TEXT == await company.open(sealed)

    old = company.vault.session({PETRA: (await company.store.key_row(PETRA))})
    for more in (1, 2):
        await rotate(company.secrets, company.store, LATER + timedelta(days=more))
        await company.open(await company.seal((IVO, OLGA)[more - 1]))
    with pytest.raises(KekUnknownError):
        old.open(sealed)
