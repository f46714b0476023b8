"""
`clientela stats`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clientela.adapters.cli.failure import Exit
from clientela.adapters.cli.options import (
    CaFile,
    DataDir,
    Format,
    Output,
    Target,
    TokenFile,
    Way,
    done,
    verb,
)


if TYPE_CHECKING:
    from clientela.v1.insight_pb2 import Stats


@verb
def stats(
    *,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    output: Format = Output.TABLE,
) -> Exit | None:
    """
    Count clients by stage and owner, and sum purchases, returns and points.

    JSON holds amounts in minor units by currency.
    """
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_told(way, output))


async def _told(way: Way, output: Output) -> None:
    from clientela.adapters.cli.connection import LONG_SECONDS, connected
    from clientela.adapters.cli.output import written
    from clientela.v1.insight_pb2 import GetStatsRequest
    from clientela.v1.insight_pb2_grpc import InsightServiceStub

    async with connected(way) as connection:
        stub = InsightServiceStub(connection.channel)
        # The first look after an import takes all of it in.
        found = await connection.call(stub.GetStats, GetStatsRequest(), seconds=LONG_SECONDS)
    if output is Output.JSON:
        written(as_plain(found))
    else:
        _show(found)


def as_plain(found: Stats) -> dict[str, Any]:
    """The figures as plain data: counts as numbers, amounts in minor units by currency."""
    stages: dict[str, dict[str, int]] = {}
    for each in found.stages:
        stages.setdefault(each.model, {})[each.stage] = each.clients
    top = {name: getattr(found, name) for name in _CLIENTS}
    trade = {name: getattr(found.trade, name) for name in _TRADE}
    amounts = {name: _minor(getattr(found.trade, name)) for name in _AMOUNTS}
    points = {
        field.name: getattr(found.points, field.name) for field in found.points.DESCRIPTOR.fields
    }
    return {**top, "stages": stages, "trade": {**trade, **amounts}, "points": points}


def _minor(amounts: Any) -> dict[str, int]:
    from clientela.domain.money import exponent

    found: dict[str, int] = {}
    for money in amounts:
        digits = exponent(money.currency_code)
        found[money.currency_code] = money.units * 10**digits + money.nanos // 10 ** (9 - digits)
    return found


def _show(found: Stats) -> None:
    from clientela.adapters.cli.output import amount, table

    table("Clients", ("", "clients"), [(_words(n), getattr(found, n)) for n in _CLIENTS])
    table(
        "Stages",
        ("model", "stage", "clients"),
        [(each.model, each.stage, each.clients) for each in found.stages],
    )
    trade = [(_words(name), getattr(found.trade, name)) for name in _TRADE]
    table("Trade", ("", "count"), trade)
    sums = [(_words(n), amount(m)) for n in _AMOUNTS for m in getattr(found.trade, n)]
    table("", ("", "amount"), sums)
    points = found.points
    fields = points.DESCRIPTOR.fields
    table("Points", ("", "points"), [(_words(f.name), getattr(points, f.name)) for f in fields])


def _words(name: str) -> str:
    return name.replace("_", " ")


_CLIENTS = (
    "clients",
    "prospects",
    "erased",
    "owned",
    "unowned",
    "orphaned",
    "several_purchases",
    "several_days",
)
_TRADE = (
    "purchases",
    "pieces",
    "returns",
    "lines_matched",
    "lines_unmatched",
    "pieces_matched",
    "pieces_unmatched",
)
_AMOUNTS = ("revenue", "refunds", "refunds_unmatched")
