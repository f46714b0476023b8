"""
`clientela parked`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    from clientela.v1.parked_pb2 import ParkedMessage

parked = typer.Typer(
    help="Messages that came in and could not be carried out.", no_args_is_help=True
)

PAGE_SIZE = 200
"""Messages asked for at once."""

LISTED_MAX = 10_000
"""Messages listed at most."""

ROUNDS_MAX = 10_000
"""Lanes that are tried at most when everything is replayed."""

Number = Annotated[int, typer.Argument(min=1, help="Number of the message, as listed.")]
Client = Annotated[str, typer.Option("--client", help="Only messages of this client.")]


@parked.command("list")
@verb
def list_(
    *,
    client: Client = "",
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    output: Format = Output.TABLE,
) -> Exit | None:
    """List parked messages in the order they were parked in, without what they say."""
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_listed(way, client, output))


@parked.command()
@verb
def show(
    number: Number,
    *,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    output: Format = Output.TABLE,
) -> Exit | None:
    """Show one parked message with what it says."""
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_shown(way, number, output))


@parked.command()
@verb
def replay(
    number: Annotated[
        int | None, typer.Argument(min=1, help="Number of a message, as listed.")
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Carry out whatever can be carried out.")
    ] = False,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> Exit | None:
    """
    Carry out a parked message and those of the same client, oldest first.

    It ends at the first that still fails, with exit code 5. A message has its effect once, however
    often it is replayed.
    """
    if (number is None) is not everything:
        raise typer.BadParameter("a number, or --all")
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_replayed(way, number))


@parked.command()
@verb
def drop(
    number: Number,
    *,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> Exit | None:
    """Forget one parked message for good; those behind it are then tried by themselves."""
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_dropped(way, number))


async def _listed(way: Way, client: str, output: Output) -> None:
    from clientela.adapters.cli.connection import connected
    from clientela.adapters.cli.output import plain, written

    async with connected(way) as connection:
        found = await _all(connection, client)
    if output is Output.JSON:
        written([plain(each) for each in found])
    else:
        _show(found)
        _show_ends(found)


async def _shown(way: Way, number: int, output: Output) -> None:
    from clientela.adapters.cli.connection import connected
    from clientela.adapters.cli.output import plain, written
    from clientela.v1.parked_pb2 import GetParkedMessageRequest
    from clientela.v1.parked_pb2_grpc import ParkedServiceStub

    async with connected(way) as connection:
        method = ParkedServiceStub(connection.channel).GetParkedMessage
        found = await connection.call(method, GetParkedMessageRequest(number=number))
    if output is Output.JSON:
        written(plain(found))
        return
    _show([found.message])
    print(found.message.problem)
    print("(what it says is not shown to you)" if found.personal_withheld else found.body)


async def _replayed(way: Way, number: int | None) -> Exit | None:
    from clientela.adapters.cli.connection import connected

    stuck: dict[int, ParkedMessage] = {}
    replayed = 0
    async with connected(way) as connection:
        for _ in range(ROUNDS_MAX):
            wanted = number if number is not None else await _next(connection, stuck)
            if wanted is None:
                break
            answer = await _replay(connection, wanted)
            replayed += answer.replayed
            if answer.HasField("stuck"):
                stuck[answer.stuck.number] = answer.stuck
            if number is not None:
                break
    print(f"{replayed:,} messages were carried out.")
    for each in stuck.values():
        print(f"{each.number} still waits: {each.reason}, {each.problem}")
    return Exit.PROBLEMS if stuck else None


async def _dropped(way: Way, number: int) -> None:
    from clientela.adapters.cli.connection import connected
    from clientela.v1.parked_pb2 import DropParkedMessageRequest
    from clientela.v1.parked_pb2_grpc import ParkedServiceStub

    async with connected(way) as connection:
        method = ParkedServiceStub(connection.channel).DropParkedMessage
        await connection.call(method, DropParkedMessageRequest(number=number))
    print(f"{number} is dropped.")


async def _next(connection: Any, stuck: dict[int, ParkedMessage]) -> int | None:
    """The first message whose client does not wait for one that failed just now."""
    waiting = {each.client_id or str(each.number) for each in stuck.values()}
    for each in await _all(connection, ""):
        if (each.client_id or str(each.number)) not in waiting:
            return int(each.number)
    return None


async def _replay(connection: Any, number: int) -> Any:
    from clientela.adapters.cli.connection import LONG_SECONDS
    from clientela.v1.parked_pb2 import ReplayParkedMessageRequest
    from clientela.v1.parked_pb2_grpc import ParkedServiceStub

    method = ParkedServiceStub(connection.channel).ReplayParkedMessage
    request = ReplayParkedMessageRequest(number=number)
    return await connection.call(method, request, seconds=LONG_SECONDS)


async def _all(connection: Any, client: str) -> list[ParkedMessage]:
    from clientela.v1.parked_pb2 import ListParkedMessagesRequest
    from clientela.v1.parked_pb2_grpc import ParkedServiceStub

    method = ParkedServiceStub(connection.channel).ListParkedMessages
    request = ListParkedMessagesRequest(page_size=PAGE_SIZE, client_id=client)
    found: list[ParkedMessage] = []
    while len(found) < LISTED_MAX:
        page = await connection.call(method, request)
        found.extend(page.messages)
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    return found


def _show(messages: Iterable[ParkedMessage]) -> None:
    from clientela.adapters.cli.output import moment, table

    table(
        "",
        ("number", "client", "kind", "reason", "tries", "parked", "sender"),
        [
            (
                each.number,
                each.client_id,
                each.kind,
                each.reason,
                each.tries,
                moment(each.parked_at),
                each.sender,
            )
            for each in messages
        ],
    )


def _show_ends(messages: Iterable[ParkedMessage]) -> None:
    """Say which messages are not kept for ever."""
    from clientela.adapters.cli.output import moment

    ends = sorted(moment(each.kept_until) for each in messages if each.HasField("kept_until"))
    if ends:
        print(f"{len(ends):,} of nobody registered are dropped 30 days after they were parked,")
        print(f"the first at {ends[0]}: register their clients, or see to them before.")
