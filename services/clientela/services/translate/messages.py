"""
Values of the domain as messages: what several services answer.
"""

from __future__ import annotations

import enum

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money as WireMoney

from clientela.domain.event import Actor, Origin, RecordedEvent
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import JournalId, Ref
from clientela.domain.money import Money, exponent
from clientela.services.translate.fields import ENUMS_MAX, NANO_DIGITS, WireEnum, prefix
from clientela.v1 import common_pb2


_Number = TypeVar("_Number", bound=int)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS = 86_400
_MICROSECOND_NANOS = 1_000


def number(wire: WireEnum[_Number], member: enum.Enum) -> _Number:
    """The number that stands for *member* in the enum *wire*."""
    found: _Number = _numbers(wire)[member._name_]
    return found


def number_if_any(wire: WireEnum[_Number], member: enum.Enum | None) -> _Number:
    """The number that stands for *member* in the enum *wire*; unspecified for None."""
    found: _Number = _numbers(wire)["UNSPECIFIED" if member is None else member._name_]
    return found


@lru_cache(maxsize=ENUMS_MAX)
def _numbers(wire: WireEnum[Any]) -> Mapping[str, Any]:
    """Numbers of an enum by what its names say behind their common beginning."""
    beginning = prefix(wire)
    return {wire.Name(each).removeprefix(beginning): each for each in wire.values()}


def timestamp(moment: datetime) -> Timestamp:
    """The moment."""
    since = moment - _EPOCH
    return Timestamp(
        seconds=since.days * _DAY_SECONDS + since.seconds,
        nanos=since.microseconds * _MICROSECOND_NANOS,
    )


def timestamp_if_any(moment: datetime | None) -> Timestamp | None:
    """The moment; None where there is none."""
    return None if moment is None else timestamp(moment)


def day(value: date) -> Date:
    """The calendar day."""
    return Date(year=value.year, month=value.month, day=value.day)


def day_if_any(value: date | None) -> Date | None:
    """The calendar day; None where there is none."""
    return None if value is None else day(value)


def money(value: Money) -> WireMoney:
    """The amount; units and nanos have one sign."""
    return money_sum(value.minor, value.currency)


def money_sum(minor: int, currency: str) -> WireMoney:
    """A sum of amounts, in minor units; it may well be more than one amount can be."""
    sign = -1 if minor < 0 else 1
    digits = exponent(currency)
    units, rest = divmod(abs(minor), 10**digits)
    nanos = rest * 10 ** (NANO_DIGITS - digits)
    return WireMoney(currency_code=currency, units=sign * units, nanos=sign * nanos)


def money_if_any(value: Money | None) -> WireMoney | None:
    """The amount; None where there is none."""
    return None if value is None else money(value)


def actor(value: Actor) -> common_pb2.Actor:
    """Who did it."""
    return common_pb2.Actor(kind=number(common_pb2.ActorKind, value.kind), id=value.id)


def business_key(value: BusinessKey) -> common_pb2.BusinessKey:
    """A business identity."""
    return common_pb2.BusinessKey(source=value.source, id=value.id)


def business_key_if_any(value: BusinessKey | None) -> common_pb2.BusinessKey | None:
    """A business identity; None where there is none."""
    return None if value is None else business_key(value)


def journal_id(value: JournalId) -> common_pb2.JournalId:
    """A journal."""
    return common_pb2.JournalId(kind=number(common_pb2.JournalKind, value.kind), id=value.id)


def journal_versions(versions: Mapping[JournalId, int]) -> tuple[common_pb2.JournalVersion, ...]:
    """Versions of journals, in order of journals."""
    ordered = sorted(versions.items(), key=lambda item: (item[0].kind._value_, item[0].id))
    return tuple(
        common_pb2.JournalVersion(journal=journal_id(each), version=version)
        for each, version in ordered
    )


def fact_ref(ref: Ref) -> common_pb2.FactRef:
    """A reference to an event."""
    return common_pb2.FactRef(journal=journal_id(ref.journal), version=ref.version)


def fact_ref_if_any(ref: Ref | None) -> common_pb2.FactRef | None:
    """A reference to an event; None where there is none."""
    return None if ref is None else fact_ref(ref)


def explanation(
    rule: str,
    because: Iterable[Ref],
    definition: str | None = None,
    until: datetime | None = None,
) -> common_pb2.Explanation:
    """Why something is as it is."""
    return common_pb2.Explanation(
        rule=rule,
        because=(fact_ref(ref) for ref in because),
        definition=definition or "",
        until=timestamp_if_any(until),
    )


def explained(recorded: RecordedEvent, until: datetime | None = None) -> common_pb2.Explanation:
    """
    Why *recorded* came about: its rule and the facts it rests on.

    What somebody recorded or decided is itself such a fact; what rules made is not.
    """
    own = (recorded.ref,) if recorded.type.origin in _FACTS else ()
    because = tuple(dict.fromkeys((*own, *recorded.because)))
    return explanation(recorded.rule, because, recorded.definition, until)


_FACTS = frozenset({Origin.RECORDED, Origin.DECIDED})
