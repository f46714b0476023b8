"""
`clientela backtest`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    text_of,
    verb,
)


if TYPE_CHECKING:
    from clientela.v1.definition_pb2 import Difference


@verb
def backtest(
    file: Annotated[Path, typer.Argument(help="The definitions to try, TOML.", dir_okay=False)],
    *,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    output: Format = Output.TABLE,
) -> Exit | None:
    """
    Run the real history through other definitions and count what would have differed.

    Nothing is changed. JSON lists every difference, one a line, and ends with a summary.
    """
    way = Way(data_dir=data_dir, target=address, token_file=token_file, ca_file=ca_file)
    return done(_tried(way, text_of(file), output))


async def _tried(way: Way, text: str, output: Output) -> None:
    from clientela.adapters.cli.connection import connected
    from clientela.adapters.cli.output import written_line
    from clientela.v1.definition_pb2 import BacktestRequest
    from clientela.v1.definition_pb2_grpc import DefinitionServiceStub

    counts: Counter[tuple[str, str]] = Counter()
    events: int | None = None
    async with connected(way) as connection:
        method = DefinitionServiceStub(connection.channel).Backtest
        async for part in connection.stream(method, BacktestRequest(toml=text)):
            if part.HasField("summary"):
                events = part.summary.events
                continue
            counts[_kind(part.difference), part.difference.name] += 1
            if output is Output.JSON:
                written_line(_plain(part.difference))
    if events is None:
        raise VerbError(Exit.FAILED, "the answer was cut off", advice="Run it again.")
    if output is Output.JSON:
        written_line({"events": events, "differences": counts.total()})
    else:
        _show(counts, events)


def _kind(difference: Difference) -> str:
    from clientela.v1.definition_pb2 import DifferenceKind

    return DifferenceKind.Name(difference.kind).removeprefix("DIFFERENCE_KIND_").lower()


def _plain(difference: Difference) -> dict[str, Any]:
    from clientela.adapters.cli.output import plain
    from clientela.adapters.cli.timeline import payload

    made: dict[str, Any] = plain(difference)
    return {**made, "kind": _kind(difference), "payload": payload(made["payload"])}


def _show(counts: Counter[tuple[str, str]], events: int) -> None:
    from clientela.adapters.cli.output import table

    if not counts:
        print(f"Nothing would differ in {events:,} events.")
        return
    rows = [(kind, name, count) for (kind, name), count in sorted(counts.items())]
    table(f"What would differ in {events:,} events", ("", "event", "count"), rows)
