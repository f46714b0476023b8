"""
Lists over a real connection.
"""

from __future__ import annotations

from clientela.sdk import connect, items, pages
from clientela.v1.ownership_pb2 import ListOrphansRequest, ListOrphansResponse, Orphan
from tests.services.edge import edge


def page_of(request):
    """The page that *request* asks for, of three."""
    number = int(request.page_token or 1)
    token = "" if number == 3 else str(number + 1)
    orphans = [Orphan(client_id=f"client-{number}-{i}") for i in range(request.page_size)]
    return ListOrphansResponse(orphans=orphans, next_page_token=token)


async def test_every_item_of_every_page_comes_once():
    """
    Items come in order over all pages; the request of the caller stays as it was.
    """
    request = ListOrphansRequest(page_size=2)
    async with edge() as served:
        served.stage.answers["ListOrphans"] = page_of
        async with connect(f"127.0.0.1:{served.port}", actor="service/till") as client:
            listing = client.ownership.ListOrphans
            found = [
                orphan.client_id
                async for orphan in items(listing, request, lambda page: page.orphans)
            ]
            tokens = [page.next_page_token async for page in pages(listing, request)]

    assert [f"client-{number}-{i}" for number in (1, 2, 3) for i in (0, 1)] == found
    assert ["2", "3", ""] == tokens
    assert ListOrphansRequest(page_size=2) == request
