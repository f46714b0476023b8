"""
`clientela show`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from clientela.adapters.cli.failure import Exit, VerbError
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
    from clientela.adapters.cli.connection import Connection

ENTRIES_SHOWN = 20
"""Latest entries of the timeline that a table shows; JSON has all."""


@verb
def show(
    client: Annotated[str, typer.Argument(help="Its id, or SOURCE:ID of another system.")],
    *,
    why: Annotated[bool, typer.Option("--why", help="Explain owner, stages and balance.")] = False,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    output: Format = Output.TABLE,
) -> Exit | None:
    """Show a client: card, owner, stages, points and what happened."""
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_shown(way, client, output, is_why=why))


async def _shown(way: Way, named: str, output: Output, *, is_why: bool) -> None:
    from clientela.adapters.cli.connection import connected
    from clientela.adapters.cli.output import written
    from clientela.adapters.cli.portrait import as_plain, tell, tell_why

    async with connected(way) as connection:
        portrait = await _portrait(connection, named, is_why=is_why)
    if output is Output.JSON:
        written(as_plain(portrait))
        return
    tell(portrait, ENTRIES_SHOWN)
    if is_why:
        tell_why(portrait)


async def _portrait(connection: Connection, named: str, *, is_why: bool) -> Any:
    from clientela.adapters.cli.portrait import Portrait
    from clientela.adapters.cli.timeline import client_id_of, timeline_of
    from clientela.v1.client_pb2 import GetClientRequest
    from clientela.v1.client_pb2_grpc import ClientServiceStub
    from clientela.v1.loyalty_pb2 import ExplainBalanceRequest
    from clientela.v1.loyalty_pb2_grpc import LoyaltyServiceStub
    from clientela.v1.ownership_pb2 import GetOwnershipRequest
    from clientela.v1.ownership_pb2_grpc import OwnershipServiceStub

    client_id = await client_id_of(connection, named)
    channel = connection.channel
    client = await connection.call(
        ClientServiceStub(channel).GetClient, GetClientRequest(client_id=client_id)
    )
    ownership = await connection.call(
        OwnershipServiceStub(channel).GetOwnership, GetOwnershipRequest(client_id=client_id)
    )
    balance = await _if_any(
        connection,
        LoyaltyServiceStub(channel).ExplainBalance,
        ExplainBalanceRequest(wallet_id=client_id),
    )
    return Portrait(
        client=client,
        ownership=ownership,
        stages=await _stages(connection, client_id),
        balance=balance,
        entries=await timeline_of(connection, client_id),
        is_explained=is_why,
    )


async def _stages(connection: Connection, client_id: str) -> list[Any]:
    """The stage in each model that anybody stands in, with the ways out of it."""
    from clientela.v1.insight_pb2 import GetStatsRequest
    from clientela.v1.insight_pb2_grpc import InsightServiceStub
    from clientela.v1.lifecycle_pb2 import ExplainStageRequest
    from clientela.v1.lifecycle_pb2_grpc import LifecycleServiceStub

    figures = await connection.call(
        InsightServiceStub(connection.channel).GetStats, GetStatsRequest()
    )
    method = LifecycleServiceStub(connection.channel).ExplainStage
    models = sorted({each.model for each in figures.stages})
    requests = [ExplainStageRequest(client_id=client_id, model=model) for model in models]
    found = [await _if_any(connection, method, request) for request in requests]
    return [each for each in found if each is not None]


async def _if_any(connection: Connection, method: Any, request: Any) -> Any:
    try:
        return await connection.call(method, request)
    except VerbError as error:
        if error.reason == "NOT_FOUND":
            return None
        raise
