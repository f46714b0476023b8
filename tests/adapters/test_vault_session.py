"""
Keys of persons: made with an append, destroyed with an append, found by everybody.
"""

from __future__ import annotations

import pytest

from clientela.adapters.keys.cache import AGE_SECONDS_MAX
from clientela.adapters.keys.failures import (
    KekRetiredError,
    KeyConflictError,
    KeyNeededError,
    KeyNotMadeError,
    PersonErasedError,
    SealBrokenError,
)
from clientela.adapters.keys.rotation import rotate
from clientela.adapters.keys.rows import KeyChanges, LoadedKeys, erased_row
from clientela.domain.errors import Category
from clientela.domain.ids import (
    Code,
    EventId,
)
from clientela.domain.personal import (
    Personal,
)
from tests.adapters.keys.company import (
    EVENT,
    IVO,
    LATER,
    NAME,
    OLGA,
    PETRA,
    TEXT,
    Company,
)


@pytest.fixture
def company():
    """
    A company without any keys of persons.
    """
    return Company()


def test_each_person_has_a_key_of_their_own(company):
    """
    S7: one key a person, made once; a session makes it once however many values it seals.
    """
    session = company.vault.session()
    for field in ("name", "phone", "email"):
        session.seal(Personal(TEXT), PETRA, EVENT, Code(field))
    session.seal(Personal(TEXT), IVO, EVENT, NAME)
    company.table.apply(session.changes)
    again = company.vault.session()
    again.seal(Personal(TEXT), PETRA, EVENT, NAME)

    assert [PETRA, IVO] == [row.person for row in session.changes.made]
    assert KeyChanges() == again.changes


def test_session_looks_each_person_up_once(company):
    """
    Whatever a command seals and opens, a person's row is found and unwrapped once.
    """
    sealed = company.seal()
    company.looked_up.clear()
    session = company.vault.session()
    for _ in range(5):
        session.open(sealed)
        session.seal(Personal(TEXT), PETRA, EVENT, NAME)
        session.seal(Personal(TEXT), OLGA, EVENT, NAME)

    assert [PETRA, OLGA] == company.looked_up


def test_key_of_a_command_that_was_not_committed_is_gone(company):
    """
    A key that was made in a refused command, or in one that lost, is used by nobody.
    """
    lost = company.vault.session()
    sealed = lost.seal(Personal(TEXT), PETRA, EVENT, NAME)

    assert None is company.vault.open(sealed)
    kept = company.seal(text="kept")
    assert "kept" == company.vault.open(kept)
    with pytest.raises(SealBrokenError):
        company.vault.open(sealed)


def test_loser_of_a_race_for_a_key_seals_with_the_winners(company):
    """
    Two commands on different journals make the key of one person: the second conflicts, and its
    retry seals with the key of the first.
    """
    first, second = company.vault.session(), company.another_process().session()
    one = first.seal(Personal("from A's journal"), IVO, EventId("a-1"), NAME)
    second.seal(Personal("from B's journal"), IVO, EventId("b-1"), NAME)
    company.table.apply(first.changes)

    with pytest.raises(KeyConflictError):
        company.table.apply(second.changes)

    retry = company.vault.session()
    two = retry.seal(Personal("from B's journal"), IVO, EventId("b-1"), NAME)
    company.table.apply(retry.changes)
    assert KeyChanges() == retry.changes
    assert "from A's journal" == company.vault.open(one)
    assert "from B's journal" == company.vault.open(two)


def test_vault_without_a_session_makes_no_keys(company):
    """
    A value sealed under a key that nobody stores would be lost, so it is refused.
    """
    with pytest.raises(KeyNotMadeError, match="client/petra"):
        company.vault.seal(Personal(TEXT), PETRA, EVENT, NAME)

    company.seal()
    sealed = company.vault.seal(Personal("again"), PETRA, EVENT, NAME)
    assert "again" == company.vault.open(sealed)


