"""
`clientela keys`.
"""

from __future__ import annotations

import typer

from clientela.adapters.cli.failure import Exit
from clientela.adapters.cli.options import CaFile, DataDir, Target, TokenFile, Way, done, verb


keys = typer.Typer(help="Keys that personal values are sealed with.", no_args_is_help=True)


@keys.callback()
def _keys() -> None:
    """Keys that personal values are sealed with."""


@keys.command()
@verb
def rotate(
    *,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> Exit | None:
    """
    Replace the key-encryption key and wrap the key of every person anew.

    When it is done, keys in old copies of the store open no more. A rotation that was broken off
    is gone on with by the next one.
    """
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_rotated(way))


async def _rotated(way: Way) -> None:
    from clientela.adapters.cli.connection import LONG_SECONDS, connected
    from clientela.v1.operation_pb2 import RotateKeysRequest
    from clientela.v1.operation_pb2_grpc import OperationServiceStub

    async with connected(way) as connection:
        method = OperationServiceStub(connection.channel).RotateKeys
        answer = await connection.call(method, RotateKeysRequest(), seconds=LONG_SECONDS)
    print(f"The keys of {answer.rewrapped:,} persons were wrapped anew; the old key is gone.")
