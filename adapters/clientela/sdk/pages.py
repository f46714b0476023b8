"""
Lists, page after page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, TypeVar


PAGES_MAX = 1_000_000
"""Pages followed; a list that still goes on is broken."""

Request = TypeVar("Request")
Page = TypeVar("Page")
Item = TypeVar("Item")


class EndlessListError(Exception):
    """A list goes on after `PAGES_MAX` pages."""


async def pages(
    listing: Callable[[Request], Awaitable[Page]], request: Request
) -> AsyncIterator[Page]:
    """
    Every page of a list.

    Args:
        listing: The rpc, for instance `client.ownership.ListOrphans`.

        request: Of the first page.

    Raises:
        CallError: a page could not be had.

        EndlessListError: there is no end.
    """
    asked: Any = type(request)()
    asked.CopyFrom(request)
    for _ in range(PAGES_MAX):
        page: Any = await listing(asked)
        yield page
        if not page.next_page_token:
            return
        asked.page_token = page.next_page_token
    raise EndlessListError


async def items(
    listing: Callable[[Request], Awaitable[Page]],
    request: Request,
    of: Callable[[Page], Iterable[Item]],
) -> AsyncIterator[Item]:
    """
    Every item of a list.

    Args:
        listing: The rpc.

        request: Of the first page.

        of: The items of a page, for instance `lambda page: page.orphans`.

    Raises:
        CallError, EndlessListError: as for `pages`.
    """
    async for page in pages(listing, request):
        for item in of(page):
            yield item
