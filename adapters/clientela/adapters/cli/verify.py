"""
`clientela verify`.
"""

from __future__ import annotations

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


@verb
def verify(
    *,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    output: Format = Output.TABLE,
) -> Exit | None:
    """
    Check that everything kept agrees: hashes, states, due moments, read models, the file itself.

    Reads everything and changes nothing.
    """
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_verified(way, output))


async def _verified(way: Way, output: Output) -> Exit | None:
    from clientela.adapters.cli.connection import LONG_SECONDS, connected
    from clientela.adapters.cli.output import written
    from clientela.v1.operation_pb2 import VerifyRequest
    from clientela.v1.operation_pb2_grpc import OperationServiceStub

    async with connected(way) as connection:
        method = OperationServiceStub(connection.channel).Verify
        found = await connection.call(method, VerifyRequest(), seconds=LONG_SECONDS)
    problems = list(found.problems)
    parked = [*found.parked, *(f"event {each}" for each in found.parked_follow_ups)]
    if output is Output.JSON:
        counts = {"journals": found.journals, "events": found.events}
        written({**counts, "problems": problems, "parked": parked})
    else:
        for each in parked:
            print(f"{each} is parked: see the service's log")
        for problem in problems:
            print(problem)
        said = f"{len(problems):,} problems" if problems else "Everything agrees"
        print(f"{said}: {found.events:,} events of {found.journals:,} journals.")
    return Exit.PROBLEMS if problems else None
