"""
Packed values: lines of text that give back what was put in.
"""

from __future__ import annotations

from datetime import UTC

import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain import packed
from clientela.domain.ids import ClientId, Ref, WalletId, client_journal, wallet_journal
from clientela.domain.packed import FIELD, LINE, NOTHING, PART, Packed


HOME = client_journal(ClientId("petra"))


@given(text=st.text(alphabet=st.sampled_from(f"a%{FIELD}{LINE}{PART}2C5ä"), max_size=12))
def test_any_text_is_a_field(text):
    """
    A field holds any text, and nothing in it is taken for the end of a field, a part or a line.
    """
    field = packed.word(text)

    assert text == packed.unword(field)
    assert not {FIELD, LINE, PART} & set(field)


@given(moment=st.datetimes(timezones=st.just(UTC)))
def test_moment_is_exact(moment):
    """
    A moment comes back to the microsecond.
    """
    assert moment == packed.moment_of(packed.instant(moment))


@pytest.mark.parametrize(
    ("ref", "part"),
    [(Ref(HOME, 7), "7"), (Ref(wallet_journal(WalletId("w-1")), 8), "wallet/w-1@8")],
    ids=["at-home", "elsewhere"],
)
def test_reference_tells_its_journal_only_where_it_is_another(ref, part):
    """
    A reference to the journal at home is its version alone; any other one is written out.
    """
    assert (part, ref) == (packed.reference(ref, HOME), packed.ref_of(part, HOME))


@given(
    lines=st.lists(st.text(alphabet="ab", max_size=3), max_size=5).filter(lambda ls: "" not in ls)
)
def test_lines_keep_their_order(lines):
    """
    Lines come back in order, or the last one first; one more stands at the end.
    """
    text = packed.joined(lines)

    assert (lines, len(lines)) == (packed.lines(text), packed.count(text))
    assert lines[::-1] == list(packed.backwards(text))
    assert packed.joined([*lines, "c"]) == packed.with_line(text, "c")


def test_nothing_has_no_lines():
    """
    The empty text has no lines, and several texts in a row are one.
    """
    assert ([], [], 0) == (
        packed.lines(NOTHING),
        list(packed.backwards(NOTHING)),
        packed.count(NOTHING),
    )
    assert ["a", "b"] == packed.lines(Packed(packed.joined("a") + packed.joined("b")))
