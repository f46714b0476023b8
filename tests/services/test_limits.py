"""
What no field of any request may exceed.
"""

from __future__ import annotations

from typing import Any

import pytest

from google.protobuf.descriptor_pb2 import DescriptorProto
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from clientela.domain.errors import InvalidValueError
from clientela.services.limits import (
    DEPTH_MAX,
    ITEMS_MAX,
    LONG_FIELDS,
    TEXT_BYTES_MAX,
    check,
    decoded,
)
from clientela.v1.client_pb2 import (
    CLIENT_KIND_PERSON,
    STANDING_UNSPECIFIED,
    RegisterClientRequest,
)
from clientela.v1.definition_pb2 import ApplyDefinitionsRequest
from clientela.v1.ownership_pb2 import ApproachRequest
from tests.services.edge import METHODS


def nested(levels):
    """A message of so many levels."""
    message = DescriptorProto()
    inner = message
    for _ in range(levels - 1):
        inner = inner.nested_type.add()
    return message


def identifiers(count):
    """A registration with so many identifiers."""
    request = RegisterClientRequest()
    for _ in range(count):
        request.identifiers.add(kind="phone")
    return request


def listing(count):
    """A map of so many entries."""
    struct = Struct()
    for number in range(count):
        struct[str(number)] = number
    return struct


UNKNOWN: Any = 77
"""No value of any enum."""

REFUSED = [
    (ApproachRequest(note="x" * (TEXT_BYTES_MAX + 1)), "note"),
    (ApproachRequest(note="ж" * (TEXT_BYTES_MAX // 2 + 1)), "note"),
    (ApproachRequest(client_id="pe\0tra"), "client_id"),
    (ApproachRequest(note="ring\x07"), "note"),
    (ApproachRequest(occurred_at=Timestamp(seconds=253_402_300_800)), "occurred_at"),
    (ApproachRequest(occurred_at=Timestamp(seconds=-62_135_596_801)), "occurred_at"),
    (ApproachRequest(occurred_at=Timestamp(nanos=1_000_000_000)), "occurred_at"),
    (ApproachRequest(occurred_at=Timestamp(nanos=-1)), "occurred_at"),
    (RegisterClientRequest(kind=UNKNOWN), "kind"),
    (RegisterClientRequest(standing=-UNKNOWN), "standing"),
    (identifiers(ITEMS_MAX + 1), "identifiers"),
    (listing(ITEMS_MAX + 1), "fields"),
    (Value(number_value=float("nan")), "number_value"),
    (Value(number_value=float("inf")), "number_value"),
    (Duration(seconds=315_576_000_001), ""),
    (Duration(seconds=1, nanos=-1), ""),
    (Money(units=1, nanos=-1), ""),
    (Money(nanos=1_000_000_000), ""),
    (Struct(fields={"a\0": Value()}), "fields"),
    (Struct(fields={"a": Value(string_value="x" * 5_000)}), "fields.string_value"),
]

ALLOWED = [
    ApproachRequest(note="x" * TEXT_BYTES_MAX),
    ApproachRequest(note="ж" * (TEXT_BYTES_MAX // 2)),
    ApproachRequest(note="line\r\n\tline — «Пётр», 日本, 👩‍👧"),
    ApproachRequest(occurred_at=Timestamp(seconds=253_402_300_799, nanos=999_999_999)),
    RegisterClientRequest(kind=CLIENT_KIND_PERSON, standing=STANDING_UNSPECIFIED),
    identifiers(ITEMS_MAX),
    listing(ITEMS_MAX),
    Duration(seconds=-1, nanos=-1),
    Money(units=-1, nanos=-1, currency_code="RUB"),
    nested(DEPTH_MAX),
    ApplyDefinitionsRequest(toml="x" * 900_000),
]


@pytest.mark.parametrize(("message", "field"), REFUSED, ids=map(str, range(len(REFUSED))))
def test_what_exceeds_a_limit_is_refused_by_its_path(message, field):
    """
    S11: lengths, counts, moments, numbers and enum values have bounds; the field is named.
    """
    with pytest.raises(InvalidValueError) as caught:
        check(message)

    assert field == caught.value.field


@pytest.mark.parametrize("message", ALLOWED, ids=map(str, range(len(ALLOWED))))
def test_what_reaches_a_limit_passes(message):
    """
    S11: a bound belongs to what is allowed.
    """
    check(message)


def test_deeper_nesting_is_refused():
    """
    S11: at most `DEPTH_MAX` levels.
    """
    with pytest.raises(InvalidValueError):
        check(nested(DEPTH_MAX + 1))


def test_the_path_names_the_place():
    """
    A caller finds the field that is wrong among five hundred.
    """
    request = identifiers(4)
    request.identifiers[3].text = "\0"

    with pytest.raises(InvalidValueError) as caught:
        check(request)

    assert "identifiers[3].text" == caught.value.field


@pytest.mark.parametrize(
    "raw",
    [
        b"\x0a\x02\xff\xfe",
        b"\x0a\x7f",
        b"\xff" * 11,
        b"\x0b",
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x0a\x03\xed\xa0\x80",
    ],
    ids=["not UTF-8", "cut off", "no tag", "open group", "length of 4 GiB", "half a surrogate"],
)
def test_what_is_no_message_is_refused_without_its_bytes(raw):
    """
    R19: the decoder's own words, which may quote what was sent, stay inside.
    """
    with pytest.raises(InvalidValueError) as caught:
        decoded(ApproachRequest.FromString, raw)

    assert "request: expected a well-formed message" == str(caught.value)
    assert caught.value.__suppress_context__


def test_what_is_decoded_is_checked():
    """
    S11: no request reaches a servicer unchecked.
    """
    with pytest.raises(InvalidValueError):
        decoded(ApproachRequest.FromString, ApproachRequest(note="\0").SerializeToString())


def test_nesting_beyond_the_decoder_is_refused():
    """
    S11: ten thousand levels end in a refusal, not in the end of the process.
    """
    raw = b""
    for _ in range(10_000):
        raw = b"\x1a" + _varint(len(raw)) + raw

    with pytest.raises(InvalidValueError):
        decoded(DescriptorProto.FromString, raw)


def _varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def test_long_fields_exist():
    """
    A field that may be longer is one of a request of ours.
    """
    for name in LONG_FIELDS:
        message, _, field = name.rpartition(".")
        method = message.rpartition(".")[2].removesuffix("Request")
        assert method in METHODS
        assert field
