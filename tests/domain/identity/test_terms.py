"""
How names are found.
"""

from __future__ import annotations

import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.identity.terms import (
    TERM_LENGTH_MAX,
    TERMS_MAX,
    name_tokens,
    search_tokens,
    terms,
    words,
)
from clientela.domain.personal import TokenVault
from tests.domain.spec import Scenario


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("José  GARCÍA", ("jose", "garcia")),
        ("Алёна Майская", ("алена", "маиская")),
        ("Weiß", ("weiss",)),
        ("O\u2019Hara-Smith", ("ohara", "smith")),
        ("ﬁnn №7", ("finn", "no7")),
        ("Anna Anna", ("anna",)),
        ("Konstantinopolsky", ("konstantinop",)),
        (" -- ", ()),
    ],
)
def test_words_are_folded(text, expected):
    """
    REC-8: case, accents, compatibility forms and punctuation make no difference to a search.
    """
    assert expected == words(text)


def test_terms_are_words_and_their_beginnings():
    """
    A name is found by each whole word and by beginnings of three characters and more.
    """
    assert ("li", "petrova", "pet", "petr", "petro", "petrov") == terms("Li Petrova")


def test_whole_words_come_before_beginnings_when_there_are_too_many():
    """
    A very long name is still found by each of its first forty words.
    """
    names = [f"name{number:02}" for number in range(TERMS_MAX)]

    assert tuple(names) == terms(" ".join(names))


@given(st.text(max_size=80))
def test_terms_have_bounds(text):
    """
    No name makes more than forty terms, none longer than twelve characters, none twice.
    """
    found = terms(text)

    assert len(found) <= TERMS_MAX
    assert len(set(found)) == len(found)
    assert all(1 <= len(term) <= TERM_LENGTH_MAX for term in found)


@given(
    st.lists(st.text("abcdeéжЖ", min_size=3, max_size=15), min_size=1, max_size=3),
    st.data(),
)
def test_client_is_found_by_any_word_and_any_beginning_of_it(names, data):
    """
    A name of up to three words is found by each word and by every beginning of at least three
    characters, however they are written.
    """
    context = Scenario().context()
    word = data.draw(st.sampled_from(names))
    typed = word[: data.draw(st.integers(3, len(word)))].upper()

    assert set(search_tokens(typed, context)) <= set(name_tokens(names, context))


def test_tokens_tell_nothing():
    """
    What is kept of a name is keyed: another key, other tokens, and no word in them.
    """
    one, two = Scenario().context(), Scenario()
    two.vault = TokenVault(b"another key")

    assert set(name_tokens(["Petra"], one)).isdisjoint(name_tokens(["Petra"], two.context()))
    assert not any("petra" in token for token in name_tokens(["Petra"], one))
