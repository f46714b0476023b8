"""
`clientela find`.
"""

from __future__ import annotations

from typing import Annotated, Any

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


PAGE_SIZE = 50


@verb
def find(
    *,
    phone: Annotated[str, typer.Option(help="A phone number in any spelling.")] = "",
    email: Annotated[str, typer.Option(help="An e-mail address in any spelling.")] = "",
    name: Annotated[str, typer.Option(help="Words of the name, or how they begin.")] = "",
    source: Annotated[str, typer.Option(help="SOURCE:ID of another system.")] = "",
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    output: Format = Output.TABLE,
) -> Exit | None:
    """
    Find clients by phone, e-mail, name, or what another system calls them.

    What is searched for is kept nowhere; of more than 50 clients the first are shown.
    """
    given = {"phone": phone, "email": email, "name": name, "source": source}
    wanted = {by: text for by, text in given.items() if text}
    if len(wanted) != 1:
        raise VerbError(Exit.USAGE, "name one of --phone, --email, --name and --source")
    [(by, text)] = wanted.items()
    if by == "source" and ":" not in text:
        raise VerbError(Exit.USAGE, "--source: expected SOURCE:ID")
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_found(way, by, text, output))


async def _found(way: Way, by: str, text: str, output: Output) -> None:
    from clientela.adapters.cli.connection import connected
    from clientela.adapters.cli.output import plain, table, written
    from clientela.v1.client_pb2_grpc import ClientServiceStub

    async with connected(way) as connection:
        method = ClientServiceStub(connection.channel).FindClients
        found = await connection.call(method, _request(by, text))
    if output is Output.JSON:
        written([plain(client) for client in found.clients])
        return
    rows = [
        (
            client.client_id,
            client.name,
            client.owner_id,
            ", ".join(f"{mark.model}: {mark.stage}" for mark in client.stages),
        )
        for client in found.clients
    ]
    table("", ("client", "name", "owner", "stages"), rows)
    if found.next_page_token:
        print(f"There are more than {PAGE_SIZE}; say more of the name.")


def _request(by: str, text: str) -> Any:
    from clientela.v1.client_pb2 import FindClientsRequest
    from clientela.v1.common_pb2 import BusinessKey

    if by == "name":
        return FindClientsRequest(page_size=PAGE_SIZE, name=text)
    if by == "source":
        source, _, id_ = text.partition(":")
        return FindClientsRequest(page_size=PAGE_SIZE, source=BusinessKey(source=source, id=id_))
    identifier = FindClientsRequest.ByIdentifier(kind=by, text=text)
    return FindClientsRequest(page_size=PAGE_SIZE, identifier=identifier)
