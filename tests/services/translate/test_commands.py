import copy

import pytest

from google.api.field_behavior_pb2 import FieldBehavior, field_behavior
from google.protobuf.descriptor import FieldDescriptor

from clientela.domain.errors import InvalidValueError
from clientela.services.translate.refusals import RequestIdRequiredError
from clientela.v1 import ownership_pb2
from tests.protos.wire import mutations
from tests.services.translate.client_samples import CLIENT_SAMPLES
from tests.services.translate.company_samples import COMPANY_SAMPLES
from tests.services.translate.trade_samples import TRADE_SAMPLES


SAMPLES = {**CLIENT_SAMPLES, **TRADE_SAMPLES, **COMPANY_SAMPLES}

STRING = FieldDescriptor.CPPTYPE_STRING
ENUM = FieldDescriptor.CPPTYPE_ENUM
MESSAGE = FieldDescriptor.CPPTYPE_MESSAGE


def required(request) -> list[str]:
    """Required fields of a request that have an absence, besides the request id."""
    return [
        field.name
        for field in request.DESCRIPTOR.fields
        if FieldBehavior.REQUIRED in field.GetOptions().Extensions[field_behavior]
        and (field.has_presence or field.cpp_type in {STRING, ENUM, MESSAGE})
        and field.name != "request_id"
    ]


REQUIRED = [(name, field) for name, sample in SAMPLES.items() for field in required(sample.request)]


def test_every_mutation_is_sampled():
    """
    There is a sample of every mutation, so that the tests below leave none out.
    """
    assert set(mutations()) == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_says_everything(name):
    """
    A sample sets every field of its own that a request can have, so that none is lost unnoticed.
    """
    request = SAMPLES[name].request
    silent = {"validate_only", "etag"} | ({"occurred_at"} if name == "RecordLeaving" else set())
    said = {field.name for field, _ in request.ListFields()}

    assert {field.name for field in request.DESCRIPTOR.fields} - silent == said


@pytest.mark.parametrize("name", SAMPLES)
def test_a_request_stands_for_its_command(name):
    """
    Every field of a request arrives in its command under the same meaning.
    """
    sample = SAMPLES[name]

    assert sample.command == sample.read(sample.request)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mutation_without_request_id_is_refused(name):
    """
    REC-8: without a request id a repeat could take effect twice: REQUEST_ID_REQUIRED.
    """
    sample = SAMPLES[name]
    request = copy.deepcopy(sample.request)
    request.ClearField("request_id")

    with pytest.raises(RequestIdRequiredError):
        sample.read(request)


@pytest.mark.parametrize(("name", "field"), REQUIRED)
def test_a_required_field_that_is_missing_is_named(name, field):
    """
    A field marked REQUIRED in the proto is refused by its name where it is missing.
    """
    sample = SAMPLES[name]
    request = copy.deepcopy(sample.request)
    request.ClearField(field)

    with pytest.raises(InvalidValueError) as refused:
        sample.read(request)

    assert field == refused.value.field


@pytest.mark.parametrize("name", ["RegisterClient", "RegisterUnit", "RegisterEmployee"])
def test_what_is_new_has_no_etag(name):
    """
    A registration cannot depend on the etag of what is not there yet.
    """
    sample = SAMPLES[name]
    request = copy.deepcopy(sample.request)
    request.etag = "identity-1"

    with pytest.raises(InvalidValueError) as refused:
        sample.read(request)

    assert "etag" == refused.value.field


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (name, field.name)
        for name, sample in SAMPLES.items()
        for field in sample.request.DESCRIPTOR.fields
        if field.name.endswith("_id")
        and field.name not in {"request_id", "card_id"}
        and field.name != "new_card_id"
    ],
)
def test_an_id_that_could_name_no_journal_is_refused(name, field):
    """
    Ids name journals: what is not 1 to 64 of A-Z, a-z, 0-9, - and _ is refused by the field's name.
    """
    sample = SAMPLES[name]
    request = copy.deepcopy(sample.request)
    setattr(request, field, "wallet/olga")

    with pytest.raises(InvalidValueError) as refused:
        sample.read(request)

    assert field == refused.value.field


def test_an_approach_makes_an_offer_unless_it_says_otherwise():
    """
    OWN-1: an approach without `with_offer` is one with an offer.
    """
    request = ownership_pb2.ApproachRequest(
        request_id="6f2b", client_id="olga", employee_id="marta", channel="phone"
    )

    assert SAMPLES["Approach"].read(request).with_offer
