"""
`clientela advance`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

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


DATE_LENGTH = len("1998-06-30")


@verb
def advance(
    *,
    to: Annotated[
        str,
        typer.Option(help="A date, through the end of that day (UTC), or a moment with its zone."),
    ],
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    output: Format = Output.TABLE,
) -> Exit | None:
    """
    Move the virtual clock of a trial store, and let everything happen that is due on the way.

    A clock never goes back: an earlier date changes nothing.
    """
    way = Way(
        data_dir=data_dir,
        target=address,
        token_file=token_file,
        ca_file=ca_file,
        may_begin=True,
    )
    return done(_advanced(way, _moment(to), output))


def _moment(text: str) -> datetime:
    try:
        if len(text) == DATE_LENGTH:
            return datetime.combine(date.fromisoformat(text) + timedelta(1), time(), UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        found = None
    if found is None or found.tzinfo is None:
        raise VerbError(
            Exit.USAGE, "--to: expected a date such as 1998-06-30, or 1998-06-30T12:00+02:00"
        )
    return found.astimezone(UTC)


async def _advanced(way: Way, to: datetime, output: Output) -> None:
    from clientela.adapters.cli.connection import LONG_SECONDS, connected
    from clientela.adapters.cli.output import moment, written
    from clientela.v1.operation_pb2 import AdvanceClockRequest
    from clientela.v1.operation_pb2_grpc import OperationServiceStub

    request = AdvanceClockRequest()
    request.to.FromDatetime(to)
    async with connected(way) as connection:
        method = OperationServiceStub(connection.channel).AdvanceClock
        answer = await connection.call(method, request, seconds=LONG_SECONDS)
    if output is Output.JSON:
        now = answer.now.ToDatetime(tzinfo=UTC)
        written({"now": now.isoformat(), "moved": answer.moved})
    else:
        journals = "1 journal" if answer.moved == 1 else f"{answer.moved:,} journals"
        print(f"It is {moment(answer.now)} UTC; {journals} moved on the way.")
