"""
When two texts are one identifier.
"""

from __future__ import annotations

import traceback

import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.adapters.identifiers import (
    CARD,
    EMAIL,
    PHONE,
    TAX_ID,
    TEXT_LENGTH_MAX,
    Identifiers,
)
from clientela.domain.context import NormalForms
from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import Code


HANDLE = Code("telegram")

GERMAN: NormalForms = Identifiers("DE")
ABROAD: NormalForms = Identifiers()


@pytest.mark.parametrize(
    ("kind", "expected", "spellings"),
    [
        (
            PHONE,
            "+493012345678",
            [
                "030 12345678",
                "(030) 1234-5678",
                "+49 30 12345678",
                "0049 30 12345678",
                "+49 (0)30 12345678",
                "\u202a+49 30 12345678\u202c",
                "tel:+49-30-12345678",
                "\uff10\uff13\uff10 12345678",
            ],
        ),
        (PHONE, "+390236618300", ["+39 02 3661 8300", "0039 02 36618300"]),
        (PHONE, "+493012345678;ext=12", ["030 12345678 ext. 12", "+49 30 12345678 x12"]),
        (
            EMAIL,
            "petra.novak@shop.example",
            [
                "petra.novak@shop.example",
                " Petra.Novak@Shop.EXAMPLE\t",
                "PETRA.NOVAK@shop.example\u00a0",
            ],
        ),
        (
            EMAIL,
            "petra@xn--bcher-kva.example",
            [
                "petra@bücher.example",
                "petra@BÜCHER.example",
                "petra@bu\u0308cher.example",
                "petra@xn--bcher-kva.example",
                "petra@XN--BCHER-KVA.EXAMPLE",
            ],
        ),
        (EMAIL, "strasse@shop.example", ["straße@shop.example", "STRASSE@shop.example"]),
        (TAX_ID, "DE123456789", ["DE 123 456 789", "de123.456.789", "DE-123/456/789"]),
        (CARD, "4711A", ["4711-a", " 4711 A ", "\uff14711\uff41"]),
        (HANDLE, "@PETRA N", ["@petra n", "  @Petra \u00a0 N ", "@PETRA\u200b N"]),
    ],
)
def test_spellings_of_one_identifier_have_one_form(kind, expected, spellings):
    """
    REC-8: five spellings of a domain, a phone at home and from abroad, a tax id with and without
    its dots: each is one key.
    """
    assert [expected] * len(spellings) == [GERMAN.normal(kind, text) for text in spellings]


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (PHONE, "030 12345678", "030 12345679"),
        (PHONE, "030 12345678 ext. 12", "030 12345678 ext. 13"),
        (PHONE, "030 12345678 ext. 12", "030 12345678"),
        (PHONE, "030 12345678", "+43 1 2345678"),
        (EMAIL, "petra@shop.example", "petra@shop.other.example"),
        (EMAIL, "petra.n@shop.example", "petran@shop.example"),
        (EMAIL, "petra+a@shop.example", "petra@shop.example"),
        (HANDLE, "petra n", "petran"),
    ],
)
def test_different_identifiers_stay_apart(kind, one, other):
    """
    REC-8: two extensions of one switchboard, and mailboxes that some providers hold for one, are
    two: who joins what is apart cannot take it apart again.
    """
    assert GERMAN.normal(kind, one) != GERMAN.normal(kind, other)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (PHONE, ""),
        (PHONE, "petra"),
        (PHONE, "030"),
        (PHONE, "+49 1"),
        (PHONE, "+999 12345678"),
        (PHONE, "0" * TEXT_LENGTH_MAX),
        (EMAIL, "petra"),
        (EMAIL, "petra@"),
        (EMAIL, "@shop.example"),
        (EMAIL, "petra@localhost"),
        (EMAIL, "petra@shop"),
        (EMAIL, "pe tra@shop.example"),
        (EMAIL, "petra@shop..example"),
        (EMAIL, "Petra <petra@shop.example>"),
        (EMAIL, '"petra"@shop.example'),
        (EMAIL, "petra@[192.0.2.1]"),
        (EMAIL, f"{'p' * 65}@shop.example"),
        (EMAIL, "petra@shop.example\r\nBcc: anton@shop.example"),
        (EMAIL, "petra@shop.example\n"),
        (TAX_ID, " -./"),
        (CARD, "\u200b"),
        (CARD, "4711\x00"),
        (HANDLE, " \u00a0"),
        (HANDLE, "x" * (TEXT_LENGTH_MAX + 1)),
        (HANDLE, "ﷺ" * TEXT_LENGTH_MAX),
    ],
)
def test_what_is_no_identifier_is_refused_without_being_repeated(kind, text):
    """
    REC-17: a malformed identifier is refused by its kind; its text is in neither message, details
    nor traceback.
    """
    with pytest.raises(InvalidValueError) as refused:
        GERMAN.normal(kind, text)

    assert kind == refused.value.field
    assert None is refused.value.__context__
    told = str(refused.value) + str(refused.value.details())
    shown = "".join(traceback.format_exception_only(refused.value))
    assert not text.strip() or text not in told + shown


def test_number_without_a_country_needs_a_region():
    """
    REC-17: where the company dials in no one country, a number must say its own.
    """
    assert "+493012345678" == ABROAD.normal(PHONE, "+49 30 12345678")
    with pytest.raises(InvalidValueError, match="phone"):
        ABROAD.normal(PHONE, "030 12345678")


@pytest.mark.parametrize("region", ["de", "XX", "", "Germany"])
def test_region_must_have_a_numbering_plan(region):
    """
    A region that cannot be dialled in is refused when the company starts, not at the first phone.
    """
    with pytest.raises(InvalidValueError, match="region"):
        Identifiers(region)


@given(
    st.sampled_from([PHONE, EMAIL, TAX_ID, CARD, HANDLE]),
    st.one_of(
        st.text(max_size=40),
        st.from_regex(r"\+[1-9][0-9 ()-]{5,14}( ext\. [0-9]{1,3})?", fullmatch=True),
        st.builds("{}@{}.example".format, st.text(min_size=1, max_size=12), st.text(max_size=12)),
    ),
)
def test_form_of_a_form_is_itself(kind, text):
    """
    REC-8: a normal form normalises to itself, and what is refused is refused by one error only.
    """
    try:
        form = GERMAN.normal(kind, text)
    except InvalidValueError:
        return

    assert form == GERMAN.normal(kind, form)
