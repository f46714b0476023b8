import pytest

from google.type.money_pb2 import Money as WireMoney

from clientela.domain.errors import InvalidValueError
from clientela.services.translate.required import check_required
from clientela.v1 import common_pb2, purchase_pb2


PURCHASE = common_pb2.BusinessKey(source="till-7", id="r-100")
TEA = purchase_pb2.Line(
    line_id="1", sku="tea", quantity=1, net=WireMoney(currency_code="EUR", units=1)
)


def test_a_missing_field_deep_within_is_named_by_its_path():
    """
    A required field of the second line is missing: `lines[1].sku`.
    """
    request = purchase_pb2.RecordPurchaseRequest(
        request_id="6f2b",
        client_id="olga",
        purchase=PURCHASE,
        lines=[TEA, purchase_pb2.Line(line_id="2", quantity=1, net=TEA.net)],
    )

    with pytest.raises(InvalidValueError) as refused:
        check_required(request)

    assert "lines[1].sku" == refused.value.field


def test_a_missing_field_of_a_single_message_is_named_by_its_path():
    """
    A required field of a message that is there is missing: `purchase.id`.
    """
    request = purchase_pb2.GetPurchaseRequest(purchase=common_pb2.BusinessKey(source="till-7"))

    with pytest.raises(InvalidValueError) as refused:
        check_required(request)

    assert "purchase.id" == refused.value.field


def test_numbers_are_left_to_the_rules():
    """
    0 pieces is no absence but a wrong quantity, which the rules refuse with their own reason.
    """
    request = purchase_pb2.RecordPurchaseRequest(
        request_id="6f2b",
        client_id="olga",
        purchase=PURCHASE,
        lines=[purchase_pb2.Line(line_id="1", sku="tea", net=TEA.net)],
    )

    check_required(request)


def test_an_optional_message_that_is_absent_needs_nothing():
    """
    What a message requires is required only where the message is there.
    """
    check_required(purchase_pb2.ListUnmatchedReturnsRequest())
