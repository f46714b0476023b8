"""
`clientela erase`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import CaFile, DataDir, Target, TokenFile, Way, done, verb


@verb
def erase(
    client: Annotated[str, typer.Argument(help="Its id, or SOURCE:ID of another system.")],
    *,
    act: Annotated[str, typer.Option(help="Number of the act in the company's own register.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> Exit | None:
    """
    Destroy the personal values of a client, at the client's request. It cannot be undone.

    Ids, amounts, dates and codes stay, so that stages, points and sums do.
    """
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_erased(way, client, act, is_asking=not yes))


async def _erased(way: Way, named: str, act: str, *, is_asking: bool) -> None:
    import sys

    from uuid import uuid4

    from clientela.adapters.cli.connection import connected
    from clientela.adapters.cli.output import moment
    from clientela.adapters.cli.timeline import client_id_of
    from clientela.v1.client_pb2 import EraseClientRequest
    from clientela.v1.client_pb2_grpc import ClientServiceStub

    async with connected(way) as connection:
        client_id = await client_id_of(connection, named)
        question = f"Destroy the personal values of {client_id} for ever?"
        if is_asking and not (sys.stdin.isatty() and typer.confirm(question)):
            raise VerbError(Exit.FAILED, "nothing was erased", advice="Say --yes to agree.")
        request = EraseClientRequest(request_id=str(uuid4()), client_id=client_id, act=act)
        method = ClientServiceStub(connection.channel).EraseClient
        answer = await connection.call(method, request)
    if answer.outcome.events:
        print(f"The personal values of {client_id} are gone since {moment(answer.erased_at)} UTC.")
    else:
        print(f"{client_id} was erased on {moment(answer.erased_at)} UTC already.")
