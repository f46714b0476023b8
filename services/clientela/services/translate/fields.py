"""
Single fields of requests as values of the domain; what is malformed is named by its path.

Length, control characters, enum numbers and moments were checked for every request before
(`limits`); this adds what depends on what a field means.
"""

from __future__ import annotations

import enum

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money as WireMoney

from clientela.domain.errors import InvalidValueError
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import (
    CODE_LENGTH_MAX,
    ID_LENGTH_MAX,
    BusinessId,
    Code,
    JournalId,
    JournalKind,
    is_id,
)
from clientela.domain.money import AMOUNT_MINOR_MAX, CURRENCY_LENGTH, Money, exponent
from clientela.domain.personal import Personal
from clientela.v1 import common_pb2


_Id = TypeVar("_Id", bound=str)
_Member = TypeVar("_Member", bound=enum.Enum)
_Number = TypeVar("_Number", bound=int)

NANO_DIGITS = 9
"""Digits after the point of google.type.Money."""

VERSION_MAX = 2**53
"""Largest version or position anybody asks for."""

ENUMS_MAX = 500
"""Enums of the protos whose numbers are remembered; there are fewer."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND_NANOS = 1_000


class WireEnum(Protocol[_Number]):
    """An enum of the protos, as protobuf hands it out."""

    DESCRIPTOR: EnumDescriptor

    def __hash__(self) -> int:
        """By identity: what an enum says never changes."""
        ...

    def Name(self, number: _Number) -> str:  # noqa: N802 (protobuf's name)
        """Name of a number."""
        ...

    def Value(self, name: str | bytes) -> _Number:  # noqa: N802 (protobuf's name)
        """Number of a name."""
        ...

    def values(self) -> list[_Number]:
        """Every number."""
        ...


def named(kind: Callable[[str], _Id], text: str, path: str) -> _Id:
    """
    The id in *text*.

    Args:
        kind: What it names, for instance `ClientId`.

        text: The field.

        path: Where it stands.

    Raises:
        InvalidValueError: it is no id.
    """
    if not is_id(text):
        raise InvalidValueError(path, f"1 to {ID_LENGTH_MAX} of A-Z, a-z, 0-9, - and _")
    return kind(text)


def named_if_any(kind: Callable[[str], _Id], text: str, path: str) -> _Id | None:
    """
    The id in *text*; None for an empty one.

    Raises:
        InvalidValueError: it is no id.
    """
    return named(kind, text, path) if text else None


def code(text: str, path: str) -> Code:
    """
    The code in *text*.

    Raises:
        InvalidValueError: it is empty, too long, or padded with blanks.
    """
    if not 1 <= len(text) <= CODE_LENGTH_MAX or text != text.strip():
        raise InvalidValueError(path, f"1 to {CODE_LENGTH_MAX} characters, no blanks around them")
    return Code(text)


def code_if_any(text: str, path: str) -> Code | None:
    """
    The code in *text*; None for an empty one.

    Raises:
        InvalidValueError: it is no code.
    """
    return code(text, path) if text else None


def personal_if_any(text: str) -> Personal | None:
    """The personal value in *text*; None for an empty one."""
    return Personal(text) if text else None


def member(cls: type[_Member], wire: WireEnum[Any], number: int, path: str) -> _Member:
    """
    The member of *cls* that *number* of the enum *wire* stands for.

    Raises:
        InvalidValueError: it is unspecified or unknown.
    """
    found = member_if_any(cls, wire, number, path)
    if found is None:
        names = (m.name for m in cls)
        raise InvalidValueError(path, f"one of {', '.join(names)}")
    return found


def member_if_any(
    cls: type[_Member], wire: WireEnum[Any], number: int, path: str
) -> _Member | None:
    """
    The member of *cls* that *number* of the enum *wire* stands for; None for unspecified.

    Raises:
        InvalidValueError: it is unknown.
    """
    members = _members(cls, wire)
    if number not in members:
        raise InvalidValueError(path, f"a value of {wire.DESCRIPTOR.name}")
    return members[number]


@lru_cache(maxsize=ENUMS_MAX)
def _members(cls: type[_Member], wire: WireEnum[Any]) -> Mapping[int, _Member | None]:
    """Members by their numbers; None for unspecified."""
    beginning = prefix(wire)
    named = {each: wire.Name(each).removeprefix(beginning) for each in wire.values() if each}
    return {0: None, **{each: cls[name] for each, name in named.items()}}


def prefix(wire: WireEnum[Any]) -> str:
    """What the names of an enum begin with on the wire, for instance `DIRECTION_`."""
    return wire.Name(0).removesuffix("UNSPECIFIED")


def moment(stamp: Timestamp) -> datetime:
    """The moment, to the microsecond, UTC."""
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // _MICROSECOND_NANOS)


def moment_if_any(message: Any, field: str) -> datetime | None:
    """The moment in a field of *message*; None where it is absent."""
    return moment(getattr(message, field)) if message.HasField(field) else None


def day(wire: Date, path: str) -> date:
    """
    The calendar day.

    Raises:
        InvalidValueError: it is none; a year or month alone is none.
    """
    try:
        return date(wire.year, wire.month, wire.day)
    except ValueError:
        raise InvalidValueError(path, "a calendar day: year, month and day") from None


def day_if_any(message: Any, field: str) -> date | None:
    """
    The day in a field of *message*; None where it is absent.

    Raises:
        InvalidValueError: it is no day.
    """
    return day(getattr(message, field), field) if message.HasField(field) else None


def money(wire: WireMoney, path: str) -> Money:
    """
    The amount.

    Raises:
        InvalidValueError: the currency is none, or the amount has more digits than it or is too
            large.
    """
    currency = currency_code(wire.currency_code, f"{path}.currency_code")
    digits = exponent(currency)
    nanos = wire.units * 10**NANO_DIGITS + wire.nanos
    minor, rest = divmod(nanos, 10 ** (NANO_DIGITS - digits))
    if rest:
        raise InvalidValueError(path, f"at most {digits} digits after the point in {currency}")
    if abs(minor) > AMOUNT_MINOR_MAX:
        raise InvalidValueError(path, f"at most {AMOUNT_MINOR_MAX} minor units")
    return Money(minor, currency)


def currency_code(text: str, path: str) -> str:
    """
    The currency in *text*.

    Raises:
        InvalidValueError: it is no code of ISO 4217.
    """
    is_code = len(text) == CURRENCY_LENGTH and text.isascii() and text.isalpha() and text.isupper()
    if not is_code:
        raise InvalidValueError(path, "three capital letters of ISO 4217, such as EUR")
    return text


def business_key(wire: common_pb2.BusinessKey, path: str) -> BusinessKey:
    """
    The business identity.

    Raises:
        InvalidValueError: source or id is empty, too long or malformed.
    """
    source = code(wire.source, f"{path}.source")
    if ":" in source:
        raise InvalidValueError(f"{path}.source", "no colon")
    return BusinessKey(source, BusinessId(code(wire.id, f"{path}.id")))


def journal_id(wire: common_pb2.JournalId, path: str) -> JournalId:
    """
    The journal.

    Raises:
        InvalidValueError: it names none.
    """
    kind = member(JournalKind, common_pb2.JournalKind, wire.kind, f"{path}.kind")
    return JournalId(kind, named(str, wire.id, f"{path}.id"))


def version(number: int, path: str) -> int:
    """
    A version or position.

    Raises:
        InvalidValueError: it is below 0 or beyond `VERSION_MAX`.
    """
    if not 0 <= number <= VERSION_MAX:
        raise InvalidValueError(path, f"0 to {VERSION_MAX}")
    return number
