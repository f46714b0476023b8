import pytest

from clientela.domain.errors import InvalidValueError
from clientela.domain.facts import BusinessKey
from clientela.domain.identity.details import Standing
from clientela.domain.ids import BusinessId, ClientId, Code, EmployeeId
from clientela.domain.personal import Personal
from clientela.services.translate.search import (
    ByCard,
    ByIdentifier,
    ByName,
    ClientFilter,
    Clock,
    TimelineQuery,
    client_filter,
    sought,
    timeline_query,
)
from clientela.v1 import client_pb2, common_pb2


Find = client_pb2.FindClientsRequest
Timeline = client_pb2.GetTimelineRequest


def test_a_filter_without_conditions_wants_everybody():
    """
    REC-1: what is not said is no condition.
    """
    assert ClientFilter() == client_filter(client_pb2.ListClientsRequest())


def test_a_filter_tells_all_its_conditions():
    """
    LIFE-13: owner, orphaned, stage and standing bound a list together; false is a condition.
    """
    request = client_pb2.ListClientsRequest(
        owner_id="marta",
        orphaned=False,
        in_stage=client_pb2.ListClientsRequest.InStage(model="clm", stage="loyalty"),
        standing=client_pb2.STANDING_PROSPECT,
    )

    expected = ClientFilter(
        owner_id=EmployeeId("marta"),
        orphaned=False,
        model=Code("clm"),
        stage=Code("loyalty"),
        standing=Standing.PROSPECT,
    )
    assert expected == client_filter(request)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            Find(identifier=Find.ByIdentifier(kind="phone", text="+49 30 1")),
            ByIdentifier(Code("phone"), Personal("+49 30 1")),
        ),
        (Find(name="petrova"), ByName(Personal("petrova"))),
        (Find(card_number="4711"), ByCard(Personal("4711"))),
        (
            Find(source=common_pb2.BusinessKey(source="old-crm", id="77")),
            BusinessKey(Code("old-crm"), BusinessId("77")),
        ),
    ],
    ids=["identifier", "name", "card", "source"],
)
def test_a_search_goes_by_one_thing(request_, expected):
    """
    REC-8: a client is sought by identifier, name, card or source id.
    """
    assert expected == sought(request_)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (Find(), "by"),
        (Find(name="  "), "name"),
        (Find(name="x" * 257), "name"),
        (Find(identifier=Find.ByIdentifier(kind="phone")), "identifier.text"),
        (Find(card_number=""), "card_number"),
    ],
    ids=["nothing", "blank", "long", "no-text", "no-number"],
)
def test_a_search_for_nothing_is_refused(request_, field):
    """
    REC-8: a search that says nothing would find everybody.
    """
    with pytest.raises(InvalidValueError) as refused:
        sought(request_)

    assert field == refused.value.field


def test_what_is_searched_for_prints_nothing():
    """
    A name that somebody typed is personal: it stands in no log by way of a printed query.
    """
    assert "petrova" not in repr(sought(Find(name="petrova")))


def test_a_timeline_is_ordered_by_what_was_recorded_unless_it_says_otherwise():
    """
    REC-2: the order in which things were known is the default.
    """
    request = Timeline(client_id="olga")

    assert TimelineQuery(client_id=ClientId("olga")) == timeline_query(request)


def test_a_timeline_query_tells_all_its_conditions():
    """
    REC-2: order, names and the wallet bound a reading.
    """
    request = Timeline(
        client_id="olga",
        order=Timeline.ORDER_OCCURRED,
        newest_first=True,
        names=["purchase-recorded"],
        with_wallet=True,
    )

    expected = TimelineQuery(
        client_id=ClientId("olga"),
        clock=Clock.OCCURRED,
        newest_first=True,
        names=frozenset({Code("purchase-recorded")}),
        with_wallet=True,
    )
    assert expected == timeline_query(request)


def test_a_timeline_is_bounded_to_fifty_names():
    """
    A request stays small: at most 50 names.
    """
    with pytest.raises(InvalidValueError) as refused:
        timeline_query(Timeline(client_id="olga", names=["x"] * 51))

    assert "names" == refused.value.field
