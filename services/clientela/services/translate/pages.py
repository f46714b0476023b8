"""
Pages of lists: sizes and tokens (AIP-158).

A token holds the place after which the next page begins and a hash of the request it belongs to.
It is no secret and grants nothing: what a page may show is decided at every call anew.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import attrs

from google.protobuf.message import Message

from clientela.domain.errors import InvalidValueError
from clientela.services.translate.refusals import PageTokenError


_T = TypeVar("_T")

PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 200

DIGEST_BYTES = 12
"""Bytes kept of the hash of a request: enough against accident, and there is nothing to gain."""

DIGITS_MAX = 18
"""Digits of a number in a token: as many as any position or count has."""

PAGE_FIELDS = ("page_size", "page_token")

_NOTHING = "\0"
"""In no place of any list; PostgreSQL knows no text that holds it."""


@attrs.frozen
class Page:
    """
    Which part of a list is wanted.

    Attributes:
        size: Most items, 1 to `PAGE_SIZE_MAX`.

        after: Where the page before ended; empty for the first page.
    """

    size: int
    after: str = ""

    @property
    def number(self) -> int:
        """
        The number where the page before ended; 0 for the first page.

        Raises:
            PageTokenError: it ended at no number.
        """
        if not self.after:
            return 0
        is_number = self.after.isascii() and self.after.isdecimal()
        if not is_number or len(self.after) > DIGITS_MAX:
            raise PageTokenError
        return int(self.after)


def page(request: Any) -> Page:
    """
    Which page *request* asks for.

    Raises:
        InvalidValueError: the size is below 0.

        PageTokenError: the token is none, or of another request.
    """
    if request.page_size < 0:
        raise InvalidValueError("page_size", f"0 to {PAGE_SIZE_MAX}")
    size = min(request.page_size or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
    return Page(size, _after(request) if request.page_token else "")


def next_page_token(request: Message, after: str) -> str:
    """
    The token of the page that follows on the one *request* asked for.

    Args:
        request: The request answered.

        after: Where its page ended, not empty; ids and numbers only, for everybody can read it.
    """
    assert after
    return base64.urlsafe_b64encode(_digest(request) + after.encode()).decode().rstrip("=")


def paged(
    request: Message, wanted: Page, items: Sequence[_T], place: Callable[[_T], str]
) -> tuple[Sequence[_T], str]:
    """
    The items of a page and the token of the next one.

    Args:
        request: The request to be answered.

        wanted: The page it asks for.

        items: What follows on `wanted.after`, in order, one more than the page holds if there is.

        place: Where an item stands, for `after`.
    """
    shown = items[: wanted.size]
    is_last = len(items) <= wanted.size
    return shown, "" if is_last else next_page_token(request, place(shown[-1]))


def sliced(request: Message, wanted: Page, items: Iterable[_T]) -> tuple[tuple[_T, ...], str]:
    """
    The same of a list that is at hand whole and only ever grows at its end.

    Raises:
        PageTokenError: the token is none of such a list.
    """
    everything = tuple(items)
    begin = wanted.number
    end = begin + wanted.size
    token = next_page_token(request, str(end)) if end < len(everything) else ""
    return everything[begin:end], token


MOMENT_MARK = "@"
"""Stands in a place between how many items came before and the moment the list is of."""


def page_of_moment(request: Any) -> tuple[Page, int | None]:
    """
    Which page *request* asks for of a list that may grow anywhere, and the moment it is read at.

    Returns:
        The page, and the moment of the first page as `sliced_at` was told; None for the first.

    Raises:
        InvalidValueError: the size is below 0.

        PageTokenError: the token is none of such a list.
    """
    wanted = page(request)
    if not wanted.after:
        return wanted, None
    number, mark, moment = wanted.after.partition(MOMENT_MARK)
    if not mark:
        raise PageTokenError
    return Page(wanted.size, number), Page(wanted.size, moment).number


def sliced_at(
    request: Message, wanted: Page, items: Sequence[_T], moment: int
) -> tuple[Sequence[_T], str]:
    """
    The items of a page and the token of the next one, of a list that may grow anywhere.

    Args:
        request: The request to be answered.

        wanted: The page it asks for.

        items: The whole list as it was at *moment*.

        moment: A version or position; later pages are told it.

    Raises:
        PageTokenError: the token is none of such a list.
    """
    begin = wanted.number
    end = begin + wanted.size
    place = f"{end}{MOMENT_MARK}{moment}"
    token = next_page_token(request, place) if end < len(items) else ""
    return items[begin:end], token


def _after(request: Any) -> str:
    token: str = request.page_token
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        digest, after = raw[:DIGEST_BYTES], raw[DIGEST_BYTES:].decode()
    except (binascii.Error, ValueError):
        raise PageTokenError from None
    # A request is checked for control characters before; what its token encodes is not.
    if digest != _digest(request) or not after or _NOTHING in after:
        raise PageTokenError
    return after


def _digest(request: Message) -> bytes:
    """Hash of what a request asks for, whatever page of it."""
    question = request.__class__.FromString(request.SerializeToString(deterministic=True))
    for field in PAGE_FIELDS:
        question.ClearField(field)
    said = question.SerializeToString(deterministic=True)
    name = request.DESCRIPTOR.full_name.encode()
    return hashlib.sha256(name + b"\0" + said).digest()[:DIGEST_BYTES]
