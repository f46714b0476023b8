"""
Normal forms of identifiers: phones by libphonenumber, e-mail addresses by RFC 5321 and IDNA.

Two texts are the same identifier when their normal forms are equal, so a rule here says who counts
as one client. What is given is kept as it was written; only comparison goes by these forms.
"""

from __future__ import annotations

import unicodedata

from collections.abc import Callable
from typing import Literal

import email_validator
import phonenumbers

from clientela.domain.errors import InvalidValueError
from clientela.domain.ids import Code


PHONE = Code("phone")
EMAIL = Code("email")
TAX_ID = Code("tax-id")
CARD = Code("card")

TEXT_LENGTH_MAX = 320
"""Characters of an identifier, before and after it is brought into its form."""

NORMALISATIONS_MAX = 4
"""Rounds after which a text has its form: folding one character may bring forth another to fold."""


class Identifiers:
    """
    Normal forms for a company.

    A phone is in E.164, with its extension if it has one, and must be a number that is in use
    according to the numbering plans that `phonenumbers` knows.

    An e-mail address has an ASCII domain in lower case, of two labels or more, and a case-folded
    local part: the letter of the standard lets a provider tell `Ann@` from `ann@`, none of note
    does, and one person would otherwise be two. Dots and what follows a plus are kept, since
    outside a few providers they do tell mailboxes apart. Quoted local parts, comments and literal
    addresses are refused.

    Tax ids and cards are letters and digits in upper case; of any other kind, blanks at the ends
    and case do not count and a run of blanks is one. No identifier holds a line break or another
    control character.

    Args:
        region: ISO 3166 code of the country that a number without its own is dialled in; None
            means that every number must have one.

    Raises:
        InvalidValueError: no numbering plan is known for *region*.
    """

    def __init__(self, region: str | None = None) -> None:
        if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
            raise InvalidValueError("region", "two capital letters of ISO 3166, such as DE")
        self._region = region

    def normal(self, kind: Code, text: str) -> str:
        """
        Normal form of an identifier.

        Args:
            kind: `phone`, `email`, `tax-id`, `card` or any other word.

            text: 1 to `TEXT_LENGTH_MAX` characters, no control characters.

        Returns:
            Its form, at most `TEXT_LENGTH_MAX` characters; the form of a form is itself.

        Raises:
            InvalidValueError: *text* is no such identifier; it is not repeated.
        """
        given = len(text) <= TEXT_LENGTH_MAX and _is_one_line(text)
        form = self._form(kind, text) if given else None
        if not form or len(form) > TEXT_LENGTH_MAX:
            raise InvalidValueError(kind, _EXPECTED.get(kind, _ANY))
        return form

    def _form(self, kind: Code, text: str) -> str | None:
        if kind == PHONE:
            return _phone(text, self._region)
        if kind == EMAIL:
            return _email(text)
        if kind in {TAX_ID, CARD}:
            return "".join(filter(str.isalnum, _upper(text)))
        return " ".join(_upper(text).split())


_ANY = f"a text of 1 to {TEXT_LENGTH_MAX} characters"

_EXPECTED = {
    PHONE: "a phone number in use, with its country code if it is from abroad",
    EMAIL: "an e-mail address: a mailbox, the sign @ and a domain",
    TAX_ID: "letters and digits",
    CARD: "letters and digits",
}


def _phone(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    form = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{form};ext={number.extension}" if number.extension else form


def _email(text: str) -> str | None:
    try:
        address = email_validator.validate_email(
            text.strip(), check_deliverability=False, strict=True
        )
    except email_validator.EmailNotValidError:
        return None
    return f"{_settled(address.local_part, str.casefold, 'NFC')}@{address.ascii_domain.lower()}"


def _upper(text: str) -> str:
    """Upper case in compatibility form, without characters that nobody sees."""
    visible = (c for c in text if unicodedata.category(c) != "Cf")
    return _settled("".join(visible), str.upper, "NFKC")


def _settled(text: str, fold: Callable[[str], str], form: Literal["NFC", "NFKC"]) -> str:
    """*text* folded and normalised until neither changes it."""
    for _ in range(NORMALISATIONS_MAX):
        folded = unicodedata.normalize(form, fold(text))
        if folded == text:
            break
        text = folded
    return text


def _is_one_line(text: str) -> bool:
    return not any(unicodedata.category(character) == "Cc" for character in text.strip("\t"))
