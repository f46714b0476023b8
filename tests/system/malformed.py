"""
Requests as nobody should send them, made from the descriptors: the same ones for the same seed.

None of them may change anything: what would be good is a trial, or is made bad.
"""

from __future__ import annotations

import base64
import random

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from clientela.services.translate.pages import next_page_token
from clientela.v1.access_pb2 import personal
from tests.services.edge import TILL
from tests.system.boundaries import (
    CURRENCIES,
    ENUMS,
    LONG_NUMBERS,
    MANY_BYTES,
    NANOS,
    NUMBERS,
    PATHS,
    PLACES,
    PLANTED,
    SECONDS,
    TEXTS,
    VALUE,
    VALUES,
    WRONG_CALLERS,
)
from tests.system.story import TOWN, told
from tests.system.town import READS
from tests.system.wire import METHODS, is_mutation, request_of


BASES: Mapping[str, tuple[Mapping[str, Any], ...]]


@attrs.frozen
class Malformed:
    """
    A request that must change nothing.

    Attributes:
        method: Name of the rpc.

        kind: How it was made.

        raw: The request.

        metadata: Who sends it, as they say.
    """

    method: str
    kind: str
    raw: bytes
    metadata: tuple[tuple[str, str], ...]


def malformed(method: str, count: int, seed: str) -> Iterator[Malformed]:
    """*count* requests of the rpc of this name, of every kind in turn."""
    dice = random.Random(f"{seed} {method}")
    till = tuple(TILL.items())
    kinds = tuple(KINDS.items())
    for number in range(count):
        kind, make = kinds[number % len(kinds)]
        raw = harmless(method, make(dice, method))
        yield Malformed(method, kind, raw, till)
        if kind == "bytes":
            caller = dice.choice(WRONG_CALLERS)
            yield Malformed(method, "caller", harmless(method, based(dice, method)), caller)


def harmless(method: str, raw: bytes) -> bytes:
    """*raw*, or what is nearest to it and changes nothing."""
    try:
        message: Any = type(request_of(method)).FromString(raw)
    except DecodeError:
        return raw
    if is_mutation(method):
        message.validate_only = True
    elif method == "RecordHistory":
        for command in message.commands:
            name = command.WhichOneof("command")
            if name is not None:
                getattr(command, name).validate_only = True
    elif method == "BackUp":
        message.path = message.path if message.path in PATHS else PATHS[len(raw) % len(PATHS)]
    elif method == "RotateKeys":
        return b"\xff" + raw
    elif method in {"Verify", "Backtest"} and len(raw) % 4:
        return raw + b"\xff"
    else:
        return raw
    return bytes(message.SerializeToString())


def based(dice: random.Random, method: str) -> bytes:
    """A request as it should be."""
    return bytes(base_of(dice, method).SerializeToString())


def base_of(dice: random.Random, method: str) -> Any:
    """A request as it should be."""
    fields = dice.choice(BASES.get(method, ({},)))
    if is_mutation(method):
        fields = {**fields, "request_id": f"m-{dice.getrandbits(64)}"}
    return request_of(method, **fields)


def _bytes(dice: random.Random, method: str) -> bytes:
    return dice.randbytes(dice.choice((1, 3, 20, 300, 5_000)))


def _flipped(dice: random.Random, method: str) -> bytes:
    raw = bytearray(based(dice, method))
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(raw) + 1)
        match dice.randrange(3):
            case 0:
                raw[place:place] = dice.randbytes(dice.randint(1, 3))
            case 1:
                del raw[place : place + dice.randint(1, 8)]
            case _ if place < len(raw):
                raw[place] ^= 1 << dice.randrange(8)
            case _:
                pass
    return bytes(raw)


def _filled(dice: random.Random, method: str) -> bytes:
    message = request_of(method)
    _fill(dice, message, 0.6)
    return message.SerializeToString()


def _one_field(dice: random.Random, method: str) -> bytes:
    message = base_of(dice, method)
    _spoil(dice, message)
    return bytes(message.SerializeToString())


def _many(dice: random.Random, method: str) -> bytes:
    message = base_of(dice, method)
    fields = [field for field in message.DESCRIPTOR.fields if field.is_repeated]
    if not fields:
        return _one_field(dice, method)
    field = dice.choice(fields)
    for _ in range(dice.choice((501, 2_000))):
        _add(dice, message, field)
        if message.ByteSize() > MANY_BYTES:
            break
    return bytes(message.SerializeToString())