def test_rows_may_be_loaded_beforehand(company):
    """
    A session over loaded rows uses them alone, and names the one that is missing.
    """
    sealed = company.seal()
    rows = LoadedKeys({PETRA: company.table.find(PETRA), OLGA: None})
    company.looked_up.clear()
    session = company.vault.session(rows)
    session.seal(Personal(TEXT), OLGA, EVENT, NAME)

    assert TEXT == session.open(sealed)
    assert [OLGA] == [row.person for row in session.changes.made]
    assert [] == company.looked_up
    with pytest.raises(KeyNeededError) as needed:
        session.seal(Personal(TEXT), IVO, EVENT, NAME)
    assert IVO == needed.value.person


def test_key_made_before_a_rotation_is_made_again(company):
    """
    A command that wraps a new key while another process rotates is refused, reloads, and succeeds.
    """
    session = company.vault.session()
    session.seal(Personal(TEXT), PETRA, EVENT, NAME)
    rotate(company.secrets, company.table, LATER)
    with pytest.raises(KekRetiredError):
        company.table.apply(session.changes)

    company.vault.reload()

    assert TEXT == company.vault.open(company.seal())


def test_rotation_by_another_process_is_noticed(company):
    """
    S9: a vault meets a row under a key it does not know and loads the keyring again, unasked.
    """
    sealed = company.seal()
    rotate(company.secrets, company.table, LATER)

    assert TEXT == company.vault.open(sealed)


def test_person_forgotten_in_a_session_gets_no_key_in_it(company):
    """
    Within one append erasing wins: a key made before it is not stored, none is made after it.
    """
    session = company.vault.session()
    session.seal(Personal(TEXT), PETRA, EVENT, NAME)
    session.forget(PETRA)

    assert KeyChanges((), (PETRA,)) == session.changes
    with pytest.raises(PersonErasedError):
        session.seal(Personal(TEXT), PETRA, EVENT, NAME)


def test_nothing_new_is_kept_about_an_erased_person(company):
    """
    S8: no key is made for an erased person; the refusal names an id and no value.
    """
    company.seal()
    company.erase(PETRA)

    for sealing in (company.vault, company.vault.session()):
        with pytest.raises(PersonErasedError) as refused:
            sealing.seal(Personal(TEXT), PETRA, EVENT, NAME)
        assert (Category.MISSING, "PERSON_ERASED") == (refused.value.category, refused.value.reason)
        assert {"kind": "client", "id": "petra"} == refused.value.details()


def test_erased_person_reads_as_nothing_and_others_as_before(company):
    """
    S8, G27: after erasure a person's values open for nobody, everybody else's open as before.
    """
    petra, olga = company.seal(PETRA), company.seal(OLGA, "Olga Marenko")
    row = company.table.find(PETRA)
    session = company.vault.session()
    assert TEXT == session.open(petra)
    session.forget(PETRA)
    assert None is session.open(petra)
    company.table.apply(session.changes)
    company.vault.forget(PETRA)

    assert [None, "Olga Marenko"] == [company.vault.open(petra), company.vault.open(olga)]
    assert [None, "Olga Marenko"] == [company.vault.session().open(s) for s in (petra, olga)]
    assert row
    assert erased_row(PETRA) == company.table.find(PETRA)
    assert "client/petra" not in str(company.vault._cache._kept)


def test_row_that_is_gone_reads_as_erased(company):
    """
    A value whose person has no row at all, as in a store cleaned by hand, opens as nothing.
    """
    sealed = company.seal()
    company.table._rows.clear()

    assert None is company.another_process().open(sealed)


def test_erasure_by_another_process_shows_within_a_minute(company):
    """
    G28: a session sees an erasure at once, a vault that had the key in memory after a minute.
    """
    sealed = company.seal()
    elsewhere = company.another_process()
    assert TEXT == elsewhere.open(sealed)
    company.erase(PETRA)

    assert None is elsewhere.session().open(sealed)
    company.seconds += AGE_SECONDS_MAX
    assert TEXT == elsewhere.open(sealed)
    company.seconds += 0.1
    assert None is elsewhere.open(sealed)
