"""
Search terms: a name is found by its words and by how they begin, without being readable.

Words are folded (NFKD, case, accents), cut, and kept as blind tokens only. A search folds in the
same way and asks for the clients that have the tokens of all its words.
"""

from __future__ import annotations

import unicodedata

from collections.abc import Iterable

from clientela.domain.context import Naming
from clientela.domain.ids import Blind


NAME_SCOPE = "name"
"""Scope of the tokens; they are look-ups, never reserved."""

TERM_LENGTH_MAX = 12
"""Characters of a word that count: a longer word is found, with whatever begins like it."""

PREFIX_LENGTH_MIN = 3
"""Characters that a beginning needs to be a term."""

TERMS_MAX = 40
"""Terms of one client; whole words come first, then beginnings, short ones before long ones."""

_APOSTROPHES = "'\u2018\u2019\u02bc"


def words(text: str) -> tuple[str, ...]:
    """The words of *text*, folded and cut, each once, in order."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(map(_plain, folded))
    return tuple(dict.fromkeys(word[:TERM_LENGTH_MAX] for word in plain.split()))


def terms(text: str) -> tuple[str, ...]:
    """What a name is found by: its words and their beginnings, at most `TERMS_MAX`."""
    whole = words(text)
    beginnings = (
        word[:length]
        for length in range(PREFIX_LENGTH_MIN, TERM_LENGTH_MAX)
        for word in whole
        if length < len(word)
    )
    return tuple(dict.fromkeys((*whole, *beginnings)))[:TERMS_MAX]


def name_tokens(names: Iterable[str], naming: Naming) -> tuple[Blind, ...]:
    """Tokens under which a client of these *names* is found."""
    return _tokens(terms(" ".join(names)), naming)


def search_tokens(text: str, naming: Naming) -> tuple[Blind, ...]:
    """Tokens that a client must have, all of them, to be found by *text*; empty without a word."""
    return _tokens(words(text)[:TERMS_MAX], naming)


def _tokens(found: Iterable[str], naming: Naming) -> tuple[Blind, ...]:
    return tuple(naming.key(NAME_SCOPE, term).value for term in found)


def _plain(character: str) -> str:
    """The character if it belongs to a word, a blank if it parts words, nothing for accents."""
    if unicodedata.combining(character) or character in _APOSTROPHES:
        return ""
    return character if unicodedata.category(character)[0] in "LNM" else " "
