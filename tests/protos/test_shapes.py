import pytest

from google.protobuf.descriptor import FieldDescriptor

from tests.protos.wire import COMMON_FIELDS_END, messages, methods, mutations, reads


COMMON = {
    "request_id": (1, None),
    "validate_only": (2, None),
    "etag": (3, None),
    "occurred_at": (4, "google.protobuf.Timestamp"),
}
PAGED = ("List", "Find", "ReadJournal", "ReadEvents", "GetTimeline", "GetStatement")
FLOATS = {FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT}
FLOATING = {"google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.DoubleValue"}


def numbered(message, name):
    """Number and message type of a field; None if *message* has no such field."""
    field = message.fields_by_name.get(name)
    inner = field.message_type.full_name if field is not None and field.message_type else None
    return (field.number, inner) if field is not None else None


@pytest.mark.parametrize("name", mutations())
def test_every_mutation_takes_the_four_common_fields(name):
    """
    `request_id`, `validate_only`, `etag` and `occurred_at` have the same numbers everywhere; what
    is a mutation's own begins at 10, so that more can become common.
    """
    request = mutations()[name].input_type

    assert COMMON == {field: numbered(request, field) for field in COMMON}
    own = [field.number for field in request.fields if field.name not in COMMON]
    assert min(own) >= COMMON_FIELDS_END


@pytest.mark.parametrize("name", mutations())
def test_every_mutation_answers_its_outcome_first(name):
    """
    Versions, events, etag and whether it was replayed come with every mutation, at one place.
    """
    assert (1, "clientela.v1.Outcome") == numbered(mutations()[name].output_type, "outcome")


@pytest.mark.parametrize("name", reads())
def test_no_read_takes_what_only_mutations_need(name):
    """
    A read has no request id: there is nothing that a repeat could do twice.
    """
    assert set() == {"request_id", "validate_only"} & set(reads()[name].input_type.fields_by_name)


@pytest.mark.parametrize("name", [name for name in reads() if name.startswith(PAGED)])
def test_every_list_is_paged(name):
    """
    AIP-158: a list takes `page_size` and `page_token` and answers `next_page_token`.
    """
    method = reads()[name]

    assert (1, None) == numbered(method.input_type, "page_size")
    assert (2, None) == numbered(method.input_type, "page_token")
    assert numbered(method.output_type, "next_page_token") is not None


@pytest.mark.parametrize("name", methods())
def test_what_is_not_a_list_is_not_paged(name):
    """
    `next_page_token` is answered by lists only, so that nobody overlooks that there is more.
    """
    is_paged = numbered(methods()[name].output_type, "next_page_token") is not None

    assert is_paged == name.startswith(PAGED)


@pytest.mark.parametrize("name", messages())
def test_no_number_has_a_floating_point(name):
    """
    LOY-10: money, points and everything else are integers or texts; JSON goes as bytes, since its
    numbers are doubles in google.protobuf.Struct.
    """
    wrong = [
        field.full_name
        for field in messages()[name].fields
        if field.type in FLOATS
        or (field.message_type is not None and field.message_type.full_name in FLOATING)
    ]

    assert [] == wrong


@pytest.mark.parametrize("name", methods())
def test_messages_of_an_rpc_bear_its_name(name):
    """
    `<Rpc>Request` and `<Rpc>Response`, or a resource for what answers one thing (AIP-131).
    """
    method = methods()[name]

    assert f"{name}Request" == method.input_type.name
    is_response = method.output_type.name == f"{name}Response"
    assert is_response or name.startswith("Get")


@pytest.mark.parametrize("name", messages())
def test_etags_and_versions_go_together(name):
    """
    What can be changed under an etag says at which versions it was read, definitions excepted:
    their version is their own number.
    """
    fields = messages()[name].fields_by_name
    is_resource = "etag" in fields and "request_id" not in fields

    assert not is_resource or "versions" in fields or name == "clientela.v1.Definitions"
