import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.domain.errors import InvalidValueError
from clientela.services.translate.pages import (
    PAGE_SIZE_DEFAULT,
    PAGE_SIZE_MAX,
    Page,
    next_page_token,
    page,
    paged,
    sliced,
)
from clientela.services.translate.refusals import PageTokenError
from clientela.v1 import client_pb2, ownership_pb2


def spells(**more) -> ownership_pb2.ListOwnershipSpellsRequest:
    """A request for a list."""
    return ownership_pb2.ListOwnershipSpellsRequest(client_id="olga", **more)


@pytest.mark.parametrize(
    ("asked", "size"), [(0, PAGE_SIZE_DEFAULT), (1, 1), (200, 200), (201, PAGE_SIZE_MAX)]
)
def test_sizes_are_coerced(asked, size):
    """
    AIP-158: 0 is the default, more than the most is the most.
    """
    assert Page(size) == page(spells(page_size=asked))


def test_a_negative_size_is_refused():
    """
    AIP-158: a negative size is a mistake.
    """
    with pytest.raises(InvalidValueError) as refused:
        page(spells(page_size=-1))

    assert "page_size" == refused.value.field


@given(st.text(min_size=1, max_size=100).filter(lambda text: text.isprintable()))
def test_a_token_says_where_to_go_on(after):
    """
    A token given back with the same request says where the page before ended.
    """
    token = next_page_token(spells(), after)

    assert Page(PAGE_SIZE_DEFAULT, after) == page(spells(page_token=token))


@pytest.mark.parametrize("after", ["\0", "olga\0", "1\0"])
def test_a_token_made_up_of_what_no_store_keeps_is_refused(after):
    """
    A token is no secret, so anybody can make one up: what it says is checked like any text.
    """
    with pytest.raises(PageTokenError):
        page(spells(page_token=next_page_token(spells(), after)))


def test_a_token_outlives_another_size():
    """
    AIP-158: the size may change from page to page.
    """
    token = next_page_token(spells(page_size=10), "7")

    assert Page(20, "7") == page(spells(page_size=20, page_token=token))


@pytest.mark.parametrize(
    "request_",
    [
        ownership_pb2.ListOwnershipSpellsRequest(client_id="boris"),
        client_pb2.GetTimelineRequest(client_id="olga"),
    ],
    ids=["filter", "rpc"],
)
def test_a_token_of_another_request_is_refused(request_):
    """
    A token belongs to one rpc with one set of filters: PAGE_TOKEN_INVALID.
    """
    request_.page_token = next_page_token(spells(), "7")

    with pytest.raises(PageTokenError):
        page(request_)


@pytest.mark.parametrize(
    "token",
    ["x", "====", "aGVsbG8", "ä", "A" * 100],
    ids=["letter", "padding", "short", "umlaut", "long"],
)
def test_what_is_no_token_is_refused(token):
    """
    A token that was never given out is refused and brings nothing down: PAGE_TOKEN_INVALID.
    """
    with pytest.raises(PageTokenError):
        page(spells(page_token=token))


@given(st.lists(st.integers(1, 10_000), unique=True), st.integers(1, 7))
def test_pages_of_a_growing_list_show_everything_once(items, size):
    """
    REC-2: one reading shows every item once, in order, and ends without a token.
    """
    shown: list[int] = []
    request = spells(page_size=size)
    while True:
        part, request.page_token = sliced(spells(page_size=size), page(request), items)
        assert len(part) <= size
        shown.extend(part)
        if not request.page_token:
            break

    assert items == shown


@given(st.sets(st.integers(1, 10_000)), st.integers(1, 7))
def test_pages_by_place_show_everything_once(places, size):
    """
    AIP-158: pages that go on after the last place shown skip and repeat nothing.
    """
    keys = sorted(f"{place:05}" for place in places)
    shown: list[str] = []
    request = spells(page_size=size)
    while True:
        wanted = page(request)
        rest = [key for key in keys if key > wanted.after][: wanted.size + 1]
        part, request.page_token = paged(spells(page_size=size), wanted, rest, str)
        assert len(part) <= size
        shown.extend(part)
        if not request.page_token:
            break

    assert keys == shown


def test_a_place_that_is_no_number_is_refused_in_a_list_at_hand():
    """
    A token whose place is no number was never given out for such a list: PAGE_TOKEN_INVALID.
    """
    with pytest.raises(PageTokenError):
        sliced(spells(), Page(10, "x"), [1, 2, 3])
