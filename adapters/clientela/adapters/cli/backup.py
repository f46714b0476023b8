"""
`clientela backup`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clientela.adapters.cli.failure import Exit
from clientela.adapters.cli.options import CaFile, DataDir, Target, TokenFile, Way, done, verb


@verb
def backup(
    file: Annotated[Path, typer.Argument(help="Where to, on the machine of the service.")],
    *,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> Exit | None:
    """
    Copy the store to a new file while it is served.

    The key file is not in it: keep that elsewhere, and the copy no longer than a key lives.
    """
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_copied(way, file.absolute()))


async def _copied(way: Way, file: Path) -> None:
    from clientela.adapters.cli.connection import LONG_SECONDS, connected
    from clientela.v1.operation_pb2 import BackUpRequest
    from clientela.v1.operation_pb2_grpc import OperationServiceStub

    async with connected(way) as connection:
        method = OperationServiceStub(connection.channel).BackUp
        await connection.call(method, BackUpRequest(path=str(file)), seconds=LONG_SECONDS)
    print(f"Copied to {file}.")
