"""
`clientela apply`.
"""

from __future__ import annotations

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
    from clientela.adapters.cli.connection import Connection
    from clientela.v1.definition_pb2 import ApplyDefinitionsResponse, DefinitionChange

VALUE_LENGTH_MAX = 60
"""Characters of a value shown in a table; JSON has all of it."""


@verb
def apply(
    file: Annotated[Path, typer.Argument(help="The definitions, TOML.", dir_okay=False)],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the difference.")] = False,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    output: Format = Output.TABLE,
) -> Exit | None:
    """
    Set models, programme and policies: check the file, show what differs, put it in force.

    A file with anything wrong in it is refused whole, each problem at its place.
    """
    # On the wire no document is a forgotten one; a file without a word in it is meant.
    text = text_of(file) or "\n"
    way = Way(
        data_dir=data_dir,
        target=address,
        token_file=token_file,
        ca_file=ca_file,
        may_begin=True,
    )
    return done(_applied(way, text, output, is_asking=not yes, is_dry=dry_run))


async def _applied(
    way: Way, text: str, output: Output, *, is_asking: bool, is_dry: bool
) -> Exit | None:
    from clientela.adapters.cli.connection import connected

    async with connected(way) as connection:
        tried = await _call(connection, text, validate_only=True)
        if output is Output.TABLE:
            _show(tried)
        if not is_dry and tried.changes:
            if is_asking and not _agreed():
                raise VerbError(Exit.FAILED, "nothing was changed", advice="Say --yes to agree.")
            tried = await _call(connection, text, validate_only=False)
            if output is Output.TABLE:
                print(f"Version {tried.version} is in force.")
    if output is Output.JSON:
        _write(tried, is_dry=is_dry)
    return None


async def _call(
    connection: Connection, text: str, *, validate_only: bool
) -> ApplyDefinitionsResponse:
    from uuid import uuid4

    from clientela.v1.definition_pb2 import ApplyDefinitionsRequest
    from clientela.v1.definition_pb2_grpc import DefinitionServiceStub

    request = ApplyDefinitionsRequest(
        request_id=str(uuid4()), validate_only=validate_only, toml=text
    )
    method = DefinitionServiceStub(connection.channel).ApplyDefinitions
    answer: ApplyDefinitionsResponse = await connection.call(method, request)
    return answer


def _agreed() -> bool:
    import sys

    return sys.stdin.isatty() and typer.confirm("Put this in force?")


def _show(tried: ApplyDefinitionsResponse) -> None:
    from clientela.adapters.cli.output import table

    if not tried.changes:
        print("Nothing differs from the latest version.")
        return
    rows = [(_kind(c), c.path, _clipped(c.old), _clipped(c.new)) for c in tried.changes]
    table(f"What version {tried.version} changes", ("", "where", "before", "after"), rows)


def _write(tried: ApplyDefinitionsResponse, *, is_dry: bool) -> None:
    import json

    from clientela.adapters.cli.output import written

    def value(text: str) -> Any:
        return json.loads(text) if text else None

    changes = [
        {"path": c.path, "kind": _kind(c), "old": value(c.old), "new": value(c.new)}
        for c in tried.changes
    ]
    is_applied = bool(changes) and not is_dry
    written({"version": tried.version, "applied": is_applied, "changes": changes})


def _kind(change: DefinitionChange) -> str:
    from clientela.v1.definition_pb2 import ChangeKind

    return ChangeKind.Name(change.kind).removeprefix("CHANGE_KIND_").lower()


def _clipped(text: str) -> str:
    return text if len(text) <= VALUE_LENGTH_MAX else f"{text[: VALUE_LENGTH_MAX - 1]}…"
