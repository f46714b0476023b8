"""
`clientela import`.
"""

from __future__ import annotations

import contextlib
import sys

from collections.abc import Callable, Generator
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
from clientela.adapters.imports.mapping import Kind


if TYPE_CHECKING:
    from clientela.adapters.imports.mapping import FileMapping
    from clientela.adapters.imports.reading import Source
    from clientela.adapters.imports.tally import Rejects, Tally


@verb
def import_file(
    kind: Annotated[Kind, typer.Argument(help="What the file tells of.")],
    file: Annotated[Path, typer.Argument(help="The file.", dir_okay=False)],
    *,
    map_: Annotated[
        Path, typer.Option("--map", help="Which column means what, TOML.", dir_okay=False)
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read the file and send nothing.")
    ] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rows that are not taken are listed, CSV.")
    ] = None,
    create_clients: Annotated[
        bool, typer.Option("--create-clients", help="Register clients that are not known.")
    ] = False,
    data_dir: DataDir = None,
    address: Target = "",
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    output: Format = Output.TABLE,
) -> Exit | None:
    """
    Bring in a file of another system: clients, purchases, returns or interactions.

    Rows are taken as if they came when they happened. A second run of the same file changes
    nothing, and a run that was broken off is gone on with by a second one. Rows that are not taken
    are counted by reason, and listed in the file of --rejects: file, line, reason, what was
    expected; never what was there.
    """
    way = Way(
        data_dir=data_dir,
        target=address,
        token_file=token_file,
        ca_file=ca_file,
        may_begin=True,
    )
    source = _source(file, map_, kind)
    return done(
        _imported(way, source, rejects, output, is_dry=dry_run, creates_clients=create_clients)
    )


def _source(file: Path, map_: Path, kind: Kind) -> Source:
    from clientela.adapters.imports.document import MappingError, mapping_from
    from clientela.adapters.imports.reading import Source

    try:
        mapping: FileMapping = mapping_from(text_of(map_), kind)
    except MappingError as error:
        raise VerbError(
            Exit.USAGE, f"{map_}: {error}", reason="MAPPING_INVALID", violations=error.problems
        ) from None
    return Source.of(file, mapping)


async def _imported(
    way: Way,
    source: Source,
    rejects: Path | None,
    output: Output,
    *,
    is_dry: bool,
    creates_clients: bool,
) -> Exit | None:
    import time

    from clientela.adapters.imports.lines import FileUnreadableError
    from clientela.adapters.imports.tally import Tally, rejects_to

    tally = Tally()
    begun = time.monotonic()
    try:
        with rejects_to(rejects, source.path.name) as out, _progress(source) as seen:
            if is_dry:
                _tried(source, tally, out, seen)
            else:
                await _sent(way, source, tally, out, seen, creates_clients=creates_clients)
    except FileUnreadableError as error:
        raise VerbError(Exit.USAGE, f"{source.path}: {error}") from None
    plain = {"file": source.path.name, "sha256": source.digest, "dry_run": is_dry}
    plain |= tally.plain(time.monotonic() - begun)
    _show(plain, output)
    return Exit.REJECTS if tally.rejected else None


def _tried(source: Source, tally: Tally, out: Rejects, seen: Callable[[int], None]) -> None:
    """Read the whole file and count; what a service would say is not asked."""
    from clientela.adapters.imports.lines import BadRow

    for entry in source.entries():
        if isinstance(entry, BadRow):
            tally.rejected[entry.error.reason] += 1
            out.write(entry.line, entry.error.reason, entry.error.text)
        else:
            tally.recorded += len(entry.lines)
            tally.entries[entry.kind.value] += 1
            seen(entry.lines[-1])


async def _sent(
    way: Way,
    source: Source,
    tally: Tally,
    out: Rejects,
    seen: Callable[[int], None],
    *,
    creates_clients: bool,
) -> None:
    from clientela.adapters.cli.connection import connected
    from clientela.adapters.cli.sending import Sender
    from clientela.adapters.garbage import look_seldom

    async with connected(way) as connection:
        look_seldom()
        sender = Sender(
            connection,
            source.mapping,
            source.digest,
            tally=tally,
            rejects=out,
            creates_clients=creates_clients,
        )
        await sender.send(source.entries(), seen)


@contextlib.contextmanager
def _progress(source: Source) -> Generator[Callable[[int], None]]:
    """Tells people how far it is, by lines; programs are not told."""
    if not sys.stderr.isatty():
        yield _nobody
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(source.path.name, total=_lines(source.path))

        def seen(line: int) -> None:
            progress.update(task, completed=line)

        yield seen


def _nobody(_line: int) -> None:
    """Tell nobody."""


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def _show(plain: dict[str, Any], output: Output) -> None:
    from clientela.adapters.cli.output import table, written

    if output is Output.JSON:
        written(plain)
        return
    did = "would be read" if plain["dry_run"] else "recorded"
    rows: list[tuple[str, object]] = [
        ("rows", plain["rows"]),
        (did, plain["recorded"]),
        ("there already", plain["already_there"]),
        *_unsure("recorded now or before: answer lost", plain["recorded_now_or_before"]),
        *((f"rejected: {reason}", count) for reason, count in plain["rejected"].items()),
        *((f"entries: {kind}", count) for kind, count in plain["entries"].items()),
        ("clients registered", plain["clients_registered"]),
        *_unsure("registered now or before: answer lost", plain["clients_now_or_before"]),
        ("returned lines without purchase", plain["unmatched_lines"]),
        ("rows a second", round(plain["rows_per_second"])),
    ]
    table(f"{plain['file']}, sha256 {plain['sha256'][:12]}", ("", "count"), rows)


def _unsure(text: str, count: int) -> list[tuple[str, object]]:
    """A row that is seldom there at all."""
    return [(text, count)] if count else []
