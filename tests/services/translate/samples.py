"""
What samples are made of: a request that says everything, and the command it stands for.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money as WireMoney

from clientela.domain.facts import (
    BusinessKey,
    Line,
)
from clientela.domain.ids import BusinessId, ClientId, Code, EmployeeId, UnitId, WalletId
from clientela.domain.money import Money
from clientela.v1 import (
    common_pb2,
)


AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OLGA = ClientId("olga")
WALLET = WalletId("olga")
MARTA = EmployeeId("marta")
IVO = EmployeeId("ivo")
NORTH = UnitId("north")
RECEIPT = BusinessKey(Code("till-7"), BusinessId("r-100"))
RETURN = BusinessKey(Code("till-7"), BusinessId("b-1"))
TEA = Line(
    line_id=Code("1"),
    sku=Code("tea"),
    quantity=2,
    net=Money(1250, "EUR"),
    tax=Money(81, "EUR"),
    category=Code("drinks"),
)


class Sample(NamedTuple):
    """A request, what reads it, and the command it stands for."""

    read: Any
    request: Any
    command: Any


def moment(at: datetime = AT) -> Timestamp:
    """The moment on the wire."""
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def key(identity: BusinessKey) -> common_pb2.BusinessKey:
    """The identity on the wire."""
    return common_pb2.BusinessKey(source=identity.source, id=identity.id)


def common(**more: Any) -> dict[str, Any]:
    """What every mutation takes, and *more*."""
    return {"request_id": "6f2b", "occurred_at": moment(), **more}


EURO_12_50 = WireMoney(currency_code="EUR", units=12, nanos=500_000_000)
EURO_0_81 = WireMoney(currency_code="EUR", nanos=810_000_000)
MARCH_SECOND = Date(year=2026, month=3, day=2)
FOR_OLGA = common(client_id=OLGA)
FOR_WALLET = common(wallet_id=WALLET)
FOR_MARTA = common(employee_id=MARTA)


class SourceIds:
    """Makes ids that tell where they come from, as no service would."""

    def client_id_for(self, source: str, id: str) -> ClientId:  # noqa: A002 (the field's name)
        """Source and id, joined."""
        return ClientId(f"{source}-{id}")


SOURCE_IDS = SourceIds()
