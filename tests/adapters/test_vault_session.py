"""
Keys of persons: made with an append, destroyed with an append, found by everybody.
"""

from __future__ import annotations

import pytest

from clientela.adapters.keys.failures import PersonErasedError, SealBrokenError
from clientela.adapters.keys.rotation import rotate
from clientela.adapters.vault import KeyVault
from clientela.domain.errors import Category
from clientela.domain.ids import Code, EventId
from clientela.domain.personal import Personal
from clientela.services.key_rows import KeyChanges, KeyRow
from clientela.services.store_errors import KekRetiredError, KeyNeededError, PersonKeyConflictError
from tests.adapters.keys.company import EVENT, IVO, LATER, NAME, OLGA, PETRA, TEXT, Company


@pytest.fixture
def company():
    """
    A company without any keys of persons.
    """
    return Company()


async def test_each_person_has_a_key_of_their_own(company):
    """
    S7: one key a person, made once; a session makes it once however many values it seals.
    """
    session = await company.session()
    for field in ("name", "phone", "email"):
        session.seal(Personal(TEXT), PETRA, EVENT, Code(field))
    session.seal(Personal(TEXT), IVO, EVENT, NAME)
    await company.commit(session.changes)
    again = await company.session()
    again.seal(Personal(TEXT), PETRA, EVENT, NAME)

    petra, ivo = session.changes.made
    assert (PETRA, IVO, KeyChanges()) == (petra.person, ivo.person, again.changes)
    ring = company.vault.ring
    assert ring.unwrap(petra) != ring.unwrap(ivo)


async def test_key_of_a_command_that_was_not_committed_is_gone(company):
    """
    A key that was made in a refused command, or in one that lost, is used by nobody.
    """
    lost = await company.session()
    sealed = lost.seal(Personal(TEXT), PETRA, EVENT, NAME)

    assert None is await company.open(sealed)
    assert "kept" == await company.open(await company.seal(text="kept"))
    with pytest.raises(SealBrokenError):
        await company.open(sealed)


async def test_loser_of_a_race_for_a_key_seals_with_the_winners(company):
    """
    Two commands on different journals make the key of one person: the second conflicts, and its
    retry seals with the key of the first.
    """
    first, second = await company.session(), await company.session(KeyVault(company.secrets))
    one = first.seal(Personal("from A's journal"), IVO, EventId("a-1"), NAME)
    second.seal(Personal("from B's journal"), IVO, EventId("b-1"), NAME)
    await company.commit(first.changes)

    with pytest.raises(PersonKeyConflictError):
        await company.commit(second.changes)

    retry = await company.session()
    two = retry.seal(Personal("from B's journal"), IVO, EventId("b-1"), NAME)
    await company.commit(retry.changes)
    assert KeyChanges() == retry.changes
    assert "from A's journal" == await company.open(one)
    assert "from B's journal" == await company.open(two)


def test_person_whose_row_was_not_loaded_is_named(company):
    """
    A session does not take what it was not given for what does not exist.
    """
    session = company.vault.session({OLGA: None})
    sealed = session.seal(Personal(TEXT), OLGA, EVENT, NAME)

    for ask in (
        lambda: session.seal(Personal(TEXT), IVO, EVENT, NAME),
        lambda: company.vault.session({}).open(sealed),
    ):
        with pytest.raises(KeyNeededError) as needed:
            ask()
        assert needed.value.person in (IVO, OLGA)


async def test_erased_person_reads_as_nothing_and_others_as_before(company):
    """
    S8, G27: after erasure a person's values open for nobody, everybody else's open as before.
    """
    petra, olga = await company.seal(PETRA), await company.seal(OLGA, "Olga Marenko")
    session = await company.session()
    assert TEXT == session.open(petra)
    session.forget(PETRA)
    assert [None, "Olga Marenko"] == [session.open(petra), session.open(olga)]
    assert KeyChanges((), (PETRA,)) == session.changes
    await company.commit(session.changes)
    company.vault.forget(PETRA)

    for vault in (company.vault, KeyVault(company.secrets)):
        assert None is await company.open(petra, vault)
        assert "Olga Marenko" == await company.open(olga, vault)
    assert KeyRow(PETRA, "", b"") == await company.store.key_row(PETRA)


async def test_row_that_is_gone_reads_as_erased(company):
    """
    A value whose person has no row at all, as in a store cleaned by hand, opens as nothing.
    """
    sealed = await company.seal()

    assert None is company.vault.session({PETRA: None}).open(sealed)


async def test_nothing_new_is_kept_about_an_erased_person(company):
    """
    S8: no key is made for an erased person; the refusal names an id and no value.
    """
    await company.seal()
    await company.erase(PETRA)

    with pytest.raises(PersonErasedError) as refused:
        await company.seal()

    assert (Category.MISSING, "PERSON_ERASED") == (refused.value.category, refused.value.reason)
    assert {"kind": "client", "id": "petra"} == refused.value.details()
    assert TEXT not in str(refused.value)


async def test_late_writer_makes_no_key_for_a_person_erased_meanwhile(company):
    """
    S8: a session that began before the erasure of a person without a key cannot give them one.
    """
    late = await company.session()
    late.seal(Personal(TEXT), IVO, EVENT, NAME)
    await company.erase(IVO)

    with pytest.raises(PersonKeyConflictError):
        await company.commit(late.changes)
    with pytest.raises(PersonErasedError):
        await company.seal(IVO)


async def test_person_forgotten_in_a_session_gets_no_key_in_it(company):
    """
    Within one append erasing wins: a key made before it is not stored, none is made after it.
    """
    session = await company.session()
    sealed = session.seal(Personal(TEXT), PETRA, EVENT, NAME)
    session.forget(PETRA)

    assert (KeyChanges((), (PETRA,)), None) == (session.changes, session.open(sealed))
    with pytest.raises(PersonErasedError):
        session.seal(Personal(TEXT), PETRA, EVENT, NAME)


async def test_rotation_by_another_process_is_noticed(company):
    """
    S9: a vault meets a row under a key it does not know and loads the keyring again, unasked.
    """
    sealed = await company.seal()
    await rotate(company.secrets, company.store, LATER)

    assert TEXT == await company.open(sealed)


async def test_key_made_before_a_rotation_is_made_again(company):
    """
    A command that wrapped a new key while another process rotated is refused; its retry succeeds.
    """
    session = await company.session()
    session.seal(Personal(TEXT), PETRA, EVENT, NAME)
    await rotate(company.secrets, company.store, LATER)
    with pytest.raises(KekRetiredError):
        await company.commit(session.changes)

    assert TEXT == await company.open(await company.seal())
