"""
`clientela export`.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import CaFile, DataDir, Target, TokenFile, Way, done, verb


@verb
def export(
    client: Annotated[str, typer.Argument(help="Its id, or SOURCE:ID of another system.")],
    *,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> Exit | None:
    """
    Write everything that is kept about a client, for the client: JSON, one part a line.

    Personal values are open in it. An export without a summary at its end was cut off.
    """
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_exported(way, client))


async def _exported(way: Way, named: str) -> None:
    from clientela.adapters.cli.connection import connected
    from clientela.adapters.cli.output import written_line
    from clientela.adapters.cli.timeline import client_id_of
    from clientela.v1.client_pb2 import ExportClientRequest
    from clientela.v1.client_pb2_grpc import ClientServiceStub

    is_whole = False
    async with connected(way) as connection:
        request = ExportClientRequest(client_id=await client_id_of(connection, named))
        method = ClientServiceStub(connection.channel).ExportClient
        async for part in connection.stream(method, request):
            is_whole = part.HasField("summary")
            written_line(_plain(part))
    if not is_whole:
        raise VerbError(Exit.FAILED, "the answer was cut off", advice="Run it again.")


def _plain(part: Any) -> dict[str, Any]:
    from clientela.adapters.cli.output import plain
    from clientela.adapters.cli.timeline import entry_plain

    match part.WhichOneof("part"):
        case "entry":
            return {"entry": entry_plain(part.entry)}
        case name:
            return {name: plain(getattr(part, name))}
