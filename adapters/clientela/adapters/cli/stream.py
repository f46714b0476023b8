"""
`clientela stream`.
"""

from __future__ import annotations

import sys

from typing import TYPE_CHECKING, Annotated

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
    from clientela.v1.operation_pb2 import CheckStreamResponse

stream = typer.Typer(help="The stream of events on the bus.", no_args_is_help=True)


@stream.command()
@verb
def check(
    *,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    output: Format = Output.TABLE,
) -> Exit | None:
    """
    Compare the stream with the store, message by message; changes nothing.

    Ends with 5 if anything is missing, there twice, out of its order or altered.
    """
    return done(_checked(_way(data_dir, address, token_file, ca_file), output))


@stream.command()
@verb
def rebuild(
    *,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    is_sure: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> Exit | None:
    """
    Empty the stream and send every event again.

    Subscribers lose nothing and apply nothing twice. Once asked for it is carried out, even if
    this verb is stopped.
    """
    way = _way(data_dir, address, token_file, ca_file)
    question = "Every message of the stream is dropped and sent again. Go on?"
    if not is_sure and not (sys.stdin.isatty() and typer.confirm(question)):
        raise VerbError(Exit.FAILED, "nothing was sent again", advice="Say --yes to agree.")
    return done(_rebuilt(way))


def _way(data_dir: DataDir, address: Target, token_file: TokenFile, ca_file: CaFile) -> Way:
    return Way(
        data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file, has_bus=True
    )


async def _checked(way: Way, output: Output) -> Exit | None:
    from clientela.adapters.cli.connection import connected
    from clientela.adapters.cli.output import written
    from clientela.v1.operation_pb2 import CheckStreamRequest, CheckStreamResponse
    from clientela.v1.operation_pb2_grpc import OperationServiceStub

    found = CheckStreamResponse()
    async with connected(way) as connection:
        method = OperationServiceStub(connection.channel).CheckStream
        async for found in connection.stream(method, CheckStreamRequest()):
            if not found.complete:
                _progress(f"{found.done:,} events compared")
    if output is Output.JSON:
        problems = list(found.problems)
        said = {"done": found.done, "problem_count": found.problem_count, "problems": problems}
        written({**said, "waiting": found.waiting, "trouble": found.trouble})
    else:
        _tell(found)
    return Exit.PROBLEMS if found.problem_count else None


def _tell(found: CheckStreamResponse) -> None:
    for problem in found.problems:
        print(problem)
    if found.problem_count > len(found.problems):
        print(f"... and {found.problem_count - len(found.problems):,} more")
    said = f"{found.problem_count:,} problems" if found.problem_count else "Stream and store agree"
    print(f"{said}: {found.done:,} events compared, {found.waiting:,} still to be sent.")
    if found.trouble:
        print(f"Nothing is sent at the moment: {found.trouble}")
    if found.problem_count:
        print("`clientela stream rebuild` sends everything again.")


async def _rebuilt(way: Way) -> Exit | None:
    from clientela.adapters.cli.connection import connected
    from clientela.v1.operation_pb2 import RebuildStreamRequest, RebuildStreamResponse
    from clientela.v1.operation_pb2_grpc import OperationServiceStub

    found = RebuildStreamResponse()
    async with connected(way) as connection:
        method = OperationServiceStub(connection.channel).RebuildStream
        async for found in connection.stream(method, RebuildStreamRequest()):
            if not found.complete:
                trouble = f"; {found.trouble}" if found.trouble else ""
                _progress(f"at {found.done:,} of {found.total:,}{trouble}")
    print(f"Everything is sent again, up to position {found.total:,}.")
    return None


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