def _no_text(dice: random.Random, method: str) -> bytes:
    """Bytes that are no UTF-8, in a field of text."""
    fields = [
        field
        for field in METHODS[method].input_type.fields
        if field.type == FieldDescriptor.TYPE_STRING
    ]
    if not fields:
        return _bytes(dice, method)
    wrong = dice.choice((b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"))
    return based(dice, method) + _tagged(dice.choice(fields).number, wrong)


def _deep(dice: random.Random, method: str) -> bytes:
    """Groups in groups, or messages in messages."""
    depth = dice.choice((33, 99, 101, 2_000))
    if dice.randrange(2):
        return based(dice, method) + b"\x0b" * depth + b"\x0c" * depth
    inner = b""
    for _ in range(min(depth, 200)):
        inner = _tagged(dice.choice((1, 3, 12)), inner)
    return based(dice, method) + inner


def _token(dice: random.Random, method: str) -> bytes:
    """A page token that somebody forged with care, or without."""
    message = base_of(dice, method)
    if "page_token" not in message.DESCRIPTOR.fields_by_name:
        return _flipped(dice, method)
    place = dice.choice(PLACES)
    message.page_size = dice.choice(NUMBERS)
    if place and dice.randrange(4):
        message.page_token = next_page_token(message, place)
    else:
        forged = base64.urlsafe_b64encode(dice.randbytes(dice.randrange(40))).decode()
        message.page_token = forged
    return bytes(message.SerializeToString())


KINDS: Mapping[str, Callable[[random.Random, str], bytes]] = {
    "bytes": _bytes,
    "flipped": _flipped,
    "filled": _filled,
    "one field": _one_field,
    "many": _many,
    "no text": _no_text,
    "deep": _deep,
    "token": _token,
    "filled again": _filled,
    "one field again": _one_field,
}
"""Ways to make a request."""


def _tagged(number: int, content: bytes) -> bytes:
    """A length-delimited field as it is encoded."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))


def _fill(dice: random.Random, message: Any, share: float) -> None:
    for field in message.DESCRIPTOR.fields:
        if dice.random() < share:
            for _ in range(dice.randrange(1, 4) if field.is_repeated else 1):
                _add(dice, message, field)


def _spoil(dice: random.Random, message: Any) -> None:
    """Put something else into one field, at any depth."""
    held = [field for field, _ in message.ListFields() if field.message_type is not None]
    inner = [field for field in held if not _is_map(field)]
    if inner and dice.randrange(2):
        value = getattr(message, dice.choice(inner).name)
        _spoil(dice, dice.choice(value) if not isinstance(value, Message) else value)
    elif message.DESCRIPTOR.fields:
        field = dice.choice(message.DESCRIPTOR.fields)
        message.ClearField(field.name)
        if dice.randrange(5):
            _add(dice, message, field)


def _add(dice: random.Random, message: Any, field: FieldDescriptor) -> None:
    """Give a field a value, or one value more."""
    if _is_map(field):
        return
    if field.message_type is not None:
        inner = getattr(message, field.name)
        inner = inner.add() if field.is_repeated else inner
        inner.SetInParent()
        _fill_message(dice, inner)
    elif field.is_repeated:
        getattr(message, field.name).append(_value(dice, field))
    else:
        setattr(message, field.name, _value(dice, field))


def _fill_message(dice: random.Random, message: Any) -> None:
    match message.DESCRIPTOR.full_name:
        case "google.protobuf.Timestamp" | "google.protobuf.Duration":
            message.seconds, message.nanos = dice.choice(SECONDS), dice.choice(NANOS)
        case "google.type.Money":
            message.currency_code = dice.choice(CURRENCIES)
            message.units, message.nanos = dice.choice(LONG_NUMBERS), dice.choice(NANOS)
        case "google.type.Date":
            message.year = dice.choice((0, 1, 2026, 9_999, 10_000, -1))
            message.month, message.day = dice.randrange(14), dice.randrange(33)
        case _:
            _fill(dice, message, 0.8)


def _value(dice: random.Random, field: FieldDescriptor) -> Any:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_BOOL:
            return bool(dice.randrange(2))
        case FieldDescriptor.CPPTYPE_INT32:
            return dice.choice(NUMBERS)
        case FieldDescriptor.CPPTYPE_INT64:
            return dice.choice(LONG_NUMBERS)
        case FieldDescriptor.CPPTYPE_ENUM:
            return dice.choice(ENUMS)
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
            return dice.randbytes(20)
        case FieldDescriptor.CPPTYPE_STRING:
            return _text(dice, field)
        case _:
            raise AssertionError(field.full_name)


def _text(dice: random.Random, field: FieldDescriptor) -> str:
    options: Any = field.GetOptions()
    if field.name == "toml" and dice.randrange(4):
        return _document(dice)
    text = dice.choice(TEXTS)
    return f"{PLANTED}{text}" if options.Extensions[personal] else text


def _document(dice: random.Random) -> str:
    """The definitions of the shop with one value replaced by another."""
    values = list(VALUE.finditer(TOWN))
    spoilt = dice.choice(values)
    return TOWN[: spoilt.start()] + dice.choice(VALUES) + TOWN[spoilt.end() :]


def _is_map(field: FieldDescriptor) -> bool:
    message: Descriptor | None = field.message_type
    return message is not None and bool(message.GetOptions().map_entry)


def _bases() -> Mapping[str, tuple[Mapping[str, Any], ...]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for each in (*told(), *READS):
        found.setdefault(each.method, []).append(each.fields)
    found["EraseClient"] = [{"client_id": "petra", "act": "act-1"}]
    found["ExportClient"] = [{"client_id": "petra"}]
    found["Backtest"] = [{"version": 1}]
    found["RecordHistory"] = [
        {"commands": [{"record_purchase": fields}, {"register_client": {"client_id": "petra"}}]}
        for fields in found["RecordPurchase"]
    ]
    return {method: tuple(fields) for method, fields in found.items()}


BASES = _bases()
