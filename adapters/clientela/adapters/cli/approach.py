"""
`clientela approach`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.cli.options import (
    CaFile,
    DataDir,
    Target,
    TokenFile,
    Way,
    done,
    verb,
)


REFUSED = "approach-refused"
"""Name of the event that a refused approach leaves."""

if TYPE_CHECKING:
    from clientela.adapters.cli.connection import Connection


@verb
def approach(
    client: Annotated[str, typer.Argument(help="Its id, or SOURCE:ID of another system.")],
    employee: Annotated[str, typer.Argument(help="The seller.")],
    *,
    channel: Annotated[str, typer.Option(help="How: phone, visit, site ...")] = "phone",
    no_offer: Annotated[
        bool, typer.Option("--no-offer", help="No offer is made, so nothing is claimed.")
    ] = False,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> Exit | None:
    """
    Approach a client as a seller: the first to make an offer looks after them from then on.

    A refusal names its rule, until when it holds, and the facts it rests on.
    """
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_approached(way, client, employee, channel, with_offer=not no_offer))


async def _approached(
    way: Way, named: str, employee: str, channel: str, *, with_offer: bool
) -> None:
    from uuid import uuid4

    from clientela.adapters.cli.connection import connected
    from clientela.adapters.cli.output import moment
    from clientela.adapters.cli.timeline import client_id_of
    from clientela.v1.ownership_pb2 import ApproachRequest
    from clientela.v1.ownership_pb2_grpc import OwnershipServiceStub

    async with connected(way) as connection:
        client_id = await client_id_of(connection, named)
        request = ApproachRequest(
            request_id=str(uuid4()),
            client_id=client_id,
            employee_id=employee,
            channel=channel,
            with_offer=with_offer,
        )
        method = OwnershipServiceStub(connection.channel).Approach
        try:
            answer = await connection.call(method, request)
        except VerbError as refused:
            if "rule" in refused.details:
                refused.details["because"] = await _because(connection, client_id, employee)
            raise
    owner = answer.ownership
    if not owner.owner_id:
        print(f"Noted; nobody looks after {client_id}.")
        return
    lapses = f", until {moment(owner.lapses_at)}" if owner.HasField("lapses_at") else ""
    since = f"since {moment(owner.since)} UTC{lapses}"
    print(f"{owner.owner_id} of {owner.unit_id} looks after {client_id} {since}.")


async def _because(connection: Connection, client_id: str, employee: str) -> str:
    """
    The facts on which the refusal rests, as people name them; empty where they are not told.

    The refusal is an event itself, and its envelope names them.
    """
    from clientela.adapters.cli.timeline import fact, facts_of, fields_of, timeline_of

    try:
        entries = await timeline_of(connection, client_id)
    except VerbError:
        return ""
    for entry in reversed(entries):
        if entry.event.name == REFUSED and fields_of(entry).get("employee_id") == employee:
            return "; ".join(fact(ref, facts_of(entries)) for ref in entry.event.because)
    return ""
